"""One number for everything made from blocks: two read models of one chain have the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.types import String, Text, TypeDecorator

from readmodel.bulk import table_of
from readmodel.columns import as_stored
from readmodel.derived import DERIVED_TABLES

_ROWS = 2_000


def digest(engine: Engine) -> str:
    """SHA-256 (hex) over the content of every derived table, in order of primary key.

    It does not depend on the database: SQLite and PostgreSQL give the same, and so does a rebuild.
    """
    total = sha256()
    with engine.connect() as connection:
        for model in sorted(DERIVED_TABLES, key=lambda model: table_of(model).name):
            table = table_of(model)
            total.update(f"{table.name}\n".encode())
            for rows in content(connection, table):
                total.update(orjson.dumps(rows))
    return total.hexdigest()


def content(connection: Connection, table: Table) -> Iterator[list[list[Any]]]:
    """A table's rows in order of primary key, a part at a time; every database gives the same values."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    # Each database has its own idea of the order of texts unless told to compare bytes.
    collate = ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    order = ", ".join(f'"{key.name}"{collate if _is_text(key.type) else ""}' for key in table.primary_key.columns)
    result = connection.execution_options(yield_per=_ROWS).exec_driver_sql(
        f'SELECT {columns} FROM "{table.name}" ORDER BY {order}'
    )
    for rows in result.partitions(_ROWS):
        yield [[_plain(value) for value in row] for row in rows]


def _is_text(kind: Any) -> bool:
    stored = kind.impl if isinstance(kind, TypeDecorator) else kind
    return isinstance(stored, (String, Text))


def _plain(value: Any) -> Any:
    """PostgreSQL has kinds of its own for what SQLite keeps as integers, or as digits where they are too large."""
    if isinstance(value, bool):
        return int(value)
    return as_stored(int(value)) if isinstance(value, Decimal) else value
