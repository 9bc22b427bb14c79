"""Read models to test on: a fresh one on SQLite and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from readmodel import migrate, open_engine
from tests.integration.databases import new_database
from tests.integration.readmodel.network import Network


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "readmodel.db")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(new_database(postgres_url))
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
