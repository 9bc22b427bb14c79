"""What the tables know of lots' movements, brought into :class:`~readmodel.queries.pools.Flow` as it is asked for.

A lot may have been packed ten thousand times, and one of its pallets is asked about: so nothing is read but what happened
at the places, and with the carriers, that the walk comes by. All lots of a round are looked up together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from epcis.units import unit
from readmodel.bulk import FAR_OFF, Row, fetch, fetch_ranges
from readmodel.columns import to_millionths
from readmodel.queries.declared import NOT_DECLARED
from readmodel.queries.pools import Flow, Load, Movement


class Request(NamedTuple):
    """What is to be known of a lot.

    ``whole``: everything but what is ``gone`` (sold, destroyed …). ``origin``: how it was made, and its handoffs. ``used``: by transformation ``of``. ``carrier``: what
    was in carrier ``of``. ``arrivals``, ``departures``: at place ``of``. ``landed``: closed carriers that came to place ``of``.
    ``landings``: where carrier ``of`` came closed.
    """

    kind: str
    of: int = 0


_PLACE = "coalesce(e.biz_location_id, e.read_point_id, 0)"
_LOAD = "c.child_id, c.parent_id, c.from_time, c.to_time, c.from_event_id, c.to_event_id, c.quantity, c.uom"
_IN_ORDER = (
    "ORDER BY c.child_id, c.parent_id, coalesce(c.from_time, c.to_time - 1), coalesce(c.to_time, c.from_time + 1)"
)
_ALL_LOADS = (
    f"SELECT {_LOAD} FROM {{values}} JOIN containment c ON c.child_id = v.value WHERE c.kind = 'quantity' {_IN_ORDER}"
)
# {ranges}: lot, and a carrier or place
_LOADS_ON = (
    f"SELECT {_LOAD} FROM {{ranges}} JOIN containment c ON c.child_id = r.value AND c.kind = 'quantity' "
    f"AND c.scope = r.low {_IN_ORDER}"
)
_UNPACKED_AT = (
    "SELECT DISTINCT c.child_id, c.parent_id FROM {ranges} JOIN containment c ON c.child_id = r.value "
    f"JOIN event e ON e.id = c.to_event_id WHERE c.kind = 'quantity' AND {_PLACE} = r.low"
)
_PACKED_AT = (
    "SELECT DISTINCT c.child_id, c.parent_id FROM {ranges} JOIN containment c ON c.child_id = r.value "
    f"JOIN event e ON e.id = c.from_event_id WHERE c.kind = 'quantity' AND {_PLACE} = r.low"
)
_EVENTS = f"SELECT e.id, {_PLACE}, e.action FROM {{values}} JOIN event e ON e.id = v.value"
_EDGE = f"x.thing_id, {_PLACE}, x.event_time, x.event_id, x.side, x.transformation_id, x.quantity, x.uom"
_EDGES = (
    f"SELECT {_EDGE} FROM {{values}} JOIN transformation_edge x ON x.thing_id = v.value "
    "JOIN event e ON e.id = x.event_id WHERE x.side IN (?, ?)"
)
_USED_BY = (
    f"SELECT {_EDGE} FROM {{ranges}} JOIN transformation_edge x ON x.thing_id = r.value AND x.side = 'input' "
    "AND x.transformation_id = r.low JOIN event e ON e.id = x.event_id"
)
_USED_AT = (
    f"SELECT {_EDGE} FROM {{ranges}} JOIN transformation_edge x ON x.thing_id = r.value AND x.side = 'input' "
    f"JOIN event e ON e.id = x.event_id WHERE {_PLACE} = r.low"
)
_OBJECT = f"x.thing_id, {_PLACE}, x.event_time, x.event_id, e.action, x.quantity, x.uom"
# Not what changes hands: that is a handoff, whose two sides are told by different events.
_BEGUN = "e.action = 'ADD' AND (e.biz_step IS NULL OR e.biz_step NOT IN ('shipping', 'receiving', 'accepting', 'void_shipping'))"
_ENDED = (
    "(e.action = 'DELETE' OR (e.action = 'OBSERVE' AND e.biz_step IN "
    "('decommissioning', 'destroying', 'dispensing', 'retail_selling')))"
)
_BEGINNINGS = (
    f"SELECT {_OBJECT} FROM {{values}} JOIN event_epc x ON x.thing_id = v.value JOIN event e ON e.id = x.event_id "
    f"WHERE x.role = 'quantityList' AND e.type = 'ObjectEvent' AND {_BEGUN} AND {NOT_DECLARED}"
)
_ENDINGS = (
    f"SELECT {_OBJECT} FROM {{values}} JOIN event_epc x ON x.thing_id = v.value JOIN event e ON e.id = x.event_id "
    f"WHERE x.role = 'quantityList' AND e.type = 'ObjectEvent' AND {_ENDED} AND {NOT_DECLARED}"
)
_ENDINGS_AT = (
    f"SELECT {_OBJECT} FROM {{ranges}} JOIN event_epc x ON x.thing_id = r.value JOIN event e ON e.id = x.event_id "
    f"WHERE x.role = 'quantityList' AND e.type = 'ObjectEvent' AND {_PLACE} = r.low AND {_ENDED} AND {NOT_DECLARED}"
)
_HANDED = (
    "SELECT h.item_id, h.id, h.from_place_id, h.to_place_id, h.released_at, h.accepted_at, h.released, h.accepted, h.uom "
    "FROM {values} JOIN handoff h ON h.item_id = v.value WHERE h.status <> 'void'"
)
_LANDING = (
    "JOIN handoff h ON h.item_id = c.parent_id WHERE c.kind = 'quantity' AND h.accepted_at IS NOT NULL "
    "AND h.to_place_id IS NOT NULL AND h.status <> 'void' "
    "AND (c.from_time IS NULL OR c.from_time <= h.accepted_at) AND (c.to_time IS NULL OR h.accepted_at <= c.to_time)"
)
_LANDED_AT = (
    "SELECT DISTINCT c.child_id, h.to_place_id, h.accepted_at, c.parent_id FROM {ranges} "
    f"JOIN containment c ON c.child_id = r.value {_LANDING} AND h.to_place_id = r.low"
)
_LANDINGS_OF = (
    "SELECT DISTINCT c.child_id, h.to_place_id, h.accepted_at, c.parent_id FROM {ranges} "
    f"JOIN containment c ON c.child_id = r.value AND c.scope = r.low {_LANDING}"
)

_Pairs = list[tuple[int, int, int]]


class FlowLoader:
    """Brings what is asked for into lots' flows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.flows: dict[int, Flow] = {}
        self.known: dict[int, set[Request]] = defaultdict(set)

    def load(self, wanted: dict[int, set[Request]]) -> None:
        """Look up what is not known yet of these lots."""
        asked: dict[str, _Pairs] = defaultdict(list)
        for lot, requests in wanted.items():
            self.flows.setdefault(lot, Flow())
            new = requests - self.known[lot]
            self.known[lot] |= new
            for request in new:
                asked[request.kind].append((lot, request.of, FAR_OFF))
        whole = [lot for lot, _, _ in asked["whole"]]
        origins = list(dict.fromkeys([*(pair[0] for pair in asked["origin"]), *whole]))
        self._makings(origins, whole)
        self._objects(fetch(self._connection, _ENDINGS, [lot for lot, _, _ in asked["gone"]]))
        self._handed(origins)
        self._used_and_gone(asked)
        self._packed(asked, whole)
        self._landings(asked)

    def _fetch(self, sql: str, pairs: _Pairs) -> list[Any]:
        return fetch_ranges(self._connection, sql, pairs)

    def _makings(self, origins: Collection[int], whole: Collection[int]) -> None:
        self._transformed(fetch(self._connection, _EDGES, origins, "output", "output"))
        self._transformed(fetch(self._connection, _EDGES, whole, "input", "input"))
        self._objects(fetch(self._connection, _BEGINNINGS, origins))

    def _used_and_gone(self, asked: dict[str, _Pairs]) -> None:
        self._transformed(self._fetch(_USED_BY, asked["used"]))
        self._transformed(self._fetch(_USED_AT, asked["departures"]))
        self._objects(self._fetch(_ENDINGS_AT, asked["departures"]))

    def _transformed(self, rows: Iterable[Row]) -> None:
        for lot, place, time, event, side, of, quantity, uom in rows:
            made = side == "output"
            self._add(lot, made, Movement(place, time, event, "made" if made else "used", of, *_amount(quantity, uom)))

    def _objects(self, rows: Iterable[Row]) -> None:
        for lot, place, time, event, action, quantity, uom in rows:
            made = action == "ADD"
            self._add(lot, made, Movement(place, time, event, "made" if made else "gone", 0, *_amount(quantity, uom)))

    def _add(self, lot: int, arrives: bool, one: Movement) -> None:
        self.flows[lot].add([one] if arrives else [], [] if arrives else [one])

    def _handed(self, lots: Collection[int]) -> None:
        for lot, handoff, origin, target, left, came, released, accepted, uom in fetch(self._connection, _HANDED, lots):
            for arrives, place, time, quantity in ((False, origin, left, released), (True, target, came, accepted)):
                if time is not None:
                    amount = _amount(None if quantity is None else to_millionths(quantity), uom)
                    self._add(lot, arrives, Movement(place or 0, time, None, "handoff", handoff, *amount))

    def _packed(self, asked: dict[str, _Pairs], whole: Collection[int]) -> None:
        pairs = {(lot, carrier) for lot, carrier, _ in asked["carrier"]}
        pairs |= set(map(tuple, self._fetch(_UNPACKED_AT, asked["arrivals"])))
        pairs |= set(map(tuple, self._fetch(_PACKED_AT, asked["departures"])))
        new = [(lot, of, FAR_OFF) for lot, of in sorted(pairs) if of not in self.flows[lot].loads and lot not in whole]
        rows = [*self._fetch(_LOADS_ON, new), *fetch(self._connection, _ALL_LOADS, whole)]
        events = {event for row in rows for event in row[4:6] if event is not None}
        about = {event: (place, action) for event, place, action in fetch(self._connection, _EVENTS, events)}
        by_pair: dict[tuple[int, int], list[Row]] = defaultdict(list)
        for row in rows:
            by_pair[row[:2]].append(row)
        for (lot, carrier), intervals in by_pair.items():
            _board(self.flows[lot], carrier, intervals, about)

    def _landings(self, asked: dict[str, _Pairs]) -> None:
        rows = [*self._fetch(_LANDED_AT, asked["landed"]), *self._fetch(_LANDINGS_OF, asked["landings"])]
        for lot, place, time, carrier in rows:
            there = self.flows[lot].landings.setdefault(place, [])
            landing = Movement(place, time, None, "load", carrier, None)
            if landing not in there:
                there.append(landing)
        self._packed({"carrier": [(row[0], row[3], FAR_OFF) for row in rows], "arrivals": [], "departures": []}, ())


