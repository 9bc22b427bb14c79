"""What was sold and received, as columns of numbers: the raw material of demand series, read in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from readmodel.bulk import table_of
from readmodel.tables import DailyFlow, Party, Place, Thing

_FIRST_DAY = date(1970, 1, 1)
FLOWS = ("sold", "received", "shipped")


@dataclass(frozen=True)
class Row:
    """A flow on a day. Ids are the read model's own: ``Names`` has what they stand for."""

    flow: str
    day: int
    product: int
    party: int
    place: int
    uom: str
    quantity: float


@dataclass(frozen=True)
class Names:
    """Identifiers by id; 0 stands for what is not known."""

    products: dict[int, str]
    parties: dict[int, str]
    places: dict[int, str]
    countries: dict[int, str | None]
    operators: dict[int, int]
    """Party that runs a place."""


def movements(connection: Connection, before: date) -> list[Any]:
    """Rows with the fields of ``Row``, by day; of sales, receipts and shipments before a (UTC) day."""
    query = (
        select(
            col(DailyFlow.flow),
            col(DailyFlow.day),
            col(DailyFlow.product_id),
            col(DailyFlow.party_id),
            col(DailyFlow.place_id),
            col(DailyFlow.uom),
            col(DailyFlow.quantity),
        )
        .where(col(DailyFlow.flow).in_(FLOWS), col(DailyFlow.day) < (before - _FIRST_DAY).days)
        .order_by(
            col(DailyFlow.day),
            col(DailyFlow.flow),
            col(DailyFlow.product_id),
            col(DailyFlow.party_id),
            col(DailyFlow.place_id),
            col(DailyFlow.uom),
        )
    )
    return list(connection.execute(query))


def names(connection: Connection, products: set[int]) -> Names:
    """What the ids of some products, and of all parties and places, stand for."""
    thing = table_of(Thing)
    wanted, found = sorted(products), {}
    for first in range(0, len(wanted), 500):
        chunk = wanted[first : first + 500]
        found.update(
            {row[0]: row[1] for row in connection.execute(select(thing.c.id, thing.c.uri).where(thing.c.id.in_(chunk)))}
        )
    places = list(connection.execute(select(col(Place.id), col(Place.uri), col(Place.country), col(Place.party_id))))
    return Names(
        found,
        {row[0]: row[1] for row in connection.execute(select(col(Party.id), col(Party.uri)))},
        {row[0]: row[1] for row in places},
        {row[0]: row[2] for row in places},
        {row[0]: row[3] for row in places if row[3]},
    )
