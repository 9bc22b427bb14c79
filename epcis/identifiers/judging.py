"""The one judgement of an identifier's spelling, for every door: capture, paths and parameters, commands, dashboard.

Whatever form it comes in, one thing ends as one canonical link. What looks like a GS1 key and cannot be read as one
is a fault, never silently another thing: an error where it certainly is a broken key, a warning where it might be
somebody else's address.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from epcis.identifiers.compression import expand, is_compressible
from epcis.identifiers.digital_link import (
    KEYS,
    UNUSED_KEYS,
    Found,
    find_key,
    identifier_of,
    key_value,
    qualifiers_of,
    read_digital_link,
)
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.identifier import Identifier
from epcis.identifiers.spelling import spelled
from epcis.identifiers.urn import GS1_SCHEMES, OTHER_SCHEMES, read_urn

LONGEST_IDENTIFIER = 500
"""Characters of an identifier: what databases index and what can be looked up."""

_WEB = re.compile(r"(?i)https?://(?P<host>[^/?#]*)(?P<path>[^?#]*)")
_GS1_HOST = "id.gs1.org"
_SURE_KEYS = ("urn:epc:", "https://id.gs1.org", "http://id.gs1.org")
# Keys whose value may be any text: on a foreign domain such a path may be anybody's.
_FREE_KEYS = frozenset({"401", "8004", "8010"})
_COMPANY_PREFIX = re.compile(r"[0-9]{4}")
_NEARLY_A_KEY = re.compile(r"/(00|01|253|255|402|414|417|8003|8006|8017|8018)/[0-9]{6,}(?=/|$)")


class Fault(NamedTuple):
    """Why an identifier is not what it seems to be."""

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"


class Judgement(NamedTuple):
    """What a text names. ``uri``: its canonical link (see ``Spelled``), or the text itself if it is no GS1 identifier."""

    uri: str
    identifier: Identifier | None
    fault: Fault | None


def judge(uri: str) -> Judgement:
    """Judge a URI."""
    if len(uri) > LONGEST_IDENTIFIER:
        message = f"{uri[:40]}… has {len(uri)} characters; {LONGEST_IDENTIFIER} are allowed"
        return Judgement(uri, None, Fault("identifier_too_long", message))
    try:
        identifier = read_uri(uri)
    except InvalidIdentifier as error:
        return Judgement(uri, None, _fault(uri, error))
    return judged(identifier, uri)


def read_uri(uri: str) -> Identifier:
    """The identifier in a URN or Digital Link, compressed or not. Raises InvalidIdentifier."""
    if uri[:8].lower() == "urn:epc:":
        return read_urn(uri)
    try:
        return read_digital_link(uri)
    except InvalidIdentifier as error:
        if error.code != "no_key":
            raise
        compressed = _read_compressed(uri)
        if compressed is None:
            raise
        return compressed


def reference_of(uri: str) -> str:
    """The canonical link of a document's identifier, else ``uri`` as it is.

    Documents have addresses of their own, whose domain must survive: only a sure key is rewritten.
    """
    return judge(uri).uri if uri[:18].lower().startswith(_SURE_KEYS) else uri


def judged(identifier: Identifier, text: str) -> Judgement:
    """The judgement of what was read in a text: its check digit is looked at."""
    right = identifier.has_valid_check_digit
    return Judgement(
        spelled(identifier), identifier, None if right else Fault("check_digit", f"wrong check digit in {text}")
    )


def _read_compressed(uri: str) -> Identifier | None:
    """The identifier in a compressed link; None for another kind of address.

    On a foreign domain it must hold a key and what qualifies it, in the alphabets that a compressor chooses, with the
    right check digit and no bit left over: else one of 10,000 numbers that others give to their things would be read as
    a key. With a qualifier it is one of 200,000; without, a warning.
    """
    match = _WEB.match(uri)
    segment = "" if match is None else match["path"].rpartition("/")[2]
    if match is None or not is_compressible(segment):
        return None
    at_home = match["host"].lower() == _GS1_HOST
    if at_home and match["path"] != f"/{segment}":
        return None
    try:
        identifier = _of_elements(dict(expand(segment)))
    except InvalidIdentifier as error:
        if at_home:
            raise InvalidIdentifier(f"{uri!r} cannot be expanded: {error}", "compressed_link") from None
        return None
    is_sure = _is_sure(identifier)
    if at_home or (is_sure and identifier.qualifier_ai):
        return identifier
    if is_sure:
        raise InvalidIdentifier(f"{uri!r} may be a compressed link of {identifier.canonical}", "compressed_link")
    return None


def _of_elements(values: dict[str, str]) -> Identifier:
    keys = [ai for ai in values if ai in KEYS and key_value(ai, values[ai]) is not None]
    if len(keys) != 1:
        raise InvalidIdentifier("a compressed link names one key", "compressed_link")
    allowed = qualifiers_of(keys[0])
    qualifiers = tuple((name, values[name]) for name in allowed if values.get(name))
    attributes = tuple(sorted((ai, value) for ai, value in values.items() if ai not in (*keys, *allowed)))
    return identifier_of(keys[0], values[keys[0]], qualifiers, attributes)


def _fault(uri: str, error: InvalidIdentifier) -> Fault | None:
    if uri[:8].lower() == "urn:epc:":
        return _fault_of_urn(uri, error)
    match = _WEB.match(uri)
    if match is None:
        return None
    if error.code == "no_key":
        return _fault_of_keyless(match["host"].lower(), match["path"], uri)
    at_home = match["host"].lower() == _GS1_HOST
    if error.code == "compressed_link":
        return Fault(error.code, str(error), "error" if at_home else "warning")
    return Fault(error.code, str(error)) if at_home or _is_sure(find_key(uri)) else _unrecognised(uri)


def _fault_of_urn(urn: str, error: InvalidIdentifier) -> Fault | None:
    kind, scheme = [*urn.lower().split(":", 4)[2:4], ""][:2]
    if error.code == "tag_uri" or kind == "raw":
        message = f"{urn} is how a tag is programmed, and no GS1 key can be read from it: send urn:epc:id:… instead"
        return Fault("tag_uri", message)
    if scheme in OTHER_SCHEMES:
        return None
    if scheme in GS1_SCHEMES and kind in ("id", "class", "idpat"):
        return Fault("broken_identifier", str(error))
    return Fault("broken_identifier", str(error)) if kind == "tag" else _unrecognised(urn)


def _fault_of_keyless(host: str, path: str, uri: str) -> Fault | None:
    if host == _GS1_HOST:
        unused = any(segment in UNUSED_KEYS for segment in path.split("/"))
        return (
            _unrecognised(uri)
            if unused
            else Fault("broken_identifier", f"{uri!r} is on GS1's domain and holds no GS1 key")
        )
    return _unrecognised(uri) if _NEARLY_A_KEY.search(path) else None


def _is_sure(found: Identifier | Found) -> bool:
    """Whether a key was meant, whatever stands around it."""
    if found.ai in _FREE_KEYS:
        return _COMPANY_PREFIX.match(found.key) is not None
    return identifier_of(found.ai, found.key, ()).has_valid_check_digit


def _unrecognised(uri: str) -> Fault:
    return Fault("unrecognised_identifier", f"{uri} looks like a GS1 identifier and is none", "warning")
