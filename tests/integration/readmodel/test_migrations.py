from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from readmodel import migrate, open_engine
from readmodel.bulk import table_of
from readmodel.derived import DERIVED_TABLES
from readmodel.engine import NOT_OF_THIS_VERSION, is_missing
from readmodel.forecast_tables import FORECAST_TABLES, WORK_TABLES
from readmodel.migrate import newest, revision


def test_migrations_make_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        ours = {table_of(model).name for model in (*DERIVED_TABLES, *FORECAST_TABLES, *WORK_TABLES)}
        differences = compare_metadata(context, SQLModel.metadata)
        assert differences == []
        assert set(inspect(connection).get_table_names()) == ours | {"alembic_version"}


def test_every_table_is_either_made_from_blocks_or_a_result() -> None:
    listed = {table_of(model).name for model in (*DERIVED_TABLES, *FORECAST_TABLES, *WORK_TABLES)}
    assert listed == set(SQLModel.metadata.tables)


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    assert revision(engine) == newest()
    assert migrate(engine) == newest()


@pytest.mark.parametrize("question", ["SELECT * FROM not_there", "SELECT not_there FROM checkpoint"])
def test_a_missing_table_or_column_is_another_version_s(engine: Engine, question: str) -> None:
    with engine.connect() as connection, pytest.raises(NOT_OF_THIS_VERSION) as caught:
        connection.exec_driver_sql(question)
    assert is_missing(caught.value)


def test_a_question_that_cannot_be_read_is_not(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.exec_driver_sql("SELECT * FRM checkpoint")
    assert not is_missing(caught.value)


def test_an_empty_database_has_no_revision(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "empty.db")
    assert revision(engine) is None
    engine.dispose()


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    engines = [open_engine(path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(migrate, engines)) == {newest()}
    for engine in engines:
        engine.dispose()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="SQLite or PostgreSQL"):
        open_engine("mysql://localhost/x")
