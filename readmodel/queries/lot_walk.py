"""Follow parts of lots from place to place, through carriers, handoffs and makings.

What a lot's identity says (who made it, of what) holds for every part of it; which way a part went, and with what
else it lay together, only :mod:`~readmodel.queries.pools` can tell. So the other pallets that were filled from a lot
are reached from the lot, never from one of its pallets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import FAR_OFF, LONG_AGO
from readmodel.queries.found import Link, Span, Stay, Walk
from readmodel.queries.lot_flows import flows_of
from readmodel.queries.pools import SKEW, Flow, Load, Movement


class Seed(NamedTuple):
    """Which part of a lot to follow: what a transformation used or made (``of``), what was in a carrier, or all.

    ``bound``: the latest (upstream) or earliest (downstream) moment that matters.
    """

    kind: str
    """transformation, carrier or whole"""
    of: int
    bound: int
    possible: bool


class Followed(NamedTuple):
    """What following lots led to."""

    carriers: dict[Stay, None]
    transformations: dict[int, bool]
    """Whether they are only possible."""
    whole: dict[int, int]
    """Lots of which everything is traced, with the bound."""
    some: dict[int, int]
    """Lots of which one making of several is traced: their instances may be of it."""


class LotWalk:
    """Follows lots in one direction; keeps what it knows of them from level to level."""

    def __init__(self, connection: Connection, found: Walk) -> None:
        self._connection = connection
        self._found = found
        self._lots: dict[int, _Upstream | _Downstream] = {}

    def follow(self, seeds: dict[int, list[Seed]], depth: int) -> Followed:
        """Follow these parts of these lots."""
        followed = Followed({}, {}, {}, {})
        new = [lot for lot in seeds if lot not in self._lots]
        side = _Upstream if self._found.upstream else _Downstream
        for lot, flow in flows_of(self._connection, new).items():
            self._lots[lot] = side(lot, flow, self._found)
        for lot, parts in seeds.items():
            self._lots[lot].follow(parts, depth, followed)
        return followed


class _OneLot:
    """One lot's flow, and what of it was visited already (with whether only possibly)."""

    def __init__(self, lot: int, flow: Flow, found: Walk) -> None:
        self.lot = lot
        self.flow = flow
        self.found = found
        self._seen: dict[tuple[str, int], bool] = {}
        self._to_do: list[Callable[[], None]] = []
        self._followed = Followed({}, {}, {}, {})

    def follow(self, seeds: Iterable[Seed], depth: int, into: Followed) -> None:
        """Follow some parts of it."""
        self._followed = into
        for seed in seeds:
            if self.found.part(self.lot, depth - 1, possible=seed.possible):
                self._start(seed, depth)
        while self._to_do:
            self._to_do.pop()()

    def _start(self, seed: Seed, depth: int) -> None:
        raise NotImplementedError

    def _arrive(self, arrival: int, depth: int, possible: bool) -> None:
        raise NotImplementedError

    def _depart(self, departure: int, depth: int, possible: bool) -> None:
        raise NotImplementedError

    def visit(self, side: str, number: int, depth: int, possible: bool) -> None:
        """Go on to an arrival ("in") or departure ("out"), unless that was done and nothing is surer now."""
        key = (side, number)
        if key in self._seen and (possible or not self._seen[key]):
            return
        self._seen[key] = possible
        one = (self.flow.arrivals if side == "in" else self.flow.departures)[number]
        if one.event is not None:
            self.found.flow_events[self.lot].add(one.event)
            if one.kind == "load":
                self.found.packing_events.add(one.event)
        step = self._arrive if side == "in" else self._depart
        self._to_do.append(lambda: step(number, depth, possible))

    def carried(self, one: Movement, low: int | None, high: int | None, depth: int, possible: bool) -> None:
        """The lot was in a carrier for a while."""
        load = self.flow.loads[one.of]
        self.found.link(Link(load.carrier, self.lot, "contains", load.start, load.end), possible=possible)
        stay = Stay(load.carrier, LONG_AGO if low is None else low, FAR_OFF if high is None else high)
        if self.found.carrier(stay, depth, possible=possible):
            self._followed.carriers[stay] = None

    def processed(self, one: Movement, depth: int, possible: bool) -> None:
        """The lot was made, or used, by a transformation (or began by itself)."""
        if not one.of:
            return
        made = one.kind == "made"
        link = Link(-one.of, self.lot, "output", one.time, one.time)
        if not made:
            link = Link(self.lot, -one.of, "input", one.time, one.time)
        self.found.link(link, possible=possible)
        if self.found.transformation(one.of, depth, possible=possible):
            self._followed.transformations[one.of] = possible

    def _inside(self, load: Load, seed: Seed) -> None:
        link = Link(load.carrier, self.lot, "contains", load.start, load.end)
        self.found.link(link, possible=seed.possible)

    def _loads_of(self, carrier: int) -> Iterable[int]:
        return (number for number, load in enumerate(self.flow.loads) if load.carrier == carrier)


