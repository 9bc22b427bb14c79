"""A PostgreSQL server for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from readmodel import migrate
from relay.shared_schema import open_shared
from tests.integration.databases import create, new_database
from tests.integration.readmodel import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL cluster whose database ``model`` has the tables, to be copied."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with postgres.cluster(programs) as url:
        create(url, "model")
        migrate(f"{url}/model")
        open_shared(f"{url}/model").close()
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """A database of one's own, with the tables of read model and inbox."""
    return new_database(postgres_url)


@pytest.fixture(params=["file", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an inbox can be: in a file and in a database."""
    if request.param == "file":
        return tmp_path / "inbox.db"
    found: str = request.getfixturevalue("database_url")
    return found
