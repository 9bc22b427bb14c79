"""Follow parts of lots from place to place, through carriers, handoffs and makings.

What a lot's identity says (who made it, of what) holds for every part of it; which way a part went, and with what
else it lay together, only :mod:`~readmodel.queries.pools` can tell. So the other pallets that were filled from a lot
are reached from the lot, never from one of its pallets.

The walk goes in rounds: a lot goes on as far as it is known, and says what it must know to go further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import FAR_OFF, LONG_AGO
from readmodel.queries.found import Link, Span, Stay, Walk
from readmodel.queries.lot_flows import FlowLoader, Request
from readmodel.queries.pools import SKEW, Flow, Load, Movement

_ORIGIN, _WHOLE, _GONE = Request("origin"), Request("whole"), Request("gone")
_PARTS = frozenset({"origin", "used", "carrier", "arrivals", "departures"})
"""What is known once the whole is, and what is gone."""


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


def nothing() -> Followed:
    """Nothing yet."""
    return Followed({}, {}, {}, {})


class LotWalk:
    """Follows lots in one direction; keeps what it knows of them from level to level."""

    def __init__(self, connection: Connection, found: Walk) -> None:
        self._loader = FlowLoader(connection)
        self._found = found
        self._lots: dict[int, OneLot] = {}

    def follow(self, seeds: dict[int, list[Seed]], depth: int) -> Followed:
        """Follow these parts of these lots."""
        followed = nothing()
        for lot, parts in seeds.items():
            self._lot(lot).begin(parts, depth, followed)
        moving = [self._lots[lot] for lot in seeds]
        while moving:
            self._loader.load({one.lot: one.wanted for one in moving})
            for one in moving:
                one.run(self._loader.flows[one.lot], self._loader.known[one.lot])
            moving = [one for one in moving if one.wanted]
        return followed

    def _lot(self, lot: int) -> OneLot:
        if lot not in self._lots:
            side = Upstream if self._found.upstream else Downstream
            self._lots[lot] = side(lot, self._found)
        return self._lots[lot]


class OneLot:
    """What of a lot was visited already (with whether only possibly), and what is still to do."""

    def __init__(self, lot: int, found: Walk) -> None:
        self.lot = lot
        self.found = found
        self.flow: Flow
        self.wanted: set[Request] = set()
        self._known: set[Request] = set()
        self._seen: dict[tuple[str, int], bool] = {}
        self._to_do: list[Callable[[], None]] = []
        self._waiting: list[Callable[[], None]] = []
        self.followed = nothing()

    def begin(self, seeds: Iterable[Seed], depth: int, into: Followed) -> None:
        """Take on some parts to follow."""
        self.followed = into
        for seed in seeds:
            if self.found.part(self.lot, depth - 1, possible=seed.possible):
                self.wanted |= self.needs(seed)
                self._waiting.append(partial(self.start, seed, depth))

    def run(self, flow: Flow, known: set[Request]) -> None:
        """Go as far as what is known leads."""
        self.flow, self._known, self.wanted = flow, known, set()
        self._to_do, self._waiting = self._waiting, []
        while self._to_do:
            self._to_do.pop()()

    def lacks(self, again: Callable[[], None], *requests: Request) -> bool:
        """Whether any of these is not known yet; then ``again`` is done once it is."""
        is_whole = _WHOLE in self._known and _GONE in self._known
        missing = {one for one in requests if one not in self._known and not (is_whole and one.kind in _PARTS)}
        if missing:
            self.wanted |= missing
            self._waiting.append(again)
        return bool(missing)

    def to_tell_mixed(self, departures: list[int]) -> list[Request]:
        """What must be known to say whether they came from one source; of one departure that was asked already."""
        places = {self.flow.departures[number].place for number in departures} if len(departures) > 1 else set()
        return [Request(kind, place) for place in places for kind in ("arrivals", "departures")]

    def needs(self, seed: Seed) -> set[Request]:
        """What must be known to begin with a part."""
        raise NotImplementedError

    def start(self, seed: Seed, depth: int) -> None:
        """Begin with a part."""
        raise NotImplementedError

    def arrive(self, arrival: int, depth: int, possible: bool) -> None:
        """Go on from an arrival."""
        raise NotImplementedError

    def depart(self, departure: int, depth: int, possible: bool) -> None:
        """Go on from a departure."""
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
        step = self.arrive if side == "in" else self.depart
        self._to_do.append(partial(step, number, depth, possible))

    def carried(self, load: Load, low: int | None, high: int | None, depth: int, possible: bool) -> None:
        """The lot was in a carrier for a while."""
        self.inside(load, possible)
        stay = Stay(load.carrier, LONG_AGO if low is None else low, FAR_OFF if high is None else high)
        if self.found.carrier(stay, depth, possible=possible):
            self.followed.carriers[stay] = None

    def inside(self, load: Load, possible: bool) -> None:
        """Note that a carrier held some of the lot."""
        self.found.link(Link(load.carrier, self.lot, "contains", load.start, load.end), possible=possible)

    def processed(self, one: Movement, depth: int, possible: bool) -> None:
        """The lot was made, or used, by a transformation (or began by itself)."""
        if not one.of:
            return
        link = Link(self.lot, -one.of, "input", one.time, one.time)
        if one.kind == "made":
            link = Link(-one.of, self.lot, "output", one.time, one.time)
        self.found.link(link, possible=possible)
        if self.found.transformation(one.of, depth, possible=possible):
            self.followed.transformations[one.of] = possible


class Upstream(OneLot):
    """Where parts of a lot came from."""

    def needs(self, seed: Seed) -> set[Request]:
        """How it was made, and the part itself."""
        if seed.kind == "whole":
            return {_ORIGIN}
        return {_ORIGIN, Request("used" if seed.kind == "transformation" else "carrier", seed.of)}

    def start(self, seed: Seed, depth: int) -> None:
        """Begin with a part."""
        if seed.kind == "whole":
            self.followed.whole[self.lot] = seed.bound
            self._begin(seed, depth)
            return
        if seed.kind == "carrier":
            self._aboard(seed, depth)
            return
        for departure in self.flow.put_into("used", seed.of):
            self.visit("out", departure, depth, seed.possible)
            self._made_once(self.flow.departures[departure].time, depth, seed.possible)

    def _aboard(self, seed: Seed, depth: int) -> None:
        flow = self.flow
        for load in flow.loads.get(seed.of, ()):
            if load.start is not None and load.start > seed.bound:
                continue
            self.inside(load, seed.possible)
            into = flow.put_into("load", seed.of)
            times = {n: flow.departures[n].time for n in into}
            packed = [n for n in into if times[n] <= seed.bound and load.spans(times[n])]
            for departure in packed:
                self.visit("out", departure, depth, seed.possible)
                self._made_once(times[departure], depth, seed.possible)
            if not packed:
                self._made(min(seed.bound, FAR_OFF if load.end is None else load.end), depth, seed.possible)

    def _begin(self, seed: Seed, depth: int) -> None:
        """How the lot as a whole came to be or, where nobody says, how it came to be known."""
        flow = self.flow
        made = flow.made_by(seed.bound)
        handed = any(one.kind == "handoff" for one in flow.departures)
        if (handed or not flow.makings) and self.lacks(partial(self._begin, seed, depth), _WHOLE, _GONE):
            return
        for arrival in made:
            self.visit("in", arrival, depth, seed.possible)
        for handoff in flow.moved_whole():
            self.found.handoff(handoff, possible=seed.possible)
        if not flow.makings:
            for number in range(len(flow.arrivals)):
                if not flow.packed_before(number):
                    self.visit("in", number, depth, seed.possible)

    def depart(self, departure: int, depth: int, possible: bool) -> None:
        """Go on from a departure: to what had come to its place."""
        flow, one = self.flow, self.flow.departures[departure]
        again = partial(self.depart, departure, depth, possible)
        if self.lacks(again, Request("arrivals", one.place)):
            return
        if flow.are_several(flow.candidates(departure)) and self.lacks(again, Request("departures", one.place)):
            return
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
        if self.lacks(partial(self._landed, one, depth, possible), Request("landed", one.place)):
            return
        landed = self.flow.landed(one.place, one.time)
        mixed = possible or len({landing.of for landing in landed}) > 1
        known = False
        for landing in landed:
            load = self.flow.load_of(landing)
            self.carried(load, load.start, landing.time, depth, mixed)
            for departure in self.flow.put_into("load", landing.of):
                if load.spans(self.flow.departures[departure].time):
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

    def arrive(self, arrival: int, depth: int, possible: bool) -> None:
        """Go on from an arrival: to how it was made, or from where it was brought."""
        flow, one = self.flow, self.flow.arrivals[arrival]
        if one.kind == "made":
            self.processed(one, depth, possible)
            return
        if one.kind == "load":
            load = flow.load_of(one)
            self.carried(load, load.start, one.time, depth, possible)
        else:
            self.found.handoff(one.of, possible=possible)
        before = flow.packed_before(arrival)
        if not self.lacks(partial(self._go_back, before, one, depth, possible), *self.to_tell_mixed(before)):
            self._go_back(before, one, depth, possible)

    def _go_back(self, before: list[int], one: Movement, depth: int, possible: bool) -> None:
        mixed = possible or (len(before) > 1 and self.flow.is_mixed(before))
        for departure in before:
            self.visit("out", departure, depth + 1, mixed)
        if not before:
            self._made(one.time, depth, possible)


class Downstream(OneLot):
    """Where parts of a lot went."""

    def needs(self, seed: Seed) -> set[Request]:
        """What is made is traced wherever it is, so all of the lot must be known; else the part itself."""
        if seed.kind != "carrier":
            return {_WHOLE}
        return {Request("carrier", seed.of), Request("landings", seed.of)}

    def start(self, seed: Seed, depth: int) -> None:
        """Begin with a part."""
        if seed.kind == "carrier":
            self._aboard(seed, depth)
        elif seed.kind == "transformation" and self.flow.are_several(self.flow.makings):
            if self.lacks(partial(self.start, seed, depth), _GONE):
                return
            self.followed.some[self.lot] = min(seed.bound, self.followed.some.get(self.lot, seed.bound))
            for arrival in self.flow.taken_from("made", seed.of):
                self.visit("in", arrival, depth, seed.possible)
        else:
            self._whole(seed, depth)

    def _aboard(self, seed: Seed, depth: int) -> None:
        flow = self.flow
        for load in flow.loads.get(seed.of, ()):
            if load.end is not None and load.end < seed.bound:
                continue
            self.inside(load, seed.possible)
            for arrival in flow.taken_from("load", seed.of):
                if flow.arrivals[arrival].time >= seed.bound and load.spans(flow.arrivals[arrival].time):
                    self.visit("in", arrival, depth, seed.possible)
        self._landings(seed.of, seed.bound, depth, seed.possible)

    def _whole(self, seed: Seed, depth: int) -> None:
        """All of it since the bound, however it went: nothing needs to be told apart."""
        self.followed.whole[self.lot] = seed.bound
        flow = self.flow
        for one in (*flow.arrivals, *flow.departures):
            if one.time < seed.bound:
                continue
            if one.kind == "used":
                self.processed(one, depth, seed.possible)
            elif one.kind == "handoff":
                self.found.handoff(one.of, possible=seed.possible)
            elif one.kind == "load":
                self.found.packing_events.add(one.event)
                load = flow.load_of(one)
                low = seed.bound if load.start is None else max(load.start, seed.bound)
                self.carried(load, low, load.end, depth, seed.possible)

    def arrive(self, arrival: int, depth: int, possible: bool) -> None:
        """Go on from an arrival: to what left its place since."""
        flow, one = self.flow, self.flow.arrivals[arrival]
        again = partial(self.arrive, arrival, depth, possible)
        if self.lacks(again, _ORIGIN, Request("arrivals", one.place), Request("departures", one.place)):
            return
        until = flow.lasts(arrival)
        self.found.spans.add(Span(self.lot, one.place, one.time, FAR_OFF if until is None else until))
        if one.kind == "load":
            load = flow.load_of(one)
            self.carried(load, load.start, one.time, depth, possible)
        elif one.kind == "handoff":
            self.found.handoff(one.of, possible=possible)
        for departure in flow.sinks(arrival):
            self.visit("out", departure, depth, possible or flow.is_mixed([departure]))
        if one.kind == "made" and self.lot not in self.followed.whole:
            self._unexplained(one.time - SKEW, depth, possible)

    def _unexplained(self, since: int, depth: int, possible: bool) -> None:
        """What left from where it is not known to have come is of the lot all the same."""
        flow = self.flow
        orphans = [n for n in flow.orphans if flow.departures[n].time >= since]
        asked = [Request("landed", flow.departures[n].place) for n in orphans]
        if self.lacks(partial(self._unexplained, since, depth, possible), *asked):
            return
        for departure in orphans:
            one = flow.departures[departure]
            if not flow.landed(one.place, one.time):
                self.visit("out", departure, depth, possible or flow.are_several(flow.made_by(one.time)))
        for arrival, one in enumerate(flow.arrivals):
            if one.kind != "made" and one.time >= since and not flow.packed_before(arrival):
                self.visit("in", arrival, depth, possible or flow.are_several(flow.made_by(one.time)))

    def _landings(self, carrier: int, since: int, depth: int, possible: bool) -> None:
        """A carrier that came somewhere closed may be what was used up there."""
        again = partial(self._landings, carrier, since, depth, possible)
        if self.lacks(again, Request("landings", carrier)):
            return
        flow = self.flow
        came = [one for there in flow.landings.values() for one in there if one.of == carrier and one.time >= since]
        needed = [Request(kind, one.place) for one in came for kind in ("arrivals", "departures", "landed")]
        if came and self.lacks(again, _ORIGIN, *needed):
            return
        for landing in came:
            for departure, one in enumerate(flow.departures):
                if one.place == landing.place and landing.time <= one.time + SKEW and not flow.sources(departure):
                    several = len({other.of for other in flow.landed(one.place, one.time)}) > 1
                    self.visit("out", departure, depth, possible or several)

    def depart(self, departure: int, depth: int, possible: bool) -> None:
        """Go on from a departure: to where it went."""
        flow, one = self.flow, self.flow.departures[departure]
        if one.kind == "used":
            self.processed(one, depth, possible)
        elif one.kind == "load":
            self.carried(flow.load_of(one), one.time, flow.load_of(one).end, depth, possible)
            if self.lot not in self.followed.whole:
                self._landings(one.of, one.time, depth + 1, possible)
        elif one.kind == "handoff":
            self.found.handoff(one.of, possible=possible)
        if one.kind not in ("load", "handoff"):
            return
        for arrival in flow.unpacked_after(departure):
            self._go_on(arrival, depth, possible)

    def _go_on(self, arrival: int, depth: int, possible: bool) -> None:
        before = self.flow.packed_before(arrival)
        if self.lacks(partial(self._go_on, arrival, depth, possible), *self.to_tell_mixed(before)):
            return
        mixed = possible or (len(before) > 1 and self.flow.is_mixed(before))
        self.visit("in", arrival, depth + 1, mixed)
