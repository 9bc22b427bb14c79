"""Parts of the network die under load: nothing accepted is lost or doubled, and all peers agree."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from fabric.gateway.options import Deadlines
from fabric.words.blocks import decode_block
from fabric.words.identity import Identity
from ledger.errors import Conflict, InvalidIdentity, LedgerError, TimedOut, TooLarge, Unavailable
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.peers import GatewayPeer
from ledger.port import NO_ORDERERS
from network.deployment import Deployment
from network.recovery import RecoveryError
from network.topology import Blocks, Peer, Topology, build
from tests.conftest import free_base_port
from tests.fabric.expiry import expired_identity
from tests.fabric.playground import NOTEBOOK, Playground
from tests.fabric.scene import Scene

pytestmark = pytest.mark.fabric
ORDERERS_AWAY = 16 * 60
"""Seconds."""


def raft() -> Topology:
    """Two organisations, one with a second peer to fail over to; three orderers."""
    return build({"farm": 2, "shop": 1}, orderers=3, base_port=free_base_port(), blocks=Blocks(timeout="100ms"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("faults"), raft())
    try:
        made.network.up()
        yield made
    finally:
        made.network.down()


@pytest.fixture
async def scene(place: Playground, tmp_path: Path) -> AsyncIterator[Scene]:
    made = await asyncio.to_thread(Scene, place, tmp_path / "readmodel.db")
    await made.begin()
    yield made
    await made.close()
    await asyncio.to_thread(place.revive)


@pytest.fixture(scope="module")
def notebook(place: Playground) -> str:
    """A chaincode that does whatever a test asks of it, beside the one under load."""
    return place.fresh("notebook", NOTEBOOK)


@dataclass
class Pages:
    """The notebook and somebody who writes in it."""

    ledger: FabricLedger
    farmer: Identity


@pytest.fixture
async def pages(place: Playground, notebook: str) -> AsyncIterator[Pages]:
    ledger = place.ledger(notebook, "FarmMSP")
    yield Pages(ledger, await asyncio.to_thread(place.identity, "FarmMSP"))
    await ledger.close()


async def test_1_the_leading_orderer_is_killed(scene: Scene) -> None:
    victim = scene.leader()
    await asyncio.to_thread(scene.network.stop, victim, True)
    await scene.load.after(30)
    await asyncio.to_thread(scene.network.start, victim)
    await scene.load.after(20)
    await scene.finish()


@pytest.mark.faults
async def test_1_the_leading_orderer_is_frozen(scene: Scene) -> None:
    victim = scene.leader()
    scene.network.processes.signal(victim, signal.SIGSTOP)
    try:
        await scene.load.after(30)
    finally:
        scene.network.processes.signal(victim, signal.SIGCONT)
    await scene.load.after(20)
    await scene.finish()


async def test_2_two_of_three_orderers_are_killed(scene: Scene) -> None:
    victims = [orderer.host for orderer in scene.network.topology.orderers[:2]]
    for victim in victims:
        await asyncio.to_thread(scene.network.stop, victim, True)
    before = len(scene.load.acknowledged)
    await asyncio.sleep(3)  # long enough for whatever was under way; without a majority nothing more is ordered
    assert len(scene.load.acknowledged) - before <= 20
    async with asyncio.timeout(90):
        while scene.ledger.ordering != NO_ORDERERS:
            await asyncio.sleep(0.1)
    for victim in victims:
        await asyncio.to_thread(scene.network.start, victim)
    await scene.load.after(30)
    assert scene.ledger.ordering == ""
    await scene.finish()


async def test_3_the_gateway_peer_is_killed(scene: Scene) -> None:
    await asyncio.to_thread(scene.network.stop, "peer0.farm.local", True)
    await scene.load.after(30)  # by the organisation's other peer
    await asyncio.to_thread(scene.network.start, "peer0.farm.local")
    await scene.load.after(10)
    await scene.finish()


async def test_4_the_only_endorser_of_an_organisation_is_killed(scene: Scene) -> None:
    await asyncio.to_thread(scene.network.stop, "peer0.shop.local", True)
    before = len(scene.load.acknowledged)
    await asyncio.sleep(2)
    assert len(scene.load.acknowledged) - before <= 20  # both organisations must endorse
    await asyncio.to_thread(scene.network.start, "peer0.shop.local")
    await scene.load.after(30)
    await scene.finish()


async def test_5_a_peers_data_is_wiped_and_it_joins_anew(scene: Scene) -> None:
    """The gateway's own peer loses its whole ledger; the organisation's other peer is asked meanwhile."""
    peer = scene.peer("peer0.farm.local")
    lost = scene.ledger_of(peer) / "chains" / "chains" / scene.network.topology.channel / "blockfile_000000"
    before = lost.stat()
    await asyncio.to_thread(scene.network.rejoin, peer.host)
    after = lost.stat()
    assert (before.st_ino, before.st_ctime) != (after.st_ino, after.st_ctime)
    await scene.load.after(20)
    await check_it_endorses(scene, peer)
    await scene.finish()


async def test_5_a_peers_data_is_wiped_and_it_joins_by_a_snapshot(scene: Scene) -> None:
    """It has no block before the snapshot, and whoever asks it for one gets it from another peer."""
    peer = scene.peer("peer1.farm.local")
    known = dict(scene.load.acknowledged)
    await asyncio.to_thread(scene.network.rejoin, peer.host, "peer0.shop.local")
    await scene.load.after(20)
    await check_it_endorses(scene, peer)
    await scene.load.stop()
    said = await asyncio.to_thread(scene.network.channel.peer_tool, peer, "channel", "getinfo", "-c", "lotline")
    snapshot = json.loads(said[said.index("{") :])["bootstrappingSnapshotInfo"]
    scene.begins[peer.host] = int(snapshot["lastBlockInSnapshot"]) + 1
    assert max(known.values()) < scene.begins[peer.host]
    await check_old_blocks_come_from_others(scene, peer, max(known.values()))
    await scene.finish()
    with pytest.raises(RecoveryError, match="joined by a snapshot"):
        await asyncio.to_thread(scene.network.rebuild, peer.host)
    await asyncio.to_thread(scene.network.rejoin, peer.host)  # a whole peer again, for the tests after this one


async def check_it_endorses(scene: Scene, peer: Peer) -> None:
    """The peer itself runs the contract: its package and its organisation's approval are back."""
    query = ("chaincode", "query", "-C", "lotline", "-n", scene.chaincode, "-c", '{"Args":["config"]}')
    assert "custodyPolicy" in await asyncio.to_thread(scene.network.channel.peer_tool, peer, *query)