def _board(flow: Flow, carrier: int, intervals: Sequence[Row], about: dict[int, tuple[int, str | None]]) -> None:
    """A lot's intervals in one carrier: those that follow one another without a gap are one load."""
    arrivals: list[Movement] = []
    departures: list[Movement] = []
    loads: list[Load] = []
    before: Row | None = None
    for row in intervals:
        _, _, start, end, began, _, quantity, uom = row
        follows = before is not None and began is not None and before[5] == began
        if before is not None and not follows:
            arrivals.extend(_emptying(before, carrier, about))
        if began is not None:
            inside = _amount(before[6], before[7])[0] if before is not None and follows else 0
            amount, base = _amount(quantity, uom)
            place, action = about.get(began, (0, None))
            one = Movement(place, start, began, "load", carrier, _difference(amount, inside), base)
            (arrivals if action == "DELETE" else departures).append(one)
        loads.append(loads.pop()._replace(end=end) if follows else Load(carrier, start, end))
        before = row
    if before is not None:
        arrivals.extend(_emptying(before, carrier, about))
    flow.loads[carrier] = loads
    flow.add(arrivals, departures)


def _emptying(row: Row, carrier: int, about: dict[int, tuple[int, str | None]]) -> Iterable[Movement]:
    """What was inside last comes out."""
    _, _, _, end, _, ended, quantity, uom = row
    if ended is not None:
        yield Movement(about.get(ended, (0, None))[0], end, ended, "load", carrier, *_amount(quantity, uom))


def _difference(one: int | Decimal | None, other: int | Decimal | None) -> int | Decimal | None:
    if one is None or other is None:
        return None
    return one - other if one > other else other - one


def _amount(quantity: int | Decimal | None, uom: str | None) -> tuple[int | Decimal | None, str]:
    """Millionths of the base unit (fractions of them for what is finer), and that unit."""
    measured = unit(uom or None)
    if quantity is None:
        return None, measured.base
    return (int(quantity) if measured.factor == 1 else int(quantity) * measured.factor), measured.base
