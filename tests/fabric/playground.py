"""A real network for tests: started once, a fresh chaincode (and so a fresh world state) for whoever asks."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from fabric.gateway.options import Deadlines
from fabric.words.identity import Identity
from fabric.words.keys import KeyType
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.wallet import msp_identity
from network.deployment import Definition
from network.network import Network
from network.topology import Topology

NOTEBOOK = [sys.executable, "-m", "tests.fabric.notebook_server"]
LOTLINE = [sys.executable, "-m", "chaincode"]


class Playground:
    """A running network and shortcuts for tests."""

    def __init__(self, home: Path, topology: Topology) -> None:
        self.network = Network(home, topology)
        self._numbers = itertools.count(1)
        self._slots: dict[str, int] = {}

    def fresh(self, package: str, command: Sequence[str], policy: str | None = None) -> str:
        """The name of a chaincode with an empty state. All of one package are answered by the same servers."""
        slot = self._slots.setdefault(package, len(self._slots))
        name = f"{package}{next(self._numbers)}"
        self.network.deploy(Definition(name, package=package, signature_policy=policy), list(command), slot=slot)
        return name

    def identity(
        self,
        msp_id: str,
        role: str | None = "admin",
        name: str | None = None,
        key_type: KeyType = KeyType.P256,
        **attributes: str,
    ) -> Identity:
        """An identity that nobody used before."""
        name = name or f"{role or 'nobody'}{next(self._numbers)}"
        return msp_identity(self.network.issue(msp_id, name, role, attributes, key_type), msp_id, name)

    def revive(self) -> None:
        """Start what a test that failed half-way has left dead: the next one is not to blame."""
        for node in self.network.status():
            if not node.running:
                self.network.start(node.name)

    def ledger(self, chaincode: str, msp_id: str | None = None, deadlines: Deadlines | None = None) -> FabricLedger:
        """The ledger port on a chaincode, through the peers of an organisation first."""
        topology = self.network.topology
        organisation = topology.organisation(msp_id) if msp_id else topology.organisations[0]
        peers = read_connection(self.network.layout.connection(organisation)).peers
        folder = self.network.layout.identity(organisation, "admin") / "msp"
        reader = msp_identity(folder, organisation.msp_id, "admin")
        return FabricLedger({organisation.msp_id: peers}, reader, topology.channel, chaincode, deadlines)
