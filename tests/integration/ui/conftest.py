"""A small history behind a real API, over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from instance.creation import create_token, load_settings
from tests.integration.api.processes import Process, answers, free_port, until
from tests.integration.lotline.run import answer, lotline


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit runs a page as the main module and leaves it there; processes that are started afterwards would begin by running it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@dataclass(frozen=True)
class Backend:
    """Where the API is, and what the dashboard needs to ask it."""

    home: Path
    url: str
    token: str


def serve(home: Path) -> Iterator[Backend]:
    """The API of a home, until the tests are done."""
    port = free_port()
    config = home / "config.toml"
    config.write_text(config.read_text().replace("port = 8700", f"port = {port}"))
    settings = load_settings(home)
    process = Process("api.server", home)
    try:
        until(lambda: answers(settings.url))
        yield Backend(home, settings.url, create_token(settings, "analyst", "analyst"))
    finally:
        process.stop()


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A hundred days of a simulated network, forecast."""
    home = tmp_path_factory.mktemp("dashboard") / "home"
    made = answer(home, "simulate", "--events", "2500", "--days", "120", "--seed", "7", "--end", "2026-05-01")
    assert made["rejected"] == 0
    lotline(home, "forecast", "--max-series", "6")
    yield from serve(home)


@pytest.fixture(scope="session")
def empty_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """An instance on whose ledger is nothing."""
    home = tmp_path_factory.mktemp("empty") / "home"
    lotline(home, "init")
    yield from serve(home)
