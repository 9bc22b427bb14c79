"""Open the read model's database."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.pool import QueuePool

from ledger.readonly import is_read_only, open_reader

_PRAGMAS = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # losing the last commits in a power cut is harmless: the chain has them
    "PRAGMA wal_autocheckpoint = 8192",  # 32 MB: pages written again and again reach the file once
    "PRAGMA cache_size = -16384",
    "PRAGMA mmap_size = 1073741824",
    "PRAGMA temp_store = MEMORY",
)

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What is raised when the database does not answer; ``said`` tells its words."""
NOT_OF_THIS_VERSION = (OperationalError, ProgrammingError)
"""Among these is what is raised when a table or column is missing; ``is_missing`` tells."""
_MISSING = ("no such table", "no such column", "42P01", "42703")  # SQLite's words, PostgreSQL's codes
_CANCELLED = "57014"  # PostgreSQL: statement_timeout
_LIMIT_EXCEEDED = "54"  # PostgreSQL's class of "statement too complex" and the like
_TOO_COMPLEX = ("Expression tree is too large", "too many SQL variables", "parser stack overflow", "too many terms")
_STEPS = 20_000  # of SQLite's machine, a few hundred microseconds
_CONNECT_SECONDS = 10  # the system's own patience with a server that is gone is minutes

# Every question here is a batch of look-ups by index. PostgreSQL's defaults are for disks that turn, where it
# prefers reading a whole table; and compiling takes longer than these questions do.
_POSTGRES = "-c random_page_cost=1.1 -c jit=off"


def open_engine(url: str | URL | Path, *, seconds: float | None = None) -> Engine:
    """An engine for a SQLAlchemy URL (``sqlite:///file``, ``postgresql://…``) or the path of a SQLite file.

    SQLite is opened in WAL mode: any number of readers see whole blocks while one projector writes. A file that this
    user may not write is opened for reading. The tables are made by :func:`readmodel.migrate`. With ``seconds`` a
    question that takes longer is ended by the database (:func:`is_overrun`): a statement on PostgreSQL, a transaction
    on SQLite.
    """
    # never by way of a text: `?`, `#` and `%` mean something in a URL, and nothing in a path
    parsed = URL.create("sqlite", database=str(url)) if isinstance(url, Path) else make_url(url)
    if parsed.get_backend_name() == "postgresql":
        options = _POSTGRES if seconds is None else f"{_POSTGRES} -c statement_timeout={int(seconds * 1000)}"
        arguments = {"options": options, "connect_timeout": _CONNECT_SECONDS}
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=arguments)
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"the read model runs on SQLite or PostgreSQL, not on {parsed.get_backend_name()}")
    file = Path(parsed.database or "")
    if parsed.database and is_read_only(file):
        engine = create_engine("sqlite://", creator=lambda: open_reader(file), poolclass=QueuePool)
    else:
        engine = create_engine(parsed)
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    if seconds is not None:
        _limit_sqlite(engine, seconds)
    return engine


def is_sound(file: Path) -> bool:
    """Whether SQLite can read a file, as far as a quick look at all of its pages tells."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        return isinstance(error, sqlite3.OperationalError)  # locked or away: not to be judged by its content


def said(error: DBAPIError) -> str:
    """What the database or its driver said of a failure, in one line."""
    return " ".join(str(error.orig).split())


def is_missing(error: DBAPIError) -> bool:
    """Whether a table or column was asked for that this database does not have: another version made it."""
    found = getattr(error.orig, "sqlstate", None) or str(error.orig)
    return found.startswith(_MISSING)


def is_overrun(error: DBAPIError) -> bool:
    """Whether the database ended a question that took too long."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT or (
        getattr(error.orig, "sqlstate", None) == _CANCELLED
    )


def is_too_complex(error: DBAPIError) -> bool:
    """Whether the database refused a question for its form; it would never answer it."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(_LIMIT_EXCEEDED) or str(error.orig).startswith(_TOO_COMPLEX)


def _limit_sqlite(engine: Engine, seconds: float) -> None:
    """SQLite asks now and then whether to go on; a transaction has so many seconds from its begin."""

    def connected(connection: Any, record: Any) -> None:
        deadline = record.info["deadline"] = [math.inf]
        connection.set_progress_handler(lambda: time.monotonic() > deadline[0], _STEPS)

    def begun(connection: Connection) -> None:
        connection.info["deadline"][0] = time.monotonic() + seconds

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see _begin_sqlite
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the write lock at once: to find it taken at the first write means starting over."""
    writes = connection.get_execution_options().get("lotline_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
