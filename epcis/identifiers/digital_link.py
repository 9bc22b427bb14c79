"""Reading GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax, release 1.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from epcis.identifiers.ai_table import is_known
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.escapes import decode
from epcis.identifiers.identifier import Identifier

_LINK = re.compile(r"https?://[^/?#]+(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?", re.ASCII | re.IGNORECASE)

# The convenience names of release 1.1, still found in the field.
_KEY_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004",
}  # fmt: skip
_QUALIFIER_NAMES = {"cpv": "22", "lot": "10", "ser": "21", "glnx": "254", "cpsn": "8011", "srin": "8019"}

# Key -> (scheme without qualifier, form of the value, qualifiers in their one allowed order).
_KEYS: dict[str, tuple[str, re.Pattern[str], tuple[str, ...]]] = {
    "00": ("sscc", re.compile(r"[0-9]{18}"), ()),
    "01": ("gtin", re.compile(r"[0-9]{8}|[0-9]{12,14}"), ("22", "10", "21", "235")),
    "253": ("gdti", re.compile(r"[0-9]{13}.{0,17}", re.DOTALL), ()),
    "255": ("sgcn", re.compile(r"[0-9]{13,25}"), ()),
    "401": ("ginc", re.compile(r".{1,30}", re.DOTALL), ()),
    "402": ("gsin", re.compile(r"[0-9]{17}"), ()),
    "414": ("sgln", re.compile(r"[0-9]{13}"), ("254", "7040")),
    "417": ("pgln", re.compile(r"[0-9]{13}"), ("7040",)),
    "8003": ("grai", re.compile(r"0[0-9]{13}.{0,16}", re.DOTALL), ()),
    "8004": ("giai", re.compile(r".{1,30}", re.DOTALL), ("7040",)),
    "8006": ("itip", re.compile(r"[0-9]{18}"), ("22", "10", "21")),
    "8010": ("cpi", re.compile(r"[#\-/0-9A-Z]{1,30}"), ("8011",)),
    "8017": ("gsrnp", re.compile(r"[0-9]{18}"), ("8019",)),
    "8018": ("gsrn", re.compile(r"[0-9]{18}"), ("8019",)),
}
KEYS = frozenset(_KEYS)
# Keys of the standard that EPCIS has no identifiers for: pay-to locations and models.
UNUSED_KEYS = frozenset({"415", "8013"})
_LONGEST = {"10": 20, "21": 20, "22": 20, "235": 28, "254": 20, "8011": 12, "8019": 10, "7040": 4}
_LONGEST_ATTRIBUTE = 90
_NUMERIC_QUALIFIERS = frozenset({"8011", "8019"})
# Qualifiers that say less than the key itself, or belong to another standard: no part of the identity.
_DROPPED = frozenset({"22", "8019", "7040"})
_SCHEME_WITH = {("01", "10"): "lgtin", ("01", "21"): "sgtin", ("01", "235"): "upui"}
_Pairs = tuple[tuple[str, str], ...]


class Found(NamedTuple):
    """A GS1 key in a link's path, before what stands around it is judged."""

    ai: str
    key: str
    rest: list[str]
    query: str


def read_digital_link(link: str) -> Identifier:
    """The identifier in ``link``, on whatever domain and below whatever path it stands.

    Raises:
        InvalidIdentifier: there is no GS1 key in it, or a qualifier that the key cannot have, or not in that place.
    """
    found = find_key(link)
    return identifier_of(found.ai, found.key, _qualifiers(found, link), _attributes(found))


def find_key(link: str) -> Found:
    """The first GS1 key in a link's path. Raises InvalidIdentifier (``no_key``)."""
    match = _LINK.match(link)
    if match is None:
        raise InvalidIdentifier(f"{link!r} is not a web address", "no_key")
    segments = match["path"].strip("/").split("/")
    for start in range(len(segments) - 1):
        ai = _KEY_NAMES.get(segments[start].lower(), segments[start])
        if ai in _KEYS and (key := key_value(ai, segments[start + 1])) is not None:
            return Found(ai, key, segments[start + 2 :], match["query"] or "")
    raise InvalidIdentifier(f"{link!r} holds no GS1 key", "no_key")


