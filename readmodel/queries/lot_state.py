"""How a lot (or another class) stands: its last disposition, and whether any of it is left.

The ledger keeps balances of lots, not states, so both are worked out here: the disposition is the one of the newest
event, by its own time, that names the lot and has one; the status follows from where quantities are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.queries.declared import NOT_DECLARED

_DEEPEST = 64
_GONE = frozenset({"consumed", "decommissioned", "destroyed", "dispensed", "sold"})
IN_TRANSIT = "in_transit"

_DISPOSITIONS = (
    "SELECT v.value, (SELECT e.disposition FROM event_epc x JOIN event e ON e.id = x.event_id "
    f"WHERE x.thing_id = v.value AND e.disposition IS NOT NULL AND {NOT_DECLARED} "
    "ORDER BY x.event_time DESC, x.event_id DESC LIMIT 1) FROM {values}"
)
_LOOSE = "SELECT DISTINCT b.thing_id FROM {values} JOIN balance b ON b.thing_id = v.value WHERE b.amount > 0"
_COUNTED = "SELECT DISTINCT b.thing_id FROM {values} JOIN balance b ON b.thing_id = v.value"
_PACKED = (
    "SELECT q.thing_id, q.quantity, q.uom, q.parent_id FROM {values} "
    "JOIN packed_quantity q ON q.thing_id = v.value ORDER BY q.thing_id, q.parent_id"
)
_PARENTS = "SELECT t.id, t.parent_id, t.status, t.holder_id, t.place_id FROM {values} JOIN thing t ON t.id = v.value"
_UNDER_WAY = (
    "SELECT DISTINCT h.item_id FROM {values} JOIN handoff h ON h.item_id = v.value "
    "WHERE h.status = 'released' AND h.accepted_at IS NULL"
)


class Outermost(NamedTuple):
    """What a carrier is in at last (itself, where it is in nothing), and how that stands."""

    id: int
    status: str | None
    holder: int | None
    place: int | None

    @property
    def is_gone(self) -> bool:
        """It has ended, and what was in it with it."""
        return self.status in _GONE


class PackedPart(NamedTuple):
    """Some of a lot in a carrier now."""

    lot: int
    quantity: str | None
    uom: str | None
    carrier: int
    outermost: Outermost


class LotState(NamedTuple):
    """``status``: active (some is on hand), in_transit (all that is left is), ended (nothing is left); None: nobody
    ever said how much there is."""

    status: str | None
    disposition: str | None


def lot_states(connection: Connection, lots: Collection[int]) -> dict[int, LotState]:
    """How these lots stand."""
    dispositions: dict[int, str | None] = dict(fetch(connection, _DISPOSITIONS, lots))
    on_hand = {row[0] for row in fetch(connection, _LOOSE, lots)}
    counted = {row[0] for row in fetch(connection, _COUNTED, lots)}
    moving = {row[0] for row in fetch(connection, _UNDER_WAY, lots)}
    for part in packed_parts(connection, [lot for lot in lots if lot not in on_hand]):
        counted.add(part.lot)
        if part.outermost.status == IN_TRANSIT:
            moving.add(part.lot)
        elif not part.outermost.is_gone:
            on_hand.add(part.lot)
    return {lot: LotState(_status(lot, on_hand, moving, counted), dispositions.get(lot)) for lot in lots}


def _status(lot: int, on_hand: set[int], moving: set[int], counted: set[int]) -> str | None:
    if lot in on_hand:
        return "active"
    if lot in moving:
        return IN_TRANSIT
    return "ended" if lot in counted else None


def packed_parts(connection: Connection, lots: Collection[int]) -> list[PackedPart]:
    """What of these lots is packed now, at any depth."""
    rows = fetch(connection, _PACKED, lots)
    outermost = outermost_of(connection, {row[3] for row in rows})
    return [
        PackedPart(lot, quantity, uom, carrier, outermost[carrier])
        for lot, quantity, uom, carrier in rows
        if carrier in outermost
    ]


def outermost_of(connection: Connection, things: Collection[int]) -> dict[int, Outermost]:
    """What these things are in at last, by one look-up a level of packing."""
    known: dict[int, tuple[int | None, Outermost]] = {}
    asked = set(things)
    for _ in range(_DEEPEST):
        if not asked:
            break
        for thing, parent, *about in fetch(connection, _PARENTS, asked):
            known[thing] = (parent, Outermost(thing, *about))
        asked = {parent for parent, _ in known.values() if parent is not None} - known.keys()
    found: dict[int, Outermost] = {}
    for thing in things:
        at, seen = thing, {thing}
        while at in known and (parent := known[at][0]) is not None and parent in known and parent not in seen:
            at = parent
            seen.add(at)
        if at in known:
            found[thing] = known[at][1]
    return found
