"""Ledgers under test: the embedded one and a real network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from fabric.words.identity import Identity
from fabric.words.keys import KeyType
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.port import Ledger
from tests.fabric.playground import NOTEBOOK, Playground
from tests.integration.ledger.notebook import Notebook

ORGANISATIONS = ("FarmMSP", "ShopMSP")


@dataclass
class Network:
    """A channel of ``ORGANISATIONS`` with the notebook contract on it."""

    ledger: Ledger
    farmer: Identity
    shopkeeper: Identity
    issue: Callable[[KeyType], Identity]
    """Somebody of the first organisation whom nobody has seen before, role admin."""
    chaincode: str = "lotline"


class Adapter(Protocol):
    """Where networks come from."""

    async def network(self, folder: Path) -> Network: ...


class Embedded:
    """Networks in one process."""

    async def network(self, folder: Path) -> Network:
        """A new one in a folder."""
        ledger = await EmbeddedLedger.create(folder, ORGANISATIONS, contract=Notebook())
        homes = [folder / "organisations" / msp_id for msp_id in ORGANISATIONS]
        farmer, shopkeeper = ca.issue(homes[0], "farmer", "admin"), ca.issue(homes[1], "shopkeeper", "scanner")
        return Network(ledger, farmer, shopkeeper, lambda kind: ca.issue(homes[0], kind, "admin", key_type=kind))


class Fabric:
    """A new chaincode on a running network: its state is empty, the chain is not."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    async def network(self, _folder: Path) -> Network:
        """The channel, with people nobody has seen before."""
        name = await asyncio.to_thread(self._playground.fresh, "notebook", NOTEBOOK)
        farmer, shopkeeper = (
            self._playground.identity(msp_id, role)
            for msp_id, role in zip(ORGANISATIONS, ("admin", "scanner"), strict=True)
        )
        return Network(self._playground.ledger(name), farmer, shopkeeper, self._issue, name)

    def _issue(self, key_type: KeyType) -> Identity:
        return self._playground.identity(ORGANISATIONS[0], key_type=key_type)


@pytest.fixture(params=["embedded", pytest.param("fabric", marks=pytest.mark.fabric)])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """The embedded ledger, and a real network."""
    return Embedded() if request.param == "embedded" else Fabric(request.getfixturevalue("playground"))


@pytest.fixture
async def network(adapter: Adapter, tmp_path: Path) -> AsyncIterator[Network]:
    """A network with nothing in its world state."""
    made = await adapter.network(tmp_path / "ledger")
    yield made
    await made.ledger.close()
