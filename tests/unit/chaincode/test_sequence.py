"""Sequences in pages behave like sorted lists, however they were filled."""

from __future__ import annotations

import random
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from chaincode import keys
from chaincode.lots.sequence import Sequence
from chaincode.state import State
from tests.effort import examples
from tests.unit.chaincode.peer import NOW, Call

OPEN = 1


def is_open(entry: list[Any]) -> int:
    return OPEN if entry[3] else 0


class Store:
    """A sequence that is written and read again after each change."""

    def __init__(self) -> None:
        self.committed: dict[str, bytes] = {}
        self.root: dict[str, Any] = {}
        self.call = Call(self.committed, "", None, b"", NOW)

    def open(self) -> Sequence:
        self.call = Call(self.committed, "", None, b"", NOW)
        self.state = State(self.call)
        return Sequence(self.state, "HX", "x", self.root or None, is_open)

    def close(self, sequence: Sequence) -> None:
        self.root = sequence.save({})
        self.state.flush()
        for key, value in self.call.writes.items():
            if value is None:
                del self.committed[key]
            else:
                self.committed[key] = value


PLACES = st.integers(0, 60)


@settings(max_examples=examples(100), deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["put", "put", "put", "remove"]), PLACES, st.booleans()), max_size=150),
    start=PLACES,
)
def test_like_a_sorted_list(steps: list[tuple[str, int, bool]], start: int) -> None:
    store, model = Store(), dict[int, bool]()
    for step, number, mark in steps:
        sequence = store.open()
        if step == "put":
            sequence.put([number, 0, "", mark])
            model[number] = mark
        else:
            sequence.remove((number, 0, ""))
            model.pop(number, None)
        store.close(sequence)
    sequence = store.open()
    assert [entry[0] for entry in sequence.ascending()] == sorted(model)
    assert [entry[0] for entry in sequence.ascending((start, 0, ""))] == [n for n in sorted(model) if n >= start]
    assert [entry[0] for entry in sequence.ascending(None, OPEN)] == [n for n in sorted(model) if model[n]]
    late = [n for n in sorted(model) if model[n] and n >= start]
    assert [entry[0] for entry in sequence.ascending((start, 0, ""), OPEN)] == late
    assert [entry[0] for entry in sequence.descending((start, 0, ""))] == [n for n in sorted(model)[::-1] if n < start]
    assert all((sequence.get((n, 0, "")) is not None) == (n in model) for n in range(61))
    assert set(sequence.pages()) == set(store.committed)
    last = sequence.last()
    assert (last[0] if last else None) == (max(model) if model else None)
    assert bool(sequence) == bool(model)


def test_what_is_added_at_the_end_touches_the_end() -> None:
    store, costs = Store(), []
    for number in range(5_000):
        sequence = store.open()
        sequence.put([number, 0, "", number % 100 == 0])
        store.close(sequence)
        costs.append(len(store.call.reads) + len(store.call.writes))
        if number % 100 and number % 7:  # the first that is open, however far back
            assert next(store.open().ascending(None, OPEN))[0] == 0
    assert max(costs[4_000:]) <= 12
    assert sum(costs[4_000:]) / 1_000 < 5
    assert len(str(store.root)) < 1_000
    assert keys.page("HX", "x", 0) in store.committed


def test_what_is_taken_out_of_the_depth_takes_nothing_along() -> None:
    """Pages that are emptied go, those beside them stay: over several levels, in any order."""
    store, chance = Store(), random.Random(7)
    sequence = store.open()
    for number in range(3_000):
        sequence.put([number, 0, "", number % 3 == 0])
    store.close(sequence)
    assert len(list(store.open().pages())) > 200
    left = set(range(3_000))
    for gone in (range(1_000, 1_500), chance.sample(range(3_000), 1_500), range(3_000)):
        sequence = store.open()
        for number in gone:
            sequence.remove((number, 0, ""))
        store.close(sequence)
        left -= set(gone)
        sequence = store.open()
        assert [entry[0] for entry in sequence.ascending()] == sorted(left)
        assert [entry[0] for entry in sequence.ascending(None, OPEN)] == [n for n in sorted(left) if n % 3 == 0]
        assert set(sequence.pages()) == set(store.committed)
    assert store.committed == {}
