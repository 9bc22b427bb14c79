"""Three organisations' network for the contract's own tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import pytest

from network.topology import Blocks, build
from tests.conftest import free_base_port
from tests.fabric.contract.peer import FabricPeer, Field
from tests.fabric.playground import Playground

SERVER = [sys.executable, "-m", "tests.fabric.contract.worlds_server"]
MODULES = ("tests.unit.chaincode.", "tests.integration.chaincode.")


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """AMSP, BMSP and CMSP, a block a transaction: tests make one call after the other."""
    topology = build({"a": 1, "b": 1, "c": 1}, orderers=1, base_port=free_base_port(), blocks=Blocks(messages=1))
    playground = Playground(tmp_path_factory.mktemp("contract"), topology)
    try:
        playground.network.up()
        made = Field(playground, playground.fresh("worlds", SERVER), "AMSP")
        yield made
        made.close()
    finally:
        playground.network.down()


@pytest.fixture(autouse=True)
def _peers_are_real(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``Peer()`` that the contract's tests make is a world of the network."""
    for name, module in list(sys.modules.items()):
        if name.startswith(MODULES) and hasattr(module, "Peer") and not name.endswith(".peer"):
            monkeypatch.setattr(module, "Peer", partial(FabricPeer, field))
