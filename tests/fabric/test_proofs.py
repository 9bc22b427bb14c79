"""Proofs on a real network of four organisations: made through one of them, verified with the roots of the other three."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from fabric.words.identity import Identity
from ledger.errors import Conflict, Unavailable
from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from network.topology import Consensus, build
from proofs import ProofError, Roots, verify
from proving import Prover
from readmodel import Projector, migrate, open_engine
from readmodel.queries.trace import trace
from tests.conftest import free_base_port
from tests.fabric.playground import LOTLINE, Playground
from tests.integration.proofs.rewriting import rewritten
from tests.unit.chaincode.peer import A, B, commission, event, item, lot, pallet, quantities

pytestmark = pytest.mark.fabric
NAMES = ("farm", "mill", "shop", "bank")
RAW = lot("RAW")


@pytest.fixture(scope="module", params=[Consensus.RAFT, pytest.param(Consensus.BFT, marks=pytest.mark.faults)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Four organisations with a peer each."""
    topology = build(dict.fromkeys(NAMES, 1), consensus=request.param, base_port=free_base_port())
    made = Playground(tmp_path_factory.mktemp("proofs"), topology)
    try:
        made.network.up()
        yield made
    finally:
        made.network.down()


@dataclass
class World:
    """A chaincode of its own with a story in it, seen through the farm's peer."""

    ledger: FabricLedger
    chaincode: str
    engine: Engine
    people: dict[str, Identity]
    roots: Path
    others: list[FabricLedger] = field(default_factory=list)

    async def capture(self, who: str, *events: dict[str, Any]) -> None:
        batch = orjson.dumps({"groups": [{"id": "g", "events": list(events)}]})
        async with asyncio.timeout(60):
            while True:
                try:
                    done = await self.ledger.submit("capture", [batch], identity=self.people[who])
                except (Conflict, Unavailable):
                    await asyncio.sleep(0.05)
                else:
                    break
        assert not json.loads(done.result)["groups"][0]["verdicts"]

    async def project(self) -> None:
        await Projector(self.engine, self.chaincode).run(self.ledger, until=await self.ledger.height())


@pytest.fixture(scope="module")
def chaincode(place: Playground) -> str:
    return place.fresh("lotline", LOTLINE)


@pytest.fixture
async def world(place: Playground, chaincode: str, tmp_path: Path) -> AsyncIterator[World]:
    organisations = {one.msp_id: one for one in place.network.topology.organisations}
    people = {msp: place.identity(msp) for msp in organisations}
    for msp, one in organisations.items():  # an empty folder that has only the others' roots
        if not msp.startswith("Farm"):
            shutil.copytree(place.network.layout.msp(one), tmp_path / "roots" / msp)
    url = f"sqlite:///{tmp_path / 'readmodel.db'}"
    migrate(url)
    made = World(place.ledger(chaincode, "FarmMSP"), chaincode, open_engine(url), people, tmp_path / "roots")
    yield made
    made.engine.dispose()
    await made.ledger.close()


async def _story(world: World, n: int) -> None:
    """A lot made into items, packed, shipped, received."""
    ways: dict[str, Any] = {
        "sourceList": [{"type": "possessing_party", "source": A[1]}],
        "destinationList": [{"type": "possessing_party", "destination": B[1]}],
    }
    made = event("ObjectEvent", n, "commissioning", action="ADD", quantityList=quantities({RAW: 50 + n}))
    outputs = [item(100 * n + k) for k in range(3)]
    await world.capture(
        "FarmMSP",
        made,
        event(
            "TransformationEvent",
            n + 0.1,
            "creating_class_instance",
            inputQuantityList=quantities({RAW: 3}),
            outputEPCList=outputs,
        ),
        commission(n + 0.1, pallet(n)),
        event("AggregationEvent", n + 0.2, "packing", action="ADD", parentID=pallet(n), childEPCs=outputs),
        event("ObjectEvent", n + 0.3, "shipping", action="OBSERVE", epcList=[pallet(n)], **ways),
    )
    await world.capture(
        "ShopMSP", event("ObjectEvent", n + 0.5, "receiving", B, action="OBSERVE", epcList=[pallet(n)], **ways)
    )
    seen = event("ObjectEvent", n + 0.6, "inspecting", B, action="OBSERVE", quantityList=quantities({RAW: 1}))
    await world.capture("ShopMSP", seen)  # another writer of the same lot


