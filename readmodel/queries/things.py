"""A thing now: where it is, who holds it, how much there is of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlmodel import col

from readmodel.bulk import table_of
from readmodel.identifiers import clean
from readmodel.queries.exceptions import ExceptionRecord, exceptions
from readmodel.queries.handoffs import HandoffFilter, HandoffRecord, handoffs
from readmodel.queries.lot_state import lot_states
from readmodel.queries.lot_stock import LotStock, MassBalance, MovingStock, PackedStock, StockSum, exact, lot_stock
from readmodel.queries.naming import names
from readmodel.queries.paging import Query, pick
from readmodel.queries.recalled import recalled
from readmodel.queries.records import EventRecord, event_records, select_events
from readmodel.recall import RECALLED
from readmodel.tables import Balance, Event, EventEpc, PackedQuantity, Party, Place, Thing

_DEEPEST = 64
_parent = table_of(Thing).alias("parent")
_product = table_of(Thing).alias("product")
_lot = table_of(Thing).alias("lot")


@dataclass(frozen=True, slots=True)
class Packed:
    """Something directly inside: an instance, or a quantity of a class."""

    id: str
    quantity: str | None
    uom: str | None


@dataclass(frozen=True, slots=True)
class BalanceRecord:
    """How much of a class a holder has at a place; ``quantity`` is the ledger's exact decimal."""

    thing: str
    holder: str | None
    place: str | None
    quantity: str
    uom: str | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ThingRecord:
    """What the ledger says of a thing now.

    ``place`` and ``holder`` are those of its outermost parent, ``parents`` the way there from the inside out.
    ``balances`` are of the lot, or of all lots of the product; ``total`` sums them by unit. ``instances``
    counts a lot's instances by status; a product may have millions, see :func:`readmodel.queries.on_hand`.
    """

    id: str
    kind: str
    product: str | None
    lot: str | None
    msp: str | None
    status: str | None
    disposition: str | None
    commissioned: bool | None
    updated_at: datetime | None
    endorsers: list[str]
    """The organisations that must agree to every change of it; none: the channel's majority."""
    parents: list[str]
    place: str | None
    place_name: str | None
    holder: str | None
    holder_name: str | None
    contents: list[Packed]
    contents_total: int
    balances: list[BalanceRecord]
    total: dict[str, str]
    instances: dict[str, int]
    handoffs: list[HandoffRecord]
    """Open ones, of it or of what it is in."""
    exceptions: list[ExceptionRecord]
    events: list[EventRecord]
    """The newest first."""
    recalled: bool
    """Its maker, or who holds it, says so of it or of its lot."""
    packed: list[PackedStock]
    """Of a lot or product: what is packed, at any depth, and is not on its way."""
    in_transit: list[MovingStock]
    sums: list[StockSum]
    """Loose, packed and in transit together, by unit."""
    mass_balance: list[MassBalance]
    """Of a lot: whether what was made is accounted for."""
    product_name: str | None


def thing(connection: Connection, identifier: str, *, contents: int = 200, events: int = 20) -> ThingRecord | None:
    """A thing by its canonical Digital Link, with so many of its contents and last events; None when
    unheard of."""
    query = _select_things().where(col(Thing.uri) == clean(identifier))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    identity, outermost = row["id"], row
    parents: list[str] = []
    while outermost["parent_id"] is not None and len(parents) < _DEEPEST:
        above = _select_things().where(col(Thing.id) == outermost["parent_id"])
        outermost = connection.execute(above).mappings().one()
        parents.append(outermost["uri"])
    kind = row["kind"]
    balances = _balances(connection, identity, kind)
    stock = _stock(connection, identity, kind)
    is_recalled = identity in recalled(connection, [identity])
    status, disposition = _standing(connection, row, is_recalled=is_recalled)
    return ThingRecord(
        id=row["uri"],
        kind=row["kind"],
        product=row["product"],
        lot=row["lot"],
        msp=row["msp"],
        status=status,
        disposition=disposition,
        commissioned=row["commissioned"],
        updated_at=row["updated_at"],
        endorsers=row["endorsers"] or [],
        parents=parents,
        place=outermost["place"],
        place_name=outermost["place_name"],
        holder=outermost["holder"],
        holder_name=outermost["holder_name"],
        contents=_contents(connection, identity, contents),
        contents_total=_contents_total(connection, identity),
        balances=balances,
        total=_total(balances),
        instances=_instances(connection, identity, kind),
        handoffs=_open_handoffs(connection, [row["uri"], *parents]),
        exceptions=exceptions(connection, item=row["uri"], status="open").items,
        events=_last_events(connection, identity, events),
        recalled=is_recalled,
        packed=stock.packed,
        in_transit=stock.in_transit,
        sums=stock.sums,
        mass_balance=stock.balance if kind != "product" else [],
        product_name=names(connection, [row["product"]]).get(row["product"]),
    )


def _standing(connection: Connection, row: Any, *, is_recalled: bool) -> tuple[str | None, str | None]:
    """Status and disposition: of an item the ledger's, of a lot worked out."""
    status, disposition = row["status"], row["disposition"]
    if row["kind"] in ("lot", "class"):
        state = lot_states(connection, [row["id"]])[row["id"]]
        status, disposition = state.status or status, state.disposition or disposition
        status = RECALLED if is_recalled else status
    return status, RECALLED if is_recalled else disposition


