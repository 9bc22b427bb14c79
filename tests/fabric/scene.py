"""Lotline's contract under load, and a read model that follows, on a network whose parts will die."""

from __future__ import annotations

from pathlib import Path

from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.wallet import msp_identity
from network.topology import Peer
from tests.fabric.load import Load
from tests.fabric.playground import LOTLINE, Playground
from tests.fabric.verdict import Follower, verify


class Scene:
    """A new chaincode under load; `begin` and `finish` it."""

    def __init__(self, place: Playground, database: Path) -> None:
        self.place = place
        self.network = place.network
        self.chaincode = place.fresh("lotline", LOTLINE)
        self.farmer = place.identity("FarmMSP")
        self.ledger: FabricLedger = place.ledger(self.chaincode, "FarmMSP")
        self.load = Load(self.ledger, self.farmer)
        self.begins: dict[str, int] = {}
        """The first block of a peer that joined by a snapshot, by host."""
        self._before = 0
        self._database = database

    async def begin(self) -> None:
        """Load, and a projector behind it."""
        self._before = await self.ledger.height()
        self._following = self.place.ledger(self.chaincode, "FarmMSP")
        self.follower = Follower(self._following, self.chaincode, self._database)
        await self.load.start()
        await self.load.after(20)

    async def finish(self) -> None:
        """Stop the load; every peer and the read model hold what was promised, once, and a rebuilt read model is equal."""
        await self.load.stop()
        readers = {peer.host: self.reader(peer.host) for peer in self.network.topology.peers()}
        begins = {host: self.begins.get(host, self._before) for host in readers}
        record = await verify(self.load.acknowledged, self.chaincode, readers, begins)
        await self.follower.reach(record.height)
        await self.follower.stop()
        assert self.follower.events() == record.events
        others = [reader for host, reader in readers.items() if host not in self.begins]
        await self.follower.check_rebuilt(others[-1])  # of another organisation's peer
        for reader in readers.values():
            await reader.close()

    async def close(self) -> None:
        """Let go, whether it is finished or failed."""
        await self.load.abandon()
        await self.follower.stop()
        self.follower.engine.dispose()
        await self.ledger.close()
        await self._following.close()

    def peer(self, host: str) -> Peer:
        """A peer by the name of its process."""
        return next(peer for peer in self.network.topology.peers() if peer.host == host)

    def ledger_of(self, peer: Peer) -> Path:
        """Where a peer keeps blocks and databases."""
        return self.network.layout.peer(peer) / "production" / "ledgersData"

    def reader(self, *hosts: str) -> FabricLedger:
        """The view of one peer, or of several of the first one's organisation in that order."""
        topology = self.network.topology
        wanted = [self.peer(host) for host in hosts]
        organisation = topology.organisation(wanted[0].msp_id)
        known = {one.address: one for one in read_connection(self.network.layout.connection(organisation)).peers}
        folder = self.network.layout.identity(organisation, "admin") / "msp"
        who = msp_identity(folder, organisation.msp_id, "admin")
        peers = [known[peer.address] for peer in wanted]
        return FabricLedger({organisation.msp_id: peers}, who, topology.channel, self.chaincode)

    def leader(self) -> str:
        """The orderer that leads."""
        found = [o.host for o in self.network.topology.orderers if self.network.operations.leads(o)]
        assert len(found) == 1
        return found[0]
