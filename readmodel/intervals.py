"""Work out when a child was inside a parent, from everything events say of it. Pure.

Events arrive in any order and late, so intervals are never patched: each time something new is said of a
child, they are worked out again from all that was said, sorted by event time (for equal times, by ledger
order, the best evidence of what came first). The same facts therefore always give the same intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Fact(NamedTuple):
    """One statement of one event; times in microseconds.

    ``child`` 0: all children of the parent. ``parent`` 0: whatever the child is in, for it is no more.
    """

    child: int
    parent: int
    time: int
    event: int
    n: int
    kind: str
    action: str
    quantity: int | None = None
    uom: str | None = None


class Interval(NamedTuple):
    """From when to when; None: before anything was recorded, or still."""

    parent: int
    start: int | None
    end: int | None
    start_event: int | None
    end_event: int | None
    quantity: int | None = None
    uom: str | None = None


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Facts by event time, then ledger order."""
    return sorted(facts, key=lambda fact: (fact.time, fact.event, fact.n))


def of_instance(facts: Sequence[Fact]) -> list[Interval]:
    """The intervals of a thing that is in one parent at a time.

    ADD, or being OBSERVEd inside, begins an interval and ends one with another parent: a thing found in B has
    left A, whether or not somebody said so. DELETE ends it; a DELETE with no known beginning tells that it
    was inside until then.
    """
    done: list[Interval] = []
    current: Interval | None = None
    for fact in in_order(facts):
        if fact.action != "DELETE":
            if current is not None and current.parent == fact.parent:
                continue
            if current is not None:
                done.append(current._replace(end=fact.time, end_event=fact.event))
            current = Interval(fact.parent, fact.time, None, fact.event, None)
        elif current is not None and fact.parent in (current.parent, 0):
            done.append(current._replace(end=fact.time, end_event=fact.event))
            current = None
        elif fact.child and fact.parent and current is None:
            done.append(Interval(fact.parent, _last_end(done), fact.time, None, fact.event))
    return done if current is None else [*done, current]


def _last_end(done: Sequence[Interval]) -> int | None:
    """A thing unpacked from where nobody put it was put there after it last came out of somewhere else."""
    return done[-1].end if done else None


def of_association(facts: Sequence[Fact]) -> list[Interval]:
    """The intervals of one child with one parent it shares with others (a sensor on a crate, a crate at a
    dock)."""
    return of_instance(facts)


def of_quantity(facts: Sequence[Fact]) -> list[Interval]:
    """The intervals of a class in one parent: a new one whenever the quantity inside changes.

    Adding an unstated quantity makes the quantity inside unknown; taking out an unstated one takes all.
    Taking out as much as there is, or more, ends it.
    """
    done: list[Interval] = []
    current: Interval | None = None
    for fact in in_order(facts):
        if fact.action == "OBSERVE" and current is not None:
            continue
        if fact.action == "DELETE" and current is None:
            if fact.child:
                until = Interval(fact.parent, _last_end(done), fact.time, None, fact.event)
                done.append(until._replace(quantity=fact.quantity, uom=fact.uom))
            continue
        if current is not None:
            done.append(current._replace(end=fact.time, end_event=fact.event))
        current = _after(current, fact)
    return done if current is None else [*done, current]


def _after(before: Interval | None, fact: Fact) -> Interval | None:
    """What is inside once this fact has happened; None: nothing."""
    quantity = None
    if fact.quantity is not None and (before is None or before.quantity is not None):
        inside = before.quantity or 0 if before is not None else 0
        quantity = inside - fact.quantity if fact.action == "DELETE" else inside + fact.quantity
    if fact.action == "DELETE" and (fact.quantity is None or (quantity is not None and quantity <= 0)):
        return None
    uom = before.uom if before is not None else fact.uom
    return Interval(fact.parent, fact.time, None, fact.event, None, quantity, uom)
