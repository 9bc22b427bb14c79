"""Which goods of a lot may be which: rules on movements, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.queries.pools import SKEW, Flow, Load, Movement

HOUR = 3_600_000_000
PLANT, SHOP = 1, 2


def made(time: float, amount: int | None = 10, of: int = 0, place: int = PLANT, event: int | None = None) -> Movement:
    return Movement(place, _at(time), int(time * 100) if event is None else event, "made", of, amount)


def packed(time: float, load: int, amount: int | None = 10, place: int = PLANT) -> Movement:
    return Movement(place, _at(time), None, "load", load, amount)


def unpacked(time: float, load: int, amount: int | None = 10, place: int = SHOP) -> Movement:
    return Movement(place, _at(time), None, "load", load, amount)


def used(time: float, of: int, amount: int | None = 10, place: int = SHOP) -> Movement:
    return Movement(place, _at(time), None, "used", of, amount)


def _at(hours: float) -> int:
    return int(hours * HOUR)


def sources(flow: Flow, departure: int) -> list[int]:
    return flow.sources(departure)


def test_what_is_packed_comes_from_what_was_there_before() -> None:
    flow = Flow.of([made(0, 30), made(5, 30)], [packed(1, 0), packed(6, 1)])
    assert sources(flow, 0) == [0]
    assert sources(flow, 1) == [0, 1]
    assert (flow.is_mixed([0]), flow.is_mixed([1])) == (False, True)


def test_other_places_have_nothing_to_do_with_it() -> None:
    flow = Flow.of([made(0, 30), unpacked(1, 0)], [packed(2, 1), used(3, 7)])
    assert sources(flow, 0) == [0]
    assert sources(flow, 1) == [1]


def test_an_emptied_place_forgets_what_was_there() -> None:
    flow = Flow.of([made(0, 10), made(2, 10)], [packed(1, 0, 10), packed(3, 1, 5)])
    assert sources(flow, 1) == [1]
    assert flow.sinks(0) == [0]
    assert (flow.lasts(0), flow.lasts(1)) == (_at(1), None)


@pytest.mark.parametrize("amount", [None, 9, 11])
def test_it_is_empty_only_when_the_numbers_say_so(amount: int | None) -> None:
    """Less was taken, or nobody said how much, or more than there was: then not everything was told."""
    flow = Flow.of([made(0, 10), made(2, 10)], [packed(1, 0, amount), packed(3, 1, 5)])
    assert sources(flow, 1) == [0, 1]


def test_what_leaves_an_empty_place_is_of_what_was_there() -> None:
    flow = Flow.of([made(0, 10), made(9, 10)], [packed(1, 0, 10), packed(2, 1, 10), packed(9.5, 2, 5)])
    assert sources(flow, 1) == [0]
    assert sources(flow, 2) == [0, 1]  # nobody knows what else was not told


def test_different_units_are_not_compared() -> None:
    kilograms = Movement(PLANT, _at(1), None, "load", 0, 10, "KGM")
    flow = Flow.of([made(0, 10), made(2, 10)], [kilograms, packed(3, 1, 5)])
    assert sources(flow, 1) == [0, 1]


def test_clocks_may_differ_a_little_but_not_more() -> None:
    late = made(1)
    assert sources(Flow.of([late], [packed(1 - 4 / 60, 0)]), 0) == [0]
    assert sources(Flow.of([late], [packed(1 - 6 / 60, 0)]), 0) == []


def test_what_is_made_in_parts_of_one_transformation_is_one_source() -> None:
    flow = Flow.of([made(0, 5, of=7), made(1, 5, of=7)], [packed(2, 0)])
    assert sources(flow, 0) == [0, 1]
    assert not flow.is_mixed([0])


def test_what_is_taken_out_was_put_in_before() -> None:
    flow = Flow.of([made(0, 99), unpacked(3, 0)], [packed(1, 0), packed(5, 0), packed(1, 1)])
    flow.loads[0] = [Load(0, None, None)]
    assert flow.packed_before(1) == [0]


def test_a_departure_from_nowhere_is_an_orphan() -> None:
    flow = Flow.of([made(0)], [used(1, 7)])
    assert flow.orphans == [0]
    assert flow.made_by(_at(1)) == [0]
    assert flow.made_by(-SKEW - 1) == []


MOVES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([PLANT, SHOP]), st.integers(0, 8), st.integers(1, 3)), max_size=10
)


def _flow(moves: Sequence[tuple[bool, int, int, int]]) -> Flow:
    ins = [made(time, amount, place=place, event=n) for n, (comes, place, time, amount) in enumerate(moves) if comes]
    outs = [packed(time, n, amount, place) for n, (comes, place, time, amount) in enumerate(moves) if not comes]
    return Flow.of(ins, outs)


@given(MOVES)
def test_there_and_back_are_the_same_relation(moves: list[tuple[bool, int, int, int]]) -> None:
    flow = _flow(moves)
    there = {(a, d) for d in range(len(flow.departures)) for a in flow.sources(d)}
    back = {(a, d) for a in range(len(flow.arrivals)) for d in flow.sinks(a)}
    assert there == back


@given(MOVES)
def test_no_true_source_is_ever_left_out(moves: list[tuple[bool, int, int, int]]) -> None:
    """First in, first out and last in, first out are two ways it may really have been: both are allowed for."""
    flow = _flow(moves)
    for newest_first in (False, True):
        for place in (PLANT, SHOP):
            for departure, arrival in _played(flow, place, newest_first):
                assert arrival in flow.sources(departure)


def _played(flow: Flow, place: int, newest_first: bool) -> list[tuple[int, int]]:
    there: list[tuple[int, Any]] = []
    pairs = []
    moves = [(one.time, 0, n) for n, one in enumerate(flow.arrivals) if one.place == place]
    moves += [(one.time, 1, n) for n, one in enumerate(flow.departures) if one.place == place]
    for _, leaving, number in sorted(moves):
        if not leaving:
            there.append((number, flow.arrivals[number].amount or 0))
            continue
        wanted = flow.departures[number].amount or 0
        while wanted and there:
            arrival, left = there.pop(-1 if newest_first else 0)
            taken = min(left, wanted)
            pairs.append((number, arrival))
            wanted -= taken
            if left > taken:
                there.insert(len(there) if newest_first else 0, (arrival, left - taken))
    return pairs
