"""How a batch travels: JSON, compressed with gzip (RFC 1952) where that pays.

A transaction is kept for ever by every peer and orderer, and goes through each of them several times; events repeat
themselves, so that a batch of hundreds shrinks to a tenth.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import orjson

from chaincode.rejection import Malformed
from epcis import Event, InvalidDocument, parse_value
from epcis.reading import is_too_deep, mark_inexact, too_deep

FORM = "a batch is {'groups': [{'id', 'onError', 'events'}]}"
LARGEST = 64 * 1024 * 1024
"""Bytes of JSON that a batch may hold, however small it was compressed."""

_WORTHWHILE = 2048
_MAGIC = b"\x1f\x8b"
_FASTEST = 1


def encode(batch: bytes) -> bytes:
    """JSON as it is sent; the same input gives the same bytes."""
    return gzip.compress(batch, _FASTEST, mtime=0) if len(batch) >= _WORTHWHILE else batch


def decode(sent: bytes) -> Any:
    """The JSON value in what was sent, compressed or not. Raises Malformed."""
    batch = _inflated(sent) if sent.startswith(_MAGIC) else sent
    try:
        value = orjson.loads(batch)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{FORM}: {error}") from error
    try:
        mark_inexact(batch, value, _events)
    except InvalidDocument as error:
        raise Malformed(f"{FORM}: {error}") from error
    return value


def reader(value: Any) -> Callable[[Any], Event]:
    """How to read the events of a batch: one that is nested too deeply is refused by itself."""
    return _read_shallow if is_too_deep(value) else parse_value


def _read_shallow(event: Any) -> Event:
    if is_too_deep(event):
        raise too_deep()
    return parse_value(event)


def _events(batch: Any) -> list[Any]:
    """Every event in a batch, as far as it has the form of one."""
    groups = batch.get("groups") if isinstance(batch, dict) else None
    lists = [group.get("events") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []
    return [event for events in lists if isinstance(events, list) for event in events]


def _inflated(sent: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        inflated = reader.decompress(sent, LARGEST)
    except zlib.error as error:
        raise Malformed(f"a batch that begins as gzip does is not gzip: {error}") from error
    if reader.unconsumed_tail:
        raise Malformed(f"a batch holds at most {LARGEST // 1024 // 1024} MiB of JSON: send fewer events at once")
    if not reader.eof or reader.unused_data:
        raise Malformed("a gzip batch is cut off, or something follows it")
    return inflated
