"""Ledgers under test. Another adapter joins the port's suite by a line in ``ADAPTERS``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import ca
from ledger.embedded import EmbeddedLedger
from ledger.identity import Identity
from ledger.port import Ledger
from tests.integration.ledger.notebook import Notebook

ORGANISATIONS = ("FarmMSP", "ShopMSP")


@dataclass
class Network:
    """A channel of ``ORGANISATIONS`` with the notebook contract on it."""

    ledger: Ledger
    farmer: Identity
    shopkeeper: Identity


async def embedded(folder: Path) -> Network:
    """The network in one process."""
    ledger = await EmbeddedLedger.create(folder, ORGANISATIONS, contract=Notebook())
    homes = [folder / "organisations" / msp_id for msp_id in ORGANISATIONS]
    return Network(ledger, ca.issue(homes[0], "farmer", "admin"), ca.issue(homes[1], "shopkeeper", "scanner"))


ADAPTERS: dict[str, Callable[[Path], Awaitable[Network]]] = {"embedded": embedded}


@pytest.fixture(params=sorted(ADAPTERS))
def ledger_factory(request: pytest.FixtureRequest) -> Callable[[Path], Awaitable[Network]]:
    """Makes a network of its own in a folder, by each adapter."""
    return ADAPTERS[request.param]


@pytest.fixture
async def network(ledger_factory: Callable[[Path], Awaitable[Network]], tmp_path: Path) -> AsyncIterator[Network]:
    """A network with nothing on it but its configuration."""
    made = await ledger_factory(tmp_path / "ledger")
    yield made
    await made.ledger.close()
