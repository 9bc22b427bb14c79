"""Three organisations, five peers, three orderers; a chaincode under each scenario file's endorsement policy."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from fabric.gateway import TLS, Gateway, GatewayError, Identity, open_channel, private_key_signer
from fabric.gateway.gateway import Contract
from network.deployment import Definition
from network.network import Network
from network.topology import Blocks, Peer, build
from tests.conftest import free_base_port

POLICIES = {
    "two": "AND('Org1MSP.peer','Org2MSP.peer')",
    "all": "AND('Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
    "any": "OR('Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
}
COLLECTIONS = [
    {
        "name": name,
        "policy": f"OR({', '.join(repr(msp + '.member') for msp in members)})",
        "requiredPeerCount": 0,
        "maxPeerCount": 3,
        "blockToLive": 0,
        "memberOnlyRead": True,
        "memberOnlyWrite": shared,
        **({} if shared else {"endorsementPolicy": {"signaturePolicy": f"OR('{members[0]}.peer')"}}),
    }
    for name, members, shared in (
        ("SharedCollection", ["Org1MSP", "Org3MSP"], True),
        ("Org1Collection", ["Org1MSP"], False),
        ("Org3Collection", ["Org3MSP"], False),
    )
]
_SLOTS = {"basic": 0, "private": 1, "errors": 2}


class World:
    """The network of the scenarios."""

    def __init__(self, home: Path) -> None:
        topology = build(
            {"org1": 2, "org2": 2, "org3": 1}, orderers=3, base_port=free_base_port(), blocks=Blocks(timeout="100ms")
        )
        self.network = Network(home, topology)
        self._collections = home / "collections.json"
        self._names = itertools.count(1)

    def up(self) -> None:
        self.network.up()
        self._collections.write_text(json.dumps(COLLECTIONS))

    def deploy(self, chaincode: str, policy: str) -> str:
        """Deploy one of the chaincodes under a policy, with a state of its own; returns its name."""
        name = f"{chaincode}{next(self._names)}"
        definition = Definition(
            name,
            package=chaincode,
            signature_policy=POLICIES[policy],
            collections=self._collections if chaincode == "private" else None,
        )
        command = [sys.executable, "-m", "tests.fabric.scenarios.chaincode", chaincode]
        self.network.deploy(definition, command, slot=_SLOTS[chaincode])
        return name

    async def level(self) -> None:
        """Wait until every peer has every block: one that is asked explicitly may be behind the one that answered."""
        peers = list(self.network.topology.peers())
        async with asyncio.timeout(30):
            while len({await asyncio.to_thread(self.network.channel.height, peer) for peer in peers}) > 1:
                await asyncio.sleep(0.02)

    def peer(self, host: str) -> Peer:
        return next(peer for peer in self.network.topology.peers() if peer.host == host)

    def said(self, error: GatewayError, *hosts: str) -> str:
        """The one thing that each of these peers said; nobody else said anything, and nobody said something else."""
        expected = sorted((peer.address, peer.msp_id) for peer in map(self.peer, hosts))
        assert sorted((detail.address, detail.msp_id) for detail in error.details) == expected, error.details
        messages = {detail.message.removeprefix("rpc error: code = Unknown desc = ") for detail in error.details}
        assert len(messages) == 1, error.details
        return messages.pop()

    def credentials(self, msp_id: str) -> tuple[Identity, bytes]:
        """An organisation's user: identity and key."""
        msp = self.network.issue(msp_id, "user", "admin")
        return Identity(msp_id, (msp / "signcerts" / "cert.pem").read_bytes()), next(
            (msp / "keystore").iterdir()
        ).read_bytes()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("scenarios"))
    try:
        made.up()
        yield made
    finally:
        made.network.down()


@dataclass
class User:
    """Somebody of an organisation, connected to one of its peers."""

    gateway: Gateway
    channel: grpc.aio.Channel

    def contract(self, name: str) -> Contract:
        return self.gateway.get_network("lotline").get_contract(name)


Connect = Callable[..., Awaitable[User]]


@pytest.fixture
async def connect(world: World) -> AsyncIterator[Connect]:
    """Connects a user of an organisation to its first peer, or to another; without a signer for off-line signing."""
    channels = []

    async def open_user(
        msp_id: str = "Org1MSP", host: str = "", *, signing: bool = True, key: bytes | None = None
    ) -> User:
        identity, own_key = world.credentials(msp_id)
        topology = world.network.topology
        peer = world.peer(host or f"peer0.{topology.organisation(msp_id).domain}")
        root = world.network.layout.authority_certificate(topology.organisation(peer.msp_id)).read_bytes()
        channel = open_channel(peer.address, TLS(root))
        channels.append(channel)
        signer, hashing = private_key_signer(key or own_key)
        return User(Gateway(identity, channel, signer=signer if signing else None, hash=hashing), channel)

    yield open_user
    for channel in channels:
        await channel.close(None)
