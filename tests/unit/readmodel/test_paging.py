import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.queries.paging import InvalidTokenError, decode, encode, paged

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3)


@given(KEYS)
def test_tokens_hold_their_key(key: list[int]) -> None:
    assert decode(encode(*key), len(key)) == tuple(key)


@given(st.text())
def test_anything_else_is_refused_as_such(text: str) -> None:
    try:
        key = decode(text, 2)
    except InvalidTokenError:
        return
    assert all(isinstance(part, int) for part in key)


@pytest.mark.parametrize("key", [(1,), (1, 2, 3)])
def test_a_token_of_another_list_is_refused(key: tuple[int, ...]) -> None:
    with pytest.raises(InvalidTokenError):
        decode(encode(*key), 2)


@given(st.lists(st.integers()), st.integers(1, 5))
def test_a_page_knows_whether_there_is_another(rows: list[int], per_page: int) -> None:
    page = paged(rows[: per_page + 1], per_page, list, lambda row: encode(0) if row is not None else "")
    assert page.items == rows[:per_page]
    assert (page.next is not None) == (len(rows) > per_page)
