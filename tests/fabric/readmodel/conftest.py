"""The read model's fixtures, with a network whose chain others have been writing for long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from tests.fabric.playground import LOTLINE, Playground
from tests.integration.conftest import postgres_url  # noqa: F401  fixture
from tests.integration.readmodel.conftest import (  # noqa: F401  fixtures
    engine,
    fresh,
    postgres_engine,
    sqlite_engine,
)
from tests.integration.readmodel.network import Network


@pytest.fixture
async def network(playground: Playground) -> AsyncIterator[Network]:
    """Two organisations on a chaincode with nothing on it."""
    name = await asyncio.to_thread(playground.fresh, "lotline", LOTLINE)
    people = {
        who: await asyncio.to_thread(playground.identity, msp)
        for who, msp in (("maker", "FarmMSP"), ("shop", "ShopMSP"))
    }
    layout, farm = playground.network.layout, playground.network.topology.organisation("FarmMSP")
    reader = [
        sys.executable, "-m", "tests.fabric.readmodel.catch_up",
        str(layout.connection(farm)), str(layout.identity(farm, "admin") / "msp"), name,
    ]  # fmt: skip
    made = Network(playground.ledger(name), people, reader, name)
    yield made
    await made.ledger.close()
