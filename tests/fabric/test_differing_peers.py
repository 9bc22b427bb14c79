"""Peers whose answers differ: they are asked again, as the next moment the one that lags may have caught up."""

from __future__ import annotations

import pytest

from ledger.errors import Conflict
from ledger.fabric.adapter import FabricLedger
from ledger.identity import Identity
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
    with pytest.raises(Conflict, match=r"differ: .*MSP .*ProposalResponsePayloads do not match"):
        await ledger.submit("waver", [b"pears", b"1000"], identity=farmer)
    assert await ledger.height() == height
    await ledger.close()