def key_value(ai: str, text: str) -> str | None:
    """The decoded value, a GTIN filled to 14 digits; None when ``text`` is no value of that key."""
    try:
        value = _decode_component(text) if ai == "8010" else decode(text, 60)
    except InvalidIdentifier:
        return None
    if not _KEYS[ai][1].fullmatch(value):
        return None
    return value.zfill(14) if ai == "01" else value


def qualifiers_of(ai: str) -> tuple[str, ...]:
    """The qualifiers that a key may have, in their order."""
    return _KEYS[ai][2]


def identifier_of(ai: str, key: str, qualifiers: _Pairs, attributes: _Pairs = ()) -> Identifier:
    """The identifier of a key with its qualifiers in order. Raises InvalidIdentifier for two serials."""
    telling = [pair for pair in qualifiers if pair[0] not in _DROPPED]
    names = {name for name, _ in telling}
    if {"21", "235"} <= names:
        raise InvalidIdentifier(f"a serial number (21) and a third-party one (235) on {ai} {key}: which is it?")
    chosen, value = telling[-1] if telling else ("", "")
    said = () if len(qualifiers) == len(telling) <= 1 else qualifiers
    return Identifier(_SCHEME_WITH.get((ai, chosen), _KEYS[ai][0]), ai, key, chosen, value, said, attributes)


def _decode_component(text: str) -> str:
    """Part references alone may hold ``#``, which no other GS1 element may."""
    return "#".join(decode(part, 60) if part else "" for part in text.split("%23"))


def _qualifiers(found: Found, link: str) -> _Pairs:
    if len(found.rest) % 2:
        raise InvalidIdentifier(f"{link!r} has a qualifier without a value", "unknown_qualifier")
    allowed = _KEYS[found.ai][2]
    pairs = [(_ai(name), text) for name, text in zip(found.rest[::2], found.rest[1::2], strict=True)]
    _judge_path([name for name, _ in pairs], allowed, link)
    values = {name: qualifier_value(name, text, link) for name, text in pairs}
    for name, text in _parameters(found.query):
        if name in allowed and values.setdefault(name, value := qualifier_value(name, text, link)) != value:
            raise InvalidIdentifier(f"{link!r} names {name} twice, with two values", "qualifier_twice")
    return tuple((name, values[name]) for name in allowed if name in values)


def _judge_path(names: Sequence[str], allowed: tuple[str, ...], link: str) -> None:
    for name in names:
        if name not in allowed:
            message = f"{link!r}: {name!r} cannot qualify this key in a path"
            hint = "; what is no qualifier belongs behind '?'" if is_known(name) else ""
            raise InvalidIdentifier(message + hint, "unknown_qualifier")
    if len(set(names)) != len(names):
        raise InvalidIdentifier(f"{link!r} has the same qualifier twice", "qualifier_twice")
    ordered = [name for name in allowed if name in names]
    if ordered != list(names):
        message = f"{link!r}: the qualifiers stand in the wrong order, {', '.join(ordered)} would be right"
        raise InvalidIdentifier(message, "qualifier_order")


def qualifier_value(ai: str, text: str, link: str) -> str:
    """The decoded value of a qualifier."""
    plain = decode(text, _LONGEST[ai])
    if ai in _NUMERIC_QUALIFIERS and not plain.isdecimal():
        raise InvalidIdentifier(f"{link!r}: the value of {ai!r} must be digits")
    return plain


def _attributes(found: Found) -> _Pairs:
    """What the query says of the thing in GS1's own terms; the rest of it is the web server's affair."""
    known: dict[str, str] = {}
    for name, text in _parameters(found.query):
        if name in _KEYS[found.ai][2] or name in _KEYS or not (name.isdecimal() and is_known(name)):
            continue
        try:
            known.setdefault(name, decode(text, _LONGEST_ATTRIBUTE))
        except InvalidIdentifier:
            continue
    return tuple(sorted(known.items()))


def _parameters(query: str) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in re.split("[&;]", query)] if query else []
    return [(_ai(name), text) for name, equals, text in parts if equals and text]


def _ai(name: str) -> str:
    return _QUALIFIER_NAMES.get(name.lower(), name)
