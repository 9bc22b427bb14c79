"""Many rows in one go, the quickest way each database has.

The rows are tuples of stored values (see :mod:`readmodel.columns`); no SQLAlchemy expression is built per
row. SQLite runs a prepared statement per row; PostgreSQL gets whole columns as arrays in one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

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
        self._many(_insert_sql(model, tuple(columns), self._arrays), rows)

    def upsert(
        self, model: type[SQLModel], columns: Sequence[str], rows: Collection[Row], add: Sequence[str] = ()
    ) -> None:
        """Insert rows; where the primary key exists, overwrite the other columns, or add to those in
        ``add``."""
        self._many(_upsert_sql(model, tuple(columns), tuple(add), self._arrays), rows)

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

    def fetch(self, sql: str, values: Collection[str] | Collection[int], *more: Any) -> list[Any]:
        """Run a query in which ``{values}`` stands for a table ``v`` with one column ``value``.

        ``more`` fills the other ``?`` of the query, all of which come after ``{values}``. One parameter
        carries all values, so there is no limit on their number and the statement text is always the same.
        """
        return fetch(self._connection, sql, values, *more)

    def fetch_ranges(self, sql: str, ranges: Collection[tuple[int, int, int]]) -> list[Any]:
        """See :func:`fetch_ranges`."""
        return fetch_ranges(self._connection, sql, ranges)

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
    cursor = result.cursor
    assert cursor is not None, "only queries are fetched"
    rows = cursor.fetchall()
    result.close()
    return list(rows)


def fetch_ranges(connection: Connection, sql: str, ranges: Collection[tuple[int, int, int]]) -> list[Any]:
    """Like :func:`fetch`, where ``{ranges}`` is a table ``r`` with columns ``value``, ``low`` and
    ``high``."""
    if not ranges:
        return []
    if connection.dialect.name == "postgresql":
        source = "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS r(value, low, high)"
        parameters: tuple[Any, ...] = tuple(list(column) for column in zip(*ranges, strict=True))
    else:
        parts = ("value", "low", "high")
        members = ", ".join(f"json_extract(j.value, '$[{n}]') AS {part}" for n, part in enumerate(parts))
        source = f"(SELECT {members} FROM json_each(?) AS j) AS r"
        parameters = (orjson.dumps([tuple(one) for one in ranges]).decode(),)
    result = connection.exec_driver_sql(sql.replace("{ranges}", source), parameters)
    cursor = result.cursor
    assert cursor is not None, "only queries are fetched"
    rows = cursor.fetchall()
    result.close()
    return list(rows)


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
def _upsert_sql(model: type[SQLModel], columns: tuple[str, ...], add: tuple[str, ...], arrays: bool) -> str:
    table = table_of(model)
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(
        f'"{column}" = "{table.name}"."{column}" + excluded."{column}"'
        if column in add
        else f'"{column}" = excluded."{column}"'
        for column in columns
        if column not in keys
    )
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
