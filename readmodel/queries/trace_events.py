"""The events of a trace, with what they say of the traced things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from epcis.prehash import digest_uri
from readmodel.bulk import fetch, fetch_ranges
from readmodel.columns import from_micros
from readmodel.identifiers import hash_hex
from readmodel.queries.declared import Declaration, declarations
from readmodel.queries.found import Walk
from readmodel.queries.trace_handoffs import TraceHandoff
from readmodel.queries.trace_nodes import TraceNode, moment


@dataclass(frozen=True, slots=True)
class TraceQuantity:
    """How much of a lot an event tells of."""

    thing: str
    quantity: float
    uom: str | None


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """An event a traced thing had part in, with its provenance; ``things`` are the ids of nodes, ``quantities`` how
    much of those that are counted, ``documents`` the business transactions it names.

    ``declared_in_error`` has the declarations that took it back: what it says does not count. ``declares`` is the
    event that this one takes back.
    """

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
    quantities: list[TraceQuantity]
    documents: list[str]
    declares: str | None
    declared_in_error: list[Declaration]


_NAMED = (
    "SELECT x.event_id, x.thing_id, x.role, x.quantity, x.uom FROM {ranges} JOIN event_epc x "
    "ON x.thing_id = r.value AND x.event_time BETWEEN r.low AND r.high"
)
# Of the lot of a traced instance, only how it came to be: the rest happened to its other instances.
_BORN = (
    " JOIN event e ON e.id = x.event_id "
    "WHERE e.action = 'ADD' AND e.type = 'ObjectEvent' OR x.role IN ('outputEPCList', 'outputQuantityList')"
)
# What happened to goods of a lot while some of those that are traced lay there: inspected, held, sold …
_THERE = (
    "SELECT x.event_id, x.thing_id, x.role, x.quantity, x.uom, r.low, r.high, "
    "coalesce(e.biz_location_id, e.read_point_id, 0) FROM {ranges} JOIN event_epc x "
    "ON x.thing_id = r.value AND x.event_time BETWEEN r.low AND r.high JOIN event e ON e.id = x.event_id "
    "WHERE x.role = 'quantityList' AND e.action = 'OBSERVE' AND (e.biz_step IS NULL OR e.biz_step NOT IN "
    "('shipping', 'receiving', 'accepting', 'void_shipping'%s))"
)
_USED_UP = ", 'decommissioning', 'destroying', 'dispensing', 'retail_selling'"
_WHEN = "SELECT e.id, e.event_time FROM {values} JOIN event e ON e.id = v.value"
_BY_HASH = "SELECT e.id FROM {values} JOIN event e ON e.hash = v.value"
_EVENT = (
    "SELECT e.id, e.hash, e.type, e.action, e.biz_step, e.disposition, e.event_time, e.record_time, "
    "rp.uri, bl.uri, p.uri, e.msp, t.tx_id, t.block, e.declares, e.stored, e.declared_by "
    'FROM {values} JOIN event e ON e.id = v.value JOIN "transaction" t ON t.id = e.transaction_id '
    "LEFT JOIN place rp ON rp.id = e.read_point_id LEFT JOIN place bl ON bl.id = e.biz_location_id "
    "LEFT JOIN party p ON p.id = e.party_id ORDER BY e.event_time, e.id"
)

_Named = tuple[int, int, Any, str | None]
"""Event, thing, quantity in millionths, unit."""


def trace_events(
    connection: Connection,
    walks: Sequence[Walk],
    nodes: dict[int, TraceNode],
    handoffs: Sequence[TraceHandoff],
    most: int,
) -> tuple[list[TraceEvent], bool]:
    """The events by time, and whether there are more than ``most``."""
    things: defaultdict[int, dict[str, None]] = defaultdict(dict)
    amounts: defaultdict[int, dict[tuple[str, int, str | None], None]] = defaultdict(dict)
    uris = {key: node.id for key, node in nodes.items()}
    for walk in walks:
        for event, thing, quantity, uom in _named(connection, walk, nodes, handoffs):
            uri = uris[thing]
            things[event][uri] = None
            if quantity is not None:
                amounts[event][(uri, int(quantity), uom)] = None
    rows = fetch(connection, _EVENT, things)
    declared = declarations(connection, [row[1] for row in rows[:most] if row[-1] is not None])
    return [
        _event(row, list(things[row[0]]), amounts.get(row[0], ()), declared.get(row[1], [])) for row in rows[:most]
    ], len(rows) > most


def _event(
    row: Sequence[Any],
    things: list[str],
    amounts: Iterable[tuple[str, int, str | None]],
    declared: list[Declaration],
) -> TraceEvent:
    _, digest, kind, action, step, disposition, time, recorded, *provenance, declares, stored, _ = row
    read_point, location, party, msp, tx_id, block = provenance
    return TraceEvent(
        digest_uri(digest),
        kind,
        action,
        step,
        disposition,
        from_micros(time),
        moment(recorded),
        read_point,
        location,
        party,
        msp,
        tx_id,
        block,
        things,
        [TraceQuantity(thing, quantity / 1_000_000, uom) for thing, quantity, uom in amounts] if amounts else [],
        _documents(stored),
        None if declares is None else digest_uri(declares),
        declared,
    )


def _documents(stored: str) -> list[str]:
    if '"bizTransactionList"' not in stored:
        return []
    named = orjson.loads(stored).get("bizTransactionList") or ()
    return [str(one["bizTransaction"]) for one in named if "bizTransaction" in one]


def _named(
    connection: Connection, walk: Walk, nodes: dict[int, TraceNode], handoffs: Sequence[TraceHandoff]
) -> Iterator[_Named]:
    """The events of a walk, each with a thing it names."""
    whole, born = walk.ranges()
    others: list[_Named] = []
    events = set(walk.packing_events)
    bounds = walk.bounds
    for rows in (
        fetch_ranges(connection, _NAMED, whole),
        fetch_ranges(connection, _NAMED + _BORN, born),
        _of_parts(connection, walk, nodes, handoffs),
    ):
        for event, thing, role, quantity, uom in rows:
            if role == "parentID" and thing not in bounds:
                others.append((event, thing, quantity, uom))
            else:
                events.add(event)
                yield event, thing, quantity, uom
    # What a carrier took on or gave off counts only if it was something traced.
    yield from (one for one in others if one[0] in events)


def _of_parts(
    connection: Connection, walk: Walk, nodes: dict[int, TraceNode], handoffs: Sequence[TraceHandoff]
) -> Iterator[tuple[int, int, str, Any, str | None]]:
    """The events of lots of which a part is traced: how that came and went, and what happened where it lay."""
    places: dict[tuple[int, int, int], set[int]] = {}
    for span in walk.spans:
        if span.lot in walk.parts:
            places.setdefault((span.lot, span.low, span.high), set()).add(span.place)
    there = _THERE % (_USED_UP if walk.upstream else "")
    for event, thing, role, quantity, uom, low, high, place in fetch_ranges(connection, there, list(places)):
        if place in places[(thing, low, high)]:
            yield event, thing, role, quantity, uom
    by_lot: dict[str, set[str]] = {}
    for handoff in handoffs:
        if handoff.upstream if walk.upstream else handoff.downstream:
            told = (*handoff.release_events, *handoff.accept_events)
            by_lot.setdefault(handoff.item, set()).update(hash_hex(event) for event in told)
    known: dict[int, set[int]] = {}
    for lot in (walk.parts | walk.origins) & nodes.keys():
        known[lot] = set(walk.flow_events.get(lot, ()))
        known[lot].update(row[0] for row in fetch(connection, _BY_HASH, by_lot.get(nodes[lot].id, ())))
    times: dict[int, int] = dict(fetch(connection, _WHEN, {event for events in known.values() for event in events}))
    moments = {(lot, times[event], times[event]) for lot, events in known.items() for event in events}
    for event, thing, role, quantity, uom in fetch_ranges(connection, _NAMED, moments):
        if event in known[thing]:
            yield event, thing, role, quantity, uom
