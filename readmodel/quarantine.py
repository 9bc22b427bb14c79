"""What is set aside because it cannot be read: a row of evidence for each record, and everything else goes on."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import NamedTuple

from fabric.words.blocks import Write
from readmodel.bulk import Row
from readmodel.identifiers import clean

ANSWER, WHOLE = -1, -2
"""Places of what is no write: a transaction's answer; all of a transaction."""
_SHOWN = 1_024

COLUMNS = ("transaction_id", "n", "block", "tx_id", "kind", "key", "reason", "raw", "size", "digest")


class Origin(NamedTuple):
    """The transaction that something was written by."""

    block: int
    transaction: int
    tx_id: str
    timestamp: int | None


def set_aside(origin: Origin, n: int, kind: str, key: str, reason: str, raw: bytes) -> Row:
    """The row of something that cannot be read."""
    return (
        origin.transaction,
        n,
        origin.block,
        clean(origin.tx_id),
        clean(kind),
        clean(key),
        clean(reason),
        base64.b64encode(raw[:_SHOWN]).decode(),
        len(raw),
        sha256(raw).hexdigest(),
    )


def set_aside_write(origin: Origin, n: int, write: Write, reason: str) -> Row:
    """The row of a write that cannot be read."""
    kind, _, rest = write.key[1:].partition("\x00")
    return set_aside(origin, n, kind, rest.removesuffix("\x00").replace("\x00", " "), reason, write.value or b"")