async def check_old_blocks_come_from_others(scene: Scene, peer: Peer, old: int) -> None:
    """The peer, which is asked first, does not have the block; the next one in the list does."""
    alone, both = scene.reader(peer.host), scene.reader(peer.host, "peer0.farm.local")
    with pytest.raises(Unavailable, match="no peer that was asked has blocks so old"):
        await alone.block(old)
    found = await both.block(old)
    assert found.header.number == old
    tx_id = decode_block(found).transactions[0].tx_id
    with pytest.raises(Unavailable, match="no peer that was asked has blocks so old"):
        await alone.transaction_block(tx_id)
    assert await both.transaction_block(tx_id) == old
    height = await both.height()
    numbers = []
    async for block in both.blocks(0):
        numbers.append(block.header.number)
        if len(numbers) == height:
            break
    assert numbers == list(range(height))
    await alone.close()
    await both.close()


async def test_6_a_peers_state_database_is_deleted(scene: Scene) -> None:
    """Both when somebody deletes it, and when the operator has the peer make its databases again."""
    peer = scene.peer("peer0.farm.local")
    state = scene.ledger_of(peer) / "stateLeveldb"
    await asyncio.to_thread(scene.network.stop, peer.host, True)
    shutil.rmtree(state)
    await asyncio.to_thread(scene.network.start, peer.host)
    await scene.load.after(20)
    made = state.stat()
    await asyncio.to_thread(scene.network.rebuild, peer.host)
    again = state.stat()
    assert (made.st_ino, made.st_ctime) != (again.st_ino, again.st_ctime)
    await scene.load.after(20)
    await scene.finish()


