"""Every kind of key with the gateway client itself: events, and signatures made elsewhere. The port's: test_keys there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from fabric.gateway import Gateway, Identity, open_channel, private_key_signer
from fabric.words.keys import KeyType, private_pem
from ledger.network.connection import read_connection
from tests.fabric.playground import NOTEBOOK, Playground

pytestmark = pytest.mark.fabric
MSP = "ShopMSP"


@pytest.fixture(scope="module")
def chaincode(playground: Playground) -> str:
    return playground.fresh("notebook", NOTEBOOK)


@pytest.fixture
async def channel(playground: Playground) -> AsyncIterator[grpc.aio.Channel]:
    network = playground.network
    peer, *_ = read_connection(network.layout.connection(network.topology.organisation(MSP))).peers
    opened = open_channel(peer.address, peer.tls)
    yield opened
    await opened.close(None)


@pytest.mark.parametrize("kind", KeyType)
async def test_events_and_every_step_signed_elsewhere(
    playground: Playground, chaincode: str, channel: grpc.aio.Channel, kind: KeyType
) -> None:
    who = await asyncio.to_thread(playground.identity, MSP, key_type=kind)
    sign, hashing = private_key_signer(private_pem(who.key))
    identity = Identity(MSP, who.certificate)
    unable = Gateway(identity, channel, hash=hashing)
    contract = unable.get_network("lotline").get_contract(chaincode)
    proposal = contract.new_proposal("about")
    endorsed = await unable.new_signed_proposal(proposal.to_bytes(), sign(proposal.digest)).endorse()
    commit = await unable.new_signed_transaction(endorsed.to_bytes(), sign(endorsed.digest)).submit()
    status = await unable.new_signed_commit(commit.to_bytes(), sign(commit.digest)).successful()

    request = unable.get_network("lotline").new_chaincode_events_request(chaincode, status.block_number)
    signed = unable.new_signed_chaincode_events_request(request.to_bytes(), sign(request.digest))
    event = await asyncio.wait_for(anext(signed.events()), 30)
    assert (event.transaction_id, event.name) == (proposal.transaction_id, "told")

    able = Gateway(identity, channel, signer=sign, hash=hashing)
    network = able.get_network("lotline")
    assert await network.get_contract(chaincode).submit("put", kind, "1") == b"put"
    assert await network.get_contract(chaincode).evaluate("get", kind) == b'["1"]'
    for stream in (network.get_block_events, network.get_filtered_block_events):
        block = await asyncio.wait_for(anext(stream(status.block_number)), 30)
        assert (block.header if hasattr(block, "header") else block).number == status.block_number
