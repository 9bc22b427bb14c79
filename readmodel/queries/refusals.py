"""Attempts that the contract refused: a second making, another's place, use after the end …"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from epcis.prehash import digest_uri
from readmodel.identifiers import clean
from readmodel.queries.paging import Page, decode, encode, limited, paged, pick
from readmodel.tables import Refusal, RefusalConcern, Transaction


@dataclass(frozen=True, slots=True)
class RefusalRecord:
    """A refused attempt: what of which event, who made it, when, and whom it concerns beside them."""

    id: str
    event: str | None
    """The event's hash (ni URI), where there is an event to name."""
    code: str
    detail: str | None
    field: str | None
    item: str | None
    parties: list[str]
    organisations: list[str]
    """Concerned organisations of which no party is known."""
    msp: str | None
    submitter: str | None
    refused_at: datetime | None
    tx_id: str
    block: int


def refusals(
    connection: Connection,
    *,
    party: str | None = None,
    organisation: str | None = None,
    item: str | None = None,
    code: str | None = None,
    msp: str | None = None,
    per_page: int = 30,
    token: str | None = None,
) -> Page[RefusalRecord]:
    """A page of refused attempts, the latest on the ledger first; ``msp`` is who made them."""
    query = (
        pick(
            col(Refusal.id),
            col(Refusal.event),
            col(Refusal.code),
            col(Refusal.detail),
            col(Refusal.field),
            col(Refusal.item),
            col(Refusal.msp),
            col(Refusal.submitter),
            col(Refusal.refused_at),
            col(Refusal.n),
            col(Transaction.tx_id),
            col(Transaction.block),
        )
        .select_from(Refusal)
        .join(Transaction, col(Transaction.id) == col(Refusal.transaction_id))
    )
    for column, value in ((col(Refusal.item), item), (col(Refusal.code), code), (col(Refusal.msp), msp)):
        if value is not None:
            query = query.where(column == clean(value))
    for kind, whom in (("party", party), ("organisation", organisation)):
        if whom is not None:
            concerned = select(col(RefusalConcern.refusal_id)).where(
                col(RefusalConcern.whom) == clean(whom), col(RefusalConcern.kind) == kind
            )
            query = query.where(col(Refusal.id).in_(concerned))
    if token is not None:
        query = query.where(col(Refusal.id) < decode(token, 1)[0])
    per_page = limited(per_page)
    rows = connection.execute(query.order_by(col(Refusal.id).desc()).limit(per_page + 1)).all()
    return paged(rows, per_page, lambda shown: _records(connection, shown), lambda row: encode(row.id))


def _records(connection: Connection, rows: Sequence[Any]) -> list[RefusalRecord]:
    concerned = (
        select(col(RefusalConcern.refusal_id), col(RefusalConcern.kind), col(RefusalConcern.whom))
        .where(col(RefusalConcern.refusal_id).in_([row.id for row in rows]))
        .order_by(col(RefusalConcern.whom))
    )
    whom: dict[tuple[int, str], list[str]] = defaultdict(list)
    for identity, kind, name in connection.execute(concerned):
        whom[(identity, kind)].append(name)
    return [
        RefusalRecord(
            id=f"{row.tx_id}-{row.n}",
            event=None if row.event is None else digest_uri(row.event),
            code=row.code,
            detail=row.detail,
            field=row.field,
            item=row.item,
            parties=whom[(row.id, "party")],
            organisations=whom[(row.id, "organisation")],
            msp=row.msp,
            submitter=row.submitter,
            refused_at=row.refused_at,
            tx_id=row.tx_id,
            block=row.block,
        )
        for row in rows
    ]
