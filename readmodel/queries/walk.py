"""The walk behind a trace: which things, when, and by what links.

Every thing reached is *material* (it is made of the start, or the start of it) or a *carrier* (it held
material for a while). Material is followed everywhere: into what is inside it, what was made of it, and what
carries it; a carrier only into its own carriers and into what was made of it meanwhile, never to the other
things it carried. Material has one bound in time: upstream a latest moment that matters, downstream an
earliest. A carrier has a window for each stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import FAR_OFF, LONG_AGO, Row, fetch

Role = Literal["start", "material", "carrier", "lot", "transformation"]

_SKEW = 300 * 1_000_000
"""Five minutes: what two clocks at one line may differ by. A lot packed just "before" it was made is that
lot."""

_CARRIERS = (
    "SELECT c.child_id, c.parent_id, c.from_time, c.to_time, c.from_event_id, c.to_event_id "
    "FROM {values} JOIN containment c ON c.child_id = v.value"
)
_CONTENTS = (
    "SELECT c.parent_id, c.child_id, c.from_time, c.to_time, c.from_event_id, c.to_event_id "
    "FROM {values} JOIN containment c ON c.parent_id = v.value WHERE c.kind <> 'association'"
)
_NEAR_SIDE = (
    "SELECT x.thing_id, x.transformation_id, x.event_time "
    "FROM {values} JOIN transformation_edge x ON x.thing_id = v.value WHERE x.side = ?"
)
_FAR_SIDE = (
    "SELECT x.transformation_id, x.thing_id, x.event_time "
    "FROM {values} JOIN transformation_edge x ON x.transformation_id = v.value WHERE x.side = ?"
)
_INSTANCES = "SELECT t.lot_id, t.id FROM {values} JOIN thing t ON t.lot_id = v.value WHERE t.kind = 'instance'"
_MADE_INSTANCES = (
    "SELECT DISTINCT t.lot_id, x.transformation_id, x.event_time FROM {values} "
    "JOIN thing t ON t.lot_id = v.value JOIN transformation_edge x ON x.thing_id = t.id AND x.side = 'output'"
)
_LOT = "SELECT t.id, t.lot_id FROM {values} JOIN thing t ON t.id = v.value WHERE t.lot_id IS NOT NULL"


class Link(NamedTuple):
    """From node to node; a transformation's node is minus its id. Times in microseconds, None: open."""

    source: int
    target: int
    kind: str
    start: int | None
    end: int | None


class Stay(NamedTuple):
    """A carrier, and from when to when it carried."""

    carrier: int
    low: int
    high: int


class Walk:
    """What a walk found."""

    def __init__(self, upstream: bool, max_nodes: int) -> None:
        self.upstream = upstream
        self.roles: dict[int, tuple[Role, int]] = {}
        self.transformations: dict[int, int] = {}
        """Depth by transformation id."""
        self.links: dict[Link, None] = {}
        self.truncated = False
        self.bounds: dict[int, int] = {}
        """Material: the latest (upstream) or earliest (downstream) moment that matters."""
        self.stays: dict[Stay, None] = {}
        self.lots: dict[int, int] = {}
        """Lots of traced instances, with the bound; only how they were made matters."""
        self.packing_events: set[int | None] = set()
        """Ids of the events by which what was followed was packed and unpacked."""
        self._max_nodes = max_nodes

    def ranges(self) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """The (thing, low, high) in which things' events belong to the trace; second, those of lots."""
        whole = [self._range(thing, bound) for thing, bound in self.bounds.items()]
        whole.extend(stay for stay in self.stays if stay.carrier not in self.bounds)
        born = [self._range(lot, bound) for lot, bound in self.lots.items() if lot not in self.bounds]
        return whole, born

    def _range(self, thing: int, bound: int) -> tuple[int, int, int]:
        return (thing, LONG_AGO, bound) if self.upstream else (thing, bound, FAR_OFF)

    def material(self, thing: int, bound: int, depth: int, role: Role = "material") -> bool:
        """Note a thing; True when it is new, or matters for longer than was known, and so must be
        followed."""
        known = self.bounds.get(thing)
        if known is not None and (bound <= known if self.upstream else bound >= known):
            return False
        if not self._note(thing, role, depth):
            return False
        self.bounds[thing] = bound
        return True

    def carrier(self, stay: Stay, depth: int) -> bool:
        """Note a carrier's stay; True when it is new."""
        if stay in self.stays or not self._note(stay.carrier, "carrier", depth):
            return False
        self.stays[stay] = None
        return True

    def lot(self, lot: int, bound: int, depth: int) -> bool:
        """Note the lot of an instance; True when it must be followed."""
        if lot in self.bounds or self.lots.get(lot, LONG_AGO) >= bound or not self._note(lot, "lot", depth):
            return False
        self.lots[lot] = bound
        return True

    def transformation(self, transformation: int, depth: int) -> bool:
        """Note a transformation; True when it is new."""
        if transformation in self.transformations or self._full():
            return False
        self.transformations[transformation] = depth
        return True

    def _note(self, thing: int, role: Role, depth: int) -> bool:
        known = self.roles.get(thing)
        if known is None:
            if self._full():
                return False
            self.roles[thing] = (role, depth)
        elif known[0] in ("carrier", "lot") and role == "material":
            self.roles[thing] = (role, known[1])
        return True

    def _full(self) -> bool:
        full = len(self.roles) + len(self.transformations) >= self._max_nodes
        self.truncated |= full
        return full


