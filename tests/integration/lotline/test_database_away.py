"""Commands while the read model's database is away: told as that, and not as a fault of the program."""

from __future__ import annotations

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
