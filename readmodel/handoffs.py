"""Bring handoffs, what they carry by product, and the daily flows they make, up to date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from readmodel.bulk import Bulk, Row
from readmodel.columns import to_millionths
from readmodel.contents import Hop, contents_at
from readmodel.flows import day_of
from readmodel.ids import Ids
from readmodel.nesting import Range, outward
from readmodel.records import HandoffRecord
from readmodel.scan import Scan
from readmodel.tables import DailyFlow, Handoff, HandoffLine

FlowKey = tuple[int, str, int, int, int, str]
"""Product, flow, day, party, place, unit."""

Flows = dict[FlowKey, tuple[int, int]]
"""Millionths and number of movements to add."""

_COLUMNS = (
    *(
        "id",
        "key",
        "item_id",
        "kind",
        "status",
        "from_party_id",
        "to_party_id",
        "from_place_id",
        "to_place_id",
    ),
    *(
        "reference_type",
        "reference",
        "released",
        "accepted",
        "uom",
        "released_at",
        "accepted_at",
        "promised_at",
    ),
    *("from_msp", "to_msp", "release_events", "accept_events"),
)
_LINE_COLUMNS = ("handoff_id", "product_id", "uom", "released", "accepted")


_HOP = (
    "h.id, h.item_id, h.kind, h.from_party_id, h.to_party_id, h.from_place_id, h.to_place_id, "
    "h.released, h.accepted, h.uom, h.released_at, h.accepted_at"
)

Lines = dict[tuple[int, str], tuple[int | None, int | None]]
"""By product and unit: millionths released and accepted."""


def new_flows() -> Flows:
    """Nothing yet."""
    return defaultdict(lambda: (0, 0))


def add_flow(flows: Flows, key: FlowKey, quantity: int, movements: int) -> None:
    """Add to a day's flow."""
    before = flows[key]
    flows[key] = (before[0] + quantity, before[1] + movements)


_FLOW_KEY = ("product_id", "flow", "day", "party_id", "place_id", "uom")
_FLOW_TYPES = ("bigint", "text", "bigint", "bigint", "bigint", "text")


def write_flows(bulk: Bulk, flows: Flows) -> None:
    """Add the flows to their days; a day that nothing moved on after all is gone.

    The sums are made here: a database's integers end somewhere.
    """
    moved = [key for key, added in flows.items() if added != (0, 0)]
    match = " AND ".join(f"f.{column} = r.{column}" for column in _FLOW_KEY)
    sql = (
        f"SELECT {', '.join('f.' + column for column in _FLOW_KEY)}, f.quantity, f.movements "
        f"FROM {{rows}} JOIN daily_flow f ON {match}"
    )
    stored = {row[:6]: (int(row[6]), row[7]) for row in bulk.fetch_rows(sql, _FLOW_KEY, _FLOW_TYPES, moved)}
    kept: list[Row] = []
    gone: list[Row] = []
    for key in moved:
        quantity, movements = (was + more for was, more in zip(stored.get(key, (0, 0)), flows[key], strict=True))
        if movements:
            kept.append((*key, quantity, movements))
        elif key in stored:
            gone.append(key)
    bulk.upsert(DailyFlow, (*_FLOW_KEY, "quantity", "movements"), kept)
    bulk.delete(DailyFlow, _FLOW_KEY, gone)


def update_handoffs(bulk: Bulk, scan: Scan, ids: Ids, repacked: Collection[Range], flows: Flows) -> None:
    """Write the scan's handoffs and work out what they, and those whose contents changed, carry.

    ``repacked`` are the parents whose contents changed: a late packing event changes what an earlier handoff
    of the pallet, or of what the pallet was in, carried.
    """
    known, new, gone = scan.handoffs.resolve(bulk, "handoff")
    rows = {known[key]: _row(known[key], key, value, ids) for key, value in scan.handoffs}
    fresh = set(new.values())
    old = _stored(bulk, {*gone, *(identity for identity in rows if identity not in fresh)})
    around = outward(bulk, repacked)
    for sql in (_RELEASED_MEANWHILE, _ACCEPTED_MEANWHILE):
        for row in bulk.fetch_ranges(sql, around):
            old.setdefault(row[0], Hop(*row))
    bulk.delete(Handoff, ("id",), [(identity,) for identity in gone])
    bulk.insert(Handoff, _COLUMNS, [rows[identity] for identity in new.values()])
    bulk.update(Handoff, _COLUMNS, [row for identity, row in rows.items() if identity not in fresh])
    hops = {**old, **{identity: _hop(row) for identity, row in rows.items()}}
    _write_lines(bulk, old, {identity: hop for identity, hop in hops.items() if identity not in gone}, flows)


