"""Reading and writing EPC URNs (GS1 EPC Tag Data Standard, sections 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Callable

from epcis.identifiers.check_digit import check_digit
from epcis.identifiers.errors import InvalidIdentifier, PrefixLengthUnknown
from epcis.identifiers.escapes import decode, for_urn
from epcis.identifiers.identifier import Identifier

_PREFIX = re.compile(r"[0-9]{6,12}")
_DIGITS = re.compile(r"[0-9]*")
_COMPONENT = re.compile(r"(?:[0-9A-Z\-]|%23|%2[Ff])+")

# Scheme -> (AI of its key, digits of company prefix and reference together, without the check digit).
_NUMERIC = {
    "sgtin": ("01", 13), "lgtin": ("01", 13), "upui": ("01", 13), "itip": ("8006", 13),
    "sscc": ("00", 17), "gsrn": ("8018", 17), "gsrnp": ("8017", 17), "gsin": ("402", 16),
    "sgln": ("414", 12), "pgln": ("417", 12), "grai": ("8003", 12), "gdti": ("253", 12), "sgcn": ("255", 12),
}  # fmt: skip
_FREE = {"giai": "8004", "ginc": "401"}
# The reference begins with the digit that a GTIN or SSCC has in front of the company prefix.
_LEADING_DIGIT = frozenset({"sgtin", "lgtin", "upui", "itip", "sscc"})
_QUALIFIER = {"sgtin": "21", "lgtin": "10", "upui": "235", "itip": "21", "sgln": "254"}
_LONGEST_TAIL = {
    "sgtin": 20,
    "lgtin": 20,
    "upui": 28,
    "itip": 20,
    "sgln": 20,
    "grai": 16,
    "gdti": 17,
    "sgcn": 12,
}
_PATTERNS = frozenset({"sgtin", "grai", "gdti", "sgcn", "cpi", "itip", "upui"})
_KIND = {"lgtin": "class"}
_PATTERN_SCHEME = {"sgtin": "gtin", "upui": "gtin"}

GS1_SCHEMES = frozenset({*_NUMERIC, *_FREE, "cpi"})
OTHER_SCHEMES = frozenset({"gid", "usdod", "adi", "bic", "imovn"})
"""Schemes of the EPC standard for identifiers that are not GS1's."""
_TAG_KINDS = frozenset({"tag", "raw", "pat"})
_FILTER = re.compile(r"[0-7]")
# Scheme -> sizes of the tags it is written to (EPC Tag Data Standard 1.13, table 14-1).
_TAG_SCHEMES = {
    "sgtin": ("96", "198"), "sscc": ("96",), "sgln": ("96", "195"), "grai": ("96", "170"), "giai": ("96", "202"),
    "gsrn": ("96",), "gsrnp": ("96",), "gdti": ("96", "113", "174"), "cpi": ("96", "var"), "sgcn": ("96",),
    "itip": ("110", "212"),
}  # fmt: skip

PrefixLengths = Callable[[str], int | None]
"""Given digits that begin with a GS1 company prefix: how many of them are the prefix, or None if unknown."""


def read_urn(urn: str) -> Identifier:
    """The identifier in an EPC URN, class URN (``lgtin``), pattern (``idpat`` with a final ``*``) or tag URI.

    A tag URI says how an identifier is written into an RFID tag (``urn:epc:tag:sgtin-96:3.…``): its filter value says
    nothing of the thing and is dropped.

    Raises:
        InvalidIdentifier: it is none, or of a scheme that is no GS1 key (gid, usdod, adi, bic, imovn).
    """
    parts = urn.split(":", 4)
    if len(parts) != 5 or [part.lower() for part in parts[:2]] != ["urn", "epc"]:
        raise InvalidIdentifier(f"{urn!r} is not an EPC URN", "no_key")
    kind, scheme, body = parts[2].lower(), parts[3].lower(), parts[4]
    if kind in _TAG_KINDS:
        kind, (scheme, body) = "id", _read_tag(urn, kind, scheme, body)
    if scheme not in GS1_SCHEMES:
        raise InvalidIdentifier(f"{urn!r}: scheme {scheme!r} is not a GS1 key", "no_key")
    prefix, dot, rest = body.partition(".")
    if not dot or not _PREFIX.fullmatch(prefix):
        raise InvalidIdentifier(f"{urn!r}: a GS1 company prefix has 6 to 12 digits")
    pattern = kind == "idpat"
    if (scheme not in _PATTERNS) if pattern else kind != _KIND.get(scheme, "id"):
        raise InvalidIdentifier(f"{urn!r}: no scheme {scheme!r} under urn:epc:{kind}")
    if scheme in _NUMERIC:
        return _read_numeric(urn, scheme, prefix, rest, pattern)
    if scheme in _FREE:
        return Identifier(scheme, _FREE[scheme], prefix + decode(rest, 30 - len(prefix)))
    return _read_component(urn, prefix, rest, pattern)


def _read_tag(urn: str, kind: str, scheme: str, body: str) -> tuple[str, str]:
    """Scheme and body of the pure identity URN that a tag URI stands for."""
    name, _, bits = scheme.partition("-")
    value, _, rest = body.partition(".")
    if kind != "tag" or name not in _TAG_SCHEMES or bits not in _TAG_SCHEMES[name] or not _FILTER.fullmatch(value):
        message = f"{urn!r} is how a tag is programmed, and no GS1 key can be read from it: send urn:epc:id:… instead"
        raise InvalidIdentifier(message, "tag_uri")
    return name, rest


