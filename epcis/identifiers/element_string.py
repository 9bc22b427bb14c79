"""Reading what people read off a label: element strings with their AIs in brackets, and bare numbers."""

from __future__ import annotations

import re

from epcis.identifiers.ai_table import fits, form_of, is_known
from epcis.identifiers.check_digit import has_valid_check_digit
from epcis.identifiers.digital_link import KEYS, identifier_of, qualifiers_of
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.identifier import Identifier

_ELEMENT = re.compile(r"\(([0-9]{2,4})\)")
_GTIN_LENGTHS = (8, 12, 13, 14)
_SSCC_LENGTH = 18


def is_element_string(text: str) -> bool:
    """Whether ``text`` begins as ``(01)…`` does."""
    return _ELEMENT.match(text) is not None


def read_element_string(text: str) -> Identifier:
    """The identifier in ``(01)09506000134352(17)271231(10)ABC123``; the order of its elements means nothing.

    Raises:
        InvalidIdentifier: an AI that GS1 does not have, a value of the wrong form, no key, or two.
    """
    values = _elements(text)
    keys = [ai for ai in values if ai in KEYS]
    if len(keys) != 1:
        what = "holds no GS1 key" if not keys else f"names several things: {', '.join(keys)}"
        raise InvalidIdentifier(f"{text!r} {what}", "broken_identifier" if keys else "no_key")
    ai = keys[0]
    allowed = qualifiers_of(ai)
    qualifiers = tuple((name, values[name]) for name in allowed if name in values)
    attributes = tuple(sorted((name, value) for name, value in values.items() if name not in (ai, *allowed)))
    return identifier_of(ai, values[ai].zfill(14) if ai == "01" else values[ai], qualifiers, attributes)


def read_bare_number(text: str) -> Identifier | None:
    """The product (8, 12, 13 or 14 digits) or logistic unit (18) that a number is, if its check digit says so."""
    if len(text) not in (*_GTIN_LENGTHS, _SSCC_LENGTH) or not (text.isascii() and text.isdecimal()):
        return None
    if not has_valid_check_digit(text):
        return None
    if len(text) == _SSCC_LENGTH:
        return identifier_of("00", text, ())
    return identifier_of("01", text.zfill(14), ())


def _elements(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    places = [match for match in _ELEMENT.finditer(text) if is_known(match[1])]
    if not places or places[0].start() != 0:
        raise InvalidIdentifier(f"{text!r} begins with no application identifier that GS1 has", "no_key")
    ends = [match.start() for match in places[1:]] + [len(text)]
    for match, end in zip(places, ends, strict=True):
        ai, value = match[1], text[match.end() : end].strip()
        if not fits(ai, value):
            raise InvalidIdentifier(f"{text!r}: ({ai}) wants {form_of(ai)}, not {value!r}")
        if values.setdefault(ai, value) != value:
            raise InvalidIdentifier(f"{text!r} names ({ai}) twice, with two values", "qualifier_twice")
    return values
