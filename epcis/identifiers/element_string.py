"""Reading GS1 element strings, with their AIs in brackets as people read them or raw as scanners send them.

General Specifications 7.8: after a value whose length its AI does not tell stands a separator, unless it is the last. Some keyboards lose
separators. Where one may have been lost, the string is refused and not guessed: the rest of a lot number may be a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from epcis.identifiers.ai_table import ai_at, company_fault, fault_of, fits, form_of, is_known, syntax_of
from epcis.identifiers.carriers import GS
from epcis.identifiers.check_digit import has_valid_check_digit
from epcis.identifiers.digital_link import KEYS, identifier_of, qualifiers_of
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.identifier import CHECKED_DIGITS, Identifier

Elements = tuple[tuple[str, str], ...]
"""(AI, value), in the order of the label."""

_ELEMENT = re.compile(r"[(\[]\s*([0-9]{2,4})\s*[)\]]")
_GTIN_LENGTHS = (8, 12, 13, 14)
_SSCC_LENGTH = 18
# What a label names, before what else it says: a pallet's shipment, a place, the product of a whole logistic unit.
_RANK = ("00", "8006", "01")
_BESIDE = frozenset({"401", "402", "414", "417"})
_TELLING_LENGTH = 6
_LOT_OR_SERIAL = frozenset({"10", "21"})


def is_element_string(text: str) -> bool:
    """Whether ``text`` begins as ``(01)…`` does."""
    return _ELEMENT.match(text) is not None


def bracketed_elements(text: str) -> Elements:
    """The elements of ``(01)09506000134352(17)271231(10)ABC123``; spaces mean nothing. Raises InvalidIdentifier."""
    places = [match for match in _ELEMENT.finditer(text) if is_known(match[1])]
    if not places or places[0].start() != 0:
        first = _ELEMENT.match(text)
        raise InvalidIdentifier(
            f"({first[1] if first else ''}) is no application identifier that GS1 has", "unknown_ai"
        )
    ends = [match.start() for match in places[1:]] + [len(text)]
    values = (re.sub(rf"[\s{GS}]", "", text[m.end() : end]) for m, end in zip(places, ends, strict=True))
    return tuple(_judged(match[1], value) for match, value in zip(places, values, strict=True))


def raw_elements(data: str, has_separators: bool) -> Elements:
    """The elements of a raw string in which every separator is GS; ``has_separators``: none was lost on the way.

    Raises:
        InvalidIdentifier: an AI that GS1 does not have, a value of the wrong form, or (``ambiguous``) one that may be several.
    """
    elements = tuple(_split(data))
    if elements and not has_separators and GS not in data:
        _refuse_ambiguous(elements)
    return elements


def _split(data: str) -> Iterator[tuple[str, str]]:
    at, before = 0, ""
    while at < len(data):
        if data[at] == GS:
            at += 1
            continue
        ai = ai_at(data, at)
        if ai is None:
            where = f" after {before}" if before else ""
            raise InvalidIdentifier(
                f"{_shown(data[at:])} {where.strip()} begins with no application identifier".replace("  ", " "),
                "unknown_ai",
            )
        start, separator = at + len(ai), data.find(GS, at + len(ai))
        at = len(data) if separator < 0 else separator
        if syntax_of(ai).ends_by_length:
            at = min(at, start + syntax_of(ai).longest)
        yield _judged(ai, data[start:at])
        before = f"({ai}) {_shown(data[start:at])}"


def _judged(ai: str, value: str) -> tuple[str, str]:
    if not fits(ai, value):
        too_long = len(value) > syntax_of(ai).longest
        hint = ": is a separator (FNC1, GS) missing behind it?" if too_long else ""
        raise InvalidIdentifier(f"({ai}) wants {form_of(ai)}, not {_shown(value)}{hint}")
    fault = fault_of(ai, value)
    if fault is not None:
        raise InvalidIdentifier(
            f"({ai}): {fault}", "check_digit" if fault.startswith("wrong check") else "broken_identifier"
        )
    return ai, value


def _refuse_ambiguous(elements: Elements) -> None:
    """No separator came with the string, so the last value may have swallowed others (the ones before end by their length)."""
    ai, value = elements[-1]
    if syntax_of(ai).ends_by_length:
        return
    present = {name for name, _ in elements}
    for cut in range(1, len(value) - 1):
        if not fits(ai, value[:cut]):
            continue
        try:
            rest = tuple(_split(value[cut:]))
        except InvalidIdentifier:
            continue
        if not present & {name for name, _ in rest} and _is_telling(ai, rest):
            other = "".join(f"({name}){text}" for name, text in ((ai, value[:cut]), *rest))
            raise InvalidIdentifier(
                f"({ai}){value} may as well be {other}: no separator (FNC1, GS) came with the code. Let the reader send GS, "
                "scan with the camera, or type it with brackets",
                "ambiguous",
            )


def _is_telling(ai: str, rest: Elements) -> bool:
    """Whether what may follow is more than chance: a date, a measure or a checked number, or the lot of a serial and the other way
    round. That a lot ends in 20 and two digits, or in 90 and anything, says nothing."""
    if any(syntax_of(other).ends_by_length and syntax_of(other).longest >= _TELLING_LENGTH for other, _ in rest):
        return True
    return ai in _LOT_OR_SERIAL and rest[0][0] in _LOT_OR_SERIAL


def identified(elements: Elements) -> Identifier:
    """What the elements name. Raises InvalidIdentifier: nothing, several things, or what cannot stand on one label."""
    values: dict[str, str] = {}
    for ai, value in elements:
        if values.setdefault(ai, value) != value:
            raise InvalidIdentifier(
                f"({ai}) stands there twice, with {_shown(values[ai])} and {_shown(value)}", "qualifier_twice"
            )
    ai = _key(list(values))
    fault = company_fault(list(values))
    if fault is not None:
        raise InvalidIdentifier(fault, "broken_identifier")
    allowed = qualifiers_of(ai)
    qualifiers = tuple((name, values[name]) for name in allowed if name in values)
    attributes = tuple(sorted((name, value) for name, value in values.items() if name not in (ai, *allowed)))
    return identifier_of(ai, values[ai].zfill(14) if ai == "01" else values[ai], qualifiers, attributes)


def _key(ais: Sequence[str]) -> str:
    keys = [ai for ai in ais if ai in KEYS]
    if not keys:
        said = ", ".join(f"({ai})" for ai in ais)
        hint = ": scan the code beside it too, which names the thing" if ais else ""
        raise InvalidIdentifier(f"{said or 'the code'} names no product, pallet or other thing{hint}", "no_key")
    for ai in _RANK:
        if ai in keys:
            rest = [key for key in keys if key != ai and key not in _BESIDE]
            break
    else:
        ai = next((key for key in keys if key not in _BESIDE), keys[0])
        rest = [key for key in keys if key != ai and (key not in _BESIDE or ai in _BESIDE)]
    if rest:
        raise InvalidIdentifier(f"it names several things: {', '.join(f'({key})' for key in (ai, *rest))}")
    return ai


def read_bare_number(text: str) -> Identifier | None:
    """The product (8, 12, 13 or 14 digits) or logistic unit (18) that a number is, if its check digit says so."""
    if len(text) not in (*_GTIN_LENGTHS, _SSCC_LENGTH) or not (text.isascii() and text.isdecimal()):
        return None
    if not has_valid_check_digit(text):
        return None
    if len(text) == _SSCC_LENGTH:
        return identifier_of("00", text, ())
    return identifier_of("01", text.zfill(14), ())


def begins_with_key(data: str) -> bool:
    """Whether a raw string begins with a key whose check digit is right: then it is an element string, whatever follows."""
    ai = ai_at(data, 0)
    length = CHECKED_DIGITS.get("01" if ai in ("02", "03") else ai or "")
    if ai is None or length is None:
        return False
    digits = data[len(ai) : len(ai) + length]
    return len(digits) == length and digits.isascii() and digits.isdecimal() and has_valid_check_digit(digits)


def _shown(text: str) -> str:
    plain = text.replace(GS, "<GS>")
    return repr(plain if len(plain) <= 40 else plain[:40] + "…")
