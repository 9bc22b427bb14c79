"""Things by the bare number that is printed on them."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select
from sqlmodel import col

from readmodel.tables import Thing

_QUALIFIERS = ("10", "21", "00")


def numbered(connection: Connection, number: str, limit: int = 20) -> list[str]:
    """The Digital Links of things whose lot, serial or pallet number this is; reads every thing once."""
    endings = (f"/{qualifier}/{number}" for qualifier in _QUALIFIERS)
    query = select(col(Thing.uri)).where(or_(*(col(Thing.uri).endswith(end, autoescape=True) for end in endings)))
    return list(connection.scalars(query.order_by(col(Thing.uri)).limit(limit)))
