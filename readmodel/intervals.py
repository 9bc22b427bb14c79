"""Work out when a child was inside a parent, from what events say of it. Pure.

Events arrive in any order and late. What they say is taken in by the time they tell of; for equal times by rank (what
begins, unpacking, packing, handing over, seeing, ending) and then by the event's hash, as the contract has it. The order
in which the ledger got them decides nothing, so the same statements always give the same intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

UNKNOWN = "?"
"""Before the mark of a stay of which nobody said how it began: it has the mark of its end."""


class Fact(NamedTuple):
    """One statement of one event; times in microseconds.

    ``child`` 0: all children of the parent. ``parent`` 0: whatever the child is in. ``mark`` is the event's place among
    those of its time. Actions are EPCIS's, and MOVE: shipped or received.
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
    mark: str = ""


class Interval(NamedTuple):
    """From when to when; None: before anything was recorded, or still."""

    parent: int
    start: int | None
    end: int | None
    start_event: int | None
    end_event: int | None
    quantity: int | None = None
    uom: str | None = None
    mark: str = ""
    end_mark: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether somebody said how it began."""
        return not self.mark.startswith(UNKNOWN)


class State(NamedTuple):
    """Before a moment: the stay that has begun, or since when the child is known to be in nothing."""

    current: Interval | None = None
    free: int | None = None


Leaves = Callable[[Fact, int], bool]
"""Whether what is shipped or received leaves the parent it is in: not if that, or what it is in, is named with it."""


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Facts by time, rank and hash."""
    return sorted(facts, key=_place)


def _place(fact: Fact) -> tuple[int, str, int, int]:
    return fact.time, fact.mark, fact.event, fact.n


class Fold:
    """Takes facts in, in their order, on top of a state. ``done`` are the stays that ended, ``state`` is what stands."""

    def __init__(self, state: State, leaves: Leaves) -> None:
        self.done: list[Interval] = []
        self.state = state
        self._leaves = leaves

    def step(self, fact: Fact) -> None:
        """Take a fact in."""
        raise NotImplementedError

    def _close(self, fact: Fact) -> None:
        current = self.state.current
        assert current is not None
        if current.start_event != fact.event:  # what one event began and ended never was
            self.done.append(current._replace(end=fact.time, end_event=fact.event, end_mark=fact.mark))
        self.state = State(None, fact.time)

    def _was_inside(self, fact: Fact) -> None:
        """Taken out of where nobody put it: it was put there after it last came out of somewhere."""
        free = self.state.free
        if free != fact.time:
            stay = Interval(fact.parent, free, fact.time, None, fact.event, fact.quantity, fact.uom)
            self.done.append(stay._replace(mark=UNKNOWN + fact.mark, end_mark=fact.mark))
        self.state = State(None, fact.time)


class InstanceFold(Fold):
    """A thing that is in one parent at a time.

    ADD, or being OBSERVEd inside, begins a stay and ends one with another parent: a thing found in B has left A, whether
    or not somebody said so. DELETE ends it. Packed and taken out at one moment, it was taken out.
    """

    def __init__(self, state: State, leaves: Leaves) -> None:
        super().__init__(state, leaves)
        self._missed: Fact | None = None

    def step(self, fact: Fact) -> None:
        current = self.state.current
        if fact.action in ("ADD", "OBSERVE"):
            self._enter(fact)
        elif fact.action == "MOVE":
            if current is not None and self._leaves(fact, current.parent):
                self._close(fact)
        elif current is not None:
            if fact.parent in (current.parent, 0):
                self._close(fact)
        elif fact.child and fact.parent:
            self._missed = fact
            self._was_inside(fact)

    def _enter(self, fact: Fact) -> None:
        current, missed = self.state.current, self._missed
        if current is not None and current.parent == fact.parent:
            return
        if missed is not None and current is None and (missed.time, missed.parent) == (fact.time, fact.parent):
            self._missed = None
            self._came_and_went(fact, missed)
            return
        if current is not None:
            self._close(fact)
        self.state = State(Interval(fact.parent, fact.time, None, fact.event, None, mark=fact.mark), self.state.free)

    def _came_and_went(self, packed: Fact, unpacked: Fact) -> None:
        """Packed at the moment it was taken out, which is told first: it had not been inside before."""
        if self.done and self.done[-1].end_mark == unpacked.mark and not self.done[-1].is_known:
            self.done.pop()
        stay = Interval(packed.parent, packed.time, packed.time, packed.event, unpacked.event, mark=packed.mark)
        self.done.append(stay._replace(end_mark=unpacked.mark))


class QuantityFold(Fold):
    """A class in one parent: a new stay whenever the quantity inside changes.

    Adding an unstated quantity makes the quantity inside unknown; taking out an unstated one takes all.
    Taking out as much as there is, or more, ends it: nothing is ever below zero.
    """

    def step(self, fact: Fact) -> None:
        current = self.state.current
        if fact.action == "OBSERVE" and current is not None:
            return
        if fact.action == "DELETE" and current is None:
            if fact.child:
                self._was_inside(fact)
            return
        if current is not None:
            self._close(fact)
        self.state = State(_after(current, fact), self.state.free)


def _after(before: Interval | None, fact: Fact) -> Interval | None:
    """What is inside once this fact has happened; None: nothing."""
    quantity = None
    if fact.quantity is not None and (before is None or before.quantity is not None):
        inside = before.quantity or 0 if before is not None else 0
        quantity = inside - fact.quantity if fact.action == "DELETE" else max(inside + fact.quantity, 0)
    if fact.action == "DELETE" and (fact.quantity is None or (quantity is not None and quantity <= 0)):
        return None
    uom = before.uom if before is not None else fact.uom
    return Interval(fact.parent, fact.time, None, fact.event, None, quantity, uom, fact.mark)


FOLDS: dict[str, type[Fold]] = {"aggregation": InstanceFold, "quantity": QuantityFold, "association": InstanceFold}


def _always(_fact: Fact, _parent: int) -> bool:
    return True


def of_instance(facts: Sequence[Fact], leaves: Leaves = _always) -> list[Interval]:
    """The stays of a thing that is in one parent at a time, from all that was ever said of it."""
    return _of(InstanceFold(State(), leaves), facts)


def of_quantity(facts: Sequence[Fact]) -> list[Interval]:
    """The stays of a class in one parent, from all that was ever said of it there."""
    return _of(QuantityFold(State(), _always), facts)


def _of(fold: Fold, facts: Sequence[Fact]) -> list[Interval]:
    for fact in in_order(facts):
        fold.step(fact)
    current = fold.state.current
    return fold.done if current is None else [*fold.done, current]
