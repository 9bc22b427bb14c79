"""Page tokens: ours come back, anybody else's are a clear error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import position, token_of
from api.problems import ApiError


@given(st.integers(0, 2**62 - 1))
def test_a_token_names_its_position(seq: int) -> None:
    assert position(token_of(seq)) == seq


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    refusal = None
    try:
        assert token_of(position(text) or 0) == text
    except ApiError as error:
        refusal = (error.status_code, error.kind)
    assert refusal in (None, (400, "QueryParameterException"))


@pytest.mark.parametrize("wrong", ["", "0x1", "+1", " 1", "1_0", "01", "-1", "f" * 30, "zz"])
def test_foreign_tokens_are_refused(wrong: str) -> None:
    with pytest.raises(ApiError):
        position(wrong)
