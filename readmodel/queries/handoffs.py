"""Handoffs: what is on its way, what came, what is late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlmodel import col

from epcis.prehash import digest_uri
from readmodel.bulk import table_of
from readmodel.columns import from_micros, to_micros
from readmodel.forecast_tables import ForecastRun, LateRisk
from readmodel.identifiers import clean
from readmodel.queries.newest import Branch, newest, newest_token
from readmodel.queries.paging import Page, Query, decode, encode, limited, paged, pick
from readmodel.tables import Handoff, HandoffLine, Party, Place, Thing

_CHUNK = 500
_sender, _receiver = table_of(Party).alias("sender"), table_of(Party).alias("receiver")
_origin, _target = table_of(Place).alias("origin"), table_of(Place).alias("target")


@dataclass(frozen=True, slots=True)
class Line:
    """A product in a handoff, and how much; ``uom`` None: pieces."""

    product: str
    uom: str | None
    released: float | None
    accepted: float | None


@dataclass(frozen=True, slots=True)
class HandoffRecord:
    """A handoff. Quantities of lots are the ledger's exact decimals; events are hashes (ni URIs)."""

    id: str
    item: str
    kind: str
    status: str
    from_party: str | None
    from_party_name: str | None
    to_party: str | None
    to_party_name: str | None
    from_place: str | None
    from_place_name: str | None
    to_place: str | None
    to_place_name: str | None
    reference_type: str | None
    reference: str | None
    released: str | None
    accepted: str | None
    uom: str | None
    released_at: datetime | None
    accepted_at: datetime | None
    promised_at: datetime | None
    from_msp: str | None
    to_msp: str | None
    release_events: list[str]
    accept_events: list[str]
    late_probability: float | None
    """From the newest forecast run, for those still open."""
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class HandoffFilter:
    """What handoffs must match. ``late_at``: promised before then and not accepted by then."""

    statuses: Sequence[str] = ()
    late_at: datetime | None = None
    party: str | None = None
    from_party: str | None = None
    to_party: str | None = None
    place: str | None = None
    item: str | None = None
    product: str | None = None
    reference: str | None = None
    released_since: datetime | None = None
    released_before: datetime | None = None
    order: Literal["newest", "promised", "lastPromised"] = "newest"


def handoffs(
    connection: Connection, wanted: HandoffFilter, *, per_page: int = 50, token: str | None = None
) -> Page[HandoffRecord]:
    """A page of handoffs, the last released first, or by promised date, first or last (without those that have none).

    What nobody said to have released is dated by its acceptance.
    """
    per_page = limited(per_page)
    query = _select().where(*_conditions(wanted))
    if wanted.order == "newest":
        rows = newest(connection, query, _BRANCHES, col(Handoff.id), per_page + 1, token)
    else:
        rows = list(connection.execute(_ordered(query, wanted, token).limit(per_page + 1)))

    def next_token(row: Any) -> str:
        if wanted.order == "newest":
            return newest_token(row.released_at or row.accepted_at, row.id)
        return encode(to_micros(row.promised_at), row.id)

    return paged(rows, per_page, lambda shown: _records(connection, shown), next_token)


_released, _accepted = col(Handoff.released_at), col(Handoff.accepted_at)
_BRANCHES = [
    Branch(_released, _released.is_not(None)),
    Branch(_accepted, and_(_released.is_(None), _accepted.is_not(None))),
    Branch(None, and_(_released.is_(None), _accepted.is_(None))),
]


def handoff(connection: Connection, identity: str) -> HandoffRecord | None:
    """One handoff by its id on the ledger."""
    rows = connection.execute(_select().where(col(Handoff.key) == clean(identity))).all()
    return next(iter(_records(connection, rows)), None)


def handoffs_by_id(connection: Connection, identities: Sequence[int]) -> dict[int, HandoffRecord]:
    """Handoffs by their ids in the tables, as many as there are."""
    found: dict[int, HandoffRecord] = {}
    for begin in range(0, len(identities), _CHUNK):
        part = identities[begin : begin + _CHUNK]
        rows = connection.execute(_select().where(col(Handoff.id).in_(part)).order_by(col(Handoff.id))).all()
        found.update(zip((row.id for row in rows), _records(connection, rows), strict=True))
    return found


def late(moment: datetime) -> ColumnElement[bool]:
    """Released, promised before the moment, and not accepted by then."""
    not_there = or_(col(Handoff.accepted_at).is_(None), col(Handoff.accepted_at) > moment)
    return and_(col(Handoff.promised_at) < moment, not_there)


