"""One reading of everything a scanner sends, a person types or a label says: the same verdict at every door.

>>> read_code("]d2010950600013435210ABC123\\x1d17271231").uri
'https://id.gs1.org/01/09506000134352/10/ABC123'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from epcis.identifiers import carriers
from epcis.identifiers.carriers import GS, Carried
from epcis.identifiers.check_digit import check_digit
from epcis.identifiers.element_string import (
    Elements,
    begins_with_key,
    bracketed_elements,
    identified,
    is_element_string,
    raw_elements,
    read_bare_number,
)
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.identifier import Identifier
from epcis.identifiers.judging import Fault, Judgement, judge, judged
from epcis.identifiers.rfid import is_tag_memory, read_tag_memory

LONGEST_CODE = 8_000
"""Characters of what is read: more than the largest symbol holds."""

_URI = re.compile(r"(?i)(https?|urn|ni|geo):")
# An address without its scheme is one if a product or pallet is in it: a lot number may hold a dot and a slash too.
_NO_SCHEME = re.compile(
    r"(?i)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}/(?:[^\s]*/)?(?:01|gtin|00|sscc)/[0-9]{8,}[^\s]*"
)
_DIGITS = re.compile(r"[0-9]+")
_RAW_KEY = re.compile(r"0[0-3][0-9]{14}")
_LONGEST_NUMBER = 30
_MESSAGE = "[)>"
_FOREIGN = (
    (re.compile(r"\+[A-Z][A-Z0-9]{2}[A-Z0-9\-./$+% *]+"), "an HIBC code (health industry)"),
    (re.compile(r"=[A-Z<>%&{][A-Z0-9 ]|&[A-Z0-9;+]{3,}[0-9A-Z]{5}"), "an ISBT 128 code (blood and tissue)"),
    (re.compile(r"(?i)(WIFI|MATMSG|BEGIN:VCARD|MECARD|tel|mailto|smsto|otpauth):"), "a code for telephones"),
    (re.compile(r"(?:1?9N|\x1d9N)[0-9]{11}"), "a PPN code (pharmacy product number)"),
    (re.compile(r"-[0-9]{8}"), "a PZN code (German pharmacies)"),
)


class UnreadableCode(InvalidIdentifier):
    """A code that names nothing here; the message says why and what to do, ``code`` (for programs) why.

    Beside those of ``InvalidIdentifier``: ``ambiguous`` (a separator may be lost), ``unknown_ai``, ``foreign_code`` (of another system
    than GS1's), ``empty`` and ``too_long``.
    """


@dataclass(frozen=True, slots=True)
class Code:
    """What a code says."""

    text: str
    """Its data, without what the reader put around it."""
    identifier: Identifier | None
    """None for a bare text, which may be a lot or serial number: it can be looked up."""
    elements: Elements = ()
    """(AI, value) of everything on the label, where it was an element string."""
    symbology: str | None = None
    """ISO/IEC 15424: ``d2``; None where the reader did not send it."""

    is_number: bool = False
    """It is only the digits of a product or pallet, which may be somebody's lot or serial number as well."""

    @property
    def uri(self) -> str | None:
        """The canonical Digital Link of what is named."""
        return None if self.identifier is None else self.identifier.canonical


def read_code(text: str, *, has_separators: bool = False) -> Code:
    """Read raw scanner output, an element string, a Digital Link on any domain (compressed or not), an EPC URN, an EPC as a
    tag holds it, or a bare GTIN or SSCC.

    ``has_separators``: the reader is known to pass on FNC1 (a camera's decoder does; a keyboard wedge that did once does), so that a
    value without one behind it is the last.

    Raises:
        UnreadableCode: it is damaged, ambiguous or of another system. A bare text that may be a lot or serial number is no error.
    """
    try:
        return _read(text, has_separators)
    except UnreadableCode:
        raise
    except InvalidIdentifier as error:
        raise UnreadableCode(str(error), error.code) from error


def read(text: str, bare: bool = True) -> Judgement:
    """The judgement of what a person typed or a label says; ``bare``: also of a product's or pallet's number alone.

    ``identifier`` and ``fault`` are both None for what is neither: a lot or serial number, another's URI.
    """
    data = text.strip()
    if _URI.match(data):
        return judge(data)
    if not bare and _DIGITS.fullmatch(data) and read_bare_number(data) is not None:
        return Judgement(data, None, None)
    try:
        code = read_code(text)
    except UnreadableCode as error:
        return Judgement(data, None, Fault(error.code, str(error)) if data else None)
    if code.identifier is None:
        return Judgement(code.text, None, None)
    return judged(code.identifier, data)


def _read(text: str, has_separators: bool) -> Code:
    if len(text) > LONGEST_CODE:
        raise UnreadableCode(f"{len(text)} characters are more than any code holds", "too_long")
    carried = carriers.taken_out(text)
    data = carried.data
    if not data:
        raise UnreadableCode("there is nothing to read: scan again", "empty")
    if data.startswith(_MESSAGE):
        data = _enveloped(data)
        return _element_string(Carried(data, carried.symbology), has_separators=True)
    if _URI.match(data) or (carried.symbology not in carriers.GS1_SYMBOLOGIES and _NO_SCHEME.fullmatch(data)):
        return _link(carried)
    if is_element_string(data):
        return _named(carried, bracketed_elements(carriers.with_separators(data)))
    _refuse_foreign(data)
    if carried.is_gs1:
        return _element_string(carried, has_separators)
    return _undeclared(carried, has_separators)


def _link(carried: Carried) -> Code:
    uri = carried.data if _URI.match(carried.data) else f"https://{carried.data}"
    _, identifier, fault = judge(uri)
    if fault is not None and (fault.severity == "error" or identifier is None):
        raise UnreadableCode(fault.message, fault.code)
    if identifier is None:
        raise UnreadableCode(
            f"{uri!r} is an address without a GS1 key in it: scan the code that names the thing", "no_key"
        )
    elements = ((identifier.ai, identifier.key), *identifier.qualifiers, *identifier.attributes)
    return Code(carried.data, identifier, elements, carried.symbology)


def _element_string(carried: Carried, has_separators: bool) -> Code:
    written = carriers.with_separators(carried.data)
    data = re.sub(r"\s+", GS, written)
    if _DIGITS.fullmatch(data) and (found := read_bare_number(data)) is not None and not begins_with_key(data):
        return Code(
            carried.data, found, ((found.ai, found.key),), carried.symbology
        )  # a prefix that somebody set wrongly
    return _named(carried, raw_elements(data, has_separators or GS in written))


def _named(carried: Carried, elements: Elements) -> Code:
    identifier = identified(elements)
    return Code(carried.data, identifier, elements, carried.symbology)


def _undeclared(carried: Carried, has_separators: bool) -> Code:
    """What comes without word of its kind: numbers, raw element strings, tags, and texts."""
    data = carried.data
    digits = re.sub(r"[\s\-]", "", data)
    if _DIGITS.fullmatch(digits) and (found := _number(digits, carried)) is not None:
        return Code(digits, found, ((found.ai, found.key),), carried.symbology, is_number=carried.symbology is None)
    if is_tag_memory(data):
        return Code(data, read_tag_memory(data), (), carried.symbology)
    squeezed = re.sub(r"\s+", GS, carriers.with_separators(data)).strip(GS)
    if begins_with_key(squeezed) or _has_key_inside(squeezed):
        return _element_string(carried, has_separators)
    if squeezed.count(GS) and begins_with_key(squeezed.replace(GS, "", 1)):
        return _spaced(carried, data)
    _refuse_misread(squeezed, data)
    return Code(data, None, (), carried.symbology)


def _number(digits: str, carried: Carried) -> Identifier | None:
    if carried.symbology == "E3":
        digits = digits[:13]  # what is printed beside an EAN of a book or magazine is an add-on
    if carried.symbology is not None and carried.symbology[0] in "EI" and len(digits) in (8, 12, 13, 14):
        found = read_bare_number(digits)
        if found is None:
            name = carriers.name_of(carried.symbology)
            raise UnreadableCode(
                f"wrong check digit in {digits} ({name}): it should be {check_digit(digits[:-1])}. Scan again",
                "check_digit",
            )
        return found
    return read_bare_number(digits)


def _spaced(carried: Carried, data: str) -> Code:
    """``01 09506000134352 10 ABC123``: AIs and values apart, as on a label without its brackets."""
    words = carriers.with_separators(data).split()
    if len(words) % 2:
        raise UnreadableCode(
            f"{data!r} is no element string: put its application identifiers into brackets", "broken_identifier"
        )
    pairs = zip(words[::2], words[1::2], strict=True)
    return _named(carried, bracketed_elements("".join(f"({ai}){value}" for ai, value in pairs)))


def _has_key_inside(data: str) -> bool:
    """``17271231 01…``, ``10ABC<GS>01…``: a key that does not come first."""
    try:
        elements = raw_elements(data, has_separators=True)
    except InvalidIdentifier:
        return False
    return any(ai in ("00", "01", "8006") for ai, _ in elements)


def _enveloped(data: str) -> str:
    """The element string in an ISO/IEC 15434 message of format 05. Raises UnreadableCode for the other formats."""
    body = re.sub(r"^\[\)>[\x1e\x1d\s]*", "", data).rstrip("\x04\x1e")
    if body.startswith(f"05{GS}"):
        return body[3:]
    what = "a PPN code (pharmacy product number)" if re.search(r"\x1d?9N[0-9]{8,}", body) else "an ASC MH10 message"
    raise UnreadableCode(
        f"this is {what} (ISO/IEC 15434, format {body[:2]}), not GS1: scan the GS1 code on the pack", "foreign_code"
    )


def _refuse_foreign(data: str) -> None:
    for form, name in _FOREIGN:
        if form.match(data):
            raise UnreadableCode(f"this is {name}, not GS1: scan the GS1 code on the pack", "foreign_code")


def _refuse_misread(data: str, said: str) -> None:
    """What can be no lot or serial number, and was meant as something."""
    match = _RAW_KEY.match(data)
    if match is not None and len(data) > len(match[0]):
        ai, digits = data[:2], data[2:16]
        if ai != "00":
            raise UnreadableCode(
                f"({ai}): wrong check digit in {digits}: it should be {check_digit(digits[:-1])}. Scan again",
                "check_digit",
            )
    if len(data) == 20 and data.startswith("00") and data.isdecimal():
        raise UnreadableCode(
            f"(00): wrong check digit in {data[2:]}: it should be {check_digit(data[2:-1])}. Scan again", "check_digit"
        )
    if carriers.has_separators(said):
        raise UnreadableCode(f"{data.replace(GS, '<GS>')!r} is no GS1 element string", "no_key")
    if not said.isprintable():
        raise UnreadableCode(f"{said[:40]!r} holds control characters, and is no GS1 code: scan again", "no_key")
    if len(said) > _LONGEST_NUMBER:
        raise UnreadableCode(f"{said[:40]!r}… is no GS1 code, and longer than any lot or serial number", "no_key")
