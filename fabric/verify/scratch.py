"""Where a verification keeps what it must remember of a chain: in memory while that is little, on the disk when it grows.

A temporary database of SQLite: nobody else sees it, and it is gone with the process or when it is closed. ``SQLITE_TMPDIR`` or
``TMPDIR`` say where.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

_CACHE_KIB = 64 * 1024
_SETTINGS = ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}", "temp_store = FILE")


def open_scratch() -> sqlite3.Connection:
    """A new, empty one."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    return connection


class Ids:
    """The transaction ids of the blocks so far."""

    def __init__(self, scratch: sqlite3.Connection) -> None:
        self._db = scratch
        self._db.execute("CREATE TABLE ids (id BLOB PRIMARY KEY) WITHOUT ROWID")

    def __contains__(self, tx_id: str) -> bool:
        return self._db.execute("SELECT 1 FROM ids WHERE id = ?", (_brief(tx_id),)).fetchone() is not None

    def update(self, tx_ids: set[str]) -> None:
        """Remember these too."""
        self._db.executemany("INSERT OR IGNORE INTO ids VALUES (?)", [(_brief(tx_id),) for tx_id in tx_ids])


def _brief(tx_id: str) -> bytes:
    """Half the bytes for what is a hash. Anybody may have written something else, and longer."""
    if len(tx_id) == 64 and not tx_id.strip("0123456789abcdef"):
        return bytes.fromhex(tx_id)
    return b"?" + tx_id.encode()


def chunks(values: list[Any], size: int = 500) -> Iterator[tuple[str, list[Any]]]:
    """So many values at a time, each with the question marks that stand for them."""
    for start in range(0, len(values), size):
        chunk = values[start : start + size]
        yield ",".join("?" * len(chunk)), chunk
