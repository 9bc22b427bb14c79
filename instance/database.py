"""How the databases of an instance are opened and written, once, in one way: SQLite files, or a PostgreSQL database that several
processes and hosts share (`instance.postgres`)."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from instance.postgres import PostgresConnection, PostgresError
from ledger.readonly import is_read_only, open_reader

BUSY_SECONDS = 10.0

Connection: TypeAlias = sqlite3.Connection | PostgresConnection
"""Both take the same statements."""
DATABASE_ERRORS = (sqlite3.Error, PostgresError)
"""What is raised when a file cannot be read or written, or a database is away."""


def words(error: Exception) -> str:
    """What may be told to whoever asks: a database's own words name its address."""
    return "its database does not answer" if isinstance(error, PostgresError) else str(error)


def connect(path: Path, *, autocheckpoint: int = 1000) -> sqlite3.Connection:
    """A connection in write-ahead mode whose commits survive a power cut (``synchronous=FULL``).

    Transactions are begun by hand (`transaction`). One thread at a time may use it. A file that this user may not write
    is opened for reading.
    """
    if is_read_only(path):
        reader = open_reader(path)
        reader.row_factory = sqlite3.Row
        return reader
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _make_private(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA wal_autocheckpoint={int(autocheckpoint)}")
    return connection


def _make_private(path: Path) -> None:
    """A new file is its owner's from the first byte on, and so are those that SQLite makes beside it.

    A file that is there is not opened, not even for a moment: closing it would drop every lock that this process has on it
    (POSIX), also those of its other connections. Then somebody else who closes the file takes himself for the last one and
    removes the log that these connections go on writing to.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def transaction(connection: Connection, *, durable: bool = True) -> Iterator[None]:
    """One write transaction: everything inside is kept, or nothing.

    ``durable=False`` leaves out the flush to the disk: the commit still survives the death of the process, but
    perhaps not a power cut. It is for what can be found out again, so that others wait less for the file.
    """
    if isinstance(connection, PostgresConnection):
        with connection.transaction(durable=durable):
            yield
        return
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    _begin(connection)
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock. SQLite's own waiting sleeps longer each time, up to 100 ms, for a lock that is held for
    two; this looks again every half millisecond."""
    patience = time.monotonic() + BUSY_SECONDS
    connection.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                    raise
            time.sleep(0.0005)
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when *another* connection has committed to the file; costs about 2 µs."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
