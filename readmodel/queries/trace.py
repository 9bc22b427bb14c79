"""Trace: where a thing came from and where it went, through packing and making. docs/read-model.md draws it.

The walk goes level by level, one batch of indexed look-ups a level, so its cost grows with what it finds and
not with the ledger. It respects time: a thing shares a parent's fate only while it is inside, and what went
into a lot after some of it was used does not concern that use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from epcis.prehash import digest_uri
from readmodel.bulk import fetch, fetch_ranges
from readmodel.columns import from_micros
from readmodel.identifiers import clean
from readmodel.queries.walk import Link, Role, Walk, walk

Direction = Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A thing, or a transformation (``kind`` "transformation"), on the trace.

    ``role`` is start, material (made of it, or it is made of), carrier (held it for a while) or lot (the lot
    an instance belongs to). ``depth`` counts steps from the start.
    """

    id: str
    kind: str
    role: Role
    depth: int
    product: str | None
    lot: str | None
    status: str | None
    place: str | None
    holder: str | None
    upstream: bool
    downstream: bool


@dataclass(frozen=True, slots=True)
class TraceEdge:
    """A directed link, the way goods flow: contains (parent, child), input, output or instance_of (lot,
    instance)."""

    source: str
    target: str
    kind: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """An event a traced thing had part in, with its provenance; ``things`` are the ids of nodes."""

    hash: str
    type: str
    action: str | None
    biz_step: str | None
    disposition: str | None
    event_time: datetime
    record_time: datetime | None
    read_point: str | None
    biz_location: str | None
    party: str | None
    msp: str | None
    tx_id: str
    block: int
    things: list[str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer. ``truncated``: there is more than ``max_nodes`` or ``max_events`` allowed."""

    start: str
    nodes: list[TraceNode]
    edges: list[TraceEdge]
    events: list[TraceEvent]
    truncated: bool


def trace(
    connection: Connection,
    identifier: str,
    *,
    direction: Direction = "both",
    max_nodes: int = 5_000,
    max_events: int = 20_000,
) -> Trace | None:
    """Trace a thing (canonical Digital Link); None when the ledger never heard of it."""
    found = fetch(connection, "SELECT t.id FROM {values} JOIN thing t ON t.uri = v.value", [clean(identifier)])
    if not found:
        return None
    walks: list[tuple[Walk, bool]] = []
    if direction != "downstream":
        walks.append((walk(connection, found[0][0], upstream=True, max_nodes=max_nodes), True))
    if direction != "upstream":
        walks.append((walk(connection, found[0][0], upstream=False, max_nodes=max_nodes), False))
    nodes = _nodes(connection, walks)
    edges = _edges(walks, nodes)
    events, more = _events(connection, walks, nodes, max_events)
    truncated = more or any(one.truncated for one, _ in walks)
    return Trace(clean(identifier), list(nodes.values()), edges, events, truncated)


_Key = int
"""A thing's id, or minus the id of a transformation."""

_THING = (
    "SELECT t.id, t.uri, t.kind, p.uri, l.uri, t.status, w.uri, h.uri "
    "FROM {values} JOIN thing t ON t.id = v.value "
    "LEFT JOIN thing p ON p.id = t.product_id LEFT JOIN thing l ON l.id = t.lot_id "
    "LEFT JOIN place w ON w.id = t.place_id LEFT JOIN party h ON h.id = t.holder_id"
)
_TRANSFORMATION = "SELECT x.id, x.key, x.transformation_id FROM {values} JOIN transformation x ON x.id = v.value"


def _nodes(connection: Connection, walks: list[tuple[Walk, bool]]) -> dict[_Key, TraceNode]:
    roles: dict[int, tuple[Role, int]] = {}
    made: dict[int, int] = {}
    up: set[_Key] = set()
    down: set[_Key] = set()
    for one, upstream in walks:
        keys = {*one.roles, *(-made_by for made_by in one.transformations)}
        (up if upstream else down).update(keys)
        for thing, (role, depth) in one.roles.items():
            if thing not in roles or depth < roles[thing][1]:
                roles[thing] = (role, depth)
        for transformation, depth in one.transformations.items():
            made[transformation] = min(depth, made.get(transformation, depth))
    nodes: dict[_Key, TraceNode] = {}
    for key, uri, kind, *about in fetch(connection, _THING, roles):
        values = (uri, kind, *roles[key], *about, key in up, key in down)
        nodes[key] = TraceNode(*values)
    for key, name, tie in fetch(connection, _TRANSFORMATION, made):
        identity = digest_uri(name) if tie is None else name
        nodes[-key] = TraceNode(
            f"transformation:{identity}",
            *("transformation", "transformation", made[key], None, None, None, None, None),
            -key in up,
            -key in down,
        )
    return dict(sorted(nodes.items(), key=lambda entry: (entry[1].depth, entry[0])))


def _edges(walks: list[tuple[Walk, bool]], nodes: dict[_Key, TraceNode]) -> list[TraceEdge]:
    links: dict[Link, None] = {}
    for one, _ in walks:
        links.update(one.links)
    return [
        TraceEdge(nodes[link.source].id, nodes[link.target].id, link.kind, _time(link.start), _time(link.end))
        for link in links
        if link.source in nodes and link.target in nodes
    ]


_NAMED = (
    "SELECT x.event_id, x.thing_id, x.role FROM {ranges} JOIN event_epc x "
    "ON x.thing_id = r.value AND x.event_time BETWEEN r.low AND r.high"
)
# Of the lot of a traced instance, only how it came to be: the rest happened to its other instances.
_BORN = " JOIN event e ON e.id = x.event_id WHERE e.action = 'ADD' OR x.role IN ('outputEPCList', 'outputQuantityList')"
_EVENT = (
    "SELECT e.id, e.hash, e.type, e.action, e.biz_step, e.disposition, e.event_time, e.record_time, "
    "rp.uri, bl.uri, p.uri, e.msp, t.tx_id, t.block "
    'FROM {values} JOIN event e ON e.id = v.value JOIN "transaction" t ON t.id = e.transaction_id '
    "LEFT JOIN place rp ON rp.id = e.read_point_id LEFT JOIN place bl ON bl.id = e.biz_location_id "
    "LEFT JOIN party p ON p.id = e.party_id ORDER BY e.event_time, e.id"
)


def _events(
    connection: Connection, walks: list[tuple[Walk, bool]], nodes: dict[_Key, TraceNode], max_events: int
) -> tuple[list[TraceEvent], bool]:
    things: dict[int, dict[str, None]] = {}
    for one, _ in walks:
        for event, key in _named(connection, one):
            things.setdefault(event, {})[nodes[key].id] = None
    events: list[TraceEvent] = []
    for row in fetch(connection, _EVENT, things):
        if len(events) == max_events:
            break
        identity, digest, kind, action, step, disposition, time, recorded, *rest = row
        values = (
            digest_uri(digest),
            kind,
            action,
            step,
            disposition,
            from_micros(time),
            _time(recorded),
            *rest,
        )
        events.append(TraceEvent(*(*values, list(things[identity]))))
    return events, len(things) > max_events


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _named(connection: Connection, found: Walk) -> Iterator[tuple[int, int]]:
    """The events of a walk, each with a thing it names."""
    whole, born = found.ranges()
    others: list[tuple[int, int]] = []
    events = set(found.packing_events)
    for event, key, role in (
        *fetch_ranges(connection, _NAMED, whole),
        *fetch_ranges(connection, _NAMED + _BORN, born),
    ):
        if role == "parentID" and key not in found.bounds:
            others.append((event, key))
        else:
            events.add(event)
            yield event, key
    # What a carrier took on or gave off counts only if it was something traced.
    yield from ((event, key) for event, key in others if event in events)
