"""How much there is of a lot, wherever it is, and whether that adds up. Sums are exact, in base units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from sqlalchemy import Connection

from epcis.units import unit
from readmodel.bulk import fetch
from readmodel.queries.declared import NOT_DECLARED
from readmodel.queries.lot_state import IN_TRANSIT, PackedPart, packed_parts

_DIGITS = 60
_MILLION = Decimal(1_000_000)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class PackedStock:
    """How much of a lot is packed, by who holds the outermost carriers and where those are; how many carriers."""

    thing: str
    holder: str | None
    place: str | None
    quantity: str
    uom: str | None
    carriers: int


@dataclass(frozen=True, slots=True)
class MovingStock:
    """How much of a lot is on its way, loose or packed; ``handoff`` None: on something that is."""

    thing: str
    quantity: str
    uom: str | None
    handoff: str | None
    carrier: str | None


@dataclass(frozen=True, slots=True)
class StockSum:
    """All there is of a lot, in one unit (None: pieces)."""

    uom: str | None
    loose: str
    packed: str
    in_transit: str
    total: str


@dataclass(frozen=True, slots=True)
class MassBalance:
    """What became of a lot, in one unit: ``made`` less ``used``, ``sold``, ``removed`` and ``missing`` should be on
    hand; ``difference`` is what is there beyond that (negative: what is not).

    ``removed``: destroyed, decommissioned …, also with the carrier it was in. ``missing``: what left by handoffs and
    was not accepted, though something was (negative: more was).
    """

    uom: str | None
    made: str
    used: str
    sold: str
    removed: str
    missing: str
    expected: str
    on_hand: str
    difference: str


@dataclass(frozen=True, slots=True)
class LotStock:
    """Everything of it: what is loose is in the balances."""

    packed: list[PackedStock]
    in_transit: list[MovingStock]
    sums: list[StockSum]
    balance: list[MassBalance]


class _Sums(defaultdict[str, Decimal]):
    """Exact sums by base unit."""

    def __init__(self) -> None:
        super().__init__(Decimal)

    def count(self, quantity: str | Decimal | None, uom: str | None) -> None:
        """Add a quantity, whatever its unit."""
        counted = exact(quantity)
        if counted is not None:
            measured = unit(uom or None)
            self[measured.base] += counted * measured.factor


def exact(quantity: str | Decimal | None) -> Decimal | None:
    """A quantity as a number; None where it is none: what a ledger holds is not always what it should be."""
    try:
        number = None if quantity is None else Decimal(quantity)
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


_URIS = "SELECT t.id, t.uri FROM {values} JOIN thing t ON t.id = v.value"
_LOOSE = "SELECT b.quantity, b.uom FROM {values} JOIN balance b ON b.thing_id = v.value"
_PARTIES = "SELECT p.id, p.uri FROM {values} JOIN party p ON p.id = v.value"
_PLACES = "SELECT p.id, p.uri FROM {values} JOIN place p ON p.id = v.value"
_HANDED = (
    "SELECT h.item_id, h.key, h.status, h.released, h.accepted, h.uom FROM {values} "
    "JOIN handoff h ON h.item_id = v.value WHERE h.status <> 'void' ORDER BY h.id"
)
_MADE_OR_USED = (
    "SELECT x.side, x.quantity, x.uom FROM {values} JOIN transformation_edge x ON x.thing_id = v.value "
    "WHERE x.quantity IS NOT NULL"
)
_CAME_OR_WENT = (
    "SELECT e.action, e.biz_step, x.quantity, x.uom FROM {values} JOIN event_epc x ON x.thing_id = v.value "
    "JOIN event e ON e.id = x.event_id WHERE x.role = 'quantityList' AND x.quantity IS NOT NULL "
    f"AND e.type = 'ObjectEvent' AND {NOT_DECLARED}"
)
_HANDING = frozenset({"shipping", "receiving", "accepting", "void_shipping"})
_SOLD = frozenset({"retail_selling", "dispensing"})
_REMOVED = frozenset({"decommissioning", "destroying"})


def lot_stock(connection: Connection, lots: Collection[int]) -> LotStock:
    """What there is of these lots together."""
    with localcontext() as context:
        context.prec = _DIGITS
        return _counted(connection, lots)


def _counted(connection: Connection, lots: Collection[int]) -> LotStock:
    uris: dict[int, str] = dict(fetch(connection, _URIS, lots))
    parts = packed_parts(connection, lots)
    loose, packed, moving, missing = _Sums(), _Sums(), _Sums(), _Sums()
    flows = _became(connection, lots)
    for quantity, uom in fetch(connection, _LOOSE, lots):
        loose.count(quantity, uom)
    under_way: list[MovingStock] = []
    for lot, key, status, released, accepted, uom in fetch(connection, _HANDED, lots):
        if status == "released" and accepted is None:
            moving.count(released, uom)
            under_way.append(MovingStock(uris[lot], released or "0", uom, key, None))
        else:
            missing.count((exact(released) or _NOTHING) - (exact(accepted) or _NOTHING), uom)
    for part in parts:
        into = flows["removed"] if part.outermost.is_gone else moving if _is_moving(part) else packed
        into.count(part.quantity, part.uom)
    under_way += _aboard(connection, parts, uris)
    units = sorted({*loose, *packed, *moving, *missing, *(base for sums in flows.values() for base in sums)})
    sums = [_sum(base, loose[base], packed[base], moving[base]) for base in units]
    balance = [_balance(base, flows, missing[base], loose[base] + packed[base] + moving[base]) for base in units]
    return LotStock(_standing(connection, parts, uris), under_way, sums, balance)


def _sum(base: str, loose: Decimal, packed: Decimal, moving: Decimal) -> StockSum:
    return StockSum(base or None, _text(loose), _text(packed), _text(moving), _text(loose + packed + moving))


def _is_moving(part: PackedPart) -> bool:
    return part.outermost.status == IN_TRANSIT


def _became(connection: Connection, lots: Collection[int]) -> dict[str, _Sums]:
    """How much was made, used, sold and removed."""
    flows = {name: _Sums() for name in ("made", "used", "sold", "removed")}
    for side, quantity, uom in fetch(connection, _MADE_OR_USED, lots):
        flows["made" if side == "output" else "used"].count(Decimal(int(quantity)) / _MILLION, uom)
    for action, step, quantity, uom in fetch(connection, _CAME_OR_WENT, lots):
        name = _flow(action, step)
        if name is not None:
            flows[name].count(Decimal(int(quantity)) / _MILLION, uom)
    return flows


def _flow(action: str, step: str | None) -> str | None:
    if action == "ADD":
        return None if step in _HANDING else "made"
    if step in _SOLD:
        return "sold"
    return "removed" if action == "DELETE" or step in _REMOVED else None


def _balance(base: str, flows: dict[str, _Sums], missing: Decimal, on_hand: Decimal) -> MassBalance:
    made, used, sold, removed = (flows[name][base] for name in ("made", "used", "sold", "removed"))
    expected = made - used - sold - removed - missing
    return MassBalance(
        uom=base or None,
        made=_text(made),
        used=_text(used),
        sold=_text(sold),
        removed=_text(removed),
        missing=_text(missing),
        expected=_text(expected),
        on_hand=_text(on_hand),
        difference=_text(on_hand - expected),
    )


def _standing(connection: Connection, parts: Iterable[PackedPart], uris: dict[int, str]) -> list[PackedStock]:
    by_spot: dict[tuple[int, int | None, int | None], tuple[_Sums, set[int]]] = {}
    for part in parts:
        if _is_moving(part) or part.outermost.is_gone:
            continue
        spot = (part.lot, part.outermost.holder, part.outermost.place)
        sums, carriers = by_spot.setdefault(spot, (_Sums(), set()))
        sums.count(part.quantity, part.uom)
        carriers.add(part.outermost.id)
    parties = _named(connection, _PARTIES, (holder for _, holder, _ in by_spot))
    places = _named(connection, _PLACES, (place for _, _, place in by_spot))
    return [
        PackedStock(uris[lot], parties.get(holder), places.get(place), _text(quantity), base or None, len(carriers))
        for (lot, holder, place), (sums, carriers) in by_spot.items()
        for base, quantity in sums.items()
    ]


def _aboard(connection: Connection, parts: Iterable[PackedPart], uris: dict[int, str]) -> list[MovingStock]:
    moving: dict[tuple[int, int], _Sums] = defaultdict(_Sums)
    for part in parts:
        if _is_moving(part):
            moving[(part.lot, part.outermost.id)].count(part.quantity, part.uom)
    carriers = _named(connection, _URIS, (carrier for _, carrier in moving))
    return [
        MovingStock(uris[lot], _text(quantity), base or None, None, carriers.get(carrier))
        for (lot, carrier), sums in moving.items()
        for base, quantity in sums.items()
    ]


def _named(connection: Connection, sql: str, identities: Iterable[int | None]) -> dict[Any, str]:
    return dict(fetch(connection, sql, {identity for identity in identities if identity is not None}))


def _text(amount: Decimal) -> str:
    """Without an exponent, and without zeros that say nothing."""
    plain = f"{amount:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain
