"""Peers that answer nonsense: bytes that are no message, and messages that say what no peer says.

Whoever calls hears of it as an error of the port, at once; where there is another peer, it is asked instead.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import events_pb2, proposal_response_pb2, transaction_pb2

from fabric.gateway import EvaluateError, EventsError, Gateway, Identity, open_channel
from fabric.gateway.options import Deadlines
from fabric.gateway.signing import no_hash
from fabric.words.identity import Identity as Member
from ledger.errors import LedgerError, TimedOut, Unavailable
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.peers import GatewayPeer
from tests.fabric.liar import Liar
from tests.fabric.playground import NOTEBOOK, Playground

pytestmark = pytest.mark.fabric
MSP = "FarmMSP"


def _other_transaction() -> bytes:
    """An envelope that is one, and not the transaction that was asked for."""
    channel = common_pb2.ChannelHeader(type=common_pb2.CONFIG, tx_id="ab" * 32, channel_id="lotline")
    body = transaction_pb2.Transaction(actions=[transaction_pb2.TransactionAction()])
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=channel.SerializeToString()), data=body.SerializeToString()
    )
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString())


def _block(number: int) -> common_pb2.Block:
    return common_pb2.Block(header=common_pb2.BlockHeader(number=number), data=common_pb2.BlockData(data=[b"x"]))


GARBAGE: Mapping[str, bytes] = defaultdict(lambda: b"\xff\xff\xff\xffnot a message")
EMPTY: Mapping[str, bytes] = defaultdict(bytes)
WRONG: Mapping[str, bytes] = {
    "Evaluate": gateway_pb2.EvaluateResponse(
        result=proposal_response_pb2.Response(status=700, payload=b"?")
    ).SerializeToString(),
    "Endorse": gateway_pb2.EndorseResponse(
        prepared_transaction=common_pb2.Envelope.FromString(_other_transaction())
    ).SerializeToString(),
    "Submit": b"\xff\xff\xff\xff",  # a receipt is empty: anything that is a message will do
    "CommitStatus": gateway_pb2.CommitStatusResponse(result=200, block_number=5).SerializeToString(),
    "ChaincodeEvents": b"\xff\xff\xff\xff",
    "Deliver": events_pb2.DeliverResponse(block=_block(77_000)).SerializeToString(),
    "DeliverFiltered": events_pb2.DeliverResponse(block=_block(0)).SerializeToString(),
    "DeliverWithPrivateData": events_pb2.DeliverResponse(status=4_711).SerializeToString(),
}
LIES = [pytest.param(lies, id=name) for name, lies in (("garbage", GARBAGE), ("empty", EMPTY), ("wrong", WRONG))]


@pytest.fixture(scope="module")
def chaincode(playground: Playground) -> str:
    return playground.fresh("notebook", NOTEBOOK)


@pytest.fixture(scope="module")
def farmer(playground: Playground) -> Member:
    return playground.identity(MSP)


@pytest.fixture(scope="module")
def honest(playground: Playground) -> GatewayPeer:
    network = playground.network
    return read_connection(network.layout.connection(network.topology.organisation(MSP))).peers[0]


Dial = Callable[..., FabricLedger]


@pytest.fixture
async def dial(chaincode: str, farmer: Member) -> AsyncIterator[Dial]:
    """The port over these peers."""
    opened = []

    def make(*peers: GatewayPeer) -> FabricLedger:
        opened.append(FabricLedger({MSP: peers}, farmer, "lotline", chaincode, Deadlines(5, 5, 5, 5)))
        return opened[-1]

    yield make
    for ledger in opened:
        await ledger.close()


def calls(ledger: FabricLedger, farmer: Member) -> dict[str, Callable[[], Awaitable[object]]]:
    return {
        "submit": lambda: ledger.submit("put", [b"k", b"v"], identity=farmer),
        "evaluate": lambda: ledger.evaluate("get", [b"k"], identity=farmer),
        "height": ledger.height,
        "block": lambda: ledger.block(1),
        "transaction_block": lambda: ledger.transaction_block("ab" * 32),
    }


async def first(ledger: FabricLedger, start: int) -> common_pb2.Block:
    return await anext(ledger.blocks(start))


@pytest.mark.parametrize("lies", LIES)
async def test_the_only_peer(dial: Dial, farmer: Member, lies: Mapping[str, bytes]) -> None:
    async with Liar(lies) as liar:
        ledger = dial(liar.peer)
        for call in calls(ledger, farmer).values():
            with pytest.raises(Unavailable, match="makes no sense") as told:
                await call()
            assert told.value.retryable
        following = asyncio.create_task(first(ledger, 0))
        async with asyncio.timeout(20):
            while "Deliver" not in liar.told:
                await asyncio.sleep(0.01)
        await ledger.close()
        with pytest.raises(LedgerError, match="closed"):
            await following


@pytest.mark.parametrize("lies", LIES)
async def test_another_peer_is_asked(
    dial: Dial, farmer: Member, honest: GatewayPeer, lies: Mapping[str, bytes]
) -> None:
    async with Liar(lies) as liar:
        for name in calls(dial(honest), farmer):
            ledger = dial(liar.peer, honest)
            await calls(ledger, farmer)[name]()
        assert liar.told == {"Endorse", "Evaluate"}
        ledger = dial(liar.peer, honest)
        block = await asyncio.wait_for(first(ledger, 3), 20)
        assert block.header.number == 3
        assert "Deliver" in liar.told


@pytest.mark.parametrize(  # an empty receipt is what a peer gives
    ("call", "lies"),
    [
        ("Submit", GARBAGE),
        ("Submit", WRONG),
        ("CommitStatus", GARBAGE),
        ("CommitStatus", EMPTY),
        ("CommitStatus", WRONG),
    ],
)
async def test_after_the_endorsement(
    dial: Dial, farmer: Member, honest: GatewayPeer, call: str, lies: Mapping[str, bytes]
) -> None:
    """What was sent is never lost by it: another peer knows its fate, or it is said to be unknown."""
    async with Liar({call: lies[call]}, honest) as liar:
        ledger = dial(liar.peer, honest)
        done = await ledger.submit("append", [f"{call}{id(lies)}".encode(), b"x"], identity=farmer)
        assert liar.told == {call}
        assert await ledger.transaction_block(done.tx_id) == done.block
        assert await ledger.evaluate("get", [f"{call}{id(lies)}".encode()], identity=farmer) == b'["x"]'
        if call == "CommitStatus":
            with pytest.raises(TimedOut, match="fate is not known"):
                await dial(liar.peer).submit("put", [b"k", b"v"], identity=farmer)


@pytest.mark.parametrize("lies", LIES)
async def test_the_client_itself(chaincode: str, farmer: Member, lies: Mapping[str, bytes]) -> None:
    async with Liar(lies) as liar:
        channel = open_channel(liar.peer.address, liar.peer.tls)
        gateway = Gateway(Identity(MSP, farmer.certificate), channel, signer=farmer.sign, hash=no_hash)
        network = gateway.get_network("lotline")
        with pytest.raises(EvaluateError, match="makes no sense"):
            await network.get_contract(chaincode).evaluate("get", "k")
        for stream in (network.get_filtered_block_events, network.get_block_and_private_data_events):
            with pytest.raises(EventsError):
                await asyncio.wait_for(anext(stream(0)), 20)
        await channel.close(None)
