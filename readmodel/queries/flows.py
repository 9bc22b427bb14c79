"""What moved, by day, product, party and place: the history demand is forecast from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from readmodel.bulk import table_of
from readmodel.identifiers import clean
from readmodel.queries.paging import pick
from readmodel.tables import DailyFlow, Party, Place, Thing

_FIRST_DAY = date(1970, 1, 1)
_product = table_of(Thing).alias("product")


class Flow(NamedTuple):
    """A product's flow on a (UTC) day; ``flow`` is produced, received, shipped, sold, consumed or removed."""

    day: date
    product: str
    flow: str
    party: str | None
    place: str | None
    country: str | None
    """Of the place, when it is registered with one."""
    uom: str
    """UN/ECE Rec 20 code; empty: pieces."""
    quantity: float
    movements: int


def flows(
    connection: Connection,
    *,
    flow: Sequence[str] = (),
    products: Sequence[str] = (),
    parties: Sequence[str] = (),
    places: Sequence[str] = (),
    countries: Sequence[str] = (),
    since: date | None = None,
    before: date | None = None,
) -> list[Flow]:
    """Daily flows by day, then product. ``pandas.DataFrame(flows(…))`` has the columns of :class:`Flow`."""
    query = (
        pick(
            col(DailyFlow.day),
            _product.c.uri,
            col(DailyFlow.flow),
            col(Party.uri),
            col(Place.uri),
            col(Place.country),
            col(DailyFlow.uom),
            col(DailyFlow.quantity),
            col(DailyFlow.movements),
        )
        .select_from(DailyFlow)
        .join(_product, _product.c.id == col(DailyFlow.product_id))
        .outerjoin(Party, col(Party.id) == col(DailyFlow.party_id))
        .outerjoin(Place, col(Place.id) == col(DailyFlow.place_id))
    )
    if flow:
        query = query.where(col(DailyFlow.flow).in_(flow))
    if countries:
        query = query.where(col(Place.country).in_(countries))
    if since is not None:
        query = query.where(col(DailyFlow.day) >= (since - _FIRST_DAY).days)
    if before is not None:
        query = query.where(col(DailyFlow.day) < (before - _FIRST_DAY).days)
    for table, column, uris in (
        (table_of(Thing), col(DailyFlow.product_id), products),
        (table_of(Party), col(DailyFlow.party_id), parties),
        (table_of(Place), col(DailyFlow.place_id), places),
    ):
        if uris:
            wanted = select(table.c.id).where(table.c.uri.in_([clean(uri) for uri in uris]))
            query = query.where(column.in_(wanted))
    order = (
        DailyFlow.day,
        DailyFlow.product_id,
        DailyFlow.flow,
        DailyFlow.party_id,
        DailyFlow.place_id,
        DailyFlow.uom,
    )
    rows = connection.execute(query.order_by(*(col(column) for column in order)))
    return [Flow(*(_FIRST_DAY + timedelta(days=row[0]), *row[1:])) for row in rows]