def _conditions(wanted: HandoffFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(col(Handoff.status).in_(wanted.statuses))
    if wanted.late_at is not None:
        conditions.append(late(wanted.late_at))
    if wanted.reference is not None:
        conditions.append(col(Handoff.reference) == clean(wanted.reference))
    if wanted.released_since is not None:
        conditions.append(col(Handoff.released_at) >= wanted.released_since)
    if wanted.released_before is not None:
        conditions.append(col(Handoff.released_at) < wanted.released_before)
    return [*conditions, *_about(wanted)]


def _about(wanted: HandoffFilter) -> list[ColumnElement[bool]]:
    """Conditions on identifiers, each looked up once."""
    conditions: list[ColumnElement[bool]] = []
    hop = table_of(Handoff).c
    for model, uri, columns in (
        (Party, wanted.party, (hop.from_party_id, hop.to_party_id)),
        (Party, wanted.from_party, (hop.from_party_id,)),
        (Party, wanted.to_party, (hop.to_party_id,)),
        (Place, wanted.place, (hop.from_place_id, hop.to_place_id)),
        (Thing, wanted.item, (hop.item_id,)),
    ):
        if uri is not None:
            named = table_of(model).c
            identity = select(named.id).where(named.uri == clean(uri)).scalar_subquery()
            conditions.append(or_(*(column == identity for column in columns)))
    if wanted.product is not None:
        product = select(col(Thing.id)).where(col(Thing.uri) == clean(wanted.product)).scalar_subquery()
        carrying = select(col(HandoffLine.handoff_id)).where(col(HandoffLine.product_id) == product)
        conditions.append(col(Handoff.id).in_(carrying))
    return conditions


def _ordered(query: Query, wanted: HandoffFilter, token: str | None) -> Query:
    promised, identity = col(Handoff.promised_at), col(Handoff.id)
    after = None if token is None else decode(token, 2)
    falling = wanted.order == "lastPromised"
    query = query.where(promised.is_not(None))
    query = query.order_by(promised.desc(), identity.desc()) if falling else query.order_by(promised, identity)
    if after is None:
        return query
    moment = from_micros(after[0])
    if falling:
        return query.where(promised <= moment, or_(promised < moment, identity < after[1]))
    return query.where(promised >= moment, or_(promised > moment, identity > after[1]))


def _select() -> Query:
    newest_run = select(func.max(col(ForecastRun.id))).scalar_subquery()
    risk = and_(col(LateRisk.run_id) == newest_run, col(LateRisk.handoff_id) == col(Handoff.key))
    return (
        pick(
            col(Handoff.id),
            col(Handoff.key),
            col(Thing.uri),
            col(Handoff.kind),
            col(Handoff.status),
            *(_sender.c.uri, _sender.c.name, _receiver.c.uri, _receiver.c.name),
            *(_origin.c.uri, _origin.c.name, _target.c.uri, _target.c.name),
            col(Handoff.reference_type),
            col(Handoff.reference),
            col(Handoff.released),
            col(Handoff.accepted),
            col(Handoff.uom),
            col(Handoff.released_at),
            col(Handoff.accepted_at),
            col(Handoff.promised_at),
            col(Handoff.from_msp),
            col(Handoff.to_msp),
            col(Handoff.release_events),
            col(Handoff.accept_events),
            col(LateRisk.probability),
        )
        .select_from(Handoff)
        .outerjoin(Thing, col(Thing.id) == col(Handoff.item_id))
        .outerjoin(_sender, _sender.c.id == col(Handoff.from_party_id))
        .outerjoin(_receiver, _receiver.c.id == col(Handoff.to_party_id))
        .outerjoin(_origin, _origin.c.id == col(Handoff.from_place_id))
        .outerjoin(_target, _target.c.id == col(Handoff.to_place_id))
        .outerjoin(LateRisk, risk)
    )


def _records(connection: Connection, rows: Sequence[Any]) -> list[HandoffRecord]:
    lines = _lines(connection, [row.id for row in rows])
    records = []
    for row in rows:
        identity, *fields, release_events, accept_events, probability = row
        released = [digest_uri(digest) for digest in release_events or ()]
        accepted = [digest_uri(digest) for digest in accept_events or ()]
        values = (*fields, released, accepted, probability, lines[identity])
        records.append(HandoffRecord(*values))
    return records


def _lines(connection: Connection, identities: Sequence[int]) -> dict[int, list[Line]]:
    query = (
        select(
            col(HandoffLine.handoff_id),
            col(Thing.uri),
            col(HandoffLine.uom),
            col(HandoffLine.released),
            col(HandoffLine.accepted),
        )
        .join(Thing, col(Thing.id) == col(HandoffLine.product_id))
        .where(col(HandoffLine.handoff_id).in_(identities))
        .order_by(col(HandoffLine.handoff_id), col(HandoffLine.product_id), col(HandoffLine.uom))
    )
    lines: dict[int, list[Line]] = defaultdict(list)
    for handoff, product, uom, released, accepted in connection.execute(query):
        lines[handoff].append(Line(product, uom or None, released, accepted))
    return lines