def _read_numeric(urn: str, scheme: str, prefix: str, rest: str, pattern: bool) -> Identifier:
    ai, length = _NUMERIC[scheme]
    reference, dot, tail = rest.partition(".")
    if len(prefix) + len(reference) != length or not _DIGITS.fullmatch(reference):
        raise InvalidIdentifier(f"{urn!r}: company prefix and reference must have {length} digits together")
    if bool(dot) != (scheme in _LONGEST_TAIL):
        raise InvalidIdentifier(f"{urn!r}: wrong number of parts for {scheme}")
    digits = reference[0] + prefix + reference[1:] if scheme in _LEADING_DIGIT else prefix + reference
    key = digits + check_digit(digits)
    if scheme == "itip":
        key, tail = _read_pieces(urn, key, tail)
    if scheme == "grai":
        key = "0" + key
    if not dot:
        return Identifier(scheme, ai, key)
    if pattern:
        if tail != "*":
            raise InvalidIdentifier(f"{urn!r}: only a pattern that ends in '.*' names a class")
        return Identifier(_PATTERN_SCHEME.get(scheme, scheme), ai, key)
    return _with_tail(urn, scheme, ai, key, decode(tail, _LONGEST_TAIL[scheme]))


def _read_pieces(urn: str, gtin: str, tail: str) -> tuple[str, str]:
    piece, _, rest = tail.partition(".")
    total, _, serial = rest.partition(".")
    if not (len(piece) == len(total) == 2 and (piece + total).isdecimal()):
        raise InvalidIdentifier(f"{urn!r}: piece and total must have two digits each")
    return gtin + piece + total, serial


def _with_tail(urn: str, scheme: str, ai: str, key: str, tail: str) -> Identifier:
    if scheme == "sgcn" and not tail.isdecimal():
        raise InvalidIdentifier(f"{urn!r}: a coupon's serial must be digits")
    qualifier = _QUALIFIER.get(scheme)
    if qualifier is None:
        return Identifier(scheme, ai, key + tail)
    if scheme == "sgln" and tail == "0":
        return Identifier(scheme, ai, key)
    return Identifier(scheme, ai, key, qualifier, tail)


def _read_component(urn: str, prefix: str, rest: str, pattern: bool) -> Identifier:
    reference, _, serial = rest.rpartition(".")
    if not _COMPONENT.fullmatch(reference):
        raise InvalidIdentifier(f"{urn!r}: not a component or part reference")
    key = prefix + reference.replace("%23", "#").replace("%2F", "/").replace("%2f", "/")
    if len(key) > 30:
        raise InvalidIdentifier(f"{urn!r}: a component or part identifier has at most 30 characters")
    if pattern and serial == "*":
        return Identifier("cpi", "8010", key)
    if pattern or not (serial.isdecimal() and len(serial) <= 12):
        raise InvalidIdentifier(f"{urn!r}: a component's serial must be 1 to 12 digits")
    return Identifier("cpi", "8010", key, "8011", serial)


def write_urn(identifier: Identifier, length: int | None, lengths: PrefixLengths) -> str:
    """The EPC URN of ``identifier``; ``length`` is that of its company prefix, else ``lengths`` is asked.

    Raises:
        PrefixLengthUnknown: neither says where the prefix ends.
        InvalidIdentifier: no EPC URN can say this (GTIN-8, a lot of a piece).
    """
    scheme = identifier.scheme
    if identifier.ai == "8006" and identifier.qualifier_ai == "10":
        raise InvalidIdentifier(f"there is no EPC URN for the lot of a piece: {identifier.canonical}")
    leading = 1 if identifier.ai in ("00", "01", "8003", "8006") else 0
    from_prefix = identifier.key[leading:]
    if identifier.gtin is not None and identifier.gtin.startswith("000000"):
        raise InvalidIdentifier(f"a GTIN-8 has no company prefix, so no EPC URN: {identifier.canonical}")
    length = length or lengths(from_prefix)
    if length is None or not 6 <= length <= 12:
        raise PrefixLengthUnknown(f"where does the company prefix end in {identifier.canonical}?")
    prefix = from_prefix[:length]
    if scheme in _FREE:
        return f"urn:epc:id:{scheme}:{prefix}.{for_urn(from_prefix[length:])}"
    if scheme == "cpi":
        kind, serial = ("id", identifier.qualifier) if identifier.qualifier else ("idpat", "*")
        return f"urn:epc:{kind}:cpi:{prefix}.{for_urn(from_prefix[length:])}.{serial}"
    return _write_numeric(identifier, prefix, from_prefix)


def _write_numeric(identifier: Identifier, prefix: str, from_prefix: str) -> str:
    scheme = "sgtin" if identifier.scheme == "gtin" else identifier.scheme
    total = _NUMERIC[scheme][1]
    if scheme in _LEADING_DIGIT:
        reference = identifier.key[0] + from_prefix[len(prefix) : total - 1]
    else:
        reference = from_prefix[len(prefix) : total]
    head = f"{scheme}:{prefix}.{reference}"
    if scheme not in _LONGEST_TAIL:
        return f"urn:epc:id:{head}"
    if scheme == "itip":
        head += f".{identifier.key[14:16]}.{identifier.key[16:18]}"
    if scheme == "sgln":
        return f"urn:epc:id:{head}.{for_urn(identifier.qualifier or '0')}"
    tail = identifier.qualifier or identifier.serial
    if tail is None:
        return f"urn:epc:idpat:{head}.*"
    return f"urn:epc:{_KIND.get(scheme, 'id')}:{head}.{for_urn(tail)}"
