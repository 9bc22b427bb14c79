"""A PostgreSQL database as the store of an instance's inbox and tokens, for several processes and hosts at once.

`PostgresConnection` takes the statements that SQLite takes (``?`` for a value, rows by name and by place), so that what works on
the one works on the other. The tables lie in a schema of their own, `SCHEMA`, beside the read model's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from ledger.schema import NewerSchemaError

if TYPE_CHECKING:
    import psycopg  # an extra: only where a database is configured

SCHEMA = "instance"
CONNECT_SECONDS = 5
# A host that is gone is noticed by what is not acknowledged, and one that asks nothing is asked.
_GONE = "keepalives_idle=10&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=20000"
# Whoever stops in the middle of a transaction holds others up, and is cut off by the server.
_OPTIONS = f"-c search_path={SCHEMA} -c idle_in_transaction_session_timeout=15000 -c statement_timeout=30000"


class PostgresError(Exception):
    """The database cannot be reached, or broke off: what was under way may or may not have been kept."""


class Row(tuple[Any, ...]):
    """One row: values by place and by name, as `sqlite3.Row` has them."""

    names: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def keys(self) -> tuple[str, ...]:
        return self.names


class Result:
    """What a statement gave."""

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class PostgresConnection:
    """A session that comes back: one that was lost is made anew with the next statement, outside of a transaction.

    Safe to share between threads, one statement (or transaction of one of them) at a time. Raises `PostgresError` while the
    database is away. ``session`` counts the sessions: locks are lost with the one they were taken in.
    """

    def __init__(self, url: str) -> None:
        self._url = libpq_url(url)
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Row] | None = None
        self._locks: dict[str, int] = {}
        self.session = 0
        self._open()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Result:
        """Run one statement. Outside of a transaction it is tried once more with a new session if the old one was lost."""
        with self._lock:
            connection = self._usable()
            try:
                return self._run(connection, statement, values)
            except PostgresError:
                if self._connection is not None or self._in_transaction:
                    raise
            return self._run(self._usable(), statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values, without waiting for each answer."""
        with self._lock, self._watched() as connection, connection.cursor() as cursor:
            cursor.executemany(_translated(statement), [_plain(row) for row in rows])

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """All that is done inside is kept, or nothing; not ``durable``: perhaps not over a power cut of the server."""
        with self._begun("BEGIN" if durable else "BEGIN; SET LOCAL synchronous_commit = off"):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is as it was at one moment."""
        with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        with self._lock:
            self.execute(begin)
            self._in_transaction = True
            try:
                yield
                with self._watched() as connection:
                    connection.execute("COMMIT")
            except BaseException:
                if self._connection is not None:
                    with suppress(PostgresError), self._watched() as connection:
                        connection.execute("ROLLBACK")
                raise
            finally:
                self._in_transaction = False

    def try_lock(self, name: str) -> bool:
        """Take a lock among all sessions on this database, without waiting; True if it is held from now on (or was). It is lost
        with the session."""
        with self._lock:
            if self._locks.get(name) == self.session and self._connection is not None:
                return True
            row = self.execute("SELECT pg_try_advisory_lock(hashtextextended(?, 0))", (_lock_name(name),)).fetchone()
            if row[0]:
                self._locks[name] = self.session
            return bool(row[0])

    def unlock(self, name: str) -> None:
        """Let others have it."""
        with self._lock:
            if self._locks.pop(name, None) == self.session and self._connection is not None:
                with suppress(PostgresError):
                    self.execute("SELECT pg_advisory_unlock(hashtextextended(?, 0))", (_lock_name(name),))

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    _in_transaction = False

    def _usable(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            if self._in_transaction:
                raise PostgresError("the database broke off in the middle of a transaction")
            self._open()
        assert self._connection is not None
        return self._connection

    def _run(self, connection: psycopg.Connection[Row], statement: str, values: Sequence[Any]) -> Result:
        with self._watched(connection), connection.cursor() as cursor:
            cursor.execute(_translated(statement), _plain(values) if values else None)
            return Result(cursor.fetchall() if cursor.description else [], cursor.rowcount)

    @contextmanager
    def _watched(self, connection: psycopg.Connection[Row] | None = None) -> Iterator[psycopg.Connection[Row]]:
        """Tells a database that is away from a statement that is wrong."""
        import psycopg
        from psycopg.pq import TransactionStatus

        connection = connection or self._usable()
        try:
            yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection.closed or connection.pgconn.transaction_status == TransactionStatus.UNKNOWN:
                self.close()
            raise PostgresError(_words(error)) from error

    def _open(self) -> None:
        import psycopg

        try:
            self._connection = psycopg.connect(
                self._url, autocommit=True, row_factory=_rows, connect_timeout=CONNECT_SECONDS, options=_OPTIONS
            )  # fmt: skip
        except psycopg.Error as error:
            raise PostgresError(_words(error)) from error
        self.session += 1


def bring_up(connection: PostgresConnection, part: str, steps: Sequence[str]) -> None:
    """Take the tables of one part of the schema to the version that has ``steps`` behind it, as `ledger.schema.bring_up` does for
    a file. Several processes may do this at once."""
    known = connection.execute("SELECT to_regclass(?) IS NOT NULL", (f"{SCHEMA}.version",)).fetchone()
    if known[0] and _version(connection, part) == len(steps):
        return
    with connection.transaction(durable=True):
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (_lock_name("schema"),))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute("CREATE TABLE IF NOT EXISTS version (part TEXT PRIMARY KEY, number INTEGER NOT NULL)")
        at = _version(connection, part)
        if at > len(steps):
            raise NewerSchemaError(
                f"the {part} in the database was written by a later version of Lotline (its tables are at version {at}, this one "
                f"knows up to {len(steps)})"
            )
        for step in steps[at:]:
            connection.execute(step)
        connection.execute(
            "INSERT INTO version VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET number = excluded.number",
            (part, len(steps)),
        )


def libpq_url(url: str) -> str:
    """The address of a database as its own library takes it; raises `ValueError` for one that is not PostgreSQL's."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError(f"an inbox is kept in a file or in PostgreSQL, not in {parsed.get_backend_name()}")
    text = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return f"{text}{'&' if parsed.query else '?'}{_GONE}"


def _version(connection: PostgresConnection, part: str) -> int:
    row = connection.execute("SELECT number FROM version WHERE part = ?", (part,)).fetchone()
    return 0 if row is None else int(row[0])


def _lock_name(name: str) -> str:
    return f"lotline {name}"


@lru_cache(maxsize=500)
def _translated(statement: str) -> Any:
    return statement.replace("%", "%%").replace("?", "%s") if "?" in statement else statement


def _plain(values: Sequence[Any]) -> list[Any]:
    """A flag is a number in these tables; a text of PostgreSQL's holds no NUL."""
    return [
        int(value) if isinstance(value, bool) else value.replace("\0", "�") if isinstance(value, str) else value
        for value in values
    ]


def _rows(cursor: psycopg.Cursor[Any]) -> Any:
    return _row_of(tuple(column.name for column in cursor.description or ()))


@lru_cache(maxsize=500)
def _row_of(names: tuple[str, ...]) -> type[Row]:
    return type("Row", (Row,), {"names": names, "__slots__": ()})


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split()) or type(error).__name__
