"""Read members of records that anybody may have written. What is not as it should be is :class:`UnreadableError`, nothing else.

A record that this contract wrote always reads. One of another version, or by another hand, may hold anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from epcis.formats import utc_micros
from readmodel.columns import dump, to_millionths
from readmodel.identifiers import clean

Members = Mapping[str, Any]
_SHOWN = 60
_TEXTS = frozenset({str})
_PLAIN = 200
"""A text shorter than this is as clean as it is: most are, and this is asked of every text on the ledger."""


class UnreadableError(ValueError):
    """A record cannot be read; the text says which member and why. The same record always gives the same text."""


def members(raw: bytes | None) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = orjson.loads(raw or b"")
    except orjson.JSONDecodeError:
        raise UnreadableError("not JSON") from None
    if not isinstance(value, dict):
        raise UnreadableError(f"{_kind(value)}, not an object")
    return value


def text(record: Members, name: str) -> str | None:
    """A text that can be kept and looked up by, None if it is absent."""
    value = record.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise UnreadableError(f"{name}: {_kind(value)}, not text")
    return value if len(value) < _PLAIN and "\x00" not in value else clean(value)


def needed(record: Members, name: str) -> str:
    """A text that must be there."""
    value = text(record, name)
    if value is None:
        raise UnreadableError(f"{name}: missing")
    return value


def shown(record: Members, name: str) -> str | None:
    """A text that is shown, never looked up by: only what PostgreSQL cannot hold is replaced."""
    value = record.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise UnreadableError(f"{name}: {_kind(value)}, not text")
    return value.replace("\x00", "\ufffd")


def flag(record: Members, name: str) -> bool | None:
    """True, false or None."""
    value = record.get(name)
    if value is not None and type(value) is not bool:
        raise UnreadableError(f"{name}: {_kind(value)}, not true or false")
    return value


def texts(record: Members, name: str) -> list[str]:
    """A list of texts as they were written; absent is empty."""
    value = record.get(name)
    if value is None:
        return []
    if type(value) is not list or not _TEXTS.issuperset(map(type, value)):
        raise UnreadableError(f"{name}: not a list of texts")
    return value


def text_list(record: Members, name: str) -> str | None:
    """A list of texts as JSON, None if it is absent."""
    return None if record.get(name) is None else dump(texts(record, name))


def moment(record: Members, name: str) -> int | None:
    """A time in microseconds since 1970, None if it is absent or empty."""
    value = record.get(name)
    if value is None or value == "":
        return None
    return micros(value, name)


def micros(value: Any, name: str) -> int:
    """A time in microseconds since 1970, by the one reading of times that the contract has too."""
    if type(value) is not str:
        raise UnreadableError(f"{name}: {_kind(value)}, not a time")
    try:
        return utc_micros(value)
    except ValueError as error:
        raise UnreadableError(f"{name}: {value[:_SHOWN]!r}: {error}") from None


def amount(value: Any, name: str) -> int:
    """A quantity in millionths."""
    if type(value) not in (int, float, str, Decimal):
        raise UnreadableError(f"{name}: {_kind(value)}, not a quantity")
    try:
        return to_millionths(value)
    except ValueError as error:
        raise UnreadableError(f"{name}: {str(value)[:_SHOWN]!r}: {error}") from None


def exact(record: Members, name: str) -> str | None:
    """A quantity as the decimal text that the ledger has; None if it is absent."""
    value = record.get(name)
    if value is None:
        return None
    amount(value, name)
    return str(value)


def number(record: Members, name: str) -> float | None:
    """A coordinate: what is no number is None."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def inner(record: Members, name: str) -> Members:
    """An object in the record; absent is empty."""
    value = record.get(name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise UnreadableError(f"{name}: {_kind(value)}, not an object")
    return value


_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")
