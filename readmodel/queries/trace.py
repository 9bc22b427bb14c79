"""Trace: where a thing came from and where it went, through packing, making and handing over.

The walk goes level by level, one batch of indexed look-ups a level, so its cost grows with what it finds and
not with the ledger. It respects time: a thing shares a parent's fate only while it is inside, and what went
into a lot after some of it was used does not concern that use. docs/read-model.md draws it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean
from readmodel.queries.naming import names
from readmodel.queries.trace_events import TraceEvent, TraceQuantity, trace_events
from readmodel.queries.trace_handoffs import TraceFault, TraceHandoff, trace_handoffs
from readmodel.queries.trace_nodes import TraceEdge, TraceNode, trace_edges, trace_nodes
from readmodel.queries.walk import walk

__all__ = [
    "Direction",
    "Trace",
    "TraceEdge",
    "TraceEvent",
    "TraceFault",
    "TraceHandoff",
    "TraceNode",
    "TraceQuantity",
    "trace",
]

Direction = Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer. ``truncated``: there is more than ``max_nodes`` or ``max_events`` allowed.

    ``names`` has what the products, places and parties of the answer are called, where that is known.
    """

    start: str
    nodes: list[TraceNode]
    edges: list[TraceEdge]
    events: list[TraceEvent]
    truncated: bool
    handoffs: list[TraceHandoff]
    names: dict[str, str]


def trace(
    connection: Connection,
    identifier: str,
    *,
    direction: Direction = "both",
    max_nodes: int = 5_000,
    max_events: int = 20_000,
    at: datetime | None = None,
) -> Trace | None:
    """Trace a thing (canonical Digital Link); None when the ledger never heard of it.

    A product is traced as its lots, and its items that have none; of very many, those heard of last. What has not
    arrived is late as of ``at`` (default: now).
    """
    sql = "SELECT t.id, t.kind FROM {values} JOIN thing t ON t.uri = v.value"
    found = fetch(connection, sql, [clean(identifier)])
    if not found:
        return None
    start, kind = found[0]
    members = _members(connection, start, max_nodes) if kind == "product" else []
    walks = [
        walk(connection, start, members, is_instance=kind == "instance", upstream=upstream, max_nodes=max_nodes)
        for upstream in (True, False)
        if direction != ("downstream" if upstream else "upstream")
    ]
    nodes = trace_nodes(connection, walks)
    edges = trace_edges(walks, nodes)
    handoffs = trace_handoffs(connection, walks, nodes, start, at or datetime.now(UTC), max_events)
    events, more = trace_events(connection, walks, nodes, handoffs, max_events)
    truncated = more or any(one.truncated for one in walks)
    named = names(connection, dict.fromkeys(_identifiers(nodes.values(), events, handoffs)))
    return Trace(clean(identifier), list(nodes.values()), edges, events, truncated, handoffs, named)


_LOTS_FIRST = (
    "SELECT t.id, t.kind FROM {values} JOIN thing t ON t.product_id = v.value "
    "WHERE t.id <> v.value AND (t.kind <> 'instance' OR t.lot_id IS NULL) "
    "ORDER BY CASE t.kind WHEN 'instance' THEN 1 ELSE 0 END, t.id DESC LIMIT ?"
)


def _members(connection: Connection, product: int, most: int) -> list[tuple[int, bool]]:
    rows = fetch(connection, _LOTS_FIRST, [product], most)
    return [(member, kind == "instance") for member, kind in rows]


def _identifiers(
    nodes: Iterable[TraceNode], events: Iterable[TraceEvent], handoffs: Iterable[TraceHandoff]
) -> list[str | None]:
    found: list[str | None] = []
    for node in nodes:
        found.extend((node.product, node.place, node.holder))
    for event in events:
        found.extend((event.read_point, event.biz_location, event.party))
    for handoff in handoffs:
        found.extend((handoff.from_party, handoff.to_party, handoff.from_place, handoff.to_place))
        found.extend(line.product for line in handoff.lines)
    return found
