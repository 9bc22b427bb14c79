"""What a captured event says, read from its record. Pure; anything that cannot be read is ``UnreadableError``.

Only the standard's five types have the standard's members. An event of a type of its own has whatever it likes under
whatever name: it is kept whole and found by its type, time and eventID, and no member of it is taken for another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from epcis.identifiers import identity_of, reference_of
from readmodel import typed
from readmodel.columns import dump
from readmodel.identifiers import clean, hash_hex
from readmodel.recall import says_recalled
from readmodel.typed import UnreadableError

EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
"""Where events name things: EPCIS fields, and those that hold classes with quantities."""
_LINKS = (
    ("bizTransaction", "bizTransactionList", "bizTransaction"),
    ("source", "sourceList", "source"),
    ("destination", "destinationList", "destination"),
)
_STANDARD = frozenset(
    {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}
)
_ACTIONS = frozenset({"ADD", "OBSERVE", "DELETE"})
_EXACT_DIGITS = 16
_HEX = "0123456789abcdef"


class Named(NamedTuple):
    """A thing an event names: identifier, EPCIS field, quantity in millionths, unit."""

    thing: str
    role: str
    quantity: int | None
    uom: str | None


class Told(NamedTuple):
    """An event, taken apart. Identifiers are canonical, as the contract keeps things under them; texts are such as a column takes."""

    type: str
    action: str | None
    step: str | None
    disposition: str | None
    time: int
    zone: str | None
    event_id: str | None
    read_point: str | None
    location: str | None
    named: list[Named]
    links: list[tuple[str, str, str]]
    tie: str | None
    """The transformationID."""
    recalled: bool | None = None
    """Whether it says that what it names is recalled."""


class Record(NamedTuple):
    """An event's record: its name's digits, what it says, and what the contract wrote beside it."""

    digest: str
    told: Told
    n: int
    msp: str | None
    party: str | None
    device: str | None
    flags: str | None
    declares: str | None
    event_hash: str | None
    stored: str


def read_record(attributes: list[str], raw: bytes | None) -> Record | None:
    """An event's record; None for a marker that a declaration came before its event. Raises UnreadableError."""
    digest = digest_of(attributes)
    entry = typed.members(raw)
    event = entry.get("event")
    if event is None and "awaited" in entry:
        return None
    if type(event) is not dict:
        raise UnreadableError("event: missing" if event is None else "event: not an object")
    n = entry.get("n")
    if type(n) is not int or n < 0:
        raise UnreadableError("n: not a place in the transaction")
    declares, own = typed.text(entry, "declares"), typed.text(entry, "hash")
    own = None if own is None or hash_hex(own) == digest else hash_hex(own)
    flags = typed.texts(entry, "flags")
    return Record(
        digest,
        read_event(event, raw or b""),
        n,
        typed.text(entry, "msp"),
        typed.text(entry, "party"),
        typed.text(entry, "device"),
        dump(flags) if flags else None,
        None if declares is None else hash_hex(declares),
        own,
        _stored(entry, raw or b""),
    )


def digest_of(attributes: list[str]) -> str:
    """The digits that a key names an event by."""
    if len(attributes) != 1 or len(attributes[0]) != 64 or attributes[0].strip(_HEX):
        raise UnreadableError("the key is not an event's")
    return attributes[0]


def read_event(event: Mapping[str, Any], raw: bytes) -> Told:
    """An event as the ledger stores it; ``raw`` is text it lies in, for numbers that JSON's usual readers round."""
    kind = typed.needed(event, "type")
    time = typed.micros(event.get("eventTime"), "eventTime")
    zone, event_id = typed.text(event, "eventTimeZoneOffset"), typed.text(event, "eventID")
    if kind not in _STANDARD:
        return Told(kind, None, None, None, time, zone, event_id, None, None, [], [], None)
    action = typed.text(event, "action")
    if action not in _ACTIONS and kind != "TransformationEvent":
        raise UnreadableError("action: none of the standard's")
    return Told(
        kind,
        action,
        typed.text(event, "bizStep"),
        typed.text(event, "disposition"),
        time,
        zone,
        event_id,
        _location(event, "readPoint"),
        _location(event, "bizLocation"),
        _named(event, raw),
        _links(event),
        _tie(event),
        _recalled(event),
    )


