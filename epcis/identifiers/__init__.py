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
from typing import NamedTuple

from epcis.identifiers.builders import gln, gtin, lot, pgln, sgtin, sscc
from epcis.identifiers.check_digit import check_digit, has_valid_check_digit
from epcis.identifiers.code import Code, UnreadableCode, read, read_code
from epcis.identifiers.digital_link import read_digital_link
from epcis.identifiers.errors import InvalidIdentifier, PrefixLengthUnknown
from epcis.identifiers.escapes import for_link as number_in_link
from epcis.identifiers.identifier import CANONICAL_BASE, Identifier
from epcis.identifiers.judging import LONGEST_IDENTIFIER, Fault, Judgement, judge, read_uri, reference_of
from epcis.identifiers.prefixes import published_prefix_length
from epcis.identifiers.spelling import Spelled, said
from epcis.identifiers.urn import PrefixLengths, read_urn, write_urn
from epcis.remembering import remember

__all__ = [
    "CANONICAL_BASE",
    "CLASS",
    "INSTANCE",
    "LONGEST_IDENTIFIER",
    "LONGEST_KEY",
    "Code",
    "Fault",
    "Identifier",
    "InvalidIdentifier",
    "Judgement",
    "PrefixLengthUnknown",
    "PrefixLengths",
    "Spelled",
    "Standing",
    "UnreadableCode",
    "canonical_or_same",
    "check_digit",
    "gln",
    "gtin",
    "has_valid_check_digit",
    "identify",
    "identity_of",
    "is_canonical",
    "is_miswritten",
    "judge",
    "lot",
    "number_in_link",
    "parse",
    "pgln",
    "published_prefix_length",
    "read",
    "read_code",
    "reference_of",
    "said",
    "sgtin",
    "sscc",
    "standing",
    "to_digital_link",
    "to_urn",
]

# What most identifiers look like when they arrive: canonical already, so that nothing has to be taken apart. Groups: the
# digits of a product and what qualifies it, those of a pallet, of a place, of a party.
_ALREADY_CANONICAL = re.compile(
    r"https://id\.gs1\.org/(?:01/([0-9]{14})(?:/(21|10)/[0-9A-Za-z._\-'=;]{1,20})?|00/([0-9]{18})"
    r"|414/([0-9]{13})(?:/254/[0-9A-Za-z._\-'=;]{1,20})?|417/([0-9]{13}))"
)
# The commonest URN by far, an item whose serial needs no escaping: (prefix, indicator, reference, serial).
_ITEM_URN = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9])([0-9]{0,6})\.([0-9A-Za-z._\-'=;]{1,20})")
LONGEST_KEY = 200
"""Hardly an identifier is longer: answers about such are not remembered."""


class Standing(NamedTuple):
    """What an identifier of an event is: a class of things or one of them (neither: no GS1 identifier), and its fault."""

    is_class: bool
    is_instance: bool
    fault: Fault | None


INSTANCE = Standing(False, True, None)
CLASS = Standing(True, False, None)


def parse(identifier: str) -> Identifier:
    """Reads an EPC URN (id, class, pattern or tag) or a Digital Link on any domain. Check digits are not judged.

    Raises:
        InvalidIdentifier: it is no GS1 identifier.
    """
    if not isinstance(identifier, str):
        raise InvalidIdentifier(f"an identifier is text, not {type(identifier).__name__}")
    return read_uri(identifier)


@remember(1 << 14, LONGEST_KEY)
def identify(uri: str) -> Identifier | None:
    """The GS1 identifier in a URI, None if it is another kind of URI."""
    try:
        return parse(uri)
    except InvalidIdentifier:
        return None


@remember(1 << 14, LONGEST_KEY)  # a place or a party is named again and again
def standing(uri: str) -> Standing:
    """What an identifier is that an event's model has read: a class or an instance, right or faulty."""
    match = _ALREADY_CANONICAL.fullmatch(uri)
    if match is not None:
        product, qualifier, pallet, place, party = match.groups()
        if has_valid_check_digit(product or pallet or place or party):
            return CLASS if product is not None and qualifier != "21" else INSTANCE
    _, identifier, fault = judge(said(uri))
    if identifier is None:
        return Standing(False, False, fault)
    return Standing(identifier.is_class, identifier.is_instance, fault)


def is_miswritten(uri: str) -> bool:
    """Whether ``uri`` is a GS1 identifier with a wrong check digit; False for a URI that is none."""
    fault = standing(uri).fault
    return fault is not None and fault.code == "check_digit"


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


@remember(1 << 14, LONGEST_KEY)
def identity_of(uri: str) -> str:
    """The canonical link of what ``uri`` names, which remembers what else was said (:class:`Spelled`); else ``uri`` as
    it is. Whether it is right is for :func:`standing` to say."""
    if is_canonical(uri):
        return uri
    return _item_of(uri) or judge(uri).uri


def canonical_or_same(uri: str) -> str:
    """The canonical Digital Link if ``uri`` is a GS1 identifier in one of the forms that the event hash knows, else
    ``uri`` as it is. For texts of any kind inside events; for identifiers there is :func:`judge`."""
    if not uri.startswith(("urn:epc:", "http")) or is_canonical(uri):
        return uri
    return _canonical_or_same(uri)


@remember(1 << 14, LONGEST_KEY)
def _canonical_or_same(uri: str) -> str:
    if (item := _item_of(uri)) is not None:
        return item
    try:
        return (read_urn(uri) if uri.startswith("urn:") else read_digital_link(uri)).canonical
    except InvalidIdentifier:
        return uri


def _item_of(urn: str) -> str | None:
    """The commonest URN, by the shortest way."""
    item = _ITEM_URN.fullmatch(urn)
    if item is None or len(item[1]) + len(item[3]) != 12:
        return None
    digits = item[2] + item[1] + item[3]
    return f"{CANONICAL_BASE}/01/{digits}{check_digit(digits)}/21/{item[4]}"
