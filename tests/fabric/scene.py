"""A chaincode under load on a network whose parts will die."""

from __future__ import annotations

from ledger.fabric.adapter import FabricLedger
from ledger.fabric.connection import read_connection
from ledger.fabric.peers import GatewayPeer
from ledger.fabric.wallet import msp_identity
from ledger.port import Ledger
from tests.fabric.load import Load, verify
from tests.fabric.playground import NOTEBOOK, Playground


class Scene:
    """A chaincode under load."""

    def __init__(self, place: Playground) -> None:
        self.place = place
        self.network = place.network
        self.chaincode = place.fresh("notebook", NOTEBOOK)
        self.farmer = place.identity("FarmMSP")
        self.ledger: FabricLedger = place.ledger(self.chaincode, "FarmMSP")
        self.load = Load(self.ledger, self.farmer)

    def reader(self, host: str) -> Ledger:
        """One peer's own view."""
        topology = self.network.topology
        peer = next(peer for peer in topology.peers() if peer.host == host)
        organisation = topology.organisation(peer.msp_id)
        peers = read_connection(self.network.layout.connection(organisation)).peers
        own: list[GatewayPeer] = [one for one in peers if one.address == peer.address]
        folder = self.network.layout.identity(organisation, "admin") / "msp"
        who = msp_identity(folder, peer.msp_id, "admin")
        return FabricLedger({peer.msp_id: own}, who, topology.channel, self.chaincode)

    async def finish(self) -> None:
        """Stop the load and check every peer."""
        await self.load.stop()
        readers = {peer.host: self.reader(peer.host) for peer in self.network.topology.peers()}
        await verify(self.load, self.chaincode, readers)
        for reader in readers.values():
            await reader.close()

    def leader(self) -> str:
        """The orderer that leads."""
        found = [o.host for o in self.network.topology.orderers if self.network.operations.leads(o)]
        assert len(found) == 1
        return found[0]
