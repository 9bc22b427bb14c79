"""Commands while the read model's database is away or another version's: told as that, not as a fault of the program."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.api.processes import free_port
from tests.integration.lotline.run import answer, lotline


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance whose PostgreSQL nobody has started."""
    made = tmp_path / "home"
    lotline(made, "init")
    config = made / "config.toml"
    url = f"postgresql://lotline@127.0.0.1:{free_port()}/lotline"
    config.write_text(config.read_text().replace('database_url = ""', f'database_url = "{url}"'))
    return made


def test_status_tells(home: Path) -> None:
    found = answer(home, "status")
    assert found["readModel"]["block"] is None
    assert "its database is away: connection failed" in found["readModel"]["problem"]
    assert "its database is away" in lotline(home, "status").stdout


@pytest.mark.parametrize("command", [["thing", "(01)09506000134352(21)1"], ["rebuild"]])
def test_questions_are_for_later(home: Path, command: list[str]) -> None:
    told = lotline(home, *command, code=3).stderr
    assert "the read model's database can't be used: connection failed" in told
    assert "database_url" in told


@pytest.mark.parametrize("command", [["thing", "(01)09506000134352(21)1"], ["disruptions"]])
def test_tables_of_another_version(tmp_path: Path, command: list[str]) -> None:
    lotline(tmp_path / "home", "init")
    with closing(sqlite3.connect(tmp_path / "home" / "readmodel.db")) as tables:
        for (name,) in tables.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            tables.execute(f'ALTER TABLE "{name}" RENAME TO "old_{name}"')
    told = lotline(tmp_path / "home", *command, code=3).stderr
    assert "the read model was made by another version of Lotline: no such table" in told
    assert "`lotline rebuild`" in told