async def test_made_by_one_and_verified_with_the_roots_of_the_others(world: World) -> None:
    await _story(world, 1)
    await _story(world, 2)
    await world.project()
    prover = Prover(world.engine, world.ledger, world.people["FarmMSP"], one_party=False, chaincode=world.chaincode)
    roots = Roots.read(world.roots)
    assert sorted(roots.authorities) == ["BankMSP", "MillMSP", "ShopMSP"]
    height = await world.ledger.height()
    for uri, direction in ((RAW, "downstream"), (item(101), "upstream"), (pallet(1), "both")):
        proof = await prover.prove("trace", uri, direction=direction)
        raw = proof.to_json()
        found = verify(raw, roots, nonce=proof.question.nonce, start=uri, chaincode=world.chaincode)
        assert len(found.organisations) >= 2
        assert "FarmMSP" not in found.organisations
        assert 0 < found.block < height
        with world.engine.connect() as connection:
            answer = trace(connection, uri, direction=direction)  # type: ignore[arg-type]
        assert answer is not None
        assert {one.id for one in answer.nodes if one.kind != "transformation"} <= dict(found.nodes).keys()
        document = json.loads(raw)
        for gone in range(len(proof.records)):
            less = json.loads(raw)
            del less["records"][gone], less["answer"]["events"][gone]
            less["trails"] = [
                [name, writer, [n - (n > gone) for n in places if n != gone]]
                for name, writer, places in document["trails"]
            ]
            with pytest.raises(ProofError, match="trail"):
                verify(rewritten(less), roots, chaincode=world.chaincode)
        with pytest.raises(ProofError, match="question"):
            verify(raw, roots)  # of another chaincode than the channel's own
    assert await world.ledger.height() == height, "a proof is no transaction"


async def test_a_proof_while_others_write(world: World) -> None:
    """Events that arrive meanwhile are in the proof, or it is made again: never half."""
    await _story(world, 11)
    await world.project()
    prover = Prover(world.engine, world.ledger, world.people["FarmMSP"], one_party=False, chaincode=world.chaincode)

    async def write() -> None:
        for n in range(12, 16):
            seen = event("ObjectEvent", n, "inspecting", B, action="OBSERVE", quantityList=quantities({RAW: 1}))
            await world.capture("ShopMSP", seen)
            await world.project()

    writing = asyncio.create_task(write())
    counts = []
    while not writing.done():
        proof = await prover.prove("thing", RAW)
        counts.append(len(verify(proof.to_json(), Roots.read(world.roots), chaincode=world.chaincode).events))
    await writing
    assert counts == sorted(counts)


async def test_every_organisation_signs_how_high_its_chain_is(place: Playground, world: World) -> None:
    """Asked of each one's own peer: the Gateway passes on no signature under what the system chaincode says."""
    topology, layout = place.network.topology, place.network.layout
    peers = {one.msp_id: read_connection(layout.connection(one)).peers for one in topology.organisations}
    farmer = world.people["FarmMSP"]
    wide = FabricLedger(peers, farmer, topology.channel, world.chaincode)
    prover = Prover(world.engine, wide, farmer, one_party=False, chaincode=world.chaincode)
    proof = await prover.prove("thing", item(404))
    found = verify(proof.to_json(), Roots.read(world.roots), chaincode=world.chaincode)
    height = await wide.height()
    assert {(one.msp_id, one.height) for one in found.checkpoints} == {
        (msp, height) for msp in ("BankMSP", "MillMSP", "ShopMSP")
    }
    assert len({one.header_hash for one in found.checkpoints}) == 1
    await wide.close()
