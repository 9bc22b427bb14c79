"""Four BFT orderers: one may die or freeze; with two gone nothing is ordered, and nothing forks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from network.topology import Blocks, Consensus, build
from tests.conftest import free_base_port
from tests.fabric.playground import Playground
from tests.fabric.scene import Scene

pytestmark = [pytest.mark.fabric, pytest.mark.faults]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Two organisations with a peer each."""
    topology = build(
        {"farm": 1, "shop": 1}, consensus=Consensus.BFT, base_port=free_base_port(), blocks=Blocks(bft_interval="100ms")
    )
    made = Playground(tmp_path_factory.mktemp("bft"), topology)
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


async def test_19_the_leader_is_killed(scene: Scene) -> None:
    victim = scene.leader()
    await asyncio.to_thread(scene.network.stop, victim, True)
    await scene.load.after(30)
    await asyncio.to_thread(scene.network.start, victim)
    await scene.load.after(20)
    await scene.finish()


async def test_19_the_leader_is_frozen(scene: Scene) -> None:
    victim = scene.leader()
    scene.network.processes.signal(victim, signal.SIGSTOP)
    try:
        await scene.load.after(30)
    finally:
        scene.network.processes.signal(victim, signal.SIGCONT)
    await scene.load.after(20)
    await scene.finish()


async def test_19_two_of_four_are_gone(scene: Scene) -> None:
    victims = [orderer.host for orderer in scene.network.topology.orderers[:2]]
    for victim in victims:
        await asyncio.to_thread(scene.network.stop, victim, True)
    before = len(scene.load.acknowledged)
    await asyncio.sleep(3)  # long enough for whatever was under way; three of four must agree
    assert len(scene.load.acknowledged) - before <= 20
    for victim in victims:
        await asyncio.to_thread(scene.network.start, victim)
    await scene.load.after(30)
    await scene.finish()
