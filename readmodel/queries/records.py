"""An event as queries give it: what was said, by whom, and where on the ledger it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlmodel import col

from epcis.prehash import digest_uri
from readmodel.bulk import fetch, table_of
from readmodel.identifiers import hash_hex
from readmodel.queries.declared import Declaration, declarations
from readmodel.queries.paging import Query, pick
from readmodel.tables import Event, Party, Place, Transaction

_read_point = table_of(Place).alias("read_point")
_location = table_of(Place).alias("location")


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event with its provenance. ``stored`` is its canonical JSON; ``event`` the same as a dict."""

    id: int
    hash: str
    """``ni:///sha-256;…?ver=CBV2.0``"""
    event_id: str | None
    type: str
    action: str | None
    biz_step: str | None
    disposition: str | None
    event_time: datetime
    record_time: datetime | None
    read_point: str | None
    biz_location: str | None
    party: str | None
    msp: str | None
    submitter: str | None
    device: str | None
    flags: list[str]
    declares: str | None
    """Of an error declaration: the event it takes back."""
    tx_id: str
    block: int
    stored: str
    event_hash: str
    """Its CBV hash, which is the hash by which the ledger knows it, but for two: a declaration has that of the event it
    declares, as the standard leaves declarations out; and of two events with one hash, one is known by another."""
    reporters: list[str]
    """The other organisations that reported the same event."""
    declared_in_error: list[Declaration] = field(default_factory=list)
    """The declarations that took it back: what it says does not count."""
    other_ids: list[str] = field(default_factory=list)
    """The eventIDs that it was given besides its own."""

    @property
    def event(self) -> dict[str, Any]:
        """The event itself."""
        parsed = orjson.loads(self.stored)
        assert isinstance(parsed, dict)
        return parsed


def event_records(connection: Connection, rows: Sequence[Any]) -> list[EventRecord]:
    """The records of rows of :func:`select_events`, with what was declared of them."""
    records = {hash_hex(row.hash): event_record(row) for row in rows}
    declared = declarations(connection, records)
    others: dict[str, list[str]] = {}
    for name, identifier in fetch(connection, _OTHER_IDS, records):
        if identifier != records[name].event_id:
            others.setdefault(name, []).append(identifier)
    return [
        replace(record, declared_in_error=declared.get(name, []), other_ids=others.get(name, []))
        for name, record in records.items()
    ]


_OTHER_IDS = (
    "SELECT a.hash, a.identifier FROM {values} JOIN event_alias a ON a.hash = v.value ORDER BY a.hash, a.identifier"
)


def select_events() -> Query:
    """Events with what :func:`event_record` needs. Outer joins only: they leave the choice of index to
    the filter."""
    return (
        pick(
            col(Event.id),
            col(Event.hash),
            col(Event.event_id),
            col(Event.type),
            col(Event.action),
            col(Event.biz_step),
            col(Event.disposition),
            col(Event.event_time),
            col(Event.record_time),
            _read_point.c.uri,
            _location.c.uri,
            col(Party.uri),
            col(Event.msp),
            col(Event.submitter),
            col(Event.device),
            col(Event.flags),
            col(Event.declares),
            col(Transaction.tx_id),
            col(Transaction.block),
            col(Event.stored),
            col(Event.event_hash),
            col(Event.reporters),
        )
        .select_from(Event)
        .outerjoin(Transaction, col(Transaction.id) == col(Event.transaction_id))
        .outerjoin(Party, col(Party.id) == col(Event.party_id))
        .outerjoin(_read_point, _read_point.c.id == col(Event.read_point_id))
        .outerjoin(_location, _location.c.id == col(Event.biz_location_id))
    )


def event_record(row: Sequence[Any]) -> EventRecord:
    """A row of :func:`select_events`."""
    identity, digest, *between, flags, declares, tx_id, block, stored, event_hash, reporters = row
    taken_back = None if declares is None else digest_uri(declares)
    known = (stored, digest_uri(event_hash or declares or digest), reporters or [])
    values = (identity, digest_uri(digest), *between, flags or [], taken_back, tx_id, block, *known)
    return EventRecord(*values)
