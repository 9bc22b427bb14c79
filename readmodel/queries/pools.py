"""How a lot flows: what is loose of it at a place came from somewhere, and goes on from there. Pure.

A place holds a *pool* of a lot. *Arrivals* fill it (made there, handed over loose, taken out of a carrier) and
*departures* empty it (packed, handed over, used, sold). Goods of one pool cannot be told apart, so a departure
may hold whatever arrived before it; but once a pool was empty, nothing that came before is in what leaves
after. Two pallets filled from one pool have nothing to do with one another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

SKEW = 300 * 1_000_000
"""Five minutes: what two clocks at one line may differ by. A lot packed just "before" it was made is that
lot."""

Kind = Literal["made", "load", "handoff", "used", "gone"]


class Movement(NamedTuple):
    """Some of a lot arriving at a place or departing from it; time in microseconds, amount in millionths
    of a base unit.

    ``of`` is what it is part of: the transformation that made or used it (0: none), the number of the load it
    was packed into or taken out of, the handoff.
    """

    place: int
    time: int
    event: int | None
    kind: Kind
    of: int
    amount: int | Decimal | None
    uom: str = ""

    @property
    def source(self) -> tuple[str, int]:
        """What must not be counted twice as a source."""
        return (self.kind, self.of or -(self.event or 0))


class Load(NamedTuple):
    """Some of the lot in a carrier, from when it began to be packed until none was left; None: unknown, still."""

    carrier: int
    start: int | None
    end: int | None


class _Pool(NamedTuple):
    """Movements at one place between two times at which it was empty, each by time, with their times."""

    arrivals: list[int]
    arrived: list[int]
    departures: list[int]
    departed: list[int]
    is_last: bool
    """Nothing is known to have emptied it."""


class Flow:
    """All that is known of a lot's movements, and who may come from whom.

    Movements are named by their position in ``arrivals`` and ``departures``.
    """

    def __init__(self, arrivals: Sequence[Movement], departures: Sequence[Movement], loads: Sequence[Load]) -> None:
        self.arrivals = arrivals
        self.departures = departures
        self.loads = loads
        self.landings: list[Movement] = []
        """Arrivals of closed carriers, for places where nothing is known to have been taken out of one."""
        self._into: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._out_of: dict[tuple[str, int], list[int]] = defaultdict(list)
        for number, one in enumerate(departures):
            self._into[(one.kind, one.of)].append(number)
        for number, one in enumerate(arrivals):
            self._out_of[(one.kind, one.of)].append(number)
        self._pool_of_arrival: dict[int, _Pool] = {}
        self._pool_of_departure: dict[int, _Pool] = {}
        for pool in _pools(arrivals, departures):
            self._pool_of_arrival.update(dict.fromkeys(pool.arrivals, pool))
            self._pool_of_departure.update(dict.fromkeys(pool.departures, pool))
        self.makings = sorted(self._of_kind("made"), key=lambda number: arrivals[number].time)
        self.orphans = [number for number in range(len(departures)) if not self.sources(number)]
        """Departures from where nothing is known to have arrived."""

    def _of_kind(self, kind: Kind) -> list[int]:
        return [number for number, one in enumerate(self.arrivals) if one.kind == kind]

    def put_into(self, kind: Kind, of: int) -> list[int]:
        """The departures into a load, a handoff or a transformation."""
        return self._into.get((kind, of), [])

    def taken_from(self, kind: Kind, of: int) -> list[int]:
        """The arrivals out of a load, a handoff or a transformation."""
        return self._out_of.get((kind, of), [])

    def sources(self, departure: int) -> list[int]:
        """The arrivals at its place that a departure may hold."""
        pool = self._pool_of_departure[departure]
        time = self.departures[departure].time
        before = bisect_right(pool.arrived, time) or bisect_right(pool.arrived, time + SKEW)
        return pool.arrivals[:before]

    def sinks(self, arrival: int) -> list[int]:
        """The departures that may hold an arrival: the other way round."""
        pool = self._pool_of_arrival[arrival]
        time = self.arrivals[arrival].time
        since = bisect_left(pool.departed, time)
        early = bisect_left(pool.departed, time - SKEW)
        skewed = [number for number in pool.departures[early:since] if arrival in self.sources(number)]
        return [*skewed, *pool.departures[since:]]

    def lasts(self, arrival: int) -> int | None:
        """Until when some of an arrival may have been at its place; None: still."""
        pool = self._pool_of_arrival[arrival]
        return None if pool.is_last or not pool.departed else pool.departed[-1]

    def moved_whole(self) -> list[int]:
        """The handoffs (ids) by which all that was at a place went on to one other place."""
        found: list[int] = []
        for pool in {id(pool): pool for pool in self._pool_of_departure.values()}.values():
            out = [self.departures[number] for number in pool.departures]
            come = [number for one in out for number in self.taken_from("handoff", one.of)]
            is_one_way = all(one.kind == "handoff" for one in out) and len({self.arrivals[n].place for n in come}) == 1
            left, had = _total(out), _total([self.arrivals[number] for number in pool.arrivals])
            if is_one_way and (left is None or had is None or left >= had):
                found.extend(dict.fromkeys(self.arrivals[number].of for number in come))
        return found

    def landed(self, place: int, time: int) -> list[Movement]:
        """The closed carriers that had come to a place by a time."""
        return [one for one in self.landings if one.place == place and one.time <= time + SKEW]

    def made_by(self, time: int) -> list[int]:
        """The makings of the lot up to a time: where it comes from however it came to where it is."""
        return [number for number in self.makings if self.arrivals[number].time <= time + SKEW]

    def packed_before(self, arrival: int) -> list[int]:
        """The departures that what was taken out of a carrier, or accepted, may come from."""
        one = self.arrivals[arrival]
        into = self.put_into(one.kind, one.of)
        return into if one.kind == "handoff" else [n for n in into if self.departures[n].time <= one.time]

    def is_mixed(self, departures: Iterable[int]) -> bool:
        """Whether what left by these came from more than one source, so that each is only possible."""
        return self.are_several(number for one in departures for number in self.sources(one))

    def are_several(self, arrivals: Iterable[int]) -> bool:
        """Whether these are more than one source."""
        return len({self.arrivals[number].source for number in arrivals}) > 1


def _total(movements: Sequence[Movement]) -> int | Decimal | None:
    amounts = [one.amount for one in movements if one.amount is not None]
    comparable = len(amounts) == len(movements) and len({one.uom for one in movements}) <= 1
    return sum(amounts) if comparable else None


def _pools(arrivals: Sequence[Movement], departures: Sequence[Movement]) -> Iterable[_Pool]:
    at: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for number, one in enumerate(arrivals):
        at[one.place].append((one.time, 0, number))
    for number, one in enumerate(departures):
        at[one.place].append((one.time, 1, number))
    for moves in at.values():
        moves.sort()  # at one moment what arrives is there before what departs
        parts = _emptied(moves, arrivals, departures)
        for part in parts:
            ins = [(time, number) for time, leaving, number in part if not leaving]
            outs = [(time, number) for time, leaving, number in part if leaving]
            yield _Pool(
                [number for _, number in ins],
                [time for time, _ in ins],
                [number for _, number in outs],
                [time for time, _ in outs],
                part is parts[-1],
            )


_Moves = list[tuple[int, int, int]]
"""Time, 1 where it departs, number."""


def _emptied(moves: _Moves, arrivals: Sequence[Movement], departures: Sequence[Movement]) -> list[_Moves]:
    """The movements of one place, cut wherever it was empty.

    Only where all amounts are known, and in one unit. What departs from an empty place shows that not everything
    was told: it may be of what was there before, so there is no cut before it, nor where more leaves than is there.
    """
    said = [(departures if leaving else arrivals)[number] for _, leaving, number in moves]
    several = len({one.source for one, move in zip(said, moves, strict=True) if not move[1]}) > 1
    if not several or any(one.amount is None for one in said) or len({one.uom for one in said}) > 1:
        return [moves]
    parts: list[_Moves] = [[]]
    balance: int | Decimal = 0
    empty = False
    for move, one in zip(moves, said, strict=True):
        amount = one.amount or 0
        if not move[1]:
            if empty:
                parts.append([])
            balance += amount
            empty = False
        else:
            empty = balance == amount and not (empty and amount)
            balance = max(balance - amount, 0)
        parts[-1].append(move)
    return parts
