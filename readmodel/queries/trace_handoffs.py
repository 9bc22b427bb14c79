"""The handoffs of a trace: between whom what was traced passed, when, how much, and what was wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from readmodel.bulk import FAR_OFF, LONG_AGO, fetch, fetch_ranges
from readmodel.columns import to_micros
from readmodel.queries.exceptions import words_of
from readmodel.queries.found import Walk
from readmodel.queries.handoffs import HandoffRecord, handoffs_by_id
from readmodel.queries.trace_nodes import TraceNode

_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class TraceFault:
    """An exception of a handoff."""

    id: str
    kind: str
    status: str
    detail: str | None
    severity: str | None
    title: str


@dataclass(frozen=True, slots=True)
class TraceHandoff(HandoffRecord):
    """A handoff on the trace; ``item`` is a node, or what the start is in.

    ``upstream``: the start, or what it is made of, came by it; ``downstream``: it went on by it. ``late``: accepted
    after the promise, or promised and not accepted yet. ``recalled``: what it moved is recalled.
    """

    upstream: bool
    downstream: bool
    possible: bool
    late: bool
    recalled: bool
    faults: list[TraceFault]


_MEANWHILE = (
    "SELECT h.id, h.item_id, h.released_at, h.accepted_at, r.low, r.high "
    "FROM {ranges} JOIN handoff h ON h.item_id = r.value"
)
_AROUND = "SELECT c.parent_id, c.from_time FROM {values} JOIN containment c ON c.child_id = v.value WHERE c.to_time IS NULL AND c.kind = 'aggregation'"
_FAULTS = (
    'SELECT x.handoff, x.key, x.kind, x.status, x.detail FROM {values} JOIN "exception" x ON x.handoff = v.value '
    "ORDER BY x.id"
)


def trace_handoffs(
    connection: Connection, walks: Sequence[Walk], nodes: dict[int, TraceNode], start: int, at: datetime, most: int
) -> list[TraceHandoff]:
    """The handoffs of what the walks found, in order of time; of very many, ``most``."""
    up: dict[int, bool] = {}
    down: dict[int, bool] = {}
    for walk in walks:
        into = up if walk.upstream else down
        for identity, possible in [*_of_instances(connection, walk, start), *walk.handoffs.items()]:
            into[identity] = possible and into.get(identity, True)
    chosen = sorted(up.keys() | down.keys())[:most]
    records = handoffs_by_id(connection, chosen)
    faults = _faults(connection, [record.id for record in records.values()])
    recalled = _recalled(walks, nodes)
    found = [
        TraceHandoff(
            **_values(record),
            upstream=identity in up,
            downstream=identity in down,
            possible=up.get(identity, True) and down.get(identity, True),
            late=_is_late(record, at),
            recalled=record.item in recalled,
            faults=faults[record.id],
        )
        for identity, record in records.items()
    ]
    return sorted(found, key=lambda one: (_moment(one), one.id))


def _of_instances(connection: Connection, walk: Walk, start: int) -> Iterable[tuple[int, bool]]:
    """The handoffs of the walk's items and carriers while they mattered.

    Upstream one must have ended by then, but what brought a carrier to where it was unpacked did so whether or not
    anybody said that it was received. The start came by what was accepted, also with what it is still in.
    """
    whole, _ = walk.ranges()
    ranges = list(whole)
    if walk.upstream:
        ranges += _around(connection, start)
    own = {start, *(thing for thing, _, _ in ranges[len(whole) :])}
    for identity, item, released, accepted, low, high in fetch_ranges(connection, _MEANWHILE, ranges):
        first = released if released is not None else accepted
        last = accepted if accepted is not None else released
        if first is None or last is None or first > high or last < low:
            continue
        if walk.upstream and accepted is None and item in own:
            continue
        yield identity, walk.possible.get(item, False)


def _around(connection: Connection, start: int) -> list[tuple[int, int, int]]:
    """What the start is in now, and what that is in, since when."""
    found: dict[int, tuple[int, int, int]] = {}
    inside = {start: LONG_AGO}
    for _ in range(_DEEPEST):
        around = {}
        sql = _AROUND.replace("SELECT ", "SELECT c.child_id, ")
        for child, parent, since in fetch(connection, sql, inside):
            if parent not in found and parent != start:
                around[parent] = max(inside[child], LONG_AGO if since is None else since)
                found[parent] = (parent, around[parent], FAR_OFF)
        inside = around
        if not inside:
            break
    return list(found.values())


def _recalled(walks: Sequence[Walk], nodes: dict[int, TraceNode]) -> set[str]:
    """What is recalled, and what held it."""
    found = {node.id for node in nodes.values() if node.recalled}
    grown = True
    while grown:
        grown = False
        for walk in walks:
            for link in walk.links:
                if link.kind == "contains" and link.source in nodes and link.target in nodes:
                    carrier, held = nodes[link.source].id, nodes[link.target].id
                    if held in found and carrier not in found:
                        found.add(carrier)
                        grown = True
    return found


def _faults(connection: Connection, keys: Collection[str]) -> dict[str, list[TraceFault]]:
    found: dict[str, list[TraceFault]] = defaultdict(list)
    for handoff, key, kind, status, detail in fetch(connection, _FAULTS, keys):
        found[handoff].append(TraceFault(key, kind, status, detail, *words_of(kind)))
    return found


def _is_late(record: HandoffRecord, at: datetime) -> bool:
    if record.promised_at is None or record.status == "void":
        return False
    return record.promised_at < (record.accepted_at or at)


def _moment(record: HandoffRecord) -> int:
    when = record.released_at or record.accepted_at
    return LONG_AGO if when is None else to_micros(when)


def _values(record: HandoffRecord) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(HandoffRecord)}
