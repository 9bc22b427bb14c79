"""From bytes to JSON values, without a surprise on the way."""

from __future__ import annotations

import json
from typing import Any

import orjson

from epcis.problems import InvalidDocument, Problem, pointer

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAX_DEPTH = 254
# One of GS1's own examples names its eventID twice. The last counts, as in most readers: harmless only for
# members that are no part of what an event says, and so not of its hash.
_NOT_IDENTITY = frozenset({"eventID", "recordTime"})


def read_json(data: bytes | bytearray | memoryview | str | dict[str, Any]) -> Any:
    """The JSON value in ``data``; a dictionary is read like the text it would be sent as, and so copied.

    Raises:
        InvalidDocument: it is not UTF-8, not JSON (RFC 8259), nested deeper than 254 levels, has a number
            that no double can hold, or has an object that names a member twice (except eventID, recordTime).
    """
    if isinstance(data, dict):
        # Written by ourselves just now, so there is nothing in it to distrust.
        return orjson.loads(_written(data))
    source = _encoded(data)
    try:
        value = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise _invalid("json", f"not JSON: {error}") from None
    try:
        again = orjson.dumps(value)
    except TypeError:
        raise _invalid("too_deep", f"nested deeper than {_MAX_DEPTH} levels") from None
    # Every member has its colon. If writing the value out again lost one, a member was named twice; only
    # colons written as escapes could hide that.
    if source.count(b":") != again.count(b":") or b"\\u003" in source:
        _refuse_repeated_names(source)
    return value


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
        raise _invalid("too_deep", f"nested deeper than {_MAX_DEPTH} levels") from None


class _RepeatedNameError(Exception):
    pass


def _invalid(code: str, message: str) -> InvalidDocument:
    return InvalidDocument([Problem(None, "", code, message)])