def _tie(event: Mapping[str, Any]) -> str | None:
    tie = typed.text(event, "transformationID")
    return None if tie is None else _identity(tie)


def _recalled(event: Mapping[str, Any]) -> bool | None:
    persistent = typed.inner(event, "persistentDisposition")
    for name in ("set", "unset"):
        typed.texts(persistent, name)
    return says_recalled(event)


def _location(event: Mapping[str, Any], name: str) -> str | None:
    place = event.get(name)
    if place is None:
        return None
    if type(place) is not dict or type(place.get("id")) is not str:
        raise UnreadableError(f"{name}: not a place with an id")
    return _identity(place["id"])


def _identity(uri: str) -> str:
    """What an identifier names: the event has all that was said of a thing, an item's lot and dates among it."""
    return str(identity_of(uri))


def _named(event: Mapping[str, Any], raw: bytes) -> list[Named]:
    """Every thing an event names, a parent first, then in the order of the fields above."""
    named: list[Named] = []
    parent = event.get("parentID")
    if parent is not None:
        if type(parent) is not str:
            raise UnreadableError("parentID: not text")
        named.append(Named(_identity(parent), "parentID", None, None))
    for name in EPC_LISTS:
        if name in event:
            things = dict.fromkeys(map(_identity, typed.texts(event, name)))  # one may come in two spellings
            named += [_NAMED((thing, name, None, None)) for thing in things]
    for name in QUANTITY_LISTS:
        if name in event:
            named += [_quantity(element, name) for element in _elements(event, name, raw)]
    return named


_NAMED = Named._make


def _elements(event: Mapping[str, Any], name: str, raw: bytes) -> list[Any]:
    elements = event[name]
    if elements is None:
        return []
    if type(elements) is not list:
        raise UnreadableError(f"{name}: not a list")
    if any(type(one) is dict and _is_rounded(one.get("quantity")) for one in elements):
        return _exactly(event, name, raw) or elements
    return elements


def _is_rounded(quantity: Any) -> bool:
    return type(quantity) is float and len(repr(quantity)) > _EXACT_DIGITS


def _exactly(event: Mapping[str, Any], name: str, raw: bytes) -> list[Any] | None:
    """The elements with their quantities as decimals, read from the text once more."""
    try:
        whole = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    found = whole.get("event", whole).get(name)
    return found if type(found) is list and len(found) == len(event[name]) else None


def _quantity(element: Any, name: str) -> Named:
    if type(element) is not dict or type(element.get("epcClass")) is not str:
        raise UnreadableError(f"{name}: not an epcClass with a quantity")
    quantity = element.get("quantity")
    millionths = None if quantity is None else typed.amount(quantity, f"{name}/quantity")
    return Named(_identity(element["epcClass"]), name, millionths, typed.text(element, "uom"))


def _links(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Kind, value and type of each document, source and destination."""
    found: list[tuple[str, str, str]] = []
    for kind, name, member in _LINKS:
        elements = event.get(name)
        if not elements:
            continue
        if type(elements) is not list:
            raise UnreadableError(f"{name}: not a list")
        for element in elements:
            if type(element) is not dict or type(element.get(member)) is not str:
                raise UnreadableError(f"{name}: an entry without {member}")
            value = _reference(element[member]) if kind == "bizTransaction" else _identity(element[member])
            found.append((kind, clean(value), typed.text(element, "type") or ""))
    return found


def _reference(uri: str) -> str:
    return str(reference_of(uri))


def _stored(entry: dict[str, Any], raw: bytes) -> str:
    """The event as the ledger has it, to the byte: reading numbers and writing them again may change them.

    The record's members are sorted, so the event lies between those before its name and those after it.
    """
    around = orjson.dumps({**entry, "event": orjson.Fragment(b"")}, option=orjson.OPT_SORT_KEYS)
    begin = around.index(b'"event":') + len(b'"event":')
    before, after = around[:begin], around[begin:]
    if raw.startswith(before) and raw.endswith(after):
        return raw[begin : -len(after)].decode()
    return dump(entry["event"])
