"""From bytes to JSON values, without a surprise on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from epcis.problems import InvalidDocument, Problem, pointer

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_DEPTH = 210
"""Levels of nesting. orjson writes 254: an event must fit into the documents and records that will be around it."""
_ORJSONS_DEPTH = 254
_AROUND = 10
"""More than what is around the events of a batch."""
# One of GS1's own examples names its eventID twice. The last counts, as in most readers: harmless only for
# members that are no part of what an event says, and so not of its hash.
_NOT_IDENTITY = frozenset({"eventID", "recordTime"})


_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
# A quantity's number; one of at most 15 characters without an exponent is what its double says.
_QUANTITY = re.compile(rb'"quantity"[ \t\r\n]*:[ \t\r\n]*(-?[0-9][0-9.eE+-]*)')
_SURELY_EXACT = 15
_SHOWN = 60


class Inexact(float):
    """A quantity that a double cannot hold: what was sent is in ``text``. Only to be refused (:func:`epcis.check`)."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, number: Decimal) -> Inexact:
        made = super().__new__(cls, number)
        made.text = str(number)[:_SHOWN]
        return made


def read_json(
    data: bytes | bytearray | memoryview | str | dict[str, Any], events_in: Callable[[Any], list[Any]] | None = None
) -> Any:
    """The JSON value in ``data``; a dictionary is read like the text it would be sent as, and so copied.

    ``events_in`` finds the events in the value, whose quantities are held to their digits (:func:`mark_inexact`).

    Raises:
        InvalidDocument: it is not UTF-8, not JSON (RFC 8259), nested deeper than 210 levels, has a number
            beyond what a double can hold, or has an object that names a member twice (except eventID, recordTime).
    """
    if isinstance(data, dict):
        # Written by ourselves just now, so there is nothing in it to distrust but its depth.
        copied = orjson.loads(_written(data))
        if is_too_deep(copied):
            raise too_deep()
        return copied
    source = _encoded(data)
    try:
        value = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise _invalid("json", f"not JSON: {error}") from None
    is_flat = source.count(b"{") + source.count(b"[") <= MAX_DEPTH
    again = orjson.dumps(value) if is_flat else _written_deep(value)
    if again is None:
        raise too_deep()
    # Every member has its colon. If writing the value out again lost one, a member was named twice; only
    # colons written as escapes could hide that.
    if source.count(b":") != again.count(b":") or b"\\u003" in source:
        _refuse_repeated_names(source)
    if events_in is not None and (b'"quantity"' in source or b"\\u00" in source):
        mark_inexact(source, value, events_in)
    return value


def is_too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a JSON value is nested deeper than an event may be."""
    return _written_deep(value, levels) is None


def too_deep() -> InvalidDocument:
    return _invalid("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def mark_inexact(source: bytes, value: Any, events_in: Callable[[Any], list[Any]]) -> None:
    """Replace the quantities that no double can hold, in the events of ``value``, by ``Inexact`` ones.

    ``value`` was read from ``source`` with numbers as doubles. Nothing is read again where no quantity has many digits.

    Raises:
        InvalidDocument: too deep to be read again.
    """
    if not any(_may_be_inexact(match[1]) for match in _QUANTITY.finditer(source)) and b"\\u00" not in source:
        return
    if is_too_deep(value, MAX_DEPTH + _AROUND):
        raise too_deep()
    exact = json.loads(source, parse_float=Decimal, parse_int=Decimal)
    for event, written in zip(events_in(value), events_in(exact), strict=True):
        for place in _quantities(event):
            for element, original in zip(event[place], written[place], strict=True):
                _mark(element, original)


def _may_be_inexact(token: bytes) -> bool:
    return len(token) > _SURELY_EXACT or b"e" in token or b"E" in token


def _quantities(event: Any) -> list[str]:
    return [name for name in _QUANTITIES if isinstance(event.get(name), list)] if isinstance(event, dict) else []


def _mark(element: Any, original: Any) -> None:
    if isinstance(element, dict) and isinstance(number := original.get("quantity"), Decimal):
        held = element["quantity"]
        if Decimal(held if isinstance(held, int) else repr(held)) != number:
            element["quantity"] = Inexact(number)


def _written_deep(value: Any, levels: int = MAX_DEPTH) -> bytes | None:
    """``value`` as JSON, None where it is too deep: it is written inside so many lists that orjson's limit is ours."""
    for _ in range(_ORJSONS_DEPTH - levels):
        value = [value]
    try:
        return orjson.dumps(value, default=float)
    except TypeError:
        return None


def _encoded(data: Any) -> bytes:
    if isinstance(data, str):
        try:
            return data.encode()
        except UnicodeEncodeError:
            raise _invalid("encoding", "text with half a surrogate pair cannot be UTF-8") from None
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data).removeprefix(_BYTE_ORDER_MARK)
    raise _invalid("type", f"expected JSON as bytes, text or a dictionary, not {type(data).__name__}")


def _written(data: dict[str, Any]) -> bytes:
    try:
        written = orjson.dumps(data)
        if b"null" in written:
            # orjson writes NaN and infinities as null; json refuses them.
            json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        if "ecursion" in str(error):
            raise too_deep() from None
        raise _invalid("json", f"not JSON: {error}") from None
    return written


def _refuse_repeated_names(source: bytes) -> None:
    def members(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen and name not in _NOT_IDENTITY:
                raise _RepeatedNameError(name)
            seen.add(name)

    try:
        json.loads(source, object_pairs_hook=members)
    except _RepeatedNameError as error:
        name = error.args[0]
        raise InvalidDocument(
            [Problem(None, pointer(name), "repeated_name", f"an object names its member {name!r} twice")]
        ) from None
    except RecursionError:
        raise too_deep() from None


class _RepeatedNameError(Exception):
    pass


def _invalid(code: str, message: str) -> InvalidDocument:
    return InvalidDocument([Problem(None, "", code, message)])