class _Upstream(_OneLot):
    def _start(self, seed: Seed, depth: int) -> None:
        flow = self.flow
        if seed.kind == "transformation":
            for departure in flow.put_into("used", seed.of):
                self.visit("out", departure, depth, seed.possible)
                self._made_once(flow.departures[departure].time, depth, seed.possible)
        elif seed.kind == "carrier":
            for number in self._loads_of(seed.of):
                load = flow.loads[number]
                if load.start is not None and load.start > seed.bound:
                    continue
                self._inside(load, seed)
                into = [n for n in flow.put_into("load", number) if flow.departures[n].time <= seed.bound]
                for departure in into:
                    self.visit("out", departure, depth, seed.possible)
                    self._made_once(flow.departures[departure].time, depth, seed.possible)
                if not into:
                    self._made(min(seed.bound, FAR_OFF if load.end is None else load.end), depth, seed.possible)
        else:
            self._followed.whole[self.lot] = seed.bound
            self._begin(seed, depth)

    def _begin(self, seed: Seed, depth: int) -> None:
        """How the lot as a whole came to be or, where nobody says, how it came to be known."""
        flow = self.flow
        for arrival in flow.made_by(seed.bound):
            self.visit("in", arrival, depth, seed.possible)
        for handoff in flow.moved_whole():
            self.found.handoff(handoff, possible=seed.possible)
        if not flow.makings:
            for number in range(len(flow.arrivals)):
                if not flow.packed_before(number):
                    self.visit("in", number, depth, seed.possible)

    def _depart(self, departure: int, depth: int, possible: bool) -> None:
        flow, one = self.flow, self.flow.departures[departure]
        if one.kind == "handoff":
            self.found.handoff(one.of, possible=possible)
        sources = flow.sources(departure)
        if not sources:
            self._landed(one, depth, possible)
            return
        mixed = possible or flow.are_several(sources)
        self.found.spans.add(Span(self.lot, one.place, min(flow.arrivals[n].time for n in sources), one.time))
        for arrival in sources:
            self.visit("in", arrival, depth, mixed)

    def _landed(self, one: Movement, depth: int, possible: bool) -> None:
        """Nobody says how it came there: in a carrier that came there closed, or from where the lot was made."""
        landed = self.flow.landed(one.place, one.time)
        mixed = possible or len({landing.of for landing in landed}) > 1
        known = False
        for landing in landed:
            self.carried(landing, self.flow.loads[landing.of].start, landing.time, depth, mixed)
            for departure in self.flow.put_into("load", landing.of):
                known = True
                self.visit("out", departure, depth + 1, mixed)
        if not known:
            self._made(one.time, depth, possible)

    def _made_once(self, time: int, depth: int, possible: bool) -> None:
        """What was made once comes from there whichever way it went."""
        makings = self.flow.made_by(time)
        if not self.flow.are_several(makings):
            for arrival in makings:
                self.visit("in", arrival, depth, possible)

    def _made(self, time: int, depth: int, possible: bool) -> None:
        makings = self.flow.made_by(time)
        mixed = possible or self.flow.are_several(makings)
        for arrival in makings:
            self.visit("in", arrival, depth, mixed)

    def _arrive(self, arrival: int, depth: int, possible: bool) -> None:
        flow, one = self.flow, self.flow.arrivals[arrival]
        if one.kind == "made":
            self.processed(one, depth, possible)
            return
        if one.kind == "load":
            self.carried(one, flow.loads[one.of].start, one.time, depth, possible)
        else:
            self.found.handoff(one.of, possible=possible)
        before = flow.packed_before(arrival)
        mixed = possible or flow.is_mixed(before)
        for departure in before:
            self.visit("out", departure, depth + 1, mixed)
        if not before:
            self._made(one.time, depth, possible)


