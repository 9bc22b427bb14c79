"""What is on the ledger and cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select
from sqlmodel import col

from readmodel.queries.paging import Page, decode, encode, limited, paged, pick
from readmodel.tables import Quarantine, Transaction


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """Something that was set aside: where it stands, what it would be, why it cannot be read, and its beginning."""

    block: int
    tx_id: str
    write: int | None
    """Which write of the transaction; None: its answer, or all of it."""
    kind: str
    key: str
    reason: str
    size: int
    digest: str
    """SHA-256 in hex of the whole."""
    raw: str
    """Its first bytes in base64."""
    msp: str | None
    """The organisation that signed the transaction."""


def quarantined(connection: Connection, *, per_page: int = 30, token: str | None = None) -> Page[QuarantineRecord]:
    """What was set aside, the latest on the ledger first."""
    per_page = limited(per_page)
    query = (
        pick(
            col(Quarantine.transaction_id),
            col(Quarantine.n),
            col(Quarantine.block),
            col(Quarantine.tx_id),
            col(Quarantine.kind),
            col(Quarantine.key),
            col(Quarantine.reason),
            col(Quarantine.size),
            col(Quarantine.digest),
            col(Quarantine.raw),
            col(Transaction.msp),
        )
        .select_from(Quarantine)
        .outerjoin(Transaction, col(Transaction.id) == col(Quarantine.transaction_id))
        .order_by(col(Quarantine.transaction_id).desc(), col(Quarantine.n).desc())
        .limit(per_page + 1)
    )
    if token is not None:
        transaction, n = decode(token, 2)
        same = (col(Quarantine.transaction_id) == transaction) & (col(Quarantine.n) < n)
        query = query.where((col(Quarantine.transaction_id) < transaction) | same)
    rows = connection.execute(query).all()
    return paged(rows, per_page, lambda shown: [_record(row) for row in shown], lambda row: encode(row[0], row[1]))


def _record(row: Sequence[Any]) -> QuarantineRecord:
    _, n, block, tx_id, *rest = row
    return QuarantineRecord(block, tx_id, n if n >= 0 else None, *rest)


def count_quarantined(engine: Engine) -> int:
    """How many records were set aside."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Quarantine)) or 0
