"""The walk behind a trace: which things, when, and by what links.

Every thing reached is *material* (it is made of the start, or the start of it) or a *carrier* (it held
material for a while). Material is followed everywhere: into what is inside it, what was made of it, and what
carries it; a carrier only into its own carriers and into what was made of it meanwhile, never to the other
things it carried. Material has one bound in time: upstream a latest moment that matters, downstream an
earliest. A carrier has a window for each stay.

A carrier brought something only if it was taken out of it again, and took something away only if it was put in
since. Parts of lots are followed by :mod:`readmodel.queries.lot_walk`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import FAR_OFF, LONG_AGO, Row, fetch
from readmodel.queries.found import Link, Role, Stay, Walk
from readmodel.queries.lot_walk import Followed, LotWalk, Seed, nothing
from readmodel.queries.pools import SKEW

_CARRIERS = (
    "SELECT c.child_id, c.parent_id, c.from_time, c.to_time, c.from_event_id, c.to_event_id "
    "FROM {values} JOIN containment c ON c.child_id = v.value WHERE c.kind <> 'quantity'"
)
_CONTENTS = (
    "SELECT c.parent_id, c.child_id, c.kind, c.from_time, c.to_time, c.from_event_id, c.to_event_id "
    "FROM {values} JOIN containment c ON c.parent_id = v.value WHERE c.kind <> 'association'"
)
_NEAR_SIDE = (
    "SELECT x.thing_id, x.transformation_id, x.event_time "
    "FROM {values} JOIN transformation_edge x ON x.thing_id = v.value WHERE x.side = ?"
)
_FAR_SIDE = (
    "SELECT x.transformation_id, x.thing_id, x.event_time, t.kind FROM {values} "
    "JOIN transformation_edge x ON x.transformation_id = v.value JOIN thing t ON t.id = x.thing_id WHERE x.side = ?"
)
_INSTANCES = "SELECT t.lot_id, t.id FROM {values} JOIN thing t ON t.lot_id = v.value WHERE t.kind = 'instance'"
_MADE_INSTANCES = (
    "SELECT DISTINCT t.lot_id, x.transformation_id, x.event_time FROM {values} "
    "JOIN thing t ON t.lot_id = v.value JOIN transformation_edge x ON x.thing_id = t.id AND x.side = 'output'"
)
_LOT = "SELECT t.id, t.lot_id FROM {values} JOIN thing t ON t.id = v.value WHERE t.lot_id IS NOT NULL"


class _Level(NamedTuple):
    """What one level of the walk found to follow next."""

    material: dict[int, None]
    """Instances."""
    carriers: dict[Stay, None]
    lots: dict[int, None]
    """Of instances: only how they were made."""
    parts: defaultdict[int, list[Seed]]
    """Of lots and other classes."""


def _level() -> _Level:
    return _Level({}, {}, {}, defaultdict(list))


def walk(
    connection: Connection,
    start: int,
    members: Collection[tuple[int, bool]],
    *,
    is_instance: bool,
    upstream: bool,
    max_nodes: int,
) -> Walk:
    """Walk from a thing. Follows at most ``max_nodes`` nodes, then says it is truncated.

    ``members`` are the lots and items (each with whether it is an item) that the start, a product, stands for.
    """
    found = Walk(upstream, max_nodes)
    lots = LotWalk(connection, found)
    level = _level()
    _begin(found, level, start, is_instance, 0, "start")
    for member, is_item in members:
        if _begin(found, level, member, is_item, 1, "material"):
            found.link(Link(start, member, "instance_of", None, None))
    depth = 1 if members else 0
    while any(level):
        depth += 1
        following = _level()
        _follow_packing(connection, found, level, following, depth)
        followed = lots.follow(level.parts, depth) if level.parts else nothing()
        following.carriers.update(followed.carriers)
        _follow_making(connection, found, level, followed, following, depth)
        _follow_lots(connection, found, level, followed, following, depth)
        level = following
    return found


def _begin(found: Walk, level: _Level, thing: int, is_instance: bool, depth: int, role: Role) -> bool:
    bound = FAR_OFF if found.upstream else LONG_AGO
    if not found.material(thing, bound, depth, role):
        return False
    if is_instance:
        level.material[thing] = None
    else:
        level.parts[thing].append(Seed("whole", 0, bound, possible=False))
    return True


def _follow_packing(connection: Connection, found: Walk, level: _Level, following: _Level, depth: int) -> None:
    """Material and carriers into what carried them, material into what it held."""
    for child, parent, start, end, *events in fetch(connection, _CARRIERS, level.material):
        bound = found.bounds[child]
        if _brought(end, bound) if found.upstream else _took(start, end, bound):
            during = (_low(start), _high(end))
            _carried(found, following, Link(parent, child, "contains", start, end), during, events, depth)
    _follow_contents(connection, found, level, following, depth)
    stays: dict[int, list[Stay]] = defaultdict(list)
    for stay in level.carriers:
        stays[stay.carrier].append(stay)
    for child, parent, start, end, *events in fetch(connection, _CARRIERS, stays):
        for stay in stays[child]:
            low, high = max(stay.low, _low(start)), min(stay.high, _high(end))
            if low < high or (low == high and stay.low == stay.high):
                link = Link(parent, child, "contains", start, end)
                _carried(found, following, link, (low, high), events, depth, possible=found.stays[stay])


def _follow_contents(connection: Connection, found: Walk, level: _Level, following: _Level, depth: int) -> None:
    for parent, child, kind, start, end, *events in fetch(connection, _CONTENTS, level.material):
        bound, possible = found.bounds[parent], found.possible[parent]
        if not (_low(start) <= bound if found.upstream else _high(end) >= bound):
            continue
        found.packing_events.update(events)
        if kind == "quantity":
            following.parts[child].append(Seed("carrier", parent, bound, possible))
            found.flow_events[child].update(event for event in events if event is not None)
            continue
        found.link(Link(parent, child, "contains", start, end), possible=possible)
        since = min(bound, _high(end)) if found.upstream else max(bound, _low(start))
        if found.material(child, since, depth, possible=possible):
            following.material[child] = None


def _brought(end: int | None, bound: int) -> bool:
    """Upstream: it was taken out again, and by the time that matters."""
    return end is not None and end <= bound


def _took(start: int | None, end: int | None, bound: int) -> bool:
    """Downstream: it was put in since; where nobody says when, it was still in then."""
    return start >= bound if start is not None else _high(end) > bound


def _carried(
    found: Walk,
    following: _Level,
    link: Link,
    during: tuple[int, int],
    events: Iterable[int | None],
    depth: int,
    *,
    possible: bool | None = None,
) -> None:
    only = found.possible[link.target] if possible is None else possible
    found.packing_events.update(events)
    found.link(link, possible=only)
    if found.carrier(stay := Stay(link.source, *during), depth, possible=only):
        following.carriers[stay] = None


def _follow_making(
    connection: Connection, found: Walk, level: _Level, followed: Followed, following: _Level, depth: int
) -> None:
    """Upstream from outputs to inputs, downstream from inputs to outputs."""
    near, far = ("output", "input") if found.upstream else ("input", "output")
    windows: dict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for thing, bound in _bounds(found, level, followed):
        low, high = (LONG_AGO, bound) if found.upstream else (bound, FAR_OFF)
        windows[thing].append((low, high, found.possible[thing]))
    for stay in level.carriers:
        windows[stay.carrier].append((stay.low, stay.high, found.stays[stay]))
    rows = fetch(connection, _NEAR_SIDE, [thing for thing in windows if thing not in followed.whole], near)
    if found.upstream:
        rows.extend(fetch(connection, _MADE_INSTANCES, followed.whole))
    new = dict(followed.transformations)
    for thing, transformation, time in rows:
        meant = [possible for low, high, possible in windows[thing] if low <= time <= high]
        if meant:
            found.link(_making(near, thing, transformation, time), possible=all(meant))
            if found.transformation(transformation, depth, possible=all(meant)):
                new[transformation] = all(meant)
    for transformation, thing, time, kind in fetch(connection, _FAR_SIDE, new, far):
        possible = new[transformation]
        found.link(_making(far, thing, transformation, time), possible=possible)
        bound = time + SKEW if found.upstream else time - SKEW
        if kind != "instance":
            following.parts[thing].append(Seed("transformation", transformation, bound, possible))
        elif found.material(thing, bound, depth, possible=possible):
            following.material[thing] = None


def _bounds(found: Walk, level: _Level, followed: Followed) -> Iterable[tuple[int, int]]:
    for thing in level.material:
        yield thing, found.bounds[thing]
    for lot in level.lots:
        yield lot, found.lots[lot]
    yield from followed.whole.items()


def _making(side: str, thing: int, transformation: int, time: int) -> Link:
    if side == "input":
        return Link(thing, -transformation, "input", time, time)
    return Link(-transformation, thing, "output", time, time)


def _follow_lots(
    connection: Connection, found: Walk, level: _Level, followed: Followed, following: _Level, depth: int
) -> None:
    """Downstream a lot is all its instances; upstream an instance shares its lot's origin, not its fate."""
    if not found.upstream:
        for lot, bound in followed.whole.items():
            found.material(lot, bound, depth, possible=found.possible[lot])
            found.parts.discard(lot)
        bounds = {**followed.some, **followed.whole}
        for lot, instance in fetch(connection, _INSTANCES, bounds):
            possible = found.possible[lot] or lot not in followed.whole
            found.link(Link(lot, instance, "instance_of", None, None), possible=possible)
            if found.material(instance, bounds[lot], depth, possible=possible):
                following.material[instance] = None
        return
    found.origins.update(followed.whole)
    rows: list[Row] = fetch(connection, _LOT, level.material)
    for instance, lot in rows:
        possible = found.possible[instance]
        found.link(Link(lot, instance, "instance_of", None, None), possible=possible)
        if found.lot(lot, found.bounds[instance], depth, possible=possible):
            following.lots[lot] = None


def _low(start: int | None) -> int:
    return LONG_AGO if start is None else start


def _high(end: int | None) -> int:
    return FAR_OFF if end is None else end
