"""The rebuilt read model is the one there was, whatever the ledger holds and however its blocks came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from fabric.words.blocks import DecodedBlock, DecodedTx, Write
from readmodel import Projector, digest, projector
from readmodel.handoffs import write_flows
from readmodel.projector import clear
from tests.effort import examples
from tests.hostile import PARTIES, PLACES, Hostile
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.pipeline import ORGANISATIONS, Pipeline
from tests.unit.chaincode.peer import creator

_OLD = orjson.loads((Path(__file__).parent / "first_version_blocks.json").read_bytes())


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


class PowerCut(BaseException):
    """The process dies."""


def project(engine: Engine, blocks: Sequence[DecodedBlock], random: Random, patch: pytest.MonkeyPatch) -> str:
    """The digest after projecting some blocks at a time into an emptied model, with processes that die on the way."""
    clear(engine)
    at, whole = 0, write_flows

    def dies(*_: Any) -> None:
        raise PowerCut

    while at < len(blocks):
        worker = Projector(engine)
        for _ in range(random.randint(1, 6)):
            size = random.choice([1, 1, 2, 4, 9])
            worker.apply(blocks[at : at + size])
            at += size
        patch.setattr(projector, "write_flows", dies)
        if at < len(blocks):
            with pytest.raises(PowerCut):
                (worker if random.random() < 0.5 else Projector(engine)).apply(blocks[at : at + random.randint(1, 5)])
        patch.setattr(projector, "write_flows", whole)
    return digest(engine)


def story(engine: Engine, seed: int, documents: int) -> list[DecodedBlock]:
    """Blocks of what the contract makes of a hostile story."""
    pipeline, hostile = Pipeline(engine), Hostile(seed, oddity=0.02)
    for number, msp in enumerate(ORGANISATIONS):
        pipeline.call("registerParty", {"id": PARTIES[number], "name": f"Party {number}"}, msp)
        pipeline.call("registerPlace", {"id": PLACES[number], "party": PARTIES[number], "country": "FR"}, msp)
    for _ in range(documents):
        pipeline.take(hostile.document(), hostile.random.choice(ORGANISATIONS))
        if hostile.random.random() < 0.6:
            pipeline.block()
    pipeline.block()
    return pipeline.blocks


@pytest.fixture
def one_model(fresh: Callable[[], Engine]) -> Engine:
    return fresh()


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_batches_and_crashes_decide_nothing(one_model: Engine, seed: int, random: Random) -> None:
    blocks = story(one_model, seed, 40)
    with pytest.MonkeyPatch.context() as patch:
        digests = {project(one_model, blocks, random, patch) for _ in range(2)}
    clear(one_model)
    assert Projector(one_model).apply(blocks).quarantined == 0
    assert digests == {digest(one_model)}


def test_both_databases_hold_the_same(sqlite_engine: Engine, postgres_engine: Engine) -> None:
    for seed in range(4):
        blocks = story(sqlite_engine, seed, 60)
        with pytest.MonkeyPatch.context() as patch:
            made = {project(engine, blocks, Random(seed), patch) for engine in (sqlite_engine, postgres_engine)}
        clear(postgres_engine)
        Projector(postgres_engine).apply(blocks)
        assert made == {digest(postgres_engine)}


# --- the first version's ledgers


def old_blocks() -> list[DecodedBlock]:
    """What the first version's contract wrote for a story with all the odd things it took."""
    chain = ChainBuilder("old")
    for one in _OLD:
        writes = [
            Write("lotline", key.replace("|", "\x00"), None if value is None else value.encode(), value is None)
            for key, value in one["writes"]
        ]
        block = chain.add(writes)
        (tx,) = block.transactions
        block.transactions = [_signed(tx, one)]
    return chain.blocks


def _signed(tx: DecodedTx, one: dict[str, Any]) -> DecodedTx:
    tx.function, tx.response_payload = one["function"], one["answer"].encode()
    tx.creator_msp, tx.creator = one["msp"], creator(one["msp"], "admin")
    return tx


def test_a_ledger_of_the_first_version_projects(engine: Engine) -> None:
    blocks = old_blocks()
    Projector(engine).apply(blocks)
    aside = rows(engine, "SELECT kind, reason FROM quarantine ORDER BY transaction_id, n")
    assert {reason.partition(": ")[2][:10] for _, reason in aside} == {"'0000-01-0"}, aside
    events = sum(write.key.startswith("\x00EV") for block in blocks for tx in block.transactions for write in tx.writes)
    told = rows(engine, "SELECT count(*) FROM event")[0][0]
    assert told == events - sum(kind == "EV" for kind, _ in aside)
    assert rows(engine, "SELECT count(*) FROM refusal")[0][0] > 0
    once = digest(engine)
    clear(engine)
    worker = Projector(engine)
    for block in blocks:
        worker.apply(block)
    assert digest(engine) == once


