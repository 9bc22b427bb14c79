"""The version of a SQLite file's tables, kept in the file (``PRAGMA user_version``), and the steps from one to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


class NewerSchemaError(RuntimeError):
    """The file was written by a later version of Lotline, and this one would spoil it."""


def bring_up(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Take a file's tables to the version that has ``steps`` behind it; each is a script that leads from one to the next.

    Files from before there were versions are at 0 and may have the tables of the first step, which therefore makes
    only what is not there. Several processes may do this at once. Raises `NewerSchemaError`.
    """
    if version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        at = version(connection)  # another process may have been faster
        require_known(connection, steps)
        for number, step in enumerate(steps[at:], at + 1):
            for statement in _statements(step):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def require_known(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Raises `NewerSchemaError` for a file of a later version."""
    at = version(connection)
    if at > len(steps):
        raise NewerSchemaError(
            f"{_name(connection)} was written by a later version of Lotline (its tables are at version {at}, this one knows "
            f"up to {len(steps)})"
        )


def version(connection: sqlite3.Connection) -> int:
    """The version of a file's tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    found: list[str] = []
    open_ = ""
    for part in script.split(";"):
        open_ += part + ";"
        if sqlite3.complete_statement(open_):
            if open_.strip(" \n;"):
                found.append(open_)
            open_ = ""
    return found


def _name(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])
