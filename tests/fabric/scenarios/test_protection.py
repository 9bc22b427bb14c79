"""Things that certain organisations must agree to, on a network of three: the channel's majority is not enough."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import transaction_pb2

from chaincode.answers import verdicts_of
from fabric.gateway import CommitError
from fabric.gateway.options import Deadlines
from fabric.verify import verify_chain
from fabric.words.blocks import DecodedTx, decode_block
from fabric.words.identity import Identity
from ledger.errors import Conflict, RejectedByContract, Unavailable
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.wallet import msp_identity
from ledger.port import Committed
from network.deployment import Definition
from tests.fabric.playground import LOTLINE
from tests.fabric.scenarios.conftest import Connect, World
from tests.unit.chaincode.peer import B, C, commission, item, party, place, receive, ship

pytestmark = pytest.mark.fabric

ONE, TWO, THREE = ORGANISATIONS = ["Org1MSP", "Org2MSP", "Org3MSP"]
NAME = "protection"
_items = itertools.count(1)


class Contract:
    """Lotline's contract as each organisation's administrator reaches it."""

    def __init__(self, world: World) -> None:
        topology, layout = world.network.topology, world.network.layout
        self.admins = {msp_id: _admin(world, msp_id) for msp_id in ORGANISATIONS}
        peers = {one.msp_id: read_connection(layout.connection(one)).peers for one in topology.organisations}
        self.ledger = FabricLedger(peers, self.admins[ONE], topology.channel, NAME, Deadlines(endorse=10.0))
        self._everyone = [
            FabricLedger({msp_id: [peer]}, self.admins[msp_id], topology.channel, NAME)
            for msp_id, known in peers.items()
            for peer in known
        ]

    async def close(self) -> None:
        for ledger in (self.ledger, *self._everyone):
            await ledger.close()

    async def submit(self, function: str, argument: Any, by: str = ONE) -> Committed:
        """Submit, and let every peer have the block: one that lags would endorse what others do not."""
        done = await self.ledger.submit(function, [json.dumps(argument).encode()], identity=self.admins[by])
        await self.arrived(done.block)
        return done

    async def arrived(self, block: int) -> None:
        """Wait until every peer that is there has a block."""
        async with asyncio.timeout(30):
            for ledger in self._everyone:
                with contextlib.suppress(Unavailable):
                    while await ledger.height() <= block:
                        await asyncio.sleep(0.01)

    async def capture(self, event: dict[str, Any], by: str = ONE) -> Committed:
        done = await self.submit("capture", batch(event), by)
        (verdict,) = verdicts_of(json.loads(done.result)["groups"][0])
        assert verdict["verdict"] == "accepted", verdict
        return done

    async def made(self, *endorsers: str) -> str:
        """A new item of the first organisation's, and who must agree to its changes."""
        uri = item(next(_items))
        await self.capture(commission(1, uri))
        if endorsers:
            await self.submit("protect", protection(uri, *endorsers))
        return uri

    async def thing(self, uri: str) -> dict[str, Any]:
        raw = await self.ledger.evaluate("thing", [uri.encode()], identity=self.admins[ONE])
        found: dict[str, Any] = json.loads(raw)
        return found

    async def endorsers(self, done: Committed) -> set[str]:
        """Whose peers have endorsed a transaction."""
        block = decode_block(await self.ledger.block(done.block))
        (found,) = (tx for tx in block.transactions if tx.tx_id == done.tx_id)
        return _organisations(found)


def _admin(world: World, msp_id: str) -> Identity:
    return msp_identity(world.network.issue(msp_id, "protector", "admin"), msp_id, "protector")


def _organisations(tx: DecodedTx) -> set[str]:
    return {identities_pb2.SerializedIdentity.FromString(one.endorser).mspid for one in tx.endorsements}


def batch(event: dict[str, Any]) -> dict[str, Any]:
    return {"groups": [{"id": "g", "onError": "rollback", "events": [event]}]}


