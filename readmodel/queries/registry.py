"""Parties, places and devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, not_
from sqlmodel import col

from readmodel.identifiers import clean
from readmodel.queries.naming import names
from readmodel.queries.paging import Page, Query, decode, encode, limited, paged, pick, seal, unseal
from readmodel.tables import Device, DeviceChain, Party, Place


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """A party. ``detail`` is the ledger's whole record; a party that was only named has none."""

    id: str
    registered: bool
    msp: str | None
    name: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """A place. ``detail`` is the ledger's whole record; a place that was only named has none."""

    id: str
    registered: bool
    msp: str | None
    party: str | None
    name: str | None
    kind: str | None
    latitude: float | None
    longitude: float | None
    country: str | None
    detail: dict[str, Any]


def parties(
    connection: Connection, *, msp: str | None = None, per_page: int = 100, token: str | None = None
) -> Page[PartyRecord]:
    """Parties in the order they were first named."""
    query = _select_parties()
    if msp is not None:
        query = query.where(col(Party.msp) == msp, not_(col(Party.adopted)))
    if token is not None:
        query = query.where(col(Party.id) > decode(token, 1)[0])
    per_page = limited(per_page)
    rows = connection.execute(query.order_by(col(Party.id)).limit(per_page + 1)).all()
    return paged(rows, per_page, lambda found: _party_records(connection, found), lambda row: encode(row[0]))


def party(connection: Connection, uri: str) -> PartyRecord | None:
    """One party."""
    rows = connection.execute(_select_parties().where(col(Party.uri) == clean(uri))).all()
    return next(iter(_party_records(connection, rows)), None)


def places(
    connection: Connection,
    *,
    party: str | None = None,
    country: str | None = None,
    registered: bool | None = None,
    per_page: int = 100,
    token: str | None = None,
) -> Page[PlaceRecord]:
    """Places in the order they were first named."""
    query = _select_places()
    if party is not None:
        query = query.where(col(Party.uri) == clean(party))
    if country is not None:
        query = query.where(col(Place.country) == country)
    if registered is not None:
        is_registered = and_(col(Place.registered), not_(col(Place.adopted)))
        query = query.where(is_registered if registered else not_(is_registered))
    if token is not None:
        query = query.where(col(Place.id) > decode(token, 1)[0])
    per_page = limited(per_page)
    rows = connection.execute(query.order_by(col(Place.id)).limit(per_page + 1)).all()
    return paged(rows, per_page, lambda found: _place_records(connection, found), lambda row: encode(row[0]))


def place(connection: Connection, uri: str) -> PlaceRecord | None:
    """One place."""
    rows = connection.execute(_select_places().where(col(Place.uri) == clean(uri))).all()
    return next(iter(_place_records(connection, rows)), None)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device whose signatures the ledger knows; ``status`` is active, revoked or succeeded."""

    id: str
    msp: str | None
    party: str | None
    algorithm: str | None
    public_key: str | None
    name: str | None
    status: str | None
    detail: dict[str, Any]
    """Where it has them: ``place``, ``since``, ``chained``, ``succeeds``, ``revocation``, ``before``."""
    counter: int | None
    """How far it counted what it signed; None if it signs in no chain."""
    missing: int | None
    """How many of these did not arrive, and are not explained."""
    received: datetime | None
    """When the latest of them reached the ledger."""


def devices(connection: Connection, *, per_page: int = 100, token: str | None = None) -> Page[DeviceRecord]:
    """Devices by id; the token holds the last id of the page before."""
    query = _select_devices()
    if token is not None:
        query = query.where(col(Device.id) > unseal(token).decode())
    per_page = limited(per_page)
    rows = connection.execute(query.order_by(col(Device.id)).limit(per_page + 1)).all()
    return paged(rows, per_page, _device_records, lambda row: seal(str(row[0]).encode()))


def device(connection: Connection, identity: str) -> DeviceRecord | None:
    """One device."""
    rows = connection.execute(_select_devices().where(col(Device.id) == clean(identity))).all()
    return next(iter(_device_records(rows)), None)


def _select_devices() -> Query:
    return (
        pick(
            *(col(column) for column in (Device.id, Device.msp)),
            col(Party.uri),
            *(
                col(column)
                for column in (Device.algorithm, Device.public_key, Device.name, Device.status, Device.detail)
            ),
            *(col(column) for column in (DeviceChain.counter, DeviceChain.known, DeviceChain.explained)),
            col(DeviceChain.received),
        )
        .outerjoin(Party, col(Party.id) == col(Device.party_id))
        .outerjoin(DeviceChain, col(DeviceChain.id) == col(Device.id))
    )


_PLAIN = ("id", "msp", "party", "algorithm", "public_key", "name", "status")


def _device_records(rows: Sequence[Any]) -> list[DeviceRecord]:
    return [
        DeviceRecord(
            **dict(zip(_PLAIN, row[:7], strict=True)),
            detail=row[7] or {},
            counter=row[8],
            missing=_missing(row[8], row[9], row[10]),
            received=row[11],
        )
        for row in rows
    ]


def _missing(counter: int | None, known: int, explained: int) -> int | None:
    return None if counter is None else max(0, counter - known - explained)


def _select_parties() -> Query:
    return pick(
        *(col(column) for column in (Party.id, Party.uri, Party.registered, Party.adopted)),
        *(col(column) for column in (Party.msp, Party.name, Party.detail)),
    )


def _party_records(connection: Connection, rows: Sequence[Any]) -> list[PartyRecord]:
    return _named(connection, [PartyRecord(*_claimed(*row[1:5]), row[5], row[6] or {}) for row in rows])


_Record = TypeVar("_Record", PartyRecord, PlaceRecord)


def _named(connection: Connection, records: list[_Record]) -> list[_Record]:
    """What has no registered name has the one that somebody described it by."""
    said = names(connection, (one.id for one in records if one.name is None))
    return [replace(one, name=said.get(one.id)) if one.name is None else one for one in records]


def _claimed(uri: str, registered: bool, adopted: bool, msp: str | None) -> tuple[str, bool, str | None]:
    """What the first version of the contract adopted from an event belongs to nobody."""
    return uri, registered and not adopted, None if adopted else msp


def _select_places() -> Query:
    return pick(
        *(col(column) for column in (Place.id, Place.uri, Place.registered, Place.adopted, Place.msp)),
        col(Party.uri),
        *(col(column) for column in (Place.name, Place.kind, Place.latitude, Place.longitude)),
        *(col(column) for column in (Place.country, Place.detail)),
    ).outerjoin(Party, col(Party.id) == col(Place.party_id))


def _place_records(connection: Connection, rows: Sequence[Any]) -> list[PlaceRecord]:
    return _named(connection, [PlaceRecord(*(*_claimed(*row[1:5]), *row[5:-1], row[-1] or {})) for row in rows])
