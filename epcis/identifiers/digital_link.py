"""Reading GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax, release 1.2)."""

from __future__ import annotations

import re

from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.escapes import decode
from epcis.identifiers.identifier import Identifier

_LINK = re.compile(r"https?://[^/?#]+(/[^?#]*)", re.ASCII | re.IGNORECASE)

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
    "414": ("sgln", re.compile(r"[0-9]{13}"), ("254",)),
    "417": ("pgln", re.compile(r"[0-9]{13}"), ()),
    "8003": ("grai", re.compile(r"0[0-9]{13}.{0,16}", re.DOTALL), ()),
    "8004": ("giai", re.compile(r".{1,30}", re.DOTALL), ()),
    "8006": ("itip", re.compile(r"[0-9]{18}"), ("22", "10", "21")),
    "8010": ("cpi", re.compile(r"[#\-/0-9A-Z]{1,30}"), ("8011",)),
    "8017": ("gsrnp", re.compile(r"[0-9]{18}"), ("8019",)),
    "8018": ("gsrn", re.compile(r"[0-9]{18}"), ("8019",)),
}
_LONGEST = {"10": 20, "21": 20, "22": 20, "235": 28, "254": 20, "8011": 12, "8019": 10}
_NUMERIC_QUALIFIERS = frozenset({"8011", "8019"})
# Qualifiers that say less than the key itself, or belong to another standard: left out of the canonical form.
_DROPPED = frozenset({"22", "8019"})
_SCHEME_WITH = {("01", "10"): "lgtin", ("01", "21"): "sgtin", ("01", "235"): "upui"}


def read_digital_link(link: str) -> Identifier:
    """The identifier in ``link``, on whatever domain and below whatever path it stands.

    Raises:
        InvalidIdentifier: there is no GS1 key in it, or a qualifier that the key cannot have.
    """
    match = _LINK.match(link)
    if match is None:
        raise InvalidIdentifier(f"{link!r} is not a web address")
    segments = match.group(1).strip("/").split("/")
    for start in range(len(segments) - 1):
        ai = _KEY_NAMES.get(segments[start], segments[start])
        if ai in _KEYS and (key := _key_value(ai, segments[start + 1])) is not None:
            return _with_qualifiers(ai, key, segments[start + 2 :], link)
    raise InvalidIdentifier(f"{link!r} holds no GS1 key")


def _key_value(ai: str, text: str) -> str | None:
    """The decoded value, a GTIN filled to 14 digits; None when ``text`` is no value of that key."""
    try:
        value = _decode_component(text) if ai == "8010" else decode(text, 60)
    except InvalidIdentifier:
        return None
    if not _KEYS[ai][1].fullmatch(value):
        return None
    return value.zfill(14) if ai == "01" else value


def _decode_component(text: str) -> str:
    """Part references alone may hold ``#``, which no other GS1 element may."""
    return "#".join(decode(part, 60) if part else "" for part in text.split("%23"))


def _with_qualifiers(ai: str, key: str, rest: list[str], link: str) -> Identifier:
    if len(rest) % 2:
        raise InvalidIdentifier(f"{link!r} has a qualifier without a value")
    allowed = _KEYS[ai][2]
    position, chosen, value = -1, "", ""
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        qualifier = _QUALIFIER_NAMES.get(name, name)
        if qualifier not in allowed[position + 1 :]:
            raise InvalidIdentifier(f"{link!r}: {name!r} cannot qualify this key, or not in this place")
        position = allowed.index(qualifier)
        plain = decode(text, _LONGEST[qualifier])
        if qualifier in _NUMERIC_QUALIFIERS and not plain.isdecimal():
            raise InvalidIdentifier(f"{link!r}: the value of {name!r} must be digits")
        if qualifier not in _DROPPED:
            chosen, value = qualifier, plain
    return Identifier(_SCHEME_WITH.get((ai, chosen), _KEYS[ai][0]), ai, key, chosen, value)
