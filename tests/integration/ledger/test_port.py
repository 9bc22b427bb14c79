"""What every adapter of the ledger port must do. Nothing here knows which one it is talking to."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from fabric_protos.common import common_pb2

from fabric.words.blocks import decode_block
from fabric.words.identity import Identity
from ledger import InvalidIdentity, LedgerError, RejectedByContract, Unavailable
from ledger.port import Ledger
from tests.integration.ledger.conftest import Network


async def get(network: Network, *keys: str) -> list[str | None]:
    words = [key.encode() for key in keys]
    found: list[str | None] = json.loads(await network.ledger.evaluate("get", words, identity=network.farmer))
    return found


async def put(network: Network, key: str, value: str, nonce: bytes | None = None) -> tuple[str, int]:
    words = [key.encode(), value.encode()]
    done = await network.ledger.submit("put", words, identity=network.farmer, nonce=nonce)
    return done.tx_id, done.block


async def test_what_is_submitted_can_be_read(network: Network) -> None:
    done = await network.ledger.submit("put", [b"apples", b"3"], identity=network.farmer)
    assert done.result == b"put"
    assert await get(network, "apples", "pears") == ["3", None]


async def test_evaluate_writes_nothing(network: Network) -> None:
    height = await network.ledger.height()
    assert await network.ledger.evaluate("put", [b"apples", b"3"], identity=network.farmer) == b"put"
    assert await get(network, "apples") == [None]
    assert await network.ledger.height() == height


async def test_a_transaction_is_found_in_its_block(network: Network) -> None:
    tx_id, number = await put(network, "apples", "3")
    assert await network.ledger.transaction_block(tx_id) == number
    assert await network.ledger.transaction_block("00" * 32) is None
    assert await network.ledger.height() == number + 1
    (transaction,) = decode_block(await network.ledger.block(number)).transactions
    assert (transaction.tx_id, transaction.valid, transaction.function) == (tx_id, True, "put")
    assert transaction.creator == network.farmer.creator
    assert [(write.namespace, write.key, write.value) for write in transaction.writes] == [
        (network.chaincode, "apples", b"3")
    ]


async def test_a_block_that_is_not_there_yet(network: Network) -> None:
    with pytest.raises(Unavailable) as refusal:
        await network.ledger.block(await network.ledger.height())
    assert refusal.value.retryable


async def test_the_same_nonce_is_the_same_transaction(network: Network) -> None:
    first = await network.ledger.submit("append", [b"log", b"a"], identity=network.farmer, nonce=b"once" * 6)
    await network.ledger.submit("append", [b"log", b"b"], identity=network.farmer)
    again = await network.ledger.submit("append", [b"log", b"a"], identity=network.farmer, nonce=b"once" * 6)
    assert again == first
    assert first.tx_id == hashlib.sha256(b"once" * 6 + network.farmer.creator).hexdigest()
    assert await get(network, "log") == ["ab"]


async def test_the_same_nonce_of_another_submitter_is_another_transaction(network: Network) -> None:
    for identity in (network.farmer, network.shopkeeper):
        await network.ledger.submit("append", [b"log", b"a"], identity=identity, nonce=b"once" * 6)
    assert await get(network, "log") == ["aa"]


async def test_a_refused_transaction_can_be_submitted_again_with_its_nonce(network: Network) -> None:
    with pytest.raises(RejectedByContract):
        await network.ledger.submit("refuse", [b"409", b"not now"], identity=network.farmer, nonce=b"n" * 24)
    await put(network, "apples", "3", nonce=b"n" * 24)
    assert await get(network, "apples") == ["3"]


async def test_submits_at_once_are_all_applied(network: Network) -> None:
    await asyncio.gather(
        *(network.ledger.submit("put", [f"k{n}".encode(), str(n).encode()], identity=network.farmer) for n in range(20))
    )
    assert await get(network, *(f"k{n}" for n in range(20))) == [str(n) for n in range(20)]


async def test_reads_do_not_see_the_transactions_own_writes(network: Network) -> None:
    await put(network, "log", "a")
    done = await network.ledger.submit("append", [b"log", b"b"], identity=network.farmer)
    assert done.result == b"before: a"


async def test_deleting(network: Network) -> None:
    await put(network, "apples", "3")
    await network.ledger.submit("delete", [b"apples", b"never there"], identity=network.farmer)
    assert await get(network, "apples") == [None]
    await put(network, "apples", "4")
    assert await get(network, "apples") == ["4"]


async def test_composite_keys_are_listed_in_order_and_apart(network: Network) -> None:
    for kind, name in (("fruit", "pear"), ("fruit", "apple"), ("fruit", "ä"), ("fruits", "none"), ("fr", "none")):
        await network.ledger.submit("file", [kind.encode(), name.encode(), b"1"], identity=network.farmer)
    listed = await network.ledger.submit("list", [b"fruit"], identity=network.farmer)
    assert list(json.loads(listed.result)) == ["apple", "pear", "ä"]


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_refusal_by_the_contract(network: Network, status: int) -> None:
    height = await network.ledger.height()
    for call in (network.ledger.submit, network.ledger.evaluate):
        with pytest.raises(RejectedByContract) as refusal:
            await call("refuse", [str(status).encode(), b"not yours"], identity=network.farmer)
        assert (refusal.value.status, refusal.value.message) == (status, "not yours")
        assert not refusal.value.retryable
        assert not refusal.value.outcome_unknown
    assert await network.ledger.height() == height
    assert await get(network, "never") == [None]


@pytest.mark.parametrize("function", ["crash", "nosuchfunction"])
async def test_a_broken_contract_is_a_refusal_and_the_ledger_goes_on(network: Network, function: str) -> None:
    with pytest.raises(RejectedByContract) as refusal:
        await network.ledger.submit(function, [], identity=network.farmer)
    assert refusal.value.status == 500
    await put(network, "apples", "3")
    assert await get(network, "apples", "never") == ["3", None]


async def test_what_the_contract_is_told(network: Network) -> None:
    before = datetime.now(UTC)
    done = await network.ledger.submit("about", [], identity=network.shopkeeper, transient={"secret": b"word"})
    about = json.loads(done.result)
    assert about["tx"] == done.tx_id
    assert about["channel"] == "lotline"
    assert bytes.fromhex(about["creator"]) == network.shopkeeper.creator
    assert about["transient"] == {"secret": "word"}
    told = datetime.fromisoformat(about["time"])
    assert before - timedelta(seconds=1) <= told <= datetime.now(UTC) + timedelta(seconds=1)


async def test_transient_data_stays_off_the_ledger(network: Network) -> None:
    done = await network.ledger.submit("put", [b"k", b"v"], identity=network.farmer, transient={"pin": b"4711-0815"})
    assert b"4711-0815" not in (await network.ledger.block(done.block)).SerializeToString()


async def test_no_block_for_strangers(network: Network) -> None:
    height = await network.ledger.height()
    farmer = network.farmer
    stranger = Identity(farmer.name, "NobodyMSP", farmer.certificate, farmer.key)
    for call in (network.ledger.submit, network.ledger.evaluate):
        with pytest.raises(InvalidIdentity, match="NobodyMSP") as refusal:
            await call("put", [b"k", b"v"], identity=stranger)
        assert not refusal.value.retryable
    assert await network.ledger.height() == height


async def take(ledger: Ledger, start: int, count: int) -> list[common_pb2.Block]:
    found = []
    async for block in ledger.blocks(start):
        found.append(block)
        if len(found) == count:
            break
    return found


async def test_blocks_from_the_first_one_on_and_then_as_they_come(network: Network) -> None:
    for n in range(40):
        await put(network, "k", str(n))
    height = await network.ledger.height()
    following = asyncio.create_task(take(network.ledger, 0, height + 2))
    await put(network, "k", "new")
    await put(network, "k", "newer")
    blocks = await asyncio.wait_for(following, 10)
    assert [block.header.number for block in blocks] == list(range(height + 2))
    assert blocks[height - 1] == await network.ledger.block(height - 1)


async def test_blocks_can_start_beyond_the_end(network: Network) -> None:
    height = await network.ledger.height()
    following = asyncio.create_task(take(network.ledger, height + 1, 1))
    await put(network, "k", "1")
    await put(network, "k", "2")
    (block,) = await asyncio.wait_for(following, 10)
    assert block.header.number == height + 1


async def test_a_closed_ledger_says_so(network: Network) -> None:
    following = asyncio.create_task(take(network.ledger, await network.ledger.height(), 1))
    await asyncio.sleep(0)
    await network.ledger.close()
    for call in (
        network.ledger.height(),
        network.ledger.block(0),
        network.ledger.submit("put", [b"k", b"v"], identity=network.farmer),
        network.ledger.evaluate("get", [b"k"], identity=network.farmer),
        following,
    ):
        with pytest.raises(LedgerError, match="closed"):
            await call
