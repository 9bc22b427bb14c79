"""The nodes and edges of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection

from epcis.prehash import digest_uri
from readmodel.bulk import fetch
from readmodel.columns import from_micros
from readmodel.queries.found import Link, Role, Walk
from readmodel.queries.lot_state import lot_states
from readmodel.queries.recalled import recalled
from readmodel.recall import RECALLED

Key = int
"""A thing's id, or minus the id of a transformation."""


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A thing, or a transformation (``kind`` "transformation"), on the trace.

    ``role`` is start, material (made of it, or it is made of), carrier (held it for a while) or lot (the lot
    an instance belongs to). ``depth`` counts steps from the start. ``possible``: goods were mixed, and it is one of
    several from which they may have come, or what came of such.
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
    disposition: str | None = None
    recalled: bool = False
    possible: bool = False


@dataclass(frozen=True, slots=True)
class TraceEdge:
    """A directed link, the way goods flow: contains (parent, child), input, output or instance_of (lot,
    instance; product, lot)."""

    source: str
    target: str
    kind: str
    start: datetime | None
    end: datetime | None
    possible: bool = False


_THING = (
    "SELECT t.id, t.uri, t.kind, p.uri, l.uri, t.status, w.uri, h.uri, t.disposition "
    "FROM {values} JOIN thing t ON t.id = v.value "
    "LEFT JOIN thing p ON p.id = t.product_id LEFT JOIN thing l ON l.id = t.lot_id "
    "LEFT JOIN place w ON w.id = t.place_id LEFT JOIN party h ON h.id = t.holder_id"
)
_TRANSFORMATION = "SELECT x.id, x.key, x.transformation_id FROM {values} JOIN transformation x ON x.id = v.value"


class _Merged:
    """What the walks say of each thing and transformation together."""

    def __init__(self, walks: Sequence[Walk]) -> None:
        self.roles: dict[int, tuple[Role, int]] = {}
        self.made: dict[int, int] = {}
        self.up: set[Key] = set()
        self.down: set[Key] = set()
        self.possible: dict[Key, bool] = {}
        for walk in walks:
            self._merge(walk)

    def _merge(self, walk: Walk) -> None:
        side = self.up if walk.upstream else self.down
        for thing, (role, depth) in walk.roles.items():
            side.add(thing)
            if thing not in self.roles or depth < self.roles[thing][1]:
                self.roles[thing] = (role, depth)
            self.possible[thing] = walk.possible.get(thing, False) and self.possible.get(thing, True)
        for transformation, (depth, possible) in walk.transformations.items():
            side.add(-transformation)
            self.made[transformation] = min(depth, self.made.get(transformation, depth))
            self.possible[-transformation] = possible and self.possible.get(-transformation, True)


def trace_nodes(connection: Connection, walks: Sequence[Walk]) -> dict[Key, TraceNode]:
    """The nodes that the walks found, the nearest first."""
    merged = _Merged(walks)
    rows = fetch(connection, _THING, merged.roles)
    states = lot_states(connection, [row[0] for row in rows if row[2] != "instance"])
    called_back = recalled(connection, merged.roles)
    nodes: dict[Key, TraceNode] = {}
    up, down, possible = merged.up, merged.down, merged.possible
    for key, uri, kind, product, lot, status, place, holder, disposition in rows:
        if (state := states.get(key)) is not None:
            status, disposition = state.status or status, state.disposition or disposition
        if is_recalled := key in called_back:
            status, disposition = RECALLED if key in states else status, RECALLED
        role, depth = merged.roles[key]
        sides = (key in up, key in down)
        nodes[key] = TraceNode(
            *(
                uri,
                kind,
                role,
                depth,
                product,
                lot,
                status,
                place,
                holder,
                *sides,
                disposition,
                is_recalled,
                possible[key],
            )
        )
    for key, name, tie in fetch(connection, _TRANSFORMATION, merged.made):
        identity = digest_uri(name) if tie is None else name
        nodes[-key] = TraceNode(
            f"transformation:{identity}",
            *("transformation", "transformation", merged.made[key], None, None, None, None, None),
            -key in merged.up,
            -key in merged.down,
            possible=merged.possible[-key],
        )
    return dict(sorted(nodes.items(), key=lambda entry: (entry[1].depth, entry[0])))


def trace_edges(walks: Sequence[Walk], nodes: dict[Key, TraceNode]) -> list[TraceEdge]:
    """The links between nodes of the trace."""
    links: dict[Link, bool] = {}
    for walk in walks:
        for link, possible in walk.links.items():
            links[link] = possible and links.get(link, True)
    uris = {key: node.id for key, node in nodes.items()}
    return [
        TraceEdge(uris[source], uris[target], kind, moment(start), moment(end), possible)
        for (source, target, kind, start, end), possible in links.items()
        if source in uris and target in uris
    ]


@lru_cache(maxsize=8_192)  # many things happen at one time, and whole blocks are recorded at one
def moment(micros: int | None) -> datetime | None:
    """A stored time, aware."""
    return None if micros is None else from_micros(micros)
