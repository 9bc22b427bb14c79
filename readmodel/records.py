"""The ledger's other records, read into what the tables need. Pure; what cannot be read is ``UnreadableError``.

Records without ``v`` are of the contract's first version. Both read alike, but for what is noted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from readmodel import typed
from readmodel.columns import LARGEST, dump
from readmodel.identifiers import clean, hash_hex
from readmodel.told import digest_of
from readmodel.typed import Members, UnreadableError


class ThingState(NamedTuple):
    """What ``TH`` says."""

    lot: str | None
    msp: str | None
    holder: str | None
    place: str | None
    parent: str | None
    status: str | None
    disposition: str | None
    commissioned: bool | None
    time: int | None
    endorsers: str | None


class LotHeader(NamedTuple):
    """What ``LT`` says."""

    msp: str | None
    commissioned: bool | None
    uom: str | None
    created: int | None
    endorsers: str | None


class Balance(NamedTuple):
    """What ``LB`` says."""

    quantity: str
    amount: int
    uom: str | None
    time: int | None


class Loose(NamedTuple):
    """What ``IQ`` says."""

    quantity: str | None
    uom: str | None


class HandoffRecord(NamedTuple):
    """What ``HO`` says."""

    item: str
    kind: str
    status: str
    sender: str | None
    receiver: str | None
    from_place: str | None
    to_place: str | None
    reference_type: str | None
    reference: str | None
    released: str | None
    accepted: str | None
    uom: str | None
    released_at: int | None
    accepted_at: int | None
    promised_at: int | None
    from_msp: str | None
    to_msp: str | None
    release_events: str | None
    accept_events: str | None


class ExceptionRecord(NamedTuple):
    """What ``EX`` says."""

    kind: str
    status: str
    handoff: str | None
    item: str | None
    event: str | None
    closed_by: str | None
    detail: str | None
    opened_at: int | None
    closed_at: int | None
    parties: list[str]


class Note(NamedTuple):
    """What ``EA`` says about an event."""

    declarations: list[str]
    reporters: list[str]
    ids: list[str]


NO_STATE = ThingState(None, None, None, None, None, None, None, None, None, None)
NO_HEADER = LotHeader(None, None, None, None, None)
NO_NOTE = Note([], [], [])
"""What is said by a record that is gone: nothing, as all that it followed from was taken back."""


def thing_state(record: Members) -> ThingState:
    """An instance's state. One of which nothing is said any more has none."""
    if record.get("log") == [] and "base" not in record:
        return NO_STATE
    return ThingState(
        typed.text(record, "lot"),
        typed.text(record, "msp"),
        typed.text(record, "holder"),
        typed.text(record, "place"),
        typed.text(record, "parent"),
        typed.text(record, "status"),
        typed.text(record, "disposition"),
        typed.flag(record, "commissioned"),
        typed.moment(record, "time"),
        typed.text_list(record, "endorsers"),
    )


def lot_header(record: Members) -> LotHeader:
    """A lot's header."""
    return LotHeader(
        typed.text(record, "msp"),
        typed.flag(record, "commissioned"),
        typed.text(record, "uom"),
        typed.moment(record, "created"),
        typed.text_list(record, "endorsers"),
    )


def balance(record: Members) -> Balance:
    """How much of a lot somebody has somewhere."""
    quantity = typed.exact(record, "quantity")
    if quantity is None:
        raise UnreadableError("quantity: missing")
    return Balance(
        quantity, typed.amount(quantity, "quantity"), typed.text(record, "uom"), typed.moment(record, "time")
    )


def loose(record: Members) -> Loose:
    """A loose quantity in a parent."""
    return Loose(typed.exact(record, "quantity"), typed.text(record, "uom"))


