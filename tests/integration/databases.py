"""Databases for tests: each its own, in one PostgreSQL server that lasts as long as the tests."""

from __future__ import annotations

import itertools

from sqlalchemy import create_engine, text

_numbers = itertools.count()


def new_database(url: str) -> str:
    """The address of a fresh copy of the database ``model`` of the server at ``url``."""
    name = f"copy{next(_numbers)}"
    create(url, f"{name} TEMPLATE model")
    return f"{url}/{name}"


def create(url: str, database: str) -> None:
    admin = create_engine(url.replace("postgresql://", "postgresql+psycopg://") + "/postgres")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {database}"))
    admin.dispose()
