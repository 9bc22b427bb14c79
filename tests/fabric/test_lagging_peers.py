"""Peers that are a block behind the others: they are asked again, as the next moment they have caught up."""

from __future__ import annotations

import pytest

from fabric.words.identity import Identity
from ledger.errors import Unavailable
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from tests.fabric.liar import Liar
from tests.fabric.playground import NOTEBOOK, Playground

pytestmark = pytest.mark.fabric


@pytest.fixture
def farmer(playground: Playground) -> Identity:
    return playground.identity("FarmMSP")


@pytest.fixture
def ledger(playground: Playground) -> FabricLedger:
    return playground.ledger(playground.fresh("notebook", NOTEBOOK))


@pytest.mark.parametrize("nonce", [None, b"once" * 6])
async def test_peers_that_differ_for_a_moment(ledger: FabricLedger, farmer: Identity, nonce: bytes | None) -> None:
    word = f"apples {nonce!r}".encode()
    done = await ledger.submit("waver", [word, b"2"], identity=farmer, nonce=nonce)
    assert done.result == word
    assert await ledger.evaluate("get", [b"said"], identity=farmer) == b'["' + word + b'"]'
    await ledger.close()


async def test_peers_that_go_on_differing(ledger: FabricLedger, farmer: Identity) -> None:
    """The first of them is told from the others by the organisation that the gateway names."""
    height = await ledger.height()
    with pytest.raises(Unavailable, match=r"differ: .*MSP .*ProposalResponsePayloads do not match"):
        await ledger.submit("waver", [b"pears", b"1000"], identity=farmer)
    assert await ledger.height() == height
    await ledger.close()


async def test_a_transaction_that_others_have_already(playground: Playground, farmer: Identity) -> None:
    """It was sent before; another organisation's peer says so, and the own one has not got the block yet."""
    chaincode = playground.fresh("notebook", NOTEBOOK)
    ledger = playground.ledger(chaincode, "FarmMSP")
    first = await ledger.submit("append", [b"log", b"a"], identity=farmer, nonce=b"n" * 24)
    organisation = playground.network.topology.organisation("FarmMSP")
    (honest, *_) = read_connection(playground.network.layout.connection(organisation)).peers
    async with Liar({}, honest, behind=3) as late:
        behind = FabricLedger({"FarmMSP": [late.peer]}, farmer, playground.network.topology.channel, chaincode)
        assert await behind.submit("append", [b"log", b"a"], identity=farmer, nonce=b"n" * 24) == first
        assert late.told == {"Evaluate"}
        await behind.close()
    assert await ledger.evaluate("get", [b"log"], identity=farmer) == b'["a"]'
    await ledger.close()