def handoff(record: Members) -> HandoffRecord:
    """A handoff."""
    reference = typed.inner(record, "reference")
    return HandoffRecord(
        typed.needed(record, "item"),
        typed.needed(record, "kind"),
        typed.needed(record, "status"),
        typed.text(record, "from"),
        typed.text(record, "to"),
        typed.text(record, "fromPlace"),
        typed.text(record, "toPlace"),
        typed.text(reference, "type"),
        typed.text(reference, "id"),
        typed.exact(record, "released"),
        typed.exact(record, "accepted"),
        typed.text(record, "uom"),
        typed.moment(record, "releasedAt"),
        typed.moment(record, "acceptedAt"),
        _promise(record),
        typed.text(record, "fromMsp"),
        typed.text(record, "toMsp"),
        _hashes(record, "releaseEvents"),
        _hashes(record, "acceptEvents"),
    )


def _promise(record: Members) -> int | None:
    """A promise is what a client wrote, in an extension nobody checks: no date, no promise."""
    try:
        return typed.moment(record, "promisedAt")
    except UnreadableError:
        return None


def _hashes(record: Members, name: str) -> str | None:
    return None if record.get(name) is None else dump([hash_hex(uri) for uri in typed.texts(record, name)])


def exception(record: Members) -> ExceptionRecord:
    """An exception."""
    return ExceptionRecord(
        typed.needed(record, "kind"),
        typed.needed(record, "status"),
        typed.text(record, "handoff"),
        typed.text(record, "item"),
        _digits(record, "event"),
        _digits(record, "closedBy"),
        typed.shown(record, "detail"),
        typed.moment(record, "openedAt"),
        typed.moment(record, "closedAt"),
        [clean(party) for party in typed.texts(record, "parties")],
    )


def _digits(record: Members, name: str) -> str | None:
    uri = typed.text(record, name)
    return None if uri is None else hash_hex(uri)


def note(record: Members) -> Note:
    """What was said about an event."""
    declarations = [hash_hex(one) for one in typed.texts(record, "declarations")]
    return Note(declarations, typed.texts(record, "reporters"), [clean(one) for one in typed.texts(record, "ids")])


def alias(record: Members) -> str:
    """The digits of the event that an eventID names."""
    return digest_of([hash_hex(typed.needed(record, "event"))])


def party(record: Members) -> tuple[Any, ...]:
    """``registered``, ``adopted``, ``msp``, ``name``, ``detail`` of a party."""
    adopted = bool(typed.flag(record, "adopted"))
    return True, adopted, typed.text(record, "msp"), typed.shown(record, "name"), dump(record)


_OF_DEVICE = ("place", "since", "chained", "succeeds", "revocation", "before")


def device(record: Members) -> tuple[Any, ...]:
    """``algorithm``, ``public_key``, ``name``, ``status``, ``detail`` of a device."""
    return (
        typed.text(record, "algorithm"),
        typed.shown(record, "publicKey"),
        typed.shown(record, "name"),
        typed.text(record, "status"),
        dump(more) if (more := {name: record[name] for name in _OF_DEVICE if name in record}) else None,
    )


def device_chain(record: Members) -> tuple[Any, ...]:
    """``counter``, ``known``, ``explained``, ``received`` of a device's chain."""
    counts = [_count(record, name) for name in ("counter", "known", "explained")]
    return *counts, typed.moment(record, "received")


def _count(record: Members, name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) and 0 <= value <= LARGEST else 0


def place(record: Members) -> tuple[Any, ...]:
    """``name``, ``kind``, ``latitude``, ``longitude``, ``country``, ``detail`` of a place."""
    return (
        typed.shown(record, "name"),
        typed.text(record, "kind"),
        typed.number(record, "latitude"),
        typed.number(record, "longitude"),
        country_of(record),
        dump(record),
    )


def country_of(record: Members) -> str | None:
    """The country of a registered place: stated by itself, or inside its address when that has members."""
    address = record.get("address")
    for source in (record, address) if isinstance(address, dict) else (record,):
        for member in ("country", "countryCode", "addressCountry"):
            if isinstance(found := source.get(member), str) and found:
                return clean(found)
    return None


def master_data(record: Members) -> tuple[Any, ...]:
    """``kind``, ``name``, ``attributes`` of what an organisation says of something."""
    return typed.text(record, "kind") or "other", typed.shown(record, "name"), dump(typed.inner(record, "attributes"))
