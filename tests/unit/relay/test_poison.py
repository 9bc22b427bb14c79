"""Poison is found wherever it is, and what is taken apart is put together to the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import RejectedByContract
from relay.poison import MOST_QUESTIONS, events_of, find_poison, payload_of
from tests.effort import examples

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=examples(200))
@given(events=st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=8))
def test_a_payload_is_taken_apart_and_put_together_as_it_was(events: list[dict[str, object]]) -> None:
    parts = [json.dumps(event, ensure_ascii=False, separators=(",", ":")).replace("\ud800", "") for event in events]
    payload = ("[" + ",".join(parts) + "]").encode("utf-8", "replace")
    found = events_of(payload)
    assert payload_of(found) == payload
    assert len(found) == len(events)


def test_numbers_stay_as_they_are_written() -> None:
    payload = b'[{"a":1.10,"b":"],["},{"c":1e5,"d":123456789012345678901234567890}]'
    assert events_of(payload) == ['{"a":1.10,"b":"],["}', '{"c":1e5,"d":123456789012345678901234567890}']


@settings(max_examples=examples(100))
@given(size=st.integers(2, 300), data=st.data())
async def test_whoever_is_to_blame_is_found(size: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, size - 1), max_size=8))
    asked = 0

    async def ask(some: Sequence[str]) -> None:
        nonlocal asked
        asked += 1
        if any(int(event) in bad for event in some):
            raise RejectedByContract(400, "no")

    found = await find_poison([str(n) for n in range(size)], ask)
    assert [one.place for one in found] == sorted(bad)
    assert asked <= 1 + 2 * len(bad) * (size.bit_length() + 1)


async def test_too_much_poison_is_nobodys_by_itself() -> None:
    async def ask(some: Sequence[str]) -> None:
        raise RejectedByContract(400, "no")

    assert await find_poison([str(n) for n in range(MOST_QUESTIONS)], ask) == []
    assert orjson.loads(payload_of(["1", "2"])) == [1, 2]