def protection(uri: str, *endorsers: str) -> dict[str, Any]:
    return {"thing": uri, "organisations": list(endorsers)}


@pytest.fixture(scope="module")
def start(world: World) -> int:
    """The contract deployed under the channel's majority (two of three), its parties registered; the first block of that."""

    async def register() -> int:
        contract = Contract(world)
        for number, msp_id in enumerate(ORGANISATIONS, start=1):
            done = await contract.submit("registerParty", {"id": party(number), "name": msp_id}, msp_id)
            await contract.submit("registerPlace", {"id": place(number), "party": party(number)}, msp_id)
        await contract.close()
        return done.block

    world.network.deploy(Definition(NAME, package="lotline"), LOTLINE, slot=3)
    return asyncio.run(register())


@pytest.fixture
async def contract(start: int, world: World) -> AsyncIterator[Contract]:
    made = Contract(world)
    yield made
    await made.close()


async def test_the_gateway_asks_whom_the_thing_needs(contract: Contract) -> None:
    free, protected = await contract.made(), await contract.made(ONE, THREE)
    for uri in (protected, free):
        handed_over = [await contract.capture(ship(2, uri)), await contract.capture(receive(3, uri, site=B), TWO)]
        asked = [await contract.endorsers(done) for done in handed_over]
        assert all(len(organisations) >= 2 for organisations in asked)
        if uri == protected:
            assert all({ONE, THREE} <= organisations for organisations in asked)
    found = await contract.thing(protected)
    assert (found["msp"], found["endorsers"]) == (TWO, [ONE, THREE])
    assert "endorsers" not in await contract.thing(free)


async def test_a_majority_without_them_changes_nothing(contract: Contract, connect: Connect) -> None:
    """Two of three endorse what the client asks them to; the peers find it invalid, and say so."""
    uri = await contract.made(ONE, THREE)
    before = await contract.thing(uri)
    gateway = (await connect()).contract(NAME)
    for function, argument in (("capture", batch(ship(2, uri))), ("protect", protection(uri, THREE))):
        with pytest.raises(CommitError) as failed:
            await gateway.submit(function, json.dumps(argument), endorsing_organizations=[ONE, TWO])
        assert failed.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    assert await contract.thing(uri) == before


async def test_only_they_pass_their_say_on(contract: Contract) -> None:
    uri = await contract.made(ONE, THREE)
    with pytest.raises(RejectedByContract, match="Org3MSP must agree") as refused:
        await contract.submit("protect", protection(uri, ONE))
    assert refused.value.status == 403
    done = await contract.submit("protect", protection(uri, ONE), THREE)
    assert {ONE, THREE} <= await contract.endorsers(done)  # the say that ends is needed for it
    await contract.submit("protect", protection(uri, TWO), ONE)
    done = await contract.capture(ship(2, uri, to=C))
    assert TWO in await contract.endorsers(done)
    assert (await contract.thing(uri))["endorsers"] == [TWO]


async def test_while_a_peer_is_away_its_things_wait_and_others_do_not(contract: Contract, world: World) -> None:
    waits, goes = await contract.made(ONE, THREE), await contract.made(ONE, TWO)
    before = await contract.thing(waits)
    await asyncio.to_thread(world.network.stop, "peer0.org3.local", True)
    try:
        async with asyncio.timeout(60):
            told = await _refused_for_want_of(contract, ship(2, waits))
            while THREE not in str(told):  # until its absence is known, only that it does not answer
                told = await _refused_for_want_of(contract, ship(2, waits))
        assert told.retryable
        assert not told.outcome_unknown
        done = await contract.capture(ship(2, goes))
        assert await contract.endorsers(done) == {ONE, TWO}
        assert await contract.thing(waits) == before
    finally:
        await asyncio.to_thread(world.network.start, "peer0.org3.local")
    await _until_taken(contract, ship(2, waits))
    assert (await contract.thing(waits))["status"] == "in_transit"


