"""How a batch travels: JSON, compressed with gzip (RFC 1952) where that pays.

A transaction is kept for ever by every peer and orderer, and goes through each of them several times; events repeat
themselves, so that a batch of hundreds shrinks to a tenth.
"""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson

from chaincode.rejection import Malformed

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
    try:
        return orjson.loads(_inflated(sent) if sent.startswith(_MAGIC) else sent)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{FORM}: {error}") from error


def is_deep(value: Any) -> bool:
    """Whether something in it is nested so deeply that it could not be written again: then each event needs a look."""
    try:
        orjson.dumps(value)
    except TypeError:
        return True
    return False


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
