"""Read models to test on: a fresh one on SQLite and one on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from readmodel import migrate, open_engine
from tests.integration.readmodel import postgres
from tests.integration.readmodel.network import Network

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL cluster whose database ``model`` has the tables, to be copied."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with postgres.cluster(programs) as url:
        _create(url, "model")
        migrate(f"{url}/model")
        yield url


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "readmodel.db")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    name = f"copy{next(_numbers)}"
    _create(postgres_url, f"{name} TEMPLATE model")
    engine = open_engine(f"{postgres_url}/{name}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty read model on each kind of database."""
    name = "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    found: Engine = request.getfixturevalue(name)
    return found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes as many empty SQLite read models as asked for."""
    made: list[Engine] = []

    def make() -> Engine:
        engine = open_engine(tmp_path / f"model{len(made)}.db")
        migrate(engine)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    """Two organisations on a ledger with nothing on it."""
    made = await Network.create(tmp_path / "ledger")
    yield made
    await made.ledger.close()


def _create(url: str, database: str) -> None:
    admin = create_engine(url.replace("postgresql://", "postgresql+psycopg://") + "/postgres")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {database}"))
    admin.dispose()
