"""What the tables know of lots' movements, as :class:`~readmodel.queries.pools.Flow`: one batch of look-ups for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from sqlalchemy import Connection

from epcis.units import unit
from readmodel.bulk import Row, fetch
from readmodel.columns import to_millionths
from readmodel.queries.declared import NOT_DECLARED
from readmodel.queries.pools import Flow, Load, Movement

_PLACE = "coalesce(e.biz_location_id, e.read_point_id, 0)"
_LOADS = (
    "SELECT c.child_id, c.parent_id, c.from_time, c.to_time, c.from_event_id, c.to_event_id, c.quantity, c.uom "
    "FROM {values} JOIN containment c ON c.child_id = v.value WHERE c.kind = 'quantity' "
    "ORDER BY c.child_id, c.parent_id, coalesce(c.from_time, c.to_time - 1), coalesce(c.to_time, c.from_time + 1)"
)
_EVENTS = f"SELECT e.id, {_PLACE}, e.action FROM {{values}} JOIN event e ON e.id = v.value"
_MADE_AND_USED = (
    f"SELECT x.thing_id, {_PLACE}, x.event_time, x.event_id, x.side, x.transformation_id, x.quantity, x.uom "
    "FROM {values} JOIN transformation_edge x ON x.thing_id = v.value JOIN event e ON e.id = x.event_id"
)
# Not what changes hands: that is a handoff, whose two sides are told by different events.
_CAME_AND_WENT = (
    f"SELECT x.thing_id, {_PLACE}, x.event_time, x.event_id, e.action, x.quantity, x.uom "
    "FROM {values} JOIN event_epc x ON x.thing_id = v.value JOIN event e ON e.id = x.event_id "
    "WHERE x.role = 'quantityList' AND e.type = 'ObjectEvent' "
    "AND (e.action = 'DELETE' OR (e.action = 'ADD' AND (e.biz_step IS NULL OR e.biz_step NOT IN "
    "('shipping', 'receiving', 'accepting', 'void_shipping'))) OR e.biz_step IN "
    f"('consuming', 'decommissioning', 'destroying', 'dispensing', 'retail_selling')) AND {NOT_DECLARED}"
)
_HANDED = (
    "SELECT h.item_id, h.id, h.from_place_id, h.to_place_id, h.released_at, h.accepted_at, h.released, h.accepted, h.uom "
    "FROM {values} JOIN handoff h ON h.item_id = v.value WHERE h.status <> 'void'"
)
_LANDED = (
    "SELECT c.child_id, h.to_place_id, h.accepted_at, c.parent_id, c.from_time, c.to_time "
    "FROM {values} JOIN containment c ON c.child_id = v.value AND c.kind = 'quantity' "
    "JOIN handoff h ON h.item_id = c.parent_id "
    "WHERE h.accepted_at IS NOT NULL AND h.to_place_id IS NOT NULL AND h.status <> 'void'"
)


class _Gathered:
    """What was found of one lot so far."""

    def __init__(self) -> None:
        self.arrivals: list[Movement] = []
        self.departures: list[Movement] = []
        self.loads: list[Load] = []


def flows_of(connection: Connection, lots: Collection[int]) -> dict[int, Flow]:
    """The flows of these lots (or other classes), by id."""
    found: dict[int, _Gathered] = {lot: _Gathered() for lot in lots}
    _packed(connection, found)
    _handed(connection, found)
    for lot, place, time, event, side, of, quantity, uom in fetch(connection, _MADE_AND_USED, lots):
        made = side == "output"
        one = Movement(place, time, event, "made" if made else "used", of, *_amount(quantity, uom))
        (found[lot].arrivals if made else found[lot].departures).append(one)
    for lot, place, time, event, action, quantity, uom in fetch(connection, _CAME_AND_WENT, lots):
        made = action == "ADD"
        one = Movement(place, time, event, "made" if made else "gone", 0, *_amount(quantity, uom))
        (found[lot].arrivals if made else found[lot].departures).append(one)
    flows = {lot: Flow(one.arrivals, one.departures, one.loads) for lot, one in found.items()}
    _landings(connection, flows)
    return flows


def _packed(connection: Connection, found: dict[int, _Gathered]) -> None:
    rows = fetch(connection, _LOADS, found)
    events = {event for row in rows for event in row[4:6] if event is not None}
    about = {event: (place, action) for event, place, action in fetch(connection, _EVENTS, events)}
    by_pair: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in rows:
        by_pair[row[:2]].append(row)
    for (lot, carrier), intervals in by_pair.items():
        for load in _contiguous(intervals):
            _load(found[lot], carrier, load, about)


def _contiguous(intervals: Iterable[Row]) -> list[list[Row]]:
    """Intervals of one lot in one carrier, those together that follow one another without a gap."""
    loads: list[list[Row]] = []
    for row in intervals:
        if loads and row[4] is not None and loads[-1][-1][5] == row[4]:
            loads[-1].append(row)
        else:
            loads.append([row])
    return loads


def _load(into: _Gathered, carrier: int, load: Sequence[Row], about: dict[int, tuple[int, str | None]]) -> None:
    number = len(into.loads)
    first, last = load[0], load[-1]
    into.loads.append(Load(carrier, first[2], last[3]))
    before: int | Decimal | None = 0
    for row in load:
        start, began = row[2], row[4]
        quantity, base = _amount(*row[6:])
        if began is not None:
            place, action = about.get(began, (0, None))
            change = _difference(quantity, before)
            one = Movement(place, start, began, "load", number, change, base)
            (into.arrivals if action == "DELETE" else into.departures).append(one)
        before = quantity
    _, _, _, end, _, ended, stated, uom = last
    if ended is not None:
        place, _ = about.get(ended, (0, None))
        into.arrivals.append(Movement(place, end, ended, "load", number, *_amount(stated, uom)))


def _difference(one: int | Decimal | None, other: int | Decimal | None) -> int | Decimal | None:
    if one is None or other is None:
        return None
    return one - other if one > other else other - one


def _handed(connection: Connection, found: dict[int, _Gathered]) -> None:
    for lot, handoff, origin, target, left, came, released, accepted, uom in fetch(connection, _HANDED, found):
        if left is not None:
            amount = _amount(None if released is None else to_millionths(released), uom)
            found[lot].departures.append(Movement(origin or 0, left, None, "handoff", handoff, *amount))
        if came is not None:
            amount = _amount(None if accepted is None else to_millionths(accepted), uom)
            found[lot].arrivals.append(Movement(target or 0, came, None, "handoff", handoff, *amount))


def _landings(connection: Connection, flows: dict[int, Flow]) -> None:
    """Where something left that is not known to have arrived, closed carriers that came there are looked for."""
    puzzling = [lot for lot, flow in flows.items() if flow.orphans and flow.loads]
    for lot, place, time, carrier, start, end in fetch(connection, _LANDED, puzzling):
        if (start is None or start <= time) and (end is None or time <= end):
            flow = flows[lot]
            number = next(n for n, load in enumerate(flow.loads) if load.carrier == carrier and _spans(load, time))
            flow.landings.append(Movement(place, time, None, "load", number, None))


def _spans(load: Load, time: int) -> bool:
    return (load.start is None or load.start <= time) and (load.end is None or time <= load.end)


def _amount(quantity: int | Decimal | None, uom: str | None) -> tuple[int | Decimal | None, str]:
    """Millionths of the base unit (fractions of them for what is finer), and that unit."""
    measured = unit(uom or None)
    if quantity is None:
        return None, measured.base
    return (int(quantity) if measured.factor == 1 else int(quantity) * measured.factor), measured.base
