"""GS1 identifiers: EPC URNs and Digital Links, both ways.

>>> to_digital_link("urn:epc:id:sgtin:4012345.011111.9876")
'https://id.gs1.org/01/04012345111118/21/9876'
>>> to_urn("https://id.gs1.org/01/04012345111118/21/9876", company_prefix_length=7)
'urn:epc:id:sgtin:4012345.011111.9876'
>>> parse("https://shop.example.com/gtin/4012345111118/lot/A1").lot
'A1'
"""

from __future__ import annotations

import re

from epcis.identifiers.builders import gln, gtin, lot, pgln, sgtin, sscc
from epcis.identifiers.check_digit import check_digit, has_valid_check_digit
from epcis.identifiers.digital_link import read_digital_link
from epcis.identifiers.errors import InvalidIdentifier, PrefixLengthUnknown
from epcis.identifiers.identifier import CANONICAL_BASE, CHECKED_DIGITS, Identifier
from epcis.identifiers.prefixes import published_prefix_length
from epcis.identifiers.urn import PrefixLengths, read_urn, write_urn
from epcis.remembering import remember

__all__ = [
    "CANONICAL_BASE",
    "LONGEST_KEY",
    "Identifier",
    "InvalidIdentifier",
    "PrefixLengthUnknown",
    "PrefixLengths",
    "canonical_or_same",
    "check_digit",
    "gln",
    "gtin",
    "has_valid_check_digit",
    "is_canonical",
    "is_miswritten",
    "lot",
    "parse",
    "pgln",
    "published_prefix_length",
    "sgtin",
    "sscc",
    "to_digital_link",
    "to_urn",
]

# What most identifiers look like when they arrive: canonical already, so that nothing has to be taken apart.
_ALREADY_CANONICAL = re.compile(
    r"https://id\.gs1\.org/(?:01/[0-9]{14}(?:/(?:21|10)/[0-9A-Za-z._\-'=;]{1,20})?|00/[0-9]{18}"
    r"|414/[0-9]{13}(?:/254/[0-9A-Za-z._\-'=;]{1,20})?|417/[0-9]{13})"
)


# The key of a canonical Digital Link, read without taking the rest apart.
_KEY = re.compile(r"https://id\.gs1\.org/(00|01|253|255|402|414|417|8003|8006|8017|8018)/([0-9]{13,18})")
# The commonest URN by far, an item whose serial needs no escaping: (prefix, indicator, reference, serial).
_ITEM_URN = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9])([0-9]{0,6})\.([0-9A-Za-z._\-'=;]{1,20})")
LONGEST_KEY = 200
"""No identifier is longer."""


def parse(identifier: str) -> Identifier:
    """Reads an EPC URN (id, class or pattern) or a Digital Link on any domain. Check digits are not judged.

    Raises:
        InvalidIdentifier: it is no GS1 identifier.
    """
    if not isinstance(identifier, str):
        raise InvalidIdentifier(f"an identifier is text, not {type(identifier).__name__}")
    if identifier.startswith("urn:epc:"):
        return read_urn(identifier)
    return read_digital_link(identifier)


@remember(1 << 14, LONGEST_KEY)  # a place or a party is named again and again
def is_miswritten(uri: str) -> bool:
    """Whether ``uri`` is a GS1 identifier with a wrong check digit; False for a URI that is none."""
    match = _KEY.match(uri)
    if match is not None:
        return not has_valid_check_digit(match[2][: CHECKED_DIGITS[match[1]]])
    try:
        return not parse(uri).has_valid_check_digit
    except InvalidIdentifier:
        return False


def to_digital_link(identifier: str) -> str:
    """The canonical Digital Link of ``identifier``: on ``https://id.gs1.org``, the most exact level only.

    Raises:
        InvalidIdentifier: it is no GS1 identifier.
    """
    if isinstance(identifier, str) and is_canonical(identifier):
        return identifier
    return parse(identifier).canonical


def to_urn(
    identifier: str,
    company_prefix_length: int | None = None,
    lengths: PrefixLengths = published_prefix_length,
) -> str:
    """The EPC URN of a Digital Link (or URN).

    Where the company prefix ends is said by ``company_prefix_length`` (6 to 12), else by ``lengths``: by
    default the table that GS1 publishes.

    Raises:
        PrefixLengthUnknown: neither knows; a URN is never guessed.
        InvalidIdentifier: it is no GS1 identifier, or no URN can say it.
    """
    return write_urn(parse(identifier), company_prefix_length, lengths)


def is_canonical(uri: str) -> bool:
    """Whether ``uri`` is one of the commonest canonical Digital Links, which need no closer look."""
    return _ALREADY_CANONICAL.fullmatch(uri) is not None


def canonical_or_same(uri: str) -> str:
    """The canonical Digital Link if ``uri`` is a GS1 identifier, else ``uri`` as it is."""
    if not uri.startswith(("urn:epc:", "http")) or is_canonical(uri):
        return uri
    return _canonical_or_same(uri)


@remember(1 << 14, LONGEST_KEY)
def _canonical_or_same(uri: str) -> str:
    item = _ITEM_URN.fullmatch(uri)
    if item is not None and len(item[1]) + len(item[3]) == 12:
        digits = item[2] + item[1] + item[3]
        return f"{CANONICAL_BASE}/01/{digits}{check_digit(digits)}/21/{item[4]}"
    try:
        return parse(uri).canonical
    except InvalidIdentifier:
        return uri
