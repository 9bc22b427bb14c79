"""Digests of models and forecasts that were committed to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlmodel import col

from readmodel.identifiers import clean
from readmodel.queries.paging import Query, pick
from readmodel.tables import Published, Transaction


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """A commitment and where on the ledger it stands."""

    kind: str
    id: str
    digest: str | None
    msp: str | None
    submitter: str | None
    published_at: datetime | None
    tx_id: str
    block: int
    document: dict[str, Any]


def published(connection: Connection, *, kind: str | None = None, limit: int = 100) -> list[PublishedRecord]:
    """The newest commitments first."""
    query = _select() if kind is None else _select().where(col(Published.kind) == kind)
    rows = connection.execute(query.order_by(col(Published.transaction_id).desc(), col(Published.key)).limit(limit))
    return _records(rows.all())


def publication(connection: Connection, kind: str, identity: str) -> PublishedRecord | None:
    """One commitment."""
    query = _select().where(col(Published.kind) == clean(kind), col(Published.key) == clean(identity))
    return next(iter(_records(connection.execute(query).all())), None)


def _select() -> Query:
    return (
        pick(
            col(Published.kind),
            col(Published.key),
            col(Published.digest),
            col(Published.msp),
            col(Published.submitter),
            col(Published.published_at),
            col(Transaction.tx_id),
            col(Transaction.block),
            col(Published.document),
        )
        .select_from(Published)
        .join(Transaction, col(Transaction.id) == col(Published.transaction_id))
    )


def _records(rows: Sequence[Any]) -> list[PublishedRecord]:
    return [PublishedRecord(*row) for row in rows]