def test_it_goes_on_under_the_new_contract(fresh: Callable[[], Engine]) -> None:
    engine, other = fresh(), fresh()
    pipeline = Pipeline(engine)
    pipeline.blocks = old_blocks()
    Projector(engine).apply(pipeline.blocks)
    for block in pipeline.blocks:
        for tx in block.transactions:
            for write in tx.writes:
                if write.value is None:
                    pipeline.peer.state.pop(write.key, None)
                else:
                    pipeline.peer.state[write.key] = write.value
    hostile = Hostile(8, oddity=0.015)
    for _ in range(60):
        pipeline.take(hostile.document(), hostile.random.choice(ORGANISATIONS))
        pipeline.project()
        pipeline.ask()
    Projector(other).apply(pipeline.blocks)
    assert digest(other) == digest(engine)
    assert pipeline.counts["accepted"] > 10


# --- the whole class: whoever writes last must not decide


def test_a_lot_among_instances_is_a_lot_whoever_wrote_last(fresh: Callable[[], Engine]) -> None:
    """A lot was made, and somebody listed it among instances: two records speak of one identifier."""
    made = c.write("LT", c.lot("A"), value={"msp": "Maker", "commissioned": True, "created": c.at(1), "uom": "KGM"})
    listed = c.state(c.lot("A"), 2, commissioned=False, msp="Other", status="active")
    found = []
    for order in ((made, listed), (listed, made)):
        for size in (1, 2):
            chain, engine = ChainBuilder(), fresh()
            chain.add([order[0]])
            chain.add([order[1]])
            worker = Projector(engine)
            for start in range(0, 2, size):
                worker.apply(chain.blocks[start : start + size])
            sql = "SELECT msp, commissioned, updated_at, uom, status FROM thing WHERE kind = 'lot'"
            found.append(rows(engine, sql))
    assert found == [[("Maker", 1, int(c.moment(1).timestamp() * 1e6), "KGM", "active")]] * 4


LIVES = st.lists(
    st.tuples(st.sampled_from(["HO", "EX"]), st.sampled_from("abc"), st.sampled_from(["put", "put", "delete"]), st.integers(1, 3)),
    max_size=12,
)  # fmt: skip


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIVES, st.randoms(use_true_random=False))
def test_records_that_go_and_come_again(
    one_model: Engine, lives: list[tuple[str, str, str, int]], random: Random
) -> None:
    chain = ChainBuilder()
    chain.capture(c.pack(0, c.sscc(1), [c.item(1), c.item(2)]))
    for kind, key, what, n in lives:
        if what == "delete":
            chain.add([c.write(kind, key, delete=True)])
        elif kind == "HO":
            chain.add([c.handoff(key, c.sscc(1) if n > 1 else c.item(1), hops=(n, n + 1), releasedAt=c.at(n))])
        else:
            case = {
                "kind": "shortage",
                "status": "open" if n > 1 else "closed",
                "parties": [c.party(p) for p in range(1, n)],
            }
            chain.add([c.write(kind, key, value=case)])
    with pytest.MonkeyPatch.context() as patch:
        digests = {project(one_model, chain.blocks, random, patch) for _ in range(2)}
    clear(one_model)
    Projector(one_model).apply(chain.blocks)
    assert digests == {digest(one_model)}
    last = {(kind, key): (what, n) for kind, key, what, n in lives}
    there = {(kind, key) for (kind, key), (what, _) in last.items() if what == "put"}
    assert {("HO", key) for (key,) in rows(one_model, "SELECT key FROM handoff")} == {
        one for one in there if one[0] == "HO"
    }
    concerned = sum(n - 1 for (kind, _), (what, n) in last.items() if (kind, what) == ("EX", "put"))
    assert rows(one_model, "SELECT count(*) FROM exception_party") == [(concerned,)]
    shipped = sum((2 if n > 1 else 1) for (kind, _), (what, n) in last.items() if (kind, what) == ("HO", "put"))
    assert rows(one_model, "SELECT coalesce(sum(quantity * 1.0), 0) / 1000000 FROM daily_flow") == [(shipped,)]


def test_every_name_that_an_event_was_given_is_kept(engine: Engine) -> None:
    told = {**c.object_event(1, epcList=[c.item(1)]), "eventID": "urn:uuid:1"}
    uri = c.hash_of(told)
    chain = ChainBuilder()
    chain.capture(told, also=[c.write("ID", "urn:uuid:1", value={"event": uri})])
    about = {"v": 2, "declarations": [], "reporters": ["ShopMSP"], "ids": ["urn:uuid:2"]}
    chain.add([c.write("EA", uri[14:78], value=about), c.write("ID", "urn:uuid:2", value={"event": uri})])
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT identifier, hash FROM event_alias") == [("urn:uuid:2", uri[14:78])]
    assert rows(engine, "SELECT reporters FROM event") == [('["ShopMSP"]',)]
