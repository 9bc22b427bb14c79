"""Many rows in one go, the quickest way each database has.

The rows are tuples of stored values (see :mod:`readmodel.columns`); no SQLAlchemy expression is built per
row. SQLite runs a prepared statement per row; PostgreSQL gets whole columns as arrays in one statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, CursorResult, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from readmodel.columns import LARGEST, SMALLEST, Quantity

Row = tuple[Any, ...]


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a model."""
    table = model.__table__  # type: ignore[attr-defined]
    assert isinstance(table, Table)
    return table


class Bulk:
    """Writes and batched look-ups over one connection, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._arrays = connection.dialect.name == "postgresql"

    def insert(self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row]) -> None:
        """Insert rows; a key that exists is an error."""
        self._many(_insert_sql(model, tuple(columns), self._arrays), self._storable(model, columns, rows))

    def upsert(self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row]) -> None:
        """Insert rows; where the primary key exists, overwrite the other columns."""
        self._many(_upsert_sql(model, tuple(columns), self._arrays), self._storable(model, columns, rows))

    def update(self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row]) -> None:
        """Set columns of existing rows; the first column is the key."""
        self._many(_update_sql(model, tuple(columns), self._arrays), rows)

    def delete(self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row]) -> None:
        """Delete the rows whose columns have these values."""
        self._many(_delete_sql(model, tuple(columns), self._arrays), rows)

    def ids(self, model: type[SQLModel], key: str, values: Collection[str]) -> dict[str, int]:
        """The ids of the rows whose ``key`` is among ``values``."""
        if not values:
            return {}
        table = table_of(model).name
        sql = f'SELECT t."{key}", t.id FROM {{values}} JOIN "{table}" t ON t."{key}" = v.value'
        return dict(self.fetch(sql, values))

    def last_id(self, model: type[SQLModel]) -> int:
        """The highest id, 0 when there is none."""
        highest = self._connection.exec_driver_sql(f'SELECT max(id) FROM "{table_of(model).name}"').scalar()
        return int(highest or 0)

    def any(self, model: type[SQLModel]) -> bool:
        """Whether a table has a row."""
        return self._connection.exec_driver_sql(f'SELECT 1 FROM "{table_of(model).name}" LIMIT 1').first() is not None

    def fetch(self, sql: str, values: Collection[str] | Collection[int], *more: Any) -> list[Any]:
        """Run a query in which ``{values}`` stands for a table ``v`` with one column ``value``.

        ``more`` fills the other ``?`` of the query, all of which come after ``{values}``. One parameter
        carries all values, so there is no limit on their number and the statement text is always the same.
        """
        return fetch(self._connection, sql, values, *more)

    def fetch_ranges(self, sql: str, ranges: Collection[tuple[int, int, int]]) -> list[Any]:
        """See :func:`fetch_ranges`."""
        return fetch_ranges(self._connection, sql, ranges)

    def _storable(self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row]) -> Collection[Row]:
        """The rows as the database takes them: SQLite's integers have 64 bits, quantities any number."""
        places = () if self._arrays else _quantities(model, tuple(columns))
        if not any(not _fits(row[place]) for place in places for row in rows):
            return rows
        return [tuple(str(v) if n in places and not _fits(v) else v for n, v in enumerate(row)) for row in rows]

    def fetch_rows(self, sql: str, columns: Sequence[str], kinds: Sequence[str], rows: Collection[Row]) -> list[Any]:
        """Run a query in which ``{rows}`` stands for a table ``r`` of the rows; ``kinds`` are PostgreSQL's types."""
        return fetch_rows(self._connection, sql, columns, kinds, rows)

    def _many(self, sql: str, rows: Collection[Row]) -> None:
        if not rows:
            return
        if self._arrays:
            self._connection.exec_driver_sql(sql, tuple(list(column) for column in zip(*rows, strict=True)))
        else:
            self._connection.exec_driver_sql(sql, list(rows))


LONG_AGO = -(2**62)
FAR_OFF = 2**62
"""Bounds of a range that has none, in microseconds."""


def fetch(connection: Connection, sql: str, values: Iterable[str] | Iterable[int], *more: Any) -> list[Any]:
    """See :meth:`Bulk.fetch`; rows come as the driver's plain tuples."""
    listed = list(values)
    if not listed:
        return []
    if connection.dialect.name == "postgresql":
        kind = "bigint" if isinstance(listed[0], int) else "text"
        text = sql.replace("?", "%s").replace("{values}", f"unnest(%s::{kind}[]) AS v(value)")
        result = connection.exec_driver_sql(text, (listed, *more))
    else:
        text = sql.replace("{values}", "json_each(?) AS v")
        result = connection.exec_driver_sql(text, (orjson.dumps(listed).decode(), *more))
    return _rows(result)


