"""Batches as they travel: plain or compressed, and what is neither."""

from __future__ import annotations

import gzip

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaincode import batch_form
from chaincode.rejection import Malformed
from tests.unit.chaincode.peer import Peer, commission, item

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=10), inner, max_size=8),
    max_leaves=200,
)


@given(VALUES)
def test_what_is_encoded_is_decoded(value: object) -> None:
    written = orjson.dumps(value)
    assert batch_form.decode(batch_form.encode(written)) == value
    assert batch_form.decode(written) == value
    assert batch_form.decode(gzip.compress(written)) == value


def batch(count: int) -> bytes:
    events = [commission(1, item(number)) for number in range(count)]
    return orjson.dumps({"groups": [{"id": "g", "onError": "rollback", "events": events}]})


def test_many_events_shrink_and_one_is_sent_as_it_is() -> None:
    assert batch_form.encode(batch(1)) == batch(1)
    many = batch(300)
    assert len(batch_form.encode(many)) < len(many) / 8
    assert batch_form.encode(many) == batch_form.encode(many)


def test_a_compressed_batch_is_captured_like_a_plain_one() -> None:
    plain, packed = Peer(), Peer()
    answers = [plain.call("capture", batch(40)), packed.call("capture", gzip.compress(batch(40)))]
    assert answers[0] == answers[1]
    assert plain.state == packed.state


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (gzip.compress(batch(3))[:-9], "cut off"),
        (gzip.compress(batch(3)) + b"more", "something follows"),
        (b"\x1f\x8bnot gzip at all", "not gzip"),
        (gzip.compress(b"{"), "onError"),
        (gzip.compress(b" " * (batch_form.LARGEST + 1)), "at most 64 MiB"),
    ],
    ids=[
        "cut off",
        "followed",
        "no gzip",
        "no JSON",
        "too large",
    ],  # bytes with a time in them would be other names each second
)
def test_a_broken_one_is_refused_and_says_why(sent: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        batch_form.decode(sent)
    answer = Peer().call("capture", sent)
    assert answer.status == 400
    assert reason in answer.message
