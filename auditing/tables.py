"""The read model beside one that is made anew from the blocks, row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table

from auditing.report import Finding
from ledger.port import Ledger
from readmodel import migrate, open_engine
from readmodel.bulk import table_of
from readmodel.derived import DERIVED_TABLES
from readmodel.digest import content
from readmodel.following import checkpoint_of, require_checkpoint
from readmodel.projector import Projector

_NAMES = ("uri", "key", "hash", "tx_id", "id", "name")
"""Columns by which people know a row, the best first."""
_LONGEST = 120
Row = Sequence[Any]


async def audit_tables(engine: Engine, ledger: Ledger, chaincode: str) -> list[Finding | int]:
    """Rows that differ from what the blocks make of them; after each table, how many rows were compared.

    The read model is looked at as it is at one moment. What the projector says of a chain that is not its own is raised.
    """
    with tempfile.TemporaryDirectory(prefix="lotline-audit-") as folder:
        shadow = open_engine(Path(folder) / "readmodel.db")
        found: list[Finding | int] = []
        try:
            migrate(shadow)
            with (
                engine.connect().execution_options(isolation_level=_one_view(engine)) as connection,
                connection.begin(),
            ):
                head = checkpoint_of(connection)
                if head is not None:
                    await require_checkpoint(ledger, head)  # else it would be waited for
                    await Projector(shadow, chaincode).run(ledger, until=head.number + 1)
                    with shadow.connect() as made:
                        found.extend(_differences(connection, made))
        finally:
            shadow.dispose()
        return found


def _one_view(engine: Engine) -> str:
    return "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _differences(there: Connection, made: Connection) -> Iterator[Finding | int]:
    for model in DERIVED_TABLES:
        table = table_of(model)
        count = 0
        for is_row in _compare(table, _rows(there, table), _rows(made, table)):
            if isinstance(is_row, Finding):
                yield is_row
            else:
                count += 1
        yield count


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    return chain.from_iterable(content(connection, table))


def _compare(table: Table, there: Iterator[Row], made: Iterator[Row]) -> Iterator[Finding | None]:
    """Walk both in order of their primary keys; None for each row that is as it should be."""
    places = [index for index, column in enumerate(table.columns) if column.primary_key]

    def key(row: Row) -> tuple[Any, ...]:
        return tuple((_rank(row[place]), row[place]) for place in places)

    ours, theirs = next(there, None), next(made, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and key(ours) < key(theirs)):
            assert ours is not None
            yield _finding(table, ours, "no block makes this row")
            ours = next(there, None)
        elif ours is None or key(theirs) < key(ours):
            yield _finding(table, theirs, "this row is missing")
            theirs = next(made, None)
        else:
            yield None if list(ours) == list(theirs) else _finding(table, theirs, _changes(table, ours, theirs))
            ours, theirs = next(there, None), next(made, None)


def _rank(value: Any) -> int:
    """SQLite's order of kinds: a file that was tampered with may hold any of them anywhere."""
    return next((rank for rank, kind in enumerate((int | float, str, bytes)) if isinstance(value, kind)), -1)


def _changes(table: Table, ours: Row, theirs: Row) -> str:
    names = [column.name for column in table.columns]
    changed = [
        f"{name} is {_short(was)} and should be {_short(should)}"
        for name, was, should in zip(names, ours, theirs, strict=True)
        if was != should
    ]
    return "; ".join(changed[:5])


def _finding(table: Table, row: Row, detail: str) -> Finding:
    names = [column.name for column in table.columns]
    known_as = next((name for name in _NAMES if name in names), names[0])
    keys = [row[index] for index, column in enumerate(table.columns) if column.primary_key]
    what = f"{table.name} {'/'.join(map(str, keys))} ({_short(row[names.index(known_as)])})"
    return Finding("tables", "read model", what, detail)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