def _stock(connection: Connection, identity: int, kind: str) -> LotStock:
    if kind == "instance":
        return LotStock([], [], [], [])
    lots = [identity]
    if kind == "product":
        of_it = select(col(Thing.id)).where(col(Thing.product_id) == identity, col(Thing.kind) != "instance")
        lots = list(connection.scalars(of_it.order_by(col(Thing.id))))
    return lot_stock(connection, lots)


def _select_things() -> Query:
    return (
        pick(
            col(Thing.id),
            col(Thing.uri),
            col(Thing.kind),
            col(Thing.msp),
            col(Thing.status),
            col(Thing.disposition),
            col(Thing.commissioned),
            col(Thing.updated_at),
            col(Thing.endorsers),
            col(Thing.parent_id),
            _product.c.uri.label("product"),
            _lot.c.uri.label("lot"),
            col(Place.uri).label("place"),
            col(Place.name).label("place_name"),
            col(Party.uri).label("holder"),
            col(Party.name).label("holder_name"),
        )
        .select_from(Thing)
        .outerjoin(_product, _product.c.id == col(Thing.product_id))
        .outerjoin(_lot, _lot.c.id == col(Thing.lot_id))
        .outerjoin(Place, col(Place.id) == col(Thing.place_id))
        .outerjoin(Party, col(Party.id) == col(Thing.holder_id))
    )


def _contents(connection: Connection, identity: int, limit: int) -> list[Packed]:
    inside = select(col(Thing.uri)).where(col(Thing.parent_id) == identity).order_by(col(Thing.id)).limit(limit)
    loose = (
        select(col(Thing.uri), col(PackedQuantity.quantity), col(PackedQuantity.uom))
        .join(Thing, col(Thing.id) == col(PackedQuantity.thing_id))
        .where(col(PackedQuantity.parent_id) == identity)
        .order_by(col(PackedQuantity.thing_id))
        .limit(limit)
    )
    instances = [Packed(uri, None, None) for uri in connection.scalars(inside)]
    return [*instances, *(Packed(*row) for row in connection.execute(loose))][:limit]


def _contents_total(connection: Connection, identity: int) -> int:
    instances = select(func.count()).select_from(Thing).where(col(Thing.parent_id) == identity)
    loose = select(func.count()).select_from(PackedQuantity).where(col(PackedQuantity.parent_id) == identity)
    return (connection.scalar(instances) or 0) + (connection.scalar(loose) or 0)


def _balances(connection: Connection, identity: int, kind: str) -> list[BalanceRecord]:
    if kind == "instance":
        return []
    of = col(Thing.product_id) == identity if kind == "product" else col(Thing.id) == identity
    query = (
        pick(
            col(Thing.uri),
            col(Party.uri),
            col(Place.uri),
            col(Balance.quantity),
            col(Balance.uom),
            col(Balance.updated_at),
        )
        .select_from(Thing)
        .join(Balance, col(Balance.thing_id) == col(Thing.id))
        .outerjoin(Party, col(Party.id) == col(Balance.holder_id))
        .outerjoin(Place, col(Place.id) == col(Balance.place_id))
        .where(of)
        .order_by(col(Balance.thing_id), col(Balance.holder_id), col(Balance.place_id))
    )
    return [BalanceRecord(*row) for row in connection.execute(query)]


def _total(balances: list[BalanceRecord]) -> dict[str, str]:
    """By unit; "" is pieces."""
    sums: dict[str, Decimal] = {}
    for balance in balances:
        unit = balance.uom or ""
        sums[unit] = sums.get(unit, Decimal(0)) + (exact(balance.quantity) or Decimal(0))
    return {unit: str(amount) for unit, amount in sums.items()}


def _instances(connection: Connection, identity: int, kind: str) -> dict[str, int]:
    if kind != "lot":
        return {}
    of = col(Thing.lot_id) == identity
    query: Select[Any, int] = (
        select(col(Thing.status), func.count()).where(of, col(Thing.kind) == "instance").group_by(col(Thing.status))
    )
    return {status or "unknown": count for status, count in connection.execute(query)}


def _open_handoffs(connection: Connection, items: list[str]) -> list[HandoffRecord]:
    waiting = ("released", "accepted", "disputed")
    return [
        record for item in items for record in handoffs(connection, HandoffFilter(item=item, statuses=waiting)).items
    ]


def _last_events(connection: Connection, identity: int, limit: int) -> list[EventRecord]:
    last = (
        select(col(EventEpc.event_id), col(EventEpc.event_time))
        .where(col(EventEpc.thing_id) == identity)
        .order_by(col(EventEpc.event_time).desc(), col(EventEpc.event_id).desc())
        .distinct()
        .limit(limit)
        .subquery()
    )
    query = select_events().where(col(Event.id).in_(select(last.c.event_id)))
    ordered = query.order_by(col(Event.event_time).desc(), col(Event.id).desc())
    return event_records(connection, connection.execute(ordered).all())
