"""The read model of a real ledger: the contract's own writes, real blocks, following, rebuilding, dying."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from epcis import parse_event
from ledger import ca
from ledger.embedded import EmbeddedLedger
from ledger.identity import Identity
from readmodel import ChainMismatchError, Projector, digest, migrate, open_engine, rebuild
from readmodel.queries import EventFilter, event, find_events, flows, handoffs, on_hand, overview, thing, trace
from readmodel.queries.handoffs import HandoffFilter
from tests.integration.readmodel.chain import at, moment, object_event, pack, transform

MAKER, SHOP = "https://id.gs1.org/417/9506000111117", "https://id.gs1.org/417/9506000222226"
PLANT, STORE = "https://id.gs1.org/414/9506000111117", "https://id.gs1.org/414/9506000222226"
GTIN, RAW = "https://id.gs1.org/01/09506000134352", "https://id.gs1.org/01/09506000134369/10/R1"
LOT = f"{GTIN}/10/L1"
PALLET = "https://id.gs1.org/00/095060001343520017"
ITEMS = [f"{GTIN}/21/{n}" for n in range(1, 6)]


class Network:
    """Two organisations on an embedded ledger."""

    def __init__(self, ledger: EmbeddedLedger, people: dict[str, Identity]) -> None:
        self.ledger = ledger
        self._people = people

    @classmethod
    async def create(cls, home: Path) -> Network:
        ledger = await EmbeddedLedger.create(home, ["MakerMSP", "ShopMSP"])
        people = {
            name: ca.issue(home / "organisations" / msp, name, "admin")
            for name, msp in (("maker", "MakerMSP"), ("shop", "ShopMSP"))
        }
        return cls(ledger, people)

    async def register(self) -> None:
        for who, party, place, country in (("maker", MAKER, PLANT, "FR"), ("shop", SHOP, STORE, "DE")):
            await self._submit(who, "registerParty", {"id": party, "name": who.title()})
            site = {"id": place, "party": party, "name": f"{who}'s place", "country": country}
            await self._submit(who, "registerPlace", site)

    async def capture(self, who: str, *events: dict[str, Any]) -> None:
        batch = {"groups": [{"id": "g", "onError": "rollback", "events": list(events)}]}
        answer = await self._submit(who, "capture", batch)
        (group,) = answer["groups"]
        assert [one for one in group["verdicts"] if one["verdict"] != "accepted"] == []

    async def protect(self, who: str, what: dict[str, str], *organisations: str) -> None:
        await self._submit(who, "protect", {**what, "organisations": organisations})

    async def _submit(self, who: str, function: str, argument: dict[str, Any]) -> Any:
        done = await self.ledger.submit(function, [orjson.dumps(argument)], identity=self._people[who])
        return orjson.loads(done.result)

    async def story(self) -> None:
        """A lot is made into items, which go to a shop on a pallet and are sold."""
        await self.register()
        here: dict[str, Any] = {"bizLocation": {"id": PLANT}}
        there: dict[str, Any] = {"bizLocation": {"id": STORE}}
        made = object_event(0, "ADD", "commissioning", quantityList=[{"epcClass": RAW, "quantity": 9}])
        await self.capture(
            "maker",
            {**made, **here},
            transform(1, [RAW], ITEMS, ilmd={"cbvmda:lotNumber": "L1"}, **here),
            pack(2, PALLET, ITEMS, **here),
        )
        between: dict[str, Any] = {
            "sourceList": [{"type": "possessing_party", "source": MAKER}],
            "destinationList": [{"type": "possessing_party", "destination": SHOP}],
            "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9506000111117:1"}],
        }
        promise: dict[str, Any] = {
            "lotline:promisedAt": at(50),
            "@context": [{"lotline": "https://ns.lotline.org/epcis/"}],
        }
        shipped = object_event(3, step="shipping", epcList=[PALLET], **between, **promise)
        await self.capture("maker", {**shipped, "readPoint": {"id": PLANT}})
        await self.capture("shop", object_event(30, step="receiving", epcList=[PALLET], **there, **between))
        await self.capture("shop", pack(31, PALLET, action="DELETE", **there))
        await self.capture("shop", object_event(40, "DELETE", "retail_selling", epcList=ITEMS[:2], **there))


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    made = await Network.create(tmp_path / "ledger")
    yield made
    await made.ledger.close()


async def test_a_story_from_lot_to_shelf(network: Network, engine: Engine) -> None:
    await network.story()
    await Projector(engine).run(network.ledger, until=await network.ledger.height())
    with engine.connect() as connection:
        sold, left = thing(connection, ITEMS[0]), thing(connection, ITEMS[4])
        assert sold is not None
        assert left is not None
        assert (left.place, left.holder, left.holder_name, left.parents) == (STORE, SHOP, "Shop", [])
        assert left.status == "active"
        assert sold.status != "active"
        (hop,) = handoffs(connection, HandoffFilter()).items
        assert (hop.item, hop.status, hop.from_party, hop.to_party) == (PALLET, "complete", MAKER, SHOP)
        assert (hop.from_place, hop.to_place) == (PLANT, STORE)
        assert (hop.released_at, hop.accepted_at, hop.promised_at) == (moment(3), moment(30), moment(50))
        assert [(line.product, line.released, line.accepted) for line in hop.lines] == [(GTIN, 5.0, 5.0)]
        counted = {(one.flow, one.product, one.country): one.quantity for one in flows(connection)}
        assert counted[("shipped", GTIN, "FR")] == counted[("received", GTIN, "DE")] == 5.0
        assert counted[("sold", GTIN, "DE")] == 2.0
        assert {(one.product, one.place): one.quantity for one in on_hand(connection)}[(GTIN, STORE)] == 3.0
        recall = trace(connection, RAW, direction="downstream")
        assert recall is not None
        assert {node.id for node in recall.nodes} >= {RAW, PALLET, *ITEMS}
        assert [one.biz_step for one in recall.events][-1] == "retail_selling"
        origin = trace(connection, ITEMS[0], direction="upstream")
        assert origin is not None
        assert RAW in {node.id for node in origin.nodes}
        assert overview(connection, datetime.now(UTC)).in_transit == 0


async def test_who_must_agree_to_changes_of_a_thing_or_lot(network: Network, engine: Engine) -> None:
    """Followed as it happens, or learnt at once: the same."""
    await network.story()
    projector = Projector(engine)
    await projector.run(network.ledger, until=await network.ledger.height())
    await network.protect("shop", {"thing": ITEMS[4]}, "ShopMSP", "MakerMSP")
    await network.protect("maker", {"lot": RAW}, "MakerMSP")
    await network.capture("shop", object_event(50, step="inspecting", epcList=ITEMS[4:], bizLocation={"id": STORE}))
    await projector.run(network.ledger, until=await network.ledger.height())
    with engine.connect() as connection:
        found = {uri: thing(connection, uri) for uri in (ITEMS[3], ITEMS[4], RAW, GTIN)}
    endorsers = {uri: one.endorsers for uri, one in found.items() if one is not None}
    assert endorsers == {ITEMS[3]: [], ITEMS[4]: ["MakerMSP", "ShopMSP"], RAW: ["MakerMSP"], GTIN: []}
    before = digest(engine)
    await rebuild(engine, network.ledger)
    assert digest(engine) == before


async def test_every_event_has_the_hash_it_is_known_by(network: Network, sqlite_engine: Engine) -> None:
    await network.story()
    await Projector(sqlite_engine).run(network.ledger, until=await network.ledger.height())
    with sqlite_engine.connect() as connection:
        everything = find_events(connection, EventFilter(), per_page=100).items
        assert len(everything) == 7
        for one in everything:
            assert parse_event(one.event).hash == one.hash
            assert await network.ledger.transaction_block(one.tx_id) == one.block
            assert event(connection, one.hash) == one


async def test_rebuilding_from_the_ledger_gives_the_same(network: Network, engine: Engine) -> None:
    await network.story()
    await Projector(engine).run(network.ledger, until=await network.ledger.height())
    before = digest(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM event WHERE id > 3"))
        connection.execute(text("UPDATE thing SET status = 'stolen'"))
    assert digest(engine) != before
    await rebuild(engine, network.ledger)
    assert digest(engine) == before


async def test_the_projector_follows_the_ledger(network: Network, sqlite_engine: Engine) -> None:
    projector = Projector(sqlite_engine)
    following = asyncio.create_task(projector.run(network.ledger))
    await network.story()
    height = await network.ledger.height()
    async with asyncio.timeout(30):
        while (done := projector.checkpoint()) is None or done.number < height - 1:
            assert not following.done()
            await asyncio.sleep(0.01)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_a_reset_ledger_is_noticed(network: Network, sqlite_engine: Engine, tmp_path: Path) -> None:
    await network.register()
    projector = Projector(sqlite_engine)
    await projector.run(network.ledger, until=await network.ledger.height())
    other = await Network.create(tmp_path / "other")
    await other.story()
    with pytest.raises(ChainMismatchError, match="Rebuild"):
        await projector.run(other.ledger, until=await other.ledger.height())
    await other.ledger.close()


_CATCH_UP = """
import asyncio, sys
from pathlib import Path
from ledger.embedded import EmbeddedLedger
from readmodel import Projector, open_engine

async def main():
    ledger = await EmbeddedLedger.open(Path(sys.argv[1]), read_only=True)
    projector = Projector(open_engine(Path(sys.argv[2])))
    for number in range(await ledger.height()):
        projector.apply(await ledger.block(number))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_killed_at_any_point_it_goes_on_where_it_was(network: Network, tmp_path: Path) -> None:
    await network.register()
    for n in range(30):
        await network.capture("maker", object_event(n, epcList=[f"{GTIN}/21/k{n}", ITEMS[n % 5]]))
    ledger, model = tmp_path / "ledger", tmp_path / "killed.db"
    migrate(open_engine(model))
    for blocks in (1, 4, 9):
        await asyncio.to_thread(_run_and_kill, ledger, model, after=blocks)
    killed, whole = open_engine(model), open_engine(tmp_path / "whole.db")
    migrate(whole)
    for engine in (killed, whole):
        await Projector(engine).run(network.ledger, until=await network.ledger.height())
    assert digest(killed) == digest(whole)


def _run_and_kill(ledger: Path, model: Path, *, after: int) -> None:
    """Catch up in another process and kill it while it is at the block after so many."""
    command = [sys.executable, "-c", _CATCH_UP, str(ledger), str(model)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