async def _refused_for_want_of(contract: Contract, event: dict[str, Any]) -> Unavailable:
    with pytest.raises(Unavailable) as told:
        await contract.capture(event)
    return told.value


async def _until_taken(contract: Contract, event: dict[str, Any]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await contract.capture(event)
                return
            except (Unavailable, Conflict):  # the peer is not known again yet, or has still to catch up
                await asyncio.sleep(0.2)


async def test_a_change_beside_a_change_of_protection_is_tried_again(contract: Contract, connect: Connect) -> None:
    """Both endorsed on the same state. In one block the second is invalid for its policy, in the next for its version."""
    gateway = (await connect()).contract(NAME)
    same_block = False
    for _ in range(10):
        uri = await contract.made()
        calls = [("protect", protection(uri, ONE, THREE)), ("capture", batch(ship(2, uri)))]
        both = [gateway.new_proposal(function, [json.dumps(argument).encode()]) for function, argument in calls]
        commits = [await endorsed.submit() for endorsed in [await proposal.endorse() for proposal in both]]
        first, second = [await commit.status() for commit in commits]
        assert sorted([first.successful, second.successful]) == [False, True]
        same_block = first.block_number == second.block_number
        if same_block and first.successful:
            assert second.code == transaction_pb2.ENDORSEMENT_POLICY_FAILURE
            break
    assert same_block
    await contract.arrived(first.block_number)
    await contract.capture(ship(2, uri))
    found = await contract.thing(uri)
    assert (found["status"], found["endorsers"]) == ("in_transit", [ONE, THREE])


async def test_such_a_race_is_a_conflict_to_the_port(contract: Contract) -> None:
    for _ in range(10):
        uri = await contract.made()
        calls = [("protect", protection(uri, ONE, THREE)), ("capture", batch(ship(2, uri)))]
        racing = [contract.submit(function, argument) for function, argument in calls]
        ends = await asyncio.gather(*racing, return_exceptions=True)
        lost = [end for end in ends if isinstance(end, BaseException)]
        if lost:
            break
    assert [type(end) for end in lost] == [Conflict]


async def test_who_has_left_locks_nothing(contract: Contract, world: World) -> None:
    """The administrators' peers stand in for its own, and an administrator strikes it out. Of two administrators no majority is
    left when one goes, so everybody in the registry is among those who can stand in: two of three."""
    await contract.submit("configure", {"admins": [ONE, TWO]})
    uri = await contract.made(THREE)
    assert (await contract.thing(uri))["guardians"] == ORGANISATIONS
    await asyncio.to_thread(world.network.stop, "peer0.org3.local", True)
    try:
        await _until_taken(contract, ship(2, uri))
        done = await contract.submit("release", {"thing": uri, "organisation": THREE}, TWO)
        assert await contract.endorsers(done) == {ONE, TWO}
    finally:
        await asyncio.to_thread(world.network.start, "peer0.org3.local")
    found = await contract.thing(uri)
    assert (found["status"], found["endorsers"], found["guardians"]) == ("in_transit", [], [ONE, TWO])


async def test_the_chain_of_all_that_is_verified(contract: Contract, start: int) -> None:
    """Every policy that peers have applied is worked out anew: what they refused and what they took."""
    height = await contract.ledger.height()
    blocks = [await contract.ledger.block(number) for number in range(height)]
    assert verify_chain(blocks) == []
    codes = {tx.code for block in blocks[start:] for tx in decode_block(block).transactions}
    refusals = {transaction_pb2.ENDORSEMENT_POLICY_FAILURE, transaction_pb2.MVCC_READ_CONFLICT}
    assert codes >= {transaction_pb2.VALID, transaction_pb2.ENDORSEMENT_POLICY_FAILURE}
    assert codes <= {transaction_pb2.VALID, *refusals}
