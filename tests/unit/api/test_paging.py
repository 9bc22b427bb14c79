"""Page tokens: ours come back, anybody else's are a clear error."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import position, token_of
from readmodel.queries.paging import InvalidTokenError


@given(st.integers(0, 2**62 - 1))
def test_a_token_names_its_position(seq: int) -> None:
    assert position(token_of(seq)) == seq


@given(st.text() | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_text_breaks_it(text: str) -> None:
    with pytest.raises(InvalidTokenError):
        position(text)


@pytest.mark.parametrize("wrong", ["", "0x1", "+1", " 1", "1_0", "01", "-1", "f" * 30, "zz", "WzFd", "🦄"])
def test_foreign_tokens_are_refused(wrong: str) -> None:
    with pytest.raises(InvalidTokenError):
        position(wrong)
