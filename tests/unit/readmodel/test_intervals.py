"""Intervals against a slow, obvious model: replay the facts and look where the child is after each."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from readmodel.intervals import Fact, Interval, of_instance, of_quantity

CHILD = 7


def fact(
    time: int, action: str, parent: int, event: int = 0, *, child: int = CHILD, quantity: int | None = None
) -> Fact:
    return Fact(child, parent, time, event or time, 0, "aggregation", action, quantity, None)


def spans(intervals: list[Interval]) -> list[tuple[int, int | None, int | None]]:
    return [(one.parent, one.start, one.end) for one in intervals]


def test_packed_then_unpacked() -> None:
    assert spans(of_instance([fact(1, "ADD", 5), fact(4, "DELETE", 5)])) == [(5, 1, 4)]


def test_still_inside() -> None:
    assert spans(of_instance([fact(1, "ADD", 5)])) == [(5, 1, None)]


def test_the_order_of_arrival_does_not_matter() -> None:
    facts = [fact(1, "ADD", 5), fact(3, "DELETE", 5), fact(6, "ADD", 8), fact(9, "DELETE", 8)]
    assert spans(of_instance(facts[::-1])) == [(5, 1, 3), (8, 6, 9)]


def test_packed_elsewhere_without_being_unpacked() -> None:
    assert spans(of_instance([fact(1, "ADD", 5), fact(4, "ADD", 8)])) == [(5, 1, 4), (8, 4, None)]


def test_observed_inside_counts_as_being_inside() -> None:
    assert spans(of_instance([fact(2, "OBSERVE", 5), fact(3, "OBSERVE", 5)])) == [(5, 2, None)]


def test_unpacked_from_where_nobody_put_it() -> None:
    assert spans(of_instance([fact(4, "DELETE", 5)])) == [(5, None, 4)]
    late = [fact(1, "ADD", 8), fact(2, "DELETE", 8), fact(4, "DELETE", 5)]
    assert spans(of_instance(late)) == [(8, 1, 2), (5, 2, 4)]


def test_emptying_the_parent_takes_the_child_out_but_tells_nothing_of_one_that_was_not_in() -> None:
    sweep = fact(4, "DELETE", 5, child=0)
    assert spans(of_instance([fact(1, "ADD", 5), sweep])) == [(5, 1, 4)]
    assert spans(of_instance([fact(6, "ADD", 5), sweep])) == [(5, 6, None)]


def test_what_is_used_up_is_in_nothing_any_more() -> None:
    assert spans(of_instance([fact(1, "ADD", 5), fact(4, "DELETE", 0)])) == [(5, 1, 4)]
    assert spans(of_instance([fact(4, "DELETE", 0)])) == []


def test_at_the_same_time_the_ledger_says_what_came_first() -> None:
    packed, unpacked = fact(3, "ADD", 5, event=11), fact(3, "DELETE", 5, event=12)
    assert spans(of_instance([unpacked, packed])) == [(5, 3, 3)]


@st.composite
def said(draw: st.DrawFn) -> list[Fact]:
    """Statements about one child at different times, in any order of arrival."""
    facts = []
    for time in draw(st.lists(st.integers(1, 30), max_size=12, unique=True)):
        action = draw(st.sampled_from(["ADD", "DELETE", "OBSERVE"]))
        child = draw(st.sampled_from([CHILD, CHILD, 0])) if action == "DELETE" else CHILD
        parent = draw(st.integers(0 if action == "DELETE" and child else 1, 3))
        facts.append(fact(time, action, parent, child=child))
    return facts


@given(said())
def test_the_child_is_where_a_replay_says(facts: list[Fact]) -> None:
    # An interval without a first event tells of a stay nobody reported when it began: no replay can know it.
    intervals = [one for one in of_instance(facts) if one.start_event is not None]
    inside: int | None = None
    for one in sorted(facts, key=lambda each: each.time):
        if one.action != "DELETE":
            inside = one.parent
        elif one.parent in (inside, 0):
            inside = None
        assert [one_of.parent for one_of in intervals if _open(one_of, one.time)] == ([inside] if inside else [])


def _open(interval: Interval, time: int) -> bool:
    return interval.start is not None and interval.start <= time and (interval.end is None or time < interval.end)


@given(said(), st.randoms(use_true_random=False))
def test_one_child_is_never_in_two_places(facts: list[Fact], random: Random) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    intervals = of_instance(shuffled)
    assert intervals == of_instance(facts)
    for before, after in itertools.pairwise(intervals):
        assert before.end is not None
        assert after.start is not None
        assert before.end <= after.start


def amounts(intervals: list[Interval]) -> list[tuple[int | None, int | None, int | None]]:
    return [(one.start, one.end, one.quantity) for one in intervals]


def test_quantities_step_up_and_down() -> None:
    facts = [
        fact(1, "ADD", 5, quantity=10),
        fact(2, "ADD", 5, quantity=5),
        fact(3, "DELETE", 5, quantity=12),
        fact(4, "DELETE", 5, quantity=3),
    ]
    assert amounts(of_quantity(facts)) == [(1, 2, 10), (2, 3, 15), (3, 4, 3)]


def test_taking_out_an_unstated_quantity_takes_all() -> None:
    assert amounts(of_quantity([fact(1, "ADD", 5, quantity=10), fact(2, "DELETE", 5)])) == [(1, 2, 10)]


def test_adding_an_unstated_quantity_leaves_it_unknown_until_emptied() -> None:
    facts = [fact(1, "ADD", 5, quantity=10), fact(2, "ADD", 5), fact(3, "DELETE", 5, quantity=4)]
    assert amounts(of_quantity(facts)) == [(1, 2, 10), (2, 3, None), (3, None, None)]
    assert amounts(of_quantity([*facts, fact(4, "DELETE", 5, child=0)]))[-1] == (3, 4, None)


@given(st.lists(st.tuples(st.sampled_from(["ADD", "DELETE"]), st.integers(1, 9)), max_size=10))
def test_quantity_inside_is_the_running_sum(steps: list[tuple[str, int]]) -> None:
    facts = [fact(time, action, 5, quantity=quantity) for time, (action, quantity) in enumerate(steps, start=1)]
    intervals = [one for one in of_quantity(facts) if one.start_event is not None]
    running = 0
    for time, (action, quantity) in enumerate(steps, start=1):
        running = max(0, running + (quantity if action == "ADD" else -quantity))
        inside = [one.quantity for one in intervals if _open(one, time)]
        assert inside == ([running] if running else [])
