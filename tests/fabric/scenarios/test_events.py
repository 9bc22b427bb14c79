"""Scenarios `chaincodeevents` and `blockevents`: receive, replay, restart, two listeners, checkpoints."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fabric.gateway import FileCheckpointer, InMemoryCheckpointer
from fabric.gateway.gateway import Network
from tests.fabric.scenarios.conftest import Connect, World

pytestmark = pytest.mark.fabric
Item = TypeVar("Item")


@pytest.fixture(scope="module")
def basic(world: World) -> str:
    return world.deploy("basic", "two")


async def take(stream: AsyncIterator[Item], count: int) -> list[Item]:
    found = []
    async for item in stream:
        found.append(item)
        if len(found) == count:
            break
    return found


async def next_one(stream: AsyncIterator[Item]) -> Item:
    return await asyncio.wait_for(anext(stream), 30)


async def emit(connect: Connect, basic: str, *names: str) -> list[int]:
    """Set events; returns the blocks in which they are."""
    contract = (await connect()).contract(basic)
    blocks = []
    for name in names:
        commit = await contract.submit_async("event", name, f"about {name}")
        blocks.append((await commit.successful()).block_number)
    return blocks


async def test_chaincodeevents_1_receive(connect: Connect, basic: str) -> None:
    network = (await connect()).gateway.get_network("lotline")
    stream = network.get_chaincode_events(basic)
    waiting = asyncio.create_task(next_one(stream))
    # a stream from now on begins somewhen soon: events are set until one is seen
    while not waiting.done():
        await emit(connect, basic, "now")
    event = await waiting
    assert (event.chaincode, event.name, event.payload) == (basic, "now", b"about now")


async def test_chaincodeevents_2_replay(connect: Connect, basic: str) -> None:
    first, _ = await emit(connect, basic, "one", "two")
    network = (await connect("Org2MSP")).gateway.get_network("lotline")
    found = await asyncio.wait_for(take(network.get_chaincode_events(basic, start_block=first), 2), 30)
    assert [event.name for event in found] == ["one", "two"]


async def test_chaincodeevents_3_restart(connect: Connect, basic: str) -> None:
    (block,) = await emit(connect, basic, "again")
    network = (await connect()).gateway.get_network("lotline")
    for _ in range(2):
        event = await next_one(network.get_chaincode_events(basic, start_block=block))
        assert event.name == "again"


async def test_chaincodeevents_4_two_listeners(connect: Connect, basic: str) -> None:
    (block,) = await emit(connect, basic, "both")
    networks = [(await connect(msp)).gateway.get_network("lotline") for msp in ("Org1MSP", "Org3MSP")]
    events = await asyncio.gather(*(next_one(n.get_chaincode_events(basic, start_block=block)) for n in networks))
    assert events[0] == events[1]


async def test_chaincodeevents_5_checkpoint(connect: Connect, basic: str, tmp_path: Path) -> None:
    first, _, _ = await emit(connect, basic, "a", "b", "c")
    network = (await connect()).gateway.get_network("lotline")
    seen = await asyncio.wait_for(take(network.get_chaincode_events(basic, start_block=first), 2), 30)
    place = FileCheckpointer(tmp_path / "checkpoint.json")
    place.checkpoint_transaction(seen[-1].block_number, seen[-1].transaction_id)
    after_a_crash = FileCheckpointer(tmp_path / "checkpoint.json")
    event = await next_one(network.get_chaincode_events(basic, start_block=0, checkpoint=after_a_crash))
    assert event.name == "c"


async def test_a_reader_killed_between_events_loses_and_doubles_none(
    connect: Connect, basic: str, tmp_path: Path, world: World
) -> None:
    """Several events a block, so that a checkpoint within a block counts; each life of the reader ends by SIGKILL."""
    contract = (await connect()).contract(basic)
    names = [f"e{number}" for number in range(9)]
    endorsed = [await contract.new_proposal("event", [name, ""]).endorse() for name in names]
    commits = [await transaction.submit() for transaction in endorsed]
    numbers = [(await commit.successful()).block_number for commit in commits]
    assert len(set(numbers)) < len(numbers), "no block held two of them"
    first = min(numbers)
    undisturbed = (await connect()).gateway.get_network("lotline").get_chaincode_events(basic, start_block=first)
    expected = [event.name for event in await asyncio.wait_for(take(undisturbed, len(names)), 30)]
    # orderers that pass on to their leader may change the order in which they were sent
    assert sorted(expected) == names
    layout, organisation = world.network.layout, world.network.topology.organisation("Org1MSP")
    command = [
        sys.executable, "-m", "tests.fabric.scenarios.follower", str(layout.connection(organisation)),
        str(layout.identity(organisation, "user") / "msp"), basic, str(first), str(tmp_path / "checkpoint.json"),
    ]  # fmt: skip
    lives = [await asyncio.to_thread(live, command, count) for count in (1, 2, 4, 2)]
    assert [name for life in lives for name in life] == expected


def live(command: list[str], count: int) -> list[str]:
    """Let a reader handle so many events and kill it; returns what it saw."""
    seen = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(count):
            seen.append(process.stdout.readline().removeprefix("seen ").strip())
            assert process.stdout.readline() == f"kept {seen[-1]}\n"
            if len(seen) < count:
                process.stdin.write("\n")
                process.stdin.flush()
        process.kill()
    return seen


KINDS = ["block", "filtered", "private"]


def blocks(network: Network, kind: str, **where: Any) -> AsyncIterator[Any]:
    streams = {
        "block": network.get_block_events,
        "filtered": network.get_filtered_block_events,
        "private": network.get_block_and_private_data_events,
    }
    return streams[kind](**where)


def number(kind: str, block: Any) -> int:
    """Where each kind keeps its number."""
    if kind == "filtered":
        return int(block.number)
    return int((block.block if kind == "private" else block).header.number)


@pytest.mark.parametrize("kind", KINDS)
async def test_blockevents_1_receive(connect: Connect, basic: str, kind: str) -> None:
    network = (await connect()).gateway.get_network("lotline")
    waiting = asyncio.create_task(next_one(blocks(network, kind)))
    written = []
    while not waiting.done():
        written += await emit(connect, basic, "block")
    assert number(kind, await waiting) in written


@pytest.mark.parametrize("kind", KINDS)
async def test_blockevents_2_replay(connect: Connect, basic: str, kind: str) -> None:
    first, second = await emit(connect, basic, "x", "y")
    network = (await connect("Org2MSP")).gateway.get_network("lotline")
    found = await asyncio.wait_for(take(blocks(network, kind, start_block=first), 2), 30)
    assert [number(kind, block) for block in found] == [first, second]


@pytest.mark.parametrize("kind", KINDS)
async def test_blockevents_3_restart(connect: Connect, basic: str, kind: str) -> None:
    (block,) = await emit(connect, basic, "z")
    network = (await connect()).gateway.get_network("lotline")
    for _ in range(2):
        assert number(kind, await next_one(blocks(network, kind, start_block=block))) == block


@pytest.mark.parametrize("kind", KINDS)
async def test_blockevents_4_two_listeners(connect: Connect, basic: str, kind: str) -> None:
    (block,) = await emit(connect, basic, "z")
    networks = [(await connect(msp)).gateway.get_network("lotline") for msp in ("Org1MSP", "Org3MSP")]
    found = await asyncio.gather(*(next_one(blocks(n, kind, start_block=block)) for n in networks))
    assert [number(kind, one) for one in found] == [block, block]


@pytest.mark.parametrize("kind", KINDS)
async def test_blockevents_5_checkpoint(connect: Connect, basic: str, kind: str) -> None:
    first, second = await emit(connect, basic, "x", "y")
    network = (await connect()).gateway.get_network("lotline")
    place = InMemoryCheckpointer()
    place.checkpoint_block(first)
    assert number(kind, await next_one(blocks(network, kind, checkpoint=place))) == second
