"""Reading the arguments of functions other than ``capture``: what is wrong with one is said of its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import orjson

from chaincode.rejection import Malformed
from chaincode.state import Record
from epcis.identifiers import LONGEST_KEY, InvalidIdentifier, parse

MOST_ENTRIES = 10_000
LONGEST_TEXT = 1_000
_LONGEST_MSP = 200
# Characters that a terminal or a page obeys instead of showing: controls, and what turns the direction of writing. Spelt out, because
# a table of Unicode would tie the verdict to each peer's version of it.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
Out = TypeVar("Out")


def entries(argument: bytes) -> list[Record]:
    """The objects of an argument: one, or a list of them. Raises Malformed."""
    try:
        document = orjson.loads(argument)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the argument is not JSON: {error}") from error
    found = document if isinstance(document, list) else [document]
    if not found or not all(isinstance(entry, dict) for entry in found):
        raise Malformed("the argument is an object, or a list of objects that is not empty")
    if len(found) > MOST_ENTRIES:
        raise Malformed(f"more than {MOST_ENTRIES} at once", 413)
    return found


def each(argument: bytes, do: Callable[[Record], Out]) -> Iterator[Out]:
    """What a function makes of each object of an argument; a refusal says which one it is about. Raises Malformed."""
    for number, entry in enumerate(entries(argument)):
        try:
            yield do(entry)
        except Malformed as error:
            raise Malformed(f"entry {number}: {error}", error.status) from error


def only(entry: Record, *fields: str) -> None:
    """Raises Malformed for a field that the function does not know: one that is mistyped would be lost without a word."""
    unknown = sorted(entry.keys() - set(fields))
    if unknown:
        raise Malformed(f"there is no {', '.join(unknown)}; there are {', '.join(fields)}")


def link(entry: Record, field: str, ais: tuple[str, ...]) -> str:
    """A GS1 identifier of one of these kinds, in its one spelling. Raises Malformed."""
    value = entry.get(field)
    try:
        known = parse(str(value))
    except InvalidIdentifier as error:
        raise Malformed(f"{field}: {error}") from error
    if known.ai not in ais or not known.has_valid_check_digit:
        raise Malformed(f"{field}: {value} is not a valid {' or '.join(ais)} identifier")
    return known.canonical


def text(entry: Record, field: str) -> str | None:
    """A text for people, None if it is not given. Raises Malformed for a blank one and for one that cannot be shown."""
    value = entry.get(field)
    return None if value is None else shown(value, field)


def required_text(entry: Record, field: str, longest: int = LONGEST_TEXT) -> str:
    """A text that must be given. Raises Malformed."""
    return shown(entry.get(field), field, longest)


def shown(value: object, field: str, longest: int = LONGEST_TEXT) -> str:
    """The value if it is a text that can be shown. Raises Malformed."""
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"{field} is a text that is not empty")
    if len(value) > longest:
        raise Malformed(f"{field} has more than {longest} characters")
    if _UNSHOWN.search(value.replace("\n", " ")):
        raise Malformed(f"{field} holds a character that cannot be shown")
    return value


def key_text(entry: Record, field: str) -> str:
    """A text that becomes part of a key. Raises Malformed."""
    return required_text(entry, field, LONGEST_KEY)


def msp(entry: Record, field: str) -> str:
    """An organisation. Raises Malformed."""
    return required_text(entry, field, _LONGEST_MSP)


def number(entry: Record, field: str, limit: int) -> float | int | None:
    """A number no farther from 0 than ``limit``, None if it is not given. Raises Malformed."""
    value = entry.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
        raise Malformed(f"{field} is a number from -{limit} to {limit}")
    return value
