"""Bring a database to this version's tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from readmodel.engine import open_engine

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


def revision(engine: Engine) -> str | None:
    """The revision a database is at, or None when it has no tables."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision this version of the code needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def alembic_config() -> Config:
    """Alembic's configuration, for those who write a new migration."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config
