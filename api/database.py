"""How SQLite files of an instance are opened: once, in one way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def connect(path: Path, *, busy_timeout: float = 10.0, autocheckpoint: int = 1000) -> sqlite3.Connection:
    """A connection in write-ahead mode whose commits survive a power cut (``synchronous=FULL``).

    Transactions are begun by hand (`transaction`). One thread at a time may use it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, timeout=busy_timeout, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={int(autocheckpoint)}")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: everything inside is kept, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when *another* connection has committed to the file; costs about 2 µs."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
