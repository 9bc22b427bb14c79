"""Fabric's composite keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.words.composite_keys import check_simple_keys, create_composite_key, partial_range, split_composite_key

PARTS = st.text(st.characters(exclude_characters="\x00\U0010ffff", exclude_categories=["Cs"]), max_size=8)


@given(PARTS.filter(bool), st.lists(PARTS, max_size=4))
def test_what_is_joined_comes_apart_again(kind: str, attributes: list[str]) -> None:
    assert split_composite_key(create_composite_key(kind, attributes)) == (kind, attributes)


@given(PARTS.filter(bool), st.lists(PARTS, max_size=3), st.lists(PARTS, max_size=3))
def test_a_partial_range_holds_what_begins_so_and_nothing_else(kind: str, begin: list[str], other: list[str]) -> None:
    start, end = partial_range(kind, begin)
    key = create_composite_key(kind, other)
    assert (start <= key < end) == (other[: len(begin)] == begin)


@pytest.mark.parametrize("part", ["a\x00b", "\U0010ffff"])
def test_reserved_characters(part: str) -> None:
    with pytest.raises(ValueError, match="reserve"):
        create_composite_key("type", [part])
    with pytest.raises(ValueError, match="reserve"):
        create_composite_key(part, [])


@pytest.mark.parametrize("key", ["", "simple", "\x00", "\x00x"])
def test_what_is_no_composite_key(key: str) -> None:
    with pytest.raises(ValueError, match="composite"):
        split_composite_key(key)


def test_simple_keys() -> None:
    check_simple_keys("a", "")
    with pytest.raises(ValueError, match="NUL"):
        check_simple_keys("a", "\x00b")
