"""What is recalled: because its maker says so, or who holds it, of the thing itself or of its whole lot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.queries.declared import NOT_DECLARED

_MARKS = (
    "SELECT t.id, t.kind, t.msp, m.thing_id, m.event_time, m.event_id, m.recalled, e.msp, e.party_id, e.flags "
    "FROM {values} JOIN thing t ON t.id = v.value JOIN recall_mark m ON m.thing_id = t.%s "
    f"JOIN event e ON e.id = m.event_id WHERE {NOT_DECLARED}"
)
# Of an item the ledger says who has it; who made it is who reported that.
_MAKERS = "SELECT t.id, t.msp FROM {values} JOIN thing t ON t.id = v.value WHERE t.kind <> 'instance'"
_MADE = (
    "SELECT x.thing_id, e.msp FROM {values} JOIN event_epc x ON x.thing_id = v.value JOIN event e ON e.id = x.event_id "
    f"WHERE (x.role = 'outputEPCList' OR (x.role = 'epcList' AND e.action = 'ADD')) AND {NOT_DECLARED}"
)
_HOLDERS = "SELECT DISTINCT b.thing_id, b.holder_id FROM {values} JOIN balance b ON b.thing_id = v.value"
_NOT_HELD = '"not_held"'


def recalled(connection: Connection, things: Collection[int]) -> set[int]:
    """Those of the things (ids) that are recalled.

    The last word counts: recalled, or, by ``persistentDisposition``, not so any more.
    """
    rows = [*fetch(connection, _MARKS % "id", things), *fetch(connection, _MARKS % "lot_id", things)]
    if not rows:
        return set()
    marked = {row[3] for row in rows}
    maker: dict[int, str | None] = {
        **dict(fetch(connection, _MADE, marked)),
        **dict(fetch(connection, _MAKERS, marked)),
    }
    holders: dict[int, set[int]] = defaultdict(set)
    for lot, holder in fetch(connection, _HOLDERS, marked):
        holders[lot].add(holder)
    last: dict[int, tuple[int, int, bool]] = {}
    for thing, kind, _, about, time, event, said, msp, party, flags in rows:
        held = party in holders[about] if about in holders else kind == "instance" and _NOT_HELD not in (flags or "")
        if held or (msp is not None and msp == maker.get(about)):
            last[thing] = max(last.get(thing, (time, event, bool(said))), (time, event, bool(said)))
    return {thing for thing, (_, _, said) in last.items() if said}