class _Level(NamedTuple):
    """What one level of the walk found to follow next."""

    material: dict[int, None]
    carriers: dict[Stay, None]
    lots: dict[int, None]


def walk(connection: Connection, start: int, *, upstream: bool, max_nodes: int) -> Walk:
    """Walk from a thing. Follows at most ``max_nodes`` nodes, then says it is truncated."""
    found = Walk(upstream, max_nodes)
    found.material(start, FAR_OFF if upstream else LONG_AGO, 0, "start")
    level = _Level({start: None}, {}, {})
    depth = 0
    while level.material or level.carriers or level.lots:
        depth += 1
        following = _Level({}, {}, {})
        _follow_packing(connection, found, level, following, depth)
        _follow_making(connection, found, level, following, depth)
        _follow_lots(connection, found, level, following, depth)
        level = following
    return found


def _follow_packing(connection: Connection, found: Walk, level: _Level, following: _Level, depth: int) -> None:
    stays: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for thing in level.material:
        bound = found.bounds[thing]
        stays[thing].append((LONG_AGO, bound) if found.upstream else (bound, FAR_OFF))
    for stay in level.carriers:
        stays[stay.carrier].append((stay.low, stay.high))
    for child, parent, start, end, *events in fetch(connection, _CARRIERS, stays):
        for low, high in stays[child]:
            first, last = max(low, _low(start)), min(high, _high(end))
            if first <= last:
                found.packing_events.update(events)
                found.links[Link(parent, child, "contains", start, end)] = None
                if found.carrier(stay := Stay(parent, first, last), depth):
                    following.carriers[stay] = None
    for parent, child, start, end, *events in fetch(connection, _CONTENTS, level.material):
        bound = found.bounds[parent]
        first, last = _low(start), _high(end)
        if first <= bound if found.upstream else last >= bound:
            found.packing_events.update(events)
            found.links[Link(parent, child, "contains", start, end)] = None
            if found.material(child, min(bound, last) if found.upstream else max(bound, first), depth):
                following.material[child] = None


def _follow_making(connection: Connection, found: Walk, level: _Level, following: _Level, depth: int) -> None:
    """Upstream from outputs to inputs, downstream from inputs to outputs."""
    near, far = ("output", "input") if found.upstream else ("input", "output")
    windows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for thing, bound in _bounds(found, level):
        windows[thing].append((LONG_AGO, bound) if found.upstream else (bound, FAR_OFF))
    for stay in level.carriers:
        windows[stay.carrier].append((stay.low, stay.high))
    rows = fetch(connection, _NEAR_SIDE, windows, near)
    if found.upstream:
        rows.extend(fetch(connection, _MADE_INSTANCES, level.material))
    new: dict[int, None] = {}
    for thing, transformation, time in rows:
        if any(low <= time <= high for low, high in windows[thing]):
            found.links[_making(found, near, thing, transformation, time)] = None
            if found.transformation(transformation, depth):
                new[transformation] = None
    for transformation, thing, time in fetch(connection, _FAR_SIDE, new, far):
        found.links[_making(found, far, thing, transformation, time)] = None
        if found.material(thing, time + _SKEW if found.upstream else time - _SKEW, depth):
            following.material[thing] = None


def _bounds(found: Walk, level: _Level) -> Iterable[tuple[int, int]]:
    for thing in level.material:
        yield thing, found.bounds[thing]
    for lot in level.lots:
        yield lot, found.lots[lot]


def _making(found: Walk, side: str, thing: int, transformation: int, time: int) -> Link:
    if side == "input":
        return Link(thing, -transformation, "input", time, time)
    return Link(-transformation, thing, "output", time, time)


def _follow_lots(connection: Connection, found: Walk, level: _Level, following: _Level, depth: int) -> None:
    """Downstream a lot is all its instances; upstream an instance shares its lot's origin, not its fate."""
    if not found.upstream:
        for lot, instance in fetch(connection, _INSTANCES, level.material):
            found.links[Link(lot, instance, "instance_of", None, None)] = None
            if found.material(instance, found.bounds[lot], depth):
                following.material[instance] = None
        return
    rows: list[Row] = fetch(connection, _LOT, level.material)
    for instance, lot in rows:
        found.links[Link(lot, instance, "instance_of", None, None)] = None
        if found.lot(lot, found.bounds[instance], depth):
            following.lots[lot] = None


def _low(start: int | None) -> int:
    return LONG_AGO if start is None else start


def _high(end: int | None) -> int:
    return FAR_OFF if end is None else end
