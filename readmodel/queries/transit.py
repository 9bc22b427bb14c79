"""How long handoffs took, lane by lane: the history lead times and late arrivals are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, exists, func, or_
from sqlmodel import col

from readmodel.bulk import table_of
from readmodel.identifiers import clean
from readmodel.queries.paging import Query, pick
from readmodel.tables import Handoff, HandoffLine, Party, Place, Thing

_item, _product = table_of(Thing).alias("item"), table_of(Thing).alias("product")
_sender, _receiver = table_of(Party).alias("sender"), table_of(Party).alias("receiver")
_origin, _target = table_of(Place).alias("origin"), table_of(Place).alias("target")

_SECONDS = 86_400


class Transit(NamedTuple):
    """A handoff as a journey; ``product`` and ``quantity`` are None when it carries several products.

    ``quantity`` is what was released: what was accepted is not known while the goods are under way, and nothing
    that is learned from journeys may tell how they ended.
    """

    handoff: str
    item: str
    product: str | None
    quantity: float | None
    from_party: str | None
    to_party: str | None
    from_place: str | None
    to_place: str | None
    from_country: str | None
    to_country: str | None
    reference_type: str | None
    reference: str | None
    status: str
    released_at: datetime | None
    accepted_at: datetime | None
    promised_at: datetime | None
    days: float | None
    """From release to acceptance."""
    days_late: float | None
    """From promise to acceptance; negative: early."""


def transit_history(
    connection: Connection,
    *,
    accepted_only: bool = True,
    since: datetime | None = None,
    before: datetime | None = None,
    party: str | None = None,
) -> list[Transit]:
    """Journeys in order of their acceptance, or with ``accepted_only=False`` of all handoffs in order of
    release.

    ``since`` and ``before`` bound that same time.
    """
    moment = col(Handoff.accepted_at) if accepted_only else col(Handoff.released_at)
    query = _select().where(moment.is_not(None)).order_by(moment, col(Handoff.id))
    if since is not None:
        query = query.where(moment >= since)
    if before is not None:
        query = query.where(moment < before)
    if party is not None:
        query = query.where(or_(_sender.c.uri == clean(party), _receiver.c.uri == clean(party)))
    return [_transit(row) for row in connection.execute(query)]


def _select() -> Query:
    line, other = table_of(HandoffLine).alias("line"), table_of(HandoffLine).alias("other")
    differs = or_(other.c.product_id != line.c.product_id, other.c.uom != line.c.uom)
    several = exists().where(other.c.handoff_id == line.c.handoff_id, differs)
    return (
        pick(
            col(Handoff.key),
            _item.c.uri,
            _product.c.uri,
            func.coalesce(line.c.released, line.c.accepted),
            *(
                _sender.c.uri,
                _receiver.c.uri,
                _origin.c.uri,
                _target.c.uri,
                _origin.c.country,
                _target.c.country,
            ),
            col(Handoff.reference_type),
            col(Handoff.reference),
            col(Handoff.status),
            col(Handoff.released_at),
            col(Handoff.accepted_at),
            col(Handoff.promised_at),
        )
        .select_from(Handoff)
        .outerjoin(_item, _item.c.id == col(Handoff.item_id))
        .outerjoin(line, and_(line.c.handoff_id == col(Handoff.id), ~several))
        .outerjoin(_product, _product.c.id == line.c.product_id)
        .outerjoin(_sender, _sender.c.id == col(Handoff.from_party_id))
        .outerjoin(_receiver, _receiver.c.id == col(Handoff.to_party_id))
        .outerjoin(_origin, _origin.c.id == col(Handoff.from_place_id))
        .outerjoin(_target, _target.c.id == col(Handoff.to_place_id))
    )


def _transit(row: Sequence[Any]) -> Transit:
    *_, released, accepted, promised = row
    return Transit(*(*row, _days(released, accepted), _days(promised, accepted)))


def _days(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / _SECONDS