def _row(identity: int, key: str, value: HandoffRecord, ids: Ids) -> Row:
    return (
        identity,
        key,
        ids.thing(value.item),
        value.kind,
        value.status,
        ids.party(value.sender),
        ids.party(value.receiver),
        ids.place(value.from_place),
        ids.place(value.to_place),
        *value[7:],
    )


def _hop(row: Row) -> Hop:
    return Hop(row[0], row[2], row[3], *row[5:9], *row[11:16])


def _stored(bulk: Bulk, identities: Collection[int]) -> dict[int, Hop]:
    rows = bulk.fetch(f"SELECT {_HOP} FROM {{values}} JOIN handoff h ON h.id = v.value", identities)
    return {row[0]: Hop(*row) for row in rows}


_RELEASED_MEANWHILE = (
    f"SELECT {_HOP} FROM {{ranges}} JOIN handoff h ON h.item_id = r.value AND h.released_at BETWEEN r.low AND r.high"
)
_ACCEPTED_MEANWHILE = (
    f"SELECT {_HOP} FROM {{ranges}} JOIN handoff h ON h.item_id = r.value AND h.released_at IS NULL "
    "AND h.accepted_at BETWEEN r.low AND r.high"
)


# --- what a handoff carries


def _write_lines(bulk: Bulk, old: Mapping[int, Hop], hops: Mapping[int, Hop], flows: Flows) -> None:
    before: dict[int, Lines] = defaultdict(dict)
    sql = (
        "SELECT l.handoff_id, l.product_id, l.uom, l.released, l.accepted "
        "FROM {values} JOIN handoff_line l ON l.handoff_id = v.value"
    )
    for hop, product, uom, released, accepted in bulk.fetch(sql, list(old)):
        before[hop][(product, uom)] = (_whole(released), _whole(accepted))
    after = _lines(bulk, hops.values())
    gone: list[Row] = []
    changed: list[Row] = []
    for identity in {**old, **hops}:
        was, now = before.get(identity, {}), after.get(identity, {})
        gone.extend((identity, *key) for key in was if key not in now)
        changed.extend((identity, *key, *value) for key, value in now.items() if was.get(key) != value)
        if identity in old:
            _add_hop(flows, old[identity], was, -1)
        if identity in hops:
            _add_hop(flows, hops[identity], now, 1)
    bulk.delete(HandoffLine, _LINE_COLUMNS[:3], gone)
    bulk.upsert(HandoffLine, _LINE_COLUMNS, changed)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _add_hop(flows: Flows, hop: Hop, lines: Lines, sign: int) -> None:
    for (product, uom), (released, accepted) in lines.items():
        if released is not None and hop.released_at is not None:
            key = (product, "shipped", day_of(hop.released_at), hop.from_party or 0, hop.from_place or 0, uom)
            add_flow(flows, key, sign * released, sign)
        if accepted is not None and hop.accepted_at is not None:
            key = (product, "received", day_of(hop.accepted_at), hop.to_party or 0, hop.to_place or 0, uom)
            add_flow(flows, key, sign * accepted, sign)


def _lines(bulk: Bulk, hops: Collection[Hop]) -> dict[int, Lines]:
    items = {hop.item for hop in hops}
    sql = "SELECT t.id, t.product_id FROM {values} JOIN thing t ON t.id = v.value"
    product_of: dict[int, int | None] = dict(bulk.fetch(sql, items))
    lines: dict[int, Lines] = {hop.id: {} for hop in hops}
    for hop in hops:
        product = product_of[hop.item]
        if hop.kind == "lot" and product is not None:
            lines[hop.id][(product, hop.uom or "")] = (_decimal(hop.released), _decimal(hop.accepted))
    instances = [hop for hop in hops if hop.kind != "lot"]
    for hop, contents in zip(instances, contents_at(bulk, instances, product_of), strict=True):
        for key, quantity in contents.items():
            lines[hop.id][key] = (
                quantity if hop.released_at is not None else None,
                quantity if hop.accepted_at is not None else None,
            )
    return lines


def _decimal(quantity: str | None) -> int | None:
    return None if quantity is None else to_millionths(quantity)
