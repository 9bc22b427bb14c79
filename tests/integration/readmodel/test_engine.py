"""How long a question may take is the database's business, on each kind of database."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from readmodel.engine import is_overrun, is_too_complex, open_engine, said

FOREVER = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"
)


@pytest.fixture(params=["file", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    found: str | Path = tmp_path / "tables.db" if request.param == "file" else request.getfixturevalue("database_url")
    return found


def test_a_question_that_takes_too_long_is_ended_and_the_next_one_answered(place: Path | str) -> None:
    engine = open_engine(place, seconds=0.3)
    for _ in range(2):
        with engine.connect() as connection, pytest.raises(OperationalError) as ended:
            connection.execute(FOREVER)
        assert is_overrun(ended.value)
        assert not is_too_complex(ended.value)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_postgresql_ends_it_itself_and_works_on_no_more(database_url: str) -> None:
    """Nothing of it goes on in the server when its reader was told."""
    engine, watch = open_engine(database_url, seconds=0.3), open_engine(database_url)
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT pg_sleep(600)"))
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    with watch.connect() as connection:
        assert connection.execute(text(busy)).scalar() == 0
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "0"
    engine.dispose()
    watch.dispose()


def test_who_writes_has_no_such_limit(place: Path | str) -> None:
    engine = open_engine(place)
    with engine.connect() as connection:
        started = time.monotonic()
        limit = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i FROM n) AS t"
        while time.monotonic() - started < 0.5:
            assert connection.execute(text(limit)).scalar() == 400000
    engine.dispose()


def test_a_question_that_waits_for_a_lock_is_ended_as_well(database_url: str) -> None:
    """As while tables are migrated: analysts are told, and take no connection with them."""
    holder = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    engine = open_engine(database_url, seconds=0.3)
    with holder.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE event IN ACCESS EXCLUSIVE MODE"))
        with engine.connect() as reader, pytest.raises(OperationalError) as ended:
            reader.execute(text("SELECT count(*) FROM event"))
        assert is_overrun(ended.value)
        assert "statement timeout" in said(ended.value)
    with engine.connect() as reader:
        assert reader.execute(text("SELECT count(*) FROM event")).scalar() == 0
    engine.dispose()
    holder.dispose()
