"""The read model of a real ledger: the contract's own writes, real blocks, following, rebuilding, dying."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from epcis import parse_event
from readmodel import ChainMismatchError, Projector, digest, migrate, open_engine, rebuild
from readmodel.queries import EventFilter, event, find_events, flows, handoffs, on_hand, overview, thing, trace
from readmodel.queries.handoffs import HandoffFilter
from tests.integration.readmodel.chain import moment, object_event
from tests.integration.readmodel.network import GTIN, ITEMS, MAKER, PALLET, PLANT, RAW, SHOP, STORE, Network


async def test_a_story_from_lot_to_shelf(network: Network, engine: Engine) -> None:
    await network.story()
    await Projector(engine, network.chaincode).run(network.ledger, until=await network.ledger.height())
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
    maker, shop = network.msp("maker"), network.msp("shop")
    projector = Projector(engine, network.chaincode)
    await projector.run(network.ledger, until=await network.ledger.height())
    await network.protect("shop", {"thing": ITEMS[4]}, shop, maker)
    await network.protect("maker", {"lot": RAW}, maker)
    await network.capture("shop", object_event(50, step="inspecting", epcList=ITEMS[4:], bizLocation={"id": STORE}))
    await projector.run(network.ledger, until=await network.ledger.height())
    with engine.connect() as connection:
        found = {uri: thing(connection, uri) for uri in (ITEMS[3], ITEMS[4], RAW, GTIN)}
    endorsers = {uri: one.endorsers for uri, one in found.items() if one is not None}
    assert endorsers == {ITEMS[3]: [], ITEMS[4]: sorted([maker, shop]), RAW: [maker], GTIN: []}
    before = digest(engine)
    await rebuild(engine, network.ledger, network.chaincode)
    assert digest(engine) == before


async def test_every_event_has_the_hash_it_is_known_by(network: Network, sqlite_engine: Engine) -> None:
    await network.story()
    await Projector(sqlite_engine, network.chaincode).run(network.ledger, until=await network.ledger.height())
    with sqlite_engine.connect() as connection:
        everything = find_events(connection, EventFilter(), per_page=100).items
        assert len(everything) == 7
        for one in everything:
            assert parse_event(one.event).hash == one.hash
            assert await network.ledger.transaction_block(one.tx_id) == one.block
            assert event(connection, one.hash) == one


async def test_rebuilding_from_the_ledger_gives_the_same(network: Network, engine: Engine) -> None:
    await network.story()
    await Projector(engine, network.chaincode).run(network.ledger, until=await network.ledger.height())
    before = digest(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM event WHERE id > 3"))
        connection.execute(text("UPDATE thing SET status = 'stolen'"))
    assert digest(engine) != before
    await rebuild(engine, network.ledger, network.chaincode)
    assert digest(engine) == before


async def test_the_projector_follows_the_ledger(network: Network, sqlite_engine: Engine) -> None:
    projector = Projector(sqlite_engine, network.chaincode)
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
    projector = Projector(sqlite_engine, network.chaincode)
    await projector.run(network.ledger, until=await network.ledger.height())
    other = await Network.create(tmp_path / "other")
    await other.story()
    with pytest.raises(ChainMismatchError, match="Rebuild"):
        await projector.run(other.ledger, until=await other.ledger.height())
    await other.ledger.close()


async def test_killed_at_any_point_it_goes_on_where_it_was(network: Network, tmp_path: Path) -> None:
    await network.register()
    for n in range(30):
        await network.capture("maker", object_event(n, epcList=[f"{GTIN}/21/k{n}", ITEMS[n % 5]]))
    model = tmp_path / "killed.db"
    migrate(open_engine(model))
    for blocks in (1, 4, 9):
        await asyncio.to_thread(_run_and_kill, network, model, after=blocks)
    killed, whole = open_engine(model), open_engine(tmp_path / "whole.db")
    migrate(whole)
    for engine in (killed, whole):
        await Projector(engine, network.chaincode).run(network.ledger, until=await network.ledger.height())
    assert digest(killed) == digest(whole)


def _run_and_kill(network: Network, model: Path, *, after: int) -> None:
    """Catch up in another process and kill it while it is at the block after so many more with events."""
    command = [*network.reader, str(model)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}) as process:
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
