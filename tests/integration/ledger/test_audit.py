"""An auditor's verification of whole chains, on every adapter: what a network really writes breaks no rule."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2

from chaincode.endorsement import all_of
from fabric.verify import verify_chain
from fabric.words import chain
from fabric.words.blocks import decode_block
from fabric.words.composite_keys import create_composite_key
from ledger.errors import Conflict, Unavailable
from network.topology import Blocks, Consensus, build
from tests.conftest import free_base_port
from tests.fabric.playground import NOTEBOOK, Playground
from tests.integration.ledger.conftest import Network


async def test_a_chain_keeps_the_rules_and_a_changed_one_does_not(network: Network) -> None:
    for n in range(3):
        await network.ledger.submit("put", [b"apples", str(n).encode()], identity=network.farmer)
        await network.ledger.submit("file", [b"Fruits", str(n).encode(), b"1"], identity=network.shopkeeper)
        await network.ledger.submit("list", [b"Fruits"], identity=network.shopkeeper)
        await network.ledger.submit("delete", [b"apples"], identity=network.farmer)
    racing = [network.ledger.submit("append", [b"log", b"x"], identity=network.farmer) for _ in range(6)]
    raced = await asyncio.gather(*racing, return_exceptions=True)
    assert all(not isinstance(end, BaseException) or isinstance(end, Conflict | Unavailable) for end in raced)
    await network.ledger.submit(
        "put", [b"apples", b"5"], identity=network.farmer
    )  # losers may fill a block of their own
    height = await network.ledger.height()
    blocks = [await network.ledger.block(number) for number in range(height)]
    assert verify_chain(blocks) == []

    last = blocks[-1]
    (index, tx) = next((index, tx) for index, tx in enumerate(decode_block(last).transactions) if tx.valid)
    last.data.data[index] = last.data.data[index].replace(tx.endorsements[0].signature, b"\x00" * 70)
    assert (height - 1, "data_hash") in {(finding.block, finding.rule) for finding in verify_chain(blocks)}


async def test_a_long_listing(network: Network) -> None:
    """A peer keeps hashes of it only (from 51 keys on), and they are worked out from the blocks."""
    writes = {create_composite_key("Seeds", [f"{n:03}"]): "1" for n in range(130)}
    wanted = json.dumps({"reads": [], "writes": writes}).encode()
    await network.ledger.submit("write", [wanted], identity=network.farmer)
    await network.ledger.submit("list", [b"Seeds"], identity=network.farmer)
    calls = [("file", [b"Seeds", b"131", b"1"]), *[("list", [b"Seeds"])] * 3]
    racing = [network.ledger.submit(function, words, identity=network.farmer) for function, words in calls]
    await asyncio.gather(*racing, return_exceptions=True)
    assert verify_chain([await network.ledger.block(number) for number in range(await network.ledger.height())]) == []


async def test_policies_of_single_keys(network: Network) -> None:
    """A policy makes a new version of its key, stays while the value changes, and goes with the key."""
    both = all_of(["FarmMSP", "ShopMSP"])

    async def demanded(key: bytes) -> bytes:
        return bytes.fromhex((await network.ledger.evaluate("demanded", [key], identity=network.farmer)).decode())

    async def submit(function: str, *words: bytes) -> None:
        await network.ledger.submit(function, list(words), identity=network.farmer)

    await submit("put", b"apples", b"1")
    assert await demanded(b"apples") == b""
    await submit("demand", b"apples", b"FarmMSP", b"ShopMSP")
    await submit("demand", b"nothing", b"FarmMSP")
    await submit("append", b"apples", b"2")
    assert [await demanded(key) for key in (b"apples", b"nothing")] == [both, b""]
    assert await network.ledger.evaluate("get", [b"apples"], identity=network.farmer) == b'["12"]'
    await submit("demand", b"apples", b"ShopMSP")
    assert await demanded(b"apples") == all_of(["ShopMSP"])
    await submit("delete", b"apples")
    await submit("put", b"apples", b"3")
    assert await demanded(b"apples") == b""
    blocks = [await network.ledger.block(number) for number in range(await network.ledger.height())]
    assert verify_chain(blocks) == []


@pytest.fixture
def bft(tmp_path: Path) -> Iterator[Playground]:
    """A network of its own with four BFT orderers."""
    topology = build(
        {"farm": 1, "shop": 1},
        consensus=Consensus.BFT,
        orderers=4,
        base_port=free_base_port(),
        blocks=Blocks(timeout="50ms"),
    )
    made = Playground(tmp_path, topology)
    try:
        made.network.up()
        yield made
    finally:
        made.network.down()


@pytest.mark.fabric
@pytest.mark.slow
async def test_blocks_of_bft_orderers_carry_a_quorum(bft: Playground) -> None:
    """They sign under numbers, not certificates; with one signature less a block is no longer theirs."""
    ledger = bft.ledger(await asyncio.to_thread(bft.fresh, "notebook", NOTEBOOK))
    await ledger.submit("put", [b"apples", b"1"], identity=bft.identity("FarmMSP"))
    blocks = [await ledger.block(number) for number in range(await ledger.height())]
    await ledger.close()
    assert verify_chain(blocks) == []

    metadata = common_pb2.Metadata.FromString(blocks[-1].metadata.metadata[chain.SIGNATURES])
    del metadata.signatures[2:]
    blocks[-1].metadata.metadata[chain.SIGNATURES] = metadata.SerializeToString()
    assert {finding.rule for finding in verify_chain(blocks)} == {"orderer_signature"}
