"""Members with every kind of key, on every adapter: they submit, are told apart, and the chain verifies."""

from __future__ import annotations

import asyncio

import pytest

from fabric.verify import verify_chain
from fabric.words.blocks import decode_block
from fabric.words.identity import Identity
from fabric.words.keys import KeyType
from ledger.errors import InvalidIdentity
from tests.integration.ledger.conftest import Network


async def test_every_kind_of_key(network: Network) -> None:
    people = {kind: await asyncio.to_thread(network.issue, kind) for kind in KeyType}
    for kind, who in people.items():
        done = await network.ledger.submit("put", [kind.encode(), b"1"], identity=who)
        assert await network.ledger.evaluate("get", [kind.encode()], identity=who) == b'["1"]'
        (transaction,) = decode_block(await network.ledger.block(done.block)).transactions
        assert (transaction.valid, transaction.creator, transaction.creator_msp) == (True, who.creator, "FarmMSP")
        assert who.attributes["role"] == "admin"
        again = await network.ledger.submit("put", [b"k", b"1"], identity=who, nonce=kind.encode() * 4)
        assert again == await network.ledger.submit("put", [b"k", b"1"], identity=who, nonce=kind.encode() * 4)
    blocks = [await network.ledger.block(number) for number in range(await network.ledger.height())]
    told = {finding.rule: finding.detail for finding in verify_chain(blocks)}
    assert set(told) <= {"private_data"}, told  # approvals of chaincode


@pytest.mark.parametrize("kind", [KeyType.P384, KeyType.ED25519])
async def test_a_key_of_the_right_kind_that_is_another(network: Network, kind: KeyType) -> None:
    who = await asyncio.to_thread(network.issue, kind)
    thief = Identity(who.name, who.msp_id, who.certificate, kind.generate())
    with pytest.raises(InvalidIdentity):
        await network.ledger.submit("put", [b"k", b"v"], identity=thief)
