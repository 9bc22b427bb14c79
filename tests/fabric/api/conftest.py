"""The API's fixtures, with an instance on a real network: every test has a chaincode, and so a world state, of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from instance.creation import create_instance
from lotline.joining import join_network
from tests.fabric.playground import LOTLINE, Playground
from tests.integration.api.conftest import (  # noqa: F401  fixtures
    ORGANISATIONS,
    QUICK,
    _quiet,
    idle_service,
    service,
    settings,
)


@pytest.fixture
async def home(playground: Playground, tmp_path: Path) -> Path:
    """A new instance whose organisations speak to a new chaincode."""
    return await asyncio.to_thread(make_instance, playground, tmp_path / "home")


def make_instance(playground: Playground, home: Path, chaincode: str = "") -> Path:
    """An instance of both organisations on a chaincode, by default one of its own."""
    name = chaincode or playground.fresh("lotline", LOTLINE)
    home.mkdir(parents=True)
    ledger = join_network(home, playground.network, ORGANISATIONS)
    ledger = ledger.model_copy(update={"chaincode": name})
    create_instance(home, organisations=(), ledger=ledger)
    config = home / "config.toml"
    config.write_text(config.read_text() + QUICK)
    return home
