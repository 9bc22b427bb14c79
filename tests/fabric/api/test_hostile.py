"""Documents of somebody who means harm, from the HTTP edge over a real network's blocks to tables of two organisations' peers."""

from __future__ import annotations

from pathlib import Path

import pytest

from readmodel import Projector, digest, migrate, open_engine
from tests.effort import examples
from tests.fabric.playground import Playground
from tests.hostile import Hostile
from tests.integration.api.conftest import Service, event

pytestmark = pytest.mark.fabric
HEADERS = {"Content-Type": "application/json", "GS1-Capture-Error-Behaviour": "proceed"}


async def test_nothing_that_is_accepted_stops_anything(
    service: Service, playground: Playground, tmp_path: Path
) -> None:
    hostile, waiting = Hostile(4711), []
    for n in range(examples(200)):
        role = ("scanner", "shop")[n % 2]
        answer = await service.clients[role].post("/capture", content=hostile.document(), headers=HEADERS)
        assert answer.status_code in (202, 400, 413), answer.text
        if answer.status_code == 202:
            waiting.append((answer.headers["location"], role))
    assert len(waiting) > examples(200) // 4
    finished = [await service.finished(location, role) for location, role in waiting]
    assert sum(job["accepted"] for job in finished) > 0
    assert (await service.capture(event(1)))["success"]  # others are none the worse for it

    digests = []
    for msp in ("FarmMSP", "ShopMSP"):
        engine = open_engine(tmp_path / f"{msp}.db")
        migrate(engine)
        ledger = playground.ledger(service.settings.ledger.chaincode, msp)
        await Projector(engine, service.settings.ledger.chaincode).run(ledger, until=await ledger.height())
        digests.append(digest(engine))
        await ledger.close()
        engine.dispose()
    assert digests[0] == digests[1]
