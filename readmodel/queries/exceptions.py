"""Exceptions the ledger opened: shortages, overages, wrong lots …"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from chaincode.exception_kinds import KINDS
from epcis.prehash import digest_uri
from readmodel.identifiers import clean
from readmodel.queries.newest import Branch, newest, newest_token
from readmodel.queries.paging import Page, Query, limited, paged, pick
from readmodel.tables import ExceptionCase, ExceptionParty, Party, Thing


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """An exception; ``event`` opened it and ``closed_by`` explained it (event hashes)."""

    id: str
    kind: str
    status: str
    handoff: str | None
    item: str | None
    event: str | None
    closed_by: str | None
    detail: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    parties: list[str]
    severity: str | None
    """high, medium or low; None for a kind that this version does not know."""
    title: str
    """The kind in words."""


def exceptions(
    connection: Connection,
    *,
    status: str | None = None,
    kind: str | None = None,
    party: str | None = None,
    item: str | None = None,
    handoff: str | None = None,
    per_page: int = 50,
    token: str | None = None,
) -> Page[ExceptionRecord]:
    """A page of exceptions, the last opened first; what has no date comes at the end."""
    query = _select()
    for column, value in (
        (col(ExceptionCase.status), status),
        (col(ExceptionCase.kind), kind),
        (col(ExceptionCase.handoff), handoff),
        (col(Thing.uri), item),
    ):
        if value is not None:
            query = query.where(column == clean(value))
    if party is not None:
        concerned = select(col(ExceptionParty.exception_id)).join(Party, col(Party.id) == col(ExceptionParty.party_id))
        query = query.where(col(ExceptionCase.id).in_(concerned.where(col(Party.uri) == clean(party))))
    per_page = limited(per_page)
    moment = col(ExceptionCase.opened_at)
    branches = [Branch(moment, moment.is_not(None)), Branch(None, moment.is_(None))]
    rows = newest(connection, query, branches, col(ExceptionCase.id), per_page + 1, token)
    return paged(
        rows, per_page, lambda shown: _records(connection, shown), lambda row: newest_token(row.opened_at, row.id)
    )


def exception(connection: Connection, identity: str) -> ExceptionRecord | None:
    """One exception by its id on the ledger."""
    rows = connection.execute(_select().where(col(ExceptionCase.key) == clean(identity))).all()
    return next(iter(_records(connection, rows)), None)


def words_of(kind: str) -> tuple[str | None, str]:
    """How bad a kind of exception is, and what it is in words."""
    known = KINDS.get(kind)
    return (None, kind.replace("_", " ")) if known is None else (known.severity, known.title)


def _select() -> Query:
    return (
        pick(
            col(ExceptionCase.id),
            col(ExceptionCase.key),
            col(ExceptionCase.kind),
            col(ExceptionCase.status),
            col(ExceptionCase.handoff),
            col(Thing.uri),
            col(ExceptionCase.event),
            col(ExceptionCase.closed_by),
            col(ExceptionCase.detail),
            col(ExceptionCase.opened_at),
            col(ExceptionCase.closed_at),
        )
        .select_from(ExceptionCase)
        .outerjoin(Thing, col(Thing.id) == col(ExceptionCase.item_id))
    )


def _records(connection: Connection, rows: Sequence[Any]) -> list[ExceptionRecord]:
    concerned = (
        select(col(ExceptionParty.exception_id), col(Party.uri))
        .join(Party, col(Party.id) == col(ExceptionParty.party_id))
        .where(col(ExceptionParty.exception_id).in_([row.id for row in rows]))
        .order_by(col(ExceptionParty.exception_id), col(ExceptionParty.party_id))
    )
    parties: dict[int, list[str]] = defaultdict(list)
    for identity, uri in connection.execute(concerned):
        parties[identity].append(uri)
    records = []
    for row in rows:
        opened = None if row.event is None else digest_uri(row.event)
        closed = None if row.closed_by is None else digest_uri(row.closed_by)
        values = (*row[1:6], opened, closed, *row[8:], parties[row.id], *words_of(row.kind))
        records.append(ExceptionRecord(*values))
    return records
