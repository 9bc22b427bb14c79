"""Bring a database to this version's tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL
from sqlmodel import SQLModel

from readmodel.bulk import table_of
from readmodel.derived import DERIVED_TABLES
from readmodel.engine import open_engine
from readmodel.forecast_tables import FORECAST_TABLES, WORK_TABLES

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x4C4F544C  # "LOTL": PostgreSQL's advisory lock while migrating


def migrate(target: Engine | URL | str | Path) -> str:
    """Create or upgrade the tables and return the revision they are at now.

    Safe to call at every start and from several processes at once: one migrates, the others wait and find
    nothing to do.
    """
    if not isinstance(target, Engine):
        engine = open_engine(target)
        try:
            return migrate(engine)
        finally:
            engine.dispose()
    config = alembic_config()
    with target.connect().execution_options(lotline_write=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return revision(target) or ""


_TABLES = (*DERIVED_TABLES, *FORECAST_TABLES, *WORK_TABLES)


def is_whole(engine: Engine) -> bool:
    """Whether every table of this version is there with its columns."""
    with engine.connect() as connection:
        return all(_is_whole(connection, model) for model in _TABLES)


def _is_whole(connection: Connection, model: type[SQLModel]) -> bool:
    table, found = table_of(model), inspect(connection)
    if not found.has_table(table.name):
        return False
    return {column["name"] for column in found.get_columns(table.name)} == set(table.columns.keys())


def remake(engine: Engine) -> None:
    """Tables of this version, whatever there was: those made from blocks are new and empty. Forecasts stay, if they are whole."""
    with engine.connect().execution_options(lotline_write=True) as connection, connection.begin():
        for model in _TABLES:
            if model in DERIVED_TABLES or not _is_whole(connection, model):
                connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{table_of(model).name}"')
        for model in _TABLES:
            table_of(model).create(connection, checkfirst=True)
        config = alembic_config()
        config.attributes["connection"] = connection
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        command.stamp(config, "head")


def revision(engine: Engine) -> str | None:
    """The revision a database is at, or None when it has no tables."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether a database has the tables of this version."""
    return revision(engine) == newest()


def newest() -> str | None:
    """The revision this version of the code needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def alembic_config() -> Config:
    """Alembic's configuration, for those who write a new migration."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config
