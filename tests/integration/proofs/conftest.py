"""An embedded ledger with a story in it, its read model, and roots to verify with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.port import Identity
from proofs import Roots
from proving import Prover
from readmodel import Projector, migrate, open_engine
from tests.unit.chaincode.peer import A, B, commission, event, item, lot, pallet, quantities

MSPS = ("AMSP", "BMSP", "CMSP")
RAW, MADE = lot("RAW"), lot("MADE")


@dataclass
class World:
    """A ledger that people of several organisations write to."""

    ledger: EmbeddedLedger
    engine: Engine
    people: dict[str, Identity]
    roots: Roots
    home: Path

    @property
    def prover(self) -> Prover:
        return Prover(self.engine, self.ledger, self.people["AMSP"], one_party=True)

    async def capture(self, *events: dict[str, Any], msp: str = "AMSP") -> None:
        """Capture events that must be accepted, and project them."""
        batch = json.dumps({"groups": [{"id": "g", "events": list(events)}]}).encode()
        done = await self.ledger.submit("capture", [batch], identity=self.people[msp])
        answer = json.loads(done.result)["groups"][0]
        assert answer["committed"], answer
        assert not answer["verdicts"], answer
        await Projector(self.engine).run(self.ledger, until=await self.ledger.height())


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    ledger = await EmbeddedLedger.create(tmp_path / "ledger", MSPS)
    homes = {msp: tmp_path / "ledger" / "organisations" / msp for msp in MSPS}
    people = {msp: ca.issue(home, "scanner", "client", attributes={"role": "scanner"}) for msp, home in homes.items()}
    url = f"sqlite:///{tmp_path / 'readmodel.db'}"
    migrate(url)
    engine = open_engine(url)
    folder = tmp_path / "msp"
    for msp, home in homes.items():
        (folder / msp / "cacerts").mkdir(parents=True)
        (folder / msp / "cacerts" / "ca.pem").write_bytes((home / "ca.pem").read_bytes())
    yield World(ledger, engine, people, Roots.read(folder), tmp_path)
    engine.dispose()
    await ledger.close()


async def tell(world: World) -> None:
    """From raw material to the shelf: lots, making, packing twice, shipping, a correction, a tie, something unrelated."""
    await world.capture(
        event("ObjectEvent", 0, "commissioning", action="ADD", quantityList=quantities({RAW: 50}, "KGM")),
        event(
            "TransformationEvent",
            1,
            "creating_class_instance",
            inputQuantityList=quantities({RAW: 20}, "KGM"),
            outputQuantityList=quantities({MADE: 40}),
        ),
    )
    await world.capture(
        commission(2, item(1), item(2), item(3), ilmd={"cbvmda:lotNumber": "MADE"}),
        commission(2, pallet(1), pallet(2)),
        event("AggregationEvent", 3, "packing", action="ADD", parentID=pallet(1), childEPCs=[item(1), item(2)]),
        event("AggregationEvent", 4, "loading", action="ADD", parentID=pallet(2), childEPCs=[pallet(1)]),
        event("ObjectEvent", 4.5, "inspecting", action="OBSERVE", epcList=[item(3)]),
        commission(2, item(90), item(91)),
    )
    ways: dict[str, Any] = {
        "sourceList": [{"type": "possessing_party", "source": A[1]}],
        "destinationList": [{"type": "possessing_party", "destination": B[1]}],
    }
    await world.capture(event("ObjectEvent", 5, "shipping", action="OBSERVE", epcList=[pallet(2)], **ways))
    await world.capture(
        event("ObjectEvent", 8, "receiving", B, action="OBSERVE", epcList=[pallet(2)], **ways), msp="BMSP"
    )
    await world.capture(
        event("AggregationEvent", 9, "unpacking", B, action="DELETE", parentID=pallet(2), childEPCs=[pallet(1)]),
        event("AggregationEvent", 10, "unpacking", B, action="DELETE", parentID=pallet(1)),
        event(
            "TransformationEvent",
            11,
            "creating_class_instance",
            B,
            transformationID="urn:uuid:0197c3a2-5b1e-7c33-9f6c-3a3a5a0f7e11",
            inputEPCList=[item(1)],
        ),
        event(
            "TransformationEvent",
            12,
            "creating_class_instance",
            B,
            transformationID="urn:uuid:0197c3a2-5b1e-7c33-9f6c-3a3a5a0f7e11",
            outputEPCList=[item(50)],
        ),
        msp="BMSP",
    )
    wrong = event("ObjectEvent", 13, "inspecting", B, action="OBSERVE", epcList=[item(2)])
    await world.capture(wrong, msp="BMSP")
    await world.capture({**wrong, "errorDeclaration": {"declarationTime": "2025-03-02T00:00:00.000Z"}}, msp="BMSP")


@pytest.fixture
async def story(world: World) -> World:
    await tell(world)
    return world