def fetch_ranges(connection: Connection, sql: str, ranges: Collection[tuple[int, int, int]]) -> list[Any]:
    """Like :func:`fetch`, where ``{ranges}`` is a table ``r`` with columns ``value``, ``low`` and
    ``high``."""
    return fetch_rows(
        connection, sql.replace("{ranges}", "{rows}"), ("value", "low", "high"), ("bigint", "bigint", "bigint"), ranges
    )


def fetch_rows(
    connection: Connection, sql: str, columns: Sequence[str], kinds: Sequence[str], rows: Collection[Row]
) -> list[Any]:
    """See :meth:`Bulk.fetch_rows`; the query's other parameters are none."""
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
        source = f"unnest({arrays}) AS r({_quoted(columns)})"
        parameters: tuple[Any, ...] = tuple(list(column) for column in zip(*rows, strict=True))
    else:
        members = ", ".join(f"json_extract(j.value, '$[{n}]') AS \"{name}\"" for n, name in enumerate(columns))
        source = f"(SELECT {members} FROM json_each(?) AS j) AS r"
        parameters = (orjson.dumps([list(row) for row in rows]).decode(),)
    result = connection.exec_driver_sql(sql.replace("{rows}", source), parameters)
    return _rows(result)


def _rows(result: CursorResult[Any]) -> list[Any]:
    """All rows as the driver has them. SQLite works while they are fetched, and may fail then too (a full disk, when it makes
    room for pages): that is told as SQLAlchemy tells it, or nobody would know that it is the database's fault."""
    cursor = result.cursor
    assert cursor is not None, "only queries are fetched"
    try:
        rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error
    result.close()
    return list(rows)


@cache
def _quantities(model: type[SQLModel], columns: tuple[str, ...]) -> tuple[int, ...]:
    table = table_of(model)
    return tuple(n for n, column in enumerate(columns) if isinstance(table.c[column].type, Quantity))


def _fits(millionths: int | None) -> bool:
    return millionths is None or SMALLEST <= millionths <= LARGEST


def _quoted(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _arrays(table: Table, columns: Sequence[str]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kinds = (table.c[column].type.compile(dialect).partition("(")[0] for column in columns)
    return ", ".join(f"%s::{kind}[]" for kind in kinds)


@cache
def _insert_sql(model: type[SQLModel], columns: tuple[str, ...], arrays: bool) -> str:
    table = table_of(model)
    head = f'INSERT INTO "{table.name}" ({_quoted(columns)}) '
    if arrays:
        return head + f"SELECT * FROM unnest({_arrays(table, columns)})"
    return head + f"VALUES ({', '.join('?' * len(columns))})"


@cache
def _upsert_sql(model: type[SQLModel], columns: tuple[str, ...], arrays: bool) -> str:
    table = table_of(model)
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in keys)
    return _insert_sql(model, columns, arrays) + (
        f" ON CONFLICT ({_quoted(keys)}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")
    )


@cache
def _update_sql(model: type[SQLModel], columns: tuple[str, ...], arrays: bool) -> str:
    table = table_of(model)
    key, *others = columns
    if arrays:
        changes = ", ".join(f'"{column}" = u."{column}"' for column in others)
        source = f"unnest({_arrays(table, columns)}) AS u({_quoted(columns)})"
        return f'UPDATE "{table.name}" AS t SET {changes} FROM {source} WHERE t."{key}" = u."{key}"'
    # The key comes first in the rows, last in the statement: numbered parameters spare us turning every row.
    changes = ", ".join(f'"{column}" = ?{n}' for n, column in enumerate(others, start=2))
    return f'UPDATE "{table.name}" SET {changes} WHERE "{key}" = ?1'


@cache
def _delete_sql(model: type[SQLModel], columns: tuple[str, ...], arrays: bool) -> str:
    table = table_of(model)
    if arrays:
        match = " AND ".join(f't."{column}" = u."{column}"' for column in columns)
        source = f"unnest({_arrays(table, columns)}) AS u({_quoted(columns)})"
        return f'DELETE FROM "{table.name}" AS t USING {source} WHERE {match}'
    match = " AND ".join(f'"{column}" = ?' for column in columns)
    return f'DELETE FROM "{table.name}" WHERE {match}'