class _Downstream(_OneLot):
    def _start(self, seed: Seed, depth: int) -> None:
        flow = self.flow
        if seed.kind == "transformation":
            made = flow.taken_from("made", seed.of)
            if flow.are_several(flow.makings):
                self._followed.some[self.lot] = min(seed.bound, self._followed.some.get(self.lot, seed.bound))
            else:
                self._whole(seed, depth)
            for arrival in made:
                self.visit("in", arrival, depth, seed.possible)
        elif seed.kind == "carrier":
            for number in self._loads_of(seed.of):
                load = flow.loads[number]
                if load.end is not None and load.end < seed.bound:
                    continue
                self._inside(load, seed)
                for arrival in flow.taken_from("load", number):
                    if flow.arrivals[arrival].time >= seed.bound:
                        self.visit("in", arrival, depth, seed.possible)
                self._landings(number, seed.bound, depth, seed.possible)
        else:
            self._whole(seed, depth)

    def _whole(self, seed: Seed, depth: int) -> None:
        self._followed.whole[self.lot] = seed.bound
        for side, movements in (("in", self.flow.arrivals), ("out", self.flow.departures)):
            for number, one in enumerate(movements):
                if one.time >= seed.bound:
                    self.visit(side, number, depth, seed.possible)

    def _arrive(self, arrival: int, depth: int, possible: bool) -> None:
        flow, one = self.flow, self.flow.arrivals[arrival]
        until = flow.lasts(arrival)
        self.found.spans.add(Span(self.lot, one.place, one.time, FAR_OFF if until is None else until))
        if one.kind == "load":
            self.carried(one, flow.loads[one.of].start, one.time, depth, possible)
        elif one.kind == "handoff":
            self.found.handoff(one.of, possible=possible)
        for departure in flow.sinks(arrival):
            self.visit("out", departure, depth, possible or flow.is_mixed([departure]))
        if one.kind == "made":
            self._unexplained(one.time - SKEW, depth, possible)

    def _unexplained(self, since: int, depth: int, possible: bool) -> None:
        """What left from where it is not known to have come is of the lot all the same."""
        flow = self.flow
        for departure in flow.orphans:
            one = flow.departures[departure]
            if one.time >= since and not flow.landed(one.place, one.time):
                self.visit("out", departure, depth, possible or flow.are_several(flow.made_by(one.time)))
        for arrival, one in enumerate(flow.arrivals):
            if one.kind != "made" and one.time >= since and not flow.packed_before(arrival):
                self.visit("in", arrival, depth, possible or flow.are_several(flow.made_by(one.time)))

    def _landings(self, load: int, since: int, depth: int, possible: bool) -> None:
        """A carrier that came somewhere closed may be what was used up there."""
        flow = self.flow
        for landing in (one for one in flow.landings if one.of == load and one.time >= since):
            for departure in flow.orphans:
                one = flow.departures[departure]
                if one.place == landing.place and landing.time <= one.time + SKEW:
                    several = len({other.of for other in flow.landed(one.place, one.time)}) > 1
                    self.visit("out", departure, depth, possible or several)

    def _depart(self, departure: int, depth: int, possible: bool) -> None:
        flow, one = self.flow, self.flow.departures[departure]
        if one.kind == "used":
            self.processed(one, depth, possible)
        elif one.kind == "load":
            self.carried(one, one.time, flow.loads[one.of].end, depth, possible)
            self._landings(one.of, one.time, depth + 1, possible)
        elif one.kind == "handoff":
            self.found.handoff(one.of, possible=possible)
        if one.kind in ("load", "handoff"):
            for arrival in flow.taken_from(one.kind, one.of):
                if one.kind == "handoff" or flow.arrivals[arrival].time >= one.time:
                    mixed = possible or flow.is_mixed(flow.packed_before(arrival))
                    self.visit("in", arrival, depth + 1, mixed)