async def test_7_a_chaincode_server_is_killed(scene: Scene) -> None:
    for _ in range(3):
        await asyncio.to_thread(kill_chaincode, scene, "peer0.shop.local")
        await scene.load.after(15)
    await scene.finish()


def kill_chaincode(scene: Scene, host: str) -> None:
    """The server dies, its supervisor lives."""
    supervisor = scene.network.processes.pid(f"chaincode.lotline.{host}")
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


async def test_16_many_want_the_same_key(pages: Pages) -> None:

    async def append(number: int) -> None:
        while True:
            try:
                await pages.ledger.submit("append", [b"hot", f"{number};".encode()], identity=pages.farmer)
                return
            except (Conflict, Unavailable):
                await asyncio.sleep(0.01 * (number % 7))

    await asyncio.gather(*(append(number) for number in range(25)))
    raw = await pages.ledger.evaluate("get", [b"hot"], identity=pages.farmer)
    found = raw.decode().strip('[]"').split(";")[:-1]
    assert sorted(found, key=int) == [str(number) for number in range(25)]


async def test_15_the_same_transaction_sent_by_two_at_once(pages: Pages) -> None:
    nonce = b"the very same, both times"[:24]
    twice = [pages.ledger.submit("append", [b"once", b"x"], identity=pages.farmer, nonce=nonce) for _ in range(2)]
    answers = await asyncio.gather(*twice, return_exceptions=True)
    done = [one for one in answers if not isinstance(one, BaseException)]
    assert done
    assert all(isinstance(one, LedgerError) and one.retryable for one in answers if isinstance(one, BaseException))
    assert len({one.block for one in done}) == 1
    assert await pages.ledger.evaluate("get", [b"once"], identity=pages.farmer) == b'["x"]'


@pytest.mark.faults
@pytest.mark.timeout(ORDERERS_AWAY + 600)
async def test_22_all_orderers_are_away_for_long(scene: Scene, pages: Pages) -> None:
    """Peers look for them every few seconds, however long it lasts; by Fabric's defaults they would sleep for minutes."""
    orderers = [orderer.host for orderer in scene.network.topology.orderers]
    for orderer in orderers:
        await asyncio.to_thread(scene.network.stop, orderer, True)
    before = len(scene.load.acknowledged)
    await asyncio.sleep(ORDERERS_AWAY)
    assert len(scene.load.acknowledged) - before <= 20  # what was under way
    for orderer in orderers:
        await asyncio.to_thread(scene.network.start, orderer)
    async with asyncio.timeout(60):  # an election, and then each peer's next look
        while True:
            with contextlib.suppress(Unavailable, TimedOut):
                await pages.ledger.submit("put", [b"back", b"again"], identity=pages.farmer)
                break
    await scene.load.after(30)
    await scene.finish()


async def test_23_the_contract_is_upgraded(scene: Scene) -> None:
    """Old and new servers run side by side; then only the new ones serve."""
    new = await asyncio.to_thread(scene.network.upgrade, "", scene.chaincode)
    assert (new.version, new.sequence) == ("2.0", 2)
    old = [Deployment.server_name(peer, "lotline") for peer in scene.network.topology.peers()]
    for name in old:  # other tests' chaincodes are served by them too
        await asyncio.to_thread(scene.network.stop, name)
    await scene.load.after(30)
    for name in old:
        await asyncio.to_thread(scene.network.start, name)
    await scene.finish()


async def test_a_certificate_of_another_authority(pages: Pages, place: Playground) -> None:
    """A certificate of another authority is as good as none: the channel says so, and the caller is told."""
    other = place.identity("ShopMSP")
    forged = Identity("forged", "FarmMSP", other.certificate, other.key)
    with pytest.raises(LedgerError) as refused:
        await pages.ledger.submit("put", [b"k", b"v"], identity=forged)
    assert not refused.value.retryable
    assert "FarmMSP" in str(refused.value)


