"""Remembered answers are the function's own, and there are never too many of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis.remembering import remember

LONGEST, SIZE = 3, 4


@given(st.lists(st.text("abc", max_size=LONGEST + 2)))
def test_answers_are_those_of_the_function(asked: list[str]) -> None:
    answer = remember(SIZE, LONGEST)(str.upper)
    assert [answer(text) for text in asked] == [text.upper() for text in asked]


@given(st.lists(st.text("abcdefgh", max_size=LONGEST + 2)))
def test_a_text_is_worked_out_once_while_it_is_among_the_last(asked: list[str]) -> None:
    worked_out: list[str] = []
    answer = remember(SIZE, LONGEST)(lambda text: worked_out.append(text) or text)  # type: ignore[func-returns-value]
    for text in asked:
        answer(text)
        before = len(worked_out)
        answer(text)
        assert len(worked_out) - before == (len(text) > LONGEST)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    worked_out: list[str] = []
    answer = remember(SIZE, LONGEST)(lambda text: worked_out.append(text) or text)  # type: ignore[func-returns-value]
    for text in ("a", "b", "c", "d", "e", "a"):
        answer(text)
    assert worked_out == ["a", "b", "c", "d", "e", "a"]


def test_a_refusal_is_no_answer() -> None:
    seen: list[str] = []

    @remember(SIZE, LONGEST)
    def number(text: str) -> int:
        seen.append(text)
        return int(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            number("x")
    assert seen == ["x", "x"]
