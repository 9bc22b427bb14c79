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

    ``of`` is what it is part of: the transformation that made or used it (0: none), the carrier it was packed into or
    taken out of, the handoff.
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

    def spans(self, time: int) -> bool:
        """Whether it was aboard then."""
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)


class _Pool(NamedTuple):
    """Movements at one place between two times at which it was empty, each by time, with their times."""

    arrivals: list[int]
    arrived: list[int]
    departures: list[int]
    departed: list[int]
    is_last: bool
    """Nothing is known to have emptied it."""


class Flow:
    """What is known of a lot's movements, and who may come from whom.

    More may become known of it; movements are named by their position in ``arrivals`` and ``departures``, which stays.
    """

    def __init__(self) -> None:
        self.arrivals: list[Movement] = []
        self.departures: list[Movement] = []
        self.loads: dict[int, list[Load]] = {}
        """By carrier, those that were looked up."""
        self.landings: dict[int, list[Movement]] = {}
        """By place, those that were looked up: arrivals of closed carriers."""
        self._numbers: tuple[dict[Movement, int], dict[Movement, int]] = ({}, {})
        self._into: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._out_of: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._at: tuple[dict[int, list[int]], dict[int, list[int]]] = (defaultdict(list), defaultdict(list))
        self._makings: list[int] | None = None
        self._pools: dict[int, tuple[dict[int, _Pool], dict[int, _Pool]]] = {}

    @classmethod
    def of(cls, arrivals: Sequence[Movement], departures: Sequence[Movement]) -> Flow:
        """A flow of which this is all."""
        flow = cls()
        flow.add(arrivals, departures)
        return flow

    def add(self, arrivals: Iterable[Movement], departures: Iterable[Movement]) -> None:
        """Add what became known; what was known already is left alone."""
        for side, (known, movements, by_part) in enumerate(
            ((self.arrivals, arrivals, self._out_of), (self.departures, departures, self._into))
        ):
            for one in movements:
                if one in self._numbers[side]:
                    continue
                number = self._numbers[side][one] = len(known)
                known.append(one)
                by_part[(one.kind, one.of)].append(number)
                self._at[side][one.place].append(number)
                self._pools.pop(one.place, None)
                self._makings = None

    @property
    def makings(self) -> list[int]:
        """The arrivals by which it came to be, by time."""
        if self._makings is None:
            made = [number for number, one in enumerate(self.arrivals) if one.kind == "made"]
            self._makings = sorted(made, key=lambda number: self.arrivals[number].time)
        return self._makings

    @property
    def orphans(self) -> list[int]:
        """Departures from where nothing is known to have arrived."""
        return [number for number in range(len(self.departures)) if not self.sources(number)]

    def put_into(self, kind: Kind, of: int) -> list[int]:
        """The departures into a carrier, a handoff or a transformation."""
        return self._into.get((kind, of), [])

    def taken_from(self, kind: Kind, of: int) -> list[int]:
        """The arrivals out of a carrier, a handoff or a transformation."""
        return self._out_of.get((kind, of), [])

    def load_of(self, one: Movement) -> Load:
        """The load that was packed or unpacked by a movement."""
        loads = self.loads[one.of]
        return next((load for load in loads if load.spans(one.time)), loads[0])

    def candidates(self, departure: int) -> list[int]:
        """All arrivals at its place in time for it, whether or not they were used up before."""
        one = self.departures[departure]
        there = self._at[0].get(one.place, [])
        in_time = [number for number in there if self.arrivals[number].time <= one.time]
        return in_time or [number for number in there if self.arrivals[number].time <= one.time + SKEW]

    def sources(self, departure: int) -> list[int]:
        """The arrivals at its place that a departure may hold."""
        one = self.departures[departure]
        pool = self._pools_at(one.place)[1][departure]
        before = bisect_right(pool.arrived, one.time) or bisect_right(pool.arrived, one.time + SKEW)
        return pool.arrivals[:before]

    def sinks(self, arrival: int) -> list[int]:
        """The departures that may hold an arrival: the other way round."""
        pool = self._pools_at(self.arrivals[arrival].place)[0][arrival]
        time = self.arrivals[arrival].time
        since = bisect_left(pool.departed, time)
        early = bisect_left(pool.departed, time - SKEW)
        skewed = [number for number in pool.departures[early:since] if arrival in self.sources(number)]
        return [*skewed, *pool.departures[since:]]

    def lasts(self, arrival: int) -> int | None:
        """Until when some of an arrival may have been at its place; None: still."""
        pool = self._pools_at(self.arrivals[arrival].place)[0][arrival]
        return None if pool.is_last or not pool.departed else pool.departed[-1]

    def moved_whole(self) -> list[int]:
        """The handoffs (ids) by which all that was at a place went on to one other place."""
        found: list[int] = []
        for place in list(self._at[1]):
            for pool in {id(pool): pool for pool in self._pools_at(place)[1].values()}.values():
                out = [self.departures[number] for number in pool.departures]
                come = [number for one in out for number in self.taken_from("handoff", one.of)]
                is_one_way = (
                    all(one.kind == "handoff" for one in out) and len({self.arrivals[n].place for n in come}) == 1
                )
                left, had = _total(out), _total([self.arrivals[number] for number in pool.arrivals])
                if is_one_way and (left is None or had is None or left >= had):
                    found.extend(dict.fromkeys(self.arrivals[number].of for number in come))
        return found

    def landed(self, place: int, time: int) -> list[Movement]:
        """The closed carriers that had come to a place by a time."""
        return [one for one in self.landings.get(place, ()) if one.time <= time + SKEW]

    def made_by(self, time: int) -> list[int]:
        """The makings of the lot up to a time: where it comes from however it came to where it is."""
        return [number for number in self.makings if self.arrivals[number].time <= time + SKEW]

    def packed_before(self, arrival: int) -> list[int]:
        """The departures that what was taken out of a carrier, or accepted, may come from."""
        one = self.arrivals[arrival]
        into = self.put_into(one.kind, one.of)
        if one.kind == "handoff":
            return into
        load = self.load_of(one)
        return [n for n in into if self.departures[n].time <= one.time and load.spans(self.departures[n].time)]

    def unpacked_after(self, departure: int) -> list[int]:
        """The arrivals that what was packed, or handed over, may have become."""
        one = self.departures[departure]
        out_of = self.taken_from(one.kind, one.of)
        if one.kind == "handoff":
            return out_of
        load = self.load_of(one)
        return [n for n in out_of if self.arrivals[n].time >= one.time and load.spans(self.arrivals[n].time)]

    def is_mixed(self, departures: Iterable[int]) -> bool:
        """Whether what left by these came from more than one source, so that each is only possible."""
        return self.are_several(number for one in departures for number in self.sources(one))

    def are_several(self, arrivals: Iterable[int]) -> bool:
        """Whether these are more than one source."""
        return len({self.arrivals[number].source for number in arrivals}) > 1

    def _pools_at(self, place: int) -> tuple[dict[int, _Pool], dict[int, _Pool]]:
        """The pools of a place's arrivals and departures, worked out once."""
        if (known := self._pools.get(place)) is not None:
            return known
        moves = [(self.arrivals[number].time, 0, number) for number in self._at[0].get(place, ())]
        moves += [(self.departures[number].time, 1, number) for number in self._at[1].get(place, ())]
        moves.sort()  # at one moment what arrives is there before what departs
        found: tuple[dict[int, _Pool], dict[int, _Pool]] = ({}, {})
        parts = _emptied(moves, self.arrivals, self.departures)
        for part in parts:
            ins = [(time, number) for time, leaving, number in part if not leaving]
            outs = [(time, number) for time, leaving, number in part if leaving]
            pool = _Pool(
                [number for _, number in ins],
                [time for time, _ in ins],
                [number for _, number in outs],
                [time for time, _ in outs],
                part is parts[-1],
            )
            found[0].update(dict.fromkeys(pool.arrivals, pool))
            found[1].update(dict.fromkeys(pool.departures, pool))
        self._pools[place] = found
        return found


def _total(movements: Sequence[Movement]) -> int | Decimal | None:
    amounts = [one.amount for one in movements if one.amount is not None]
    comparable = len(amounts) == len(movements) and len({one.uom for one in movements}) <= 1
    return sum(amounts) if comparable else None


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