async def test_17_a_revoked_certificate(pages: Pages, place: Playground) -> None:
    """Good until the channel's configuration says otherwise, and never after."""
    leaver = await asyncio.to_thread(place.identity, "FarmMSP", "scanner", "leaver")
    await pages.ledger.submit("put", [b"k", b"v"], identity=leaver)
    await asyncio.to_thread(place.network.revoke, "FarmMSP", "leaver")

    async def refusal() -> LedgerError | None:
        try:
            await pages.ledger.submit("put", [b"k", b"v"], identity=leaver)
        except LedgerError as error:
            return error
        return None

    async with asyncio.timeout(30):
        # the configuration may reach one peer before the other
        while not isinstance(refused := await refusal(), InvalidIdentity):
            await asyncio.sleep(0.1)
    assert "leaver of FarmMSP" in str(refused)
    await pages.ledger.submit("put", [b"k", b"w"], identity=pages.farmer)


async def test_18_an_expired_certificate(scene: Scene, pages: Pages) -> None:
    """Refused for good, with its end, by whatever is called; and nobody else is held up."""
    late = expired_identity(scene.network, "FarmMSP")
    ended = x509.load_pem_x509_certificate(late.certificate).not_valid_after_utc
    for call in (pages.ledger.submit, pages.ledger.evaluate):
        with pytest.raises(InvalidIdentity) as refused:
            await call("put", [b"k", b"v"], identity=late)
        assert not refused.value.retryable
        assert f"late of FarmMSP: its certificate ended on {ended:%Y-%m-%d %H:%M:%S} UTC" in str(refused.value)
    topology = scene.network.topology
    peers = read_connection(scene.network.layout.connection(topology.organisation("FarmMSP"))).peers
    blind = FabricLedger({"FarmMSP": peers}, late, topology.channel, scene.chaincode)
    with pytest.raises(InvalidIdentity, match="late of FarmMSP: its certificate ended on"):
        await anext(blind.blocks(0))
    with pytest.raises(InvalidIdentity, match="late of FarmMSP: its certificate ended on"):
        await blind.height()
    await blind.close()
    await scene.load.after(10)
    await scene.finish()


@pytest.mark.parametrize("seconds", [8, pytest.param(300, marks=pytest.mark.faults)])
async def test_8_a_chaincode_that_does_not_answer(
    scene: Scene, place: Playground, pages: Pages, notebook: str, seconds: int
) -> None:
    """The caller hears of it within its own deadline. The peer's blocks wait for the simulation, at most for the 30
    seconds of its ``executetimeout``; then everything goes on."""
    ledger = place.ledger(notebook, "FarmMSP", Deadlines(evaluate=2.0, endorse=2.0))
    started = asyncio.get_running_loop().time()
    for call in (ledger.submit, ledger.evaluate):
        with pytest.raises(Unavailable):
            await call("hang", [str(seconds).encode()], identity=pages.farmer)
    assert asyncio.get_running_loop().time() - started < 15
    await pages.ledger.submit("put", [b"after", b"that"], identity=pages.farmer)
    await scene.load.after(20)
    await ledger.close()
    await scene.finish()


@pytest.mark.parametrize("megabytes", [9, 49.5, 70])
async def test_9_values_beyond_grpcs_own_limit(pages: Pages, megabytes: float) -> None:
    """Nine megabytes go through; what the network cannot carry is refused for good, and nothing is retried for ever: by the
    orderers, or before it is sent, as peers say only at times why they could not pass it on."""
    value = b"x" * int(megabytes * 1024 * 1024)
    if megabytes < 40:
        await pages.ledger.submit("put", [b"large", value], identity=pages.farmer)
        return
    with pytest.raises(TooLarge, match="does not carry") as refused:
        await pages.ledger.submit("put", [b"large", value], identity=pages.farmer)
    assert not refused.value.retryable
    assert not refused.value.outcome_unknown
    assert megabytes < 50 or "larger than" in str(refused.value)


async def test_a_peer_that_answers_garbage(pages: Pages) -> None:
    """Somebody else listens on the peer's port: an error that can be retried, not a hang."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ledger = FabricLedger(
        {"FarmMSP": [GatewayPeer(f"localhost:{port}")]}, pages.farmer, deadlines=Deadlines(evaluate=5.0)
    )
    with pytest.raises(Unavailable):
        await ledger.evaluate("get", [b"k"], identity=pages.farmer)
    await ledger.close()
    server.close()
