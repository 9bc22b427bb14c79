"""Transactions, the invalid ones among them: they are on the chain for good, and are evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlmodel import col

from readmodel.queries.paging import Page, decode, encode, limited, paged, pick
from readmodel.tables import Transaction


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction; ``code`` is Fabric's TxValidationCode, 0: valid."""

    tx_id: str
    block: int
    position: int
    type: int
    timestamp: datetime | None
    msp: str | None
    function: str | None
    code: int
    valid: bool
    events: int


def transactions(
    connection: Connection,
    *,
    tx_id: str | None = None,
    invalid_only: bool = False,
    per_page: int = 50,
    token: str | None = None,
) -> Page[TransactionRecord]:
    """A page of transactions, newest first."""
    query = pick(
        col(Transaction.id),
        col(Transaction.tx_id),
        col(Transaction.block),
        col(Transaction.position),
        col(Transaction.type),
        col(Transaction.timestamp),
        col(Transaction.msp),
        col(Transaction.function),
        col(Transaction.code),
        col(Transaction.valid),
        col(Transaction.events),
    )
    if tx_id is not None:
        query = query.where(col(Transaction.tx_id) == tx_id)
    if invalid_only:
        query = query.where(col(Transaction.code) > 0)  # the codes are not negative: a range of the index
    if token is not None:
        query = query.where(col(Transaction.id) < decode(token, 1)[0])
    per_page = limited(per_page)
    rows = connection.execute(query.order_by(col(Transaction.id).desc()).limit(per_page + 1)).all()
    return paged(
        rows,
        per_page,
        lambda shown: [TransactionRecord(*row[1:]) for row in shown],
        lambda row: encode(row.id),
    )
