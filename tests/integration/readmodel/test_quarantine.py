"""Nothing on a ledger stops a projector: what cannot be read is set aside alone, and everything else goes on."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.event import listen

from fabric.words.blocks import DecodedTx, Write
from readmodel import Projector, digest, migrate, open_engine
from readmodel.engine import DATABASE_AWAY
from readmodel.projector import clear
from readmodel.queries import quarantined, thing
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.integration.readmodel.stories import busy_chain

NewModel = Callable[[], Engine]


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def raw(kind: str, *attributes: str, value: bytes) -> Write:
    return c.write(kind, *attributes)._replace(value=value)


OWN = "https://example.com/TemperatureEvent"
TIME = "2026-05-04T09:00:00Z"

UNREADABLE = [
    (raw("EV", "ab" * 32, value=b"{not json"), "not JSON"),
    (raw("EV", "ab" * 32, value=b"[1]"), "a list, not an object"),
    (raw("EV", "ab" * 32, value=b"[" * 5_000), "not JSON"),
    (c.write("EV", "ab" * 32, value={"n": 0}), "event: missing"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": 5}), "event: not an object"),
    (c.write("EV", "x", value={"n": 0, "event": c.object_event(0)}), "the key is not an event's"),
    (c.write("EV", value={"n": 0, "event": c.object_event(0)}), "the key is not an event's"),
    (c.write("EV", "ab" * 32, value={"event": c.object_event(0)}), "n: not a place in the transaction"),
    (c.write("EV", "ab" * 32, delete=True), "an event is never deleted"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": {**c.object_event(0), "eventTime": "0000-01-01T00:00:00+14:00"}}),
     "eventTime: '0000-01-01T00:00:00+14:00'"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": {**c.object_event(0), "eventTime": "yesterday"}}), "eventTime: 'yesterday'"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": {**c.object_event(0), "epcList": 5}}), "epcList: not a list of texts"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": {**c.object_event(0), "action": {}}}), "action: an object, not text"),
    (c.write("EV", "ab" * 32, value={"n": 0, "event": c.object_event(0, quantityList=[{"epcClass": c.GTIN, "quantity": "9e999"}])}),
     "quantityList/quantity: '9e999'"),
    (c.write("TH", c.item(9), value={"status": 5}), "status: a number, not text"),
    (c.write("TH", c.item(9), value={"time": "0000-12-31T23:59:59Z"}), "time: '0000-12-31T23:59:59Z'"),
    (c.write("TH", value={}), "the key has 0 parts, not 1"),
    (c.write("PY", c.party(9), delete=True), "a record of this kind is never deleted"),
    (c.write("LB", c.lot("A"), "", "", value={"quantity": "lots"}), "quantity: 'lots'"),
    (c.write("LB", c.lot("A"), value={"quantity": "1"}), "the key has 1 parts, not 3"),
    (c.write("IQ", c.sscc(1), c.lot("A"), value={"quantity": "1e999999999"}), "quantity: '1e999999999'"),
    (c.write("HO", "h", value={"item": c.item(1)}), "kind: missing"),
    (c.write("EX", "x", value={"kind": "shortage", "status": "open", "parties": "all"}), "parties: not a list of texts"),
    (c.write("EA", "ab" * 32, value={"declarations": 1}), "declarations: not a list of texts"),
    (c.write("MD", c.GTIN, "M", value={"attributes": []}), "attributes: a list, not an object"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "reason"), UNREADABLE, ids=lambda part: part if isinstance(part, str) else "")
def test_a_record_that_cannot_be_read_is_set_aside_alone(sqlite_engine: Engine, bad: Write, reason: str) -> None:
    chain = ChainBuilder()
    chain.capture(c.object_event(1, epcList=[c.item(1)]), also=[bad, c.state(c.item(1), disposition="active")])
    chain.capture(c.object_event(2, epcList=[c.item(2)]))
    applied = Projector(sqlite_engine).apply(chain.blocks)
    assert (applied.blocks, applied.events, applied.quarantined) == (2, 2, 1)
    assert rows(sqlite_engine, f"SELECT disposition FROM thing WHERE uri = '{c.item(1)}'") == [("active",)]
    with sqlite_engine.connect() as connection:
        (one,) = quarantined(connection).items
    value = bad.value or b""
    assert (one.block, one.tx_id, one.kind) == (
        0,
        chain.blocks[0].transactions[0].tx_id,
        bad.key[1:].partition("\x00")[0],
    )
    assert one.reason.startswith(reason)
    assert (one.size, one.digest) == (len(value), hashlib.sha256(value).hexdigest())
    assert value.startswith(base64.b64decode(one.raw))


def test_an_event_is_taken_once(engine: Engine) -> None:
    chain = ChainBuilder()
    (write,) = c.captured([c.object_event(1, epcList=[c.item(1)])])
    chain.add([write])
    chain.add([write], [write])
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT count(*) FROM event") == [(1,)]
    assert rows(engine, "SELECT block, reason FROM quarantine") == [(1, "this event is on the ledger already")] * 2


@pytest.mark.parametrize(
    "event",
    [
        {"type": OWN, "eventTime": "2016-12-31T23:59:60Z"},
        {"type": OWN, "eventTime": TIME, "readPoint": "text", "action": {}, "epcList": 5, "parentID": [[[]]]},
        {"type": OWN, "eventTime": TIME, "quantityList": [None], "sourceList": "\x00", "bizStep": True, "ilmd": 2**60},
        {"type": OWN, "eventTime": TIME, "transformationID": 2**60, "inputEPCList": {"a": [None]}, "disposition": [1]},
        c.object_event(1, "ADD", "commissioning", quantityList=[{"epcClass": c.lot("B"), "quantity": 1e308}] * 2),
        c.pack(1, c.sscc(1), childQuantityList=[{"epcClass": c.lot("B"), "quantity": 9e12}] * 2),
        c.object_event(1, epcList=["https://example.com/" + "é" * 5_000], step="a\x00b"),
    ],
)
def test_what_the_contract_takes_is_shown(engine: Engine, event: dict[str, Any]) -> None:
    chain = ChainBuilder()
    chain.capture(event, by=c.party(1))
    assert Projector(engine).apply(chain.blocks).quarantined == 0
    assert rows(engine, "SELECT count(*) FROM event") == [(1,)]
    with engine.connect() as connection:
        assert thing(connection, c.lot("B")) is not None or c.lot("B") not in str(event)


def test_both_databases_hold_quantities_of_any_size(sqlite_engine: Engine, postgres_engine: Engine) -> None:
    """Day by day sums that no integer of a database holds; and taken back to the last piece."""
    chain = ChainBuilder()
    many = {"epcClass": c.lot("B"), "quantity": 9e12}
    made = [c.object_event(hours, "ADD", "commissioning", quantityList=[many, many]) for hours in (1, 2, 3)]
    chain.capture(made[0])
    chain.capture(
        made[1], c.pack(4, c.sscc(1), childQuantityList=[many, many]), c.pack(5, c.sscc(1), childQuantityList=[many])
    )
    chain.add([c.handoff("h", c.sscc(1), releasedAt=c.at(6))])
    chain.capture(made[2])
    for engine in (sqlite_engine, postgres_engine):
        for block in chain.blocks:
            Projector(engine).apply(block)
        found = rows(engine, "SELECT quantity FROM daily_flow WHERE flow = 'produced'")
        assert int(found[0][0]) == 54 * 10**18
        assert int(rows(engine, "SELECT released FROM handoff_line")[0][0]) == 27 * 10**18
    assert digest(sqlite_engine) == digest(postgres_engine)
    for event in made:
        chain.add([c.write("EA", c.hash_of(event)[14:78], value={"v": 2, "declarations": ["cd" * 32]})])
    for engine in (sqlite_engine, postgres_engine):
        Projector(engine).apply(chain.blocks)
        assert rows(engine, "SELECT count(*) FROM daily_flow WHERE flow = 'produced'") == [(0,)]
    assert digest(sqlite_engine) == digest(postgres_engine)


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from([c.item(1), c.lot("A"), c.party(1), c.at(1), "", "\x00", "a" * 400, "1e400"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[int, int, str, Any]:
    """Which record of the story is spoilt, and how."""
    return draw(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(["member", "deep", "whole", "key"]), JUNK)
    )


def _spoil(write: Write, how: str, place: int, junk: Any) -> Write:
    if write.value is None:
        return write
    if how == "whole":
        return write._replace(value=orjson.dumps(junk))
    if how == "key":
        return write._replace(key=write.key[:4] + str(junk)[:40].encode("utf-8", "ignore").decode() + "\x00")
    record = orjson.loads(write.value)
    if not isinstance(record, dict) or not record:
        return write
    inner = record["event"] if how == "deep" and isinstance(record.get("event"), dict) else record
    if not inner:
        return write
    name = sorted(inner)[place % len(inner)]
    inner[name] = junk
    return write._replace(value=orjson.dumps(record, option=orjson.OPT_SORT_KEYS))


@settings(max_examples=examples(75), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(spoilt(), min_size=1, max_size=5), st.integers(1, 4))
def test_whatever_is_written_everything_else_is_shown(
    one_model: Engine, spoils: list[tuple[int, int, str, Any]], size: int
) -> None:
    """Any record of a story spoilt in any way: the projector gets to the end, and says the same however it got there."""
    chain = ChainBuilder()
    for number, block in enumerate(busy_chain().blocks):
        transactions = [list(tx.writes) for tx in block.transactions]
        for at, place, how, junk in spoils:
            writes = transactions[at % len(transactions)]
            if at % 9 == number % 9 and writes:
                writes[place % len(writes)] = _spoil(writes[place % len(writes)], how, place, junk)
        chain.add(*transactions)
    clear(one_model)
    Projector(one_model).apply(chain.blocks)
    once = digest(one_model)
    clear(one_model)
    projector = Projector(one_model)
    for start in range(0, len(chain.blocks), size):
        projector.apply(chain.blocks[start : start + size])
    assert digest(one_model) == once
    assert rows(one_model, "SELECT max(number) FROM block") == [(len(chain.blocks) - 1,)]


@pytest.fixture
def one_model(fresh: NewModel) -> Engine:
    return fresh()


def test_what_nobody_thought_of_is_found_and_set_aside(fresh: NewModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that reads well and that the tables cannot take: it is looked for, and everything else is kept."""
    from readmodel import writer

    whole = writer._exceptions

    def fails(bulk: Any, scan: Any, ids: Any) -> None:
        if any(key == "cursed" for key, _ in scan.exceptions):
            raise RuntimeError("nobody thought of this")
        whole(bulk, scan, ids)

    monkeypatch.setattr(writer, "_exceptions", fails)
    chain = ChainBuilder()
    case = {"kind": "shortage", "status": "open", "parties": []}
    chain.capture(c.object_event(1, epcList=[c.item(1)]), also=[c.write("EX", "fine", value=case)])
    chain.add([c.write("EX", "a", value=case)], [c.write("EX", "b", value=case), c.write("EX", "cursed", value=case)])
    chain.capture(c.object_event(2, epcList=[c.item(2)]))
    digests = set()
    for size in (1, 3):
        engine = fresh()
        projector = Projector(engine)
        for start in range(0, 3, size):
            projector.apply(chain.blocks[start : start + size])
        assert rows(engine, "SELECT key FROM exception ORDER BY key") == [("a",), ("b",), ("fine",)]
        assert rows(engine, "SELECT block, key, reason FROM quarantine") == [(1, "cursed", "the tables cannot hold it")]
        digests.add(digest(engine))
    assert len(digests) == 1


def test_a_transaction_that_cannot_be_taken_apart_is_set_aside(engine: Engine) -> None:
    chain = ChainBuilder()
    block = chain.capture(c.object_event(1, epcList=[c.item(1)]))
    unread = DecodedTx("unreadable:x", 1, -1, None, "", b"", "", 0, True, [])
    unread.unread = b"\xff" * 3_000
    block.transactions.append(unread)
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT n, kind, size FROM quarantine") == [(-2, "transaction", 3_000)]
    assert rows(engine, "SELECT count(*) FROM event") == [(1,)]


class Failing:
    """SQLite gives up after so many steps of its machine, as it may wherever a disk is full, and a few times again."""

    def __init__(self, engine: Engine) -> None:
        self._every, self._steps, self._times = 0, 0, 0
        listen(engine, "connect", lambda connection, _: connection.set_progress_handler(self._fails, 5))

    def begin(self, every: int, times: int) -> None:
        self._every, self._steps, self._times = every, every, times

    def _fails(self) -> bool:
        self._steps -= 1
        if self._steps or not self._times:
            return False
        self._steps, self._times = self._every, self._times - 1
        return True


@pytest.mark.parametrize("times", [1, 3, 8])
def test_a_database_that_fails_anywhere_is_no_fault_of_a_record(tmp_path: Path, times: int) -> None:
    blocks = busy_chain().blocks
    whole, engine = open_engine(tmp_path / "whole.db"), open_engine(tmp_path / "failing.db")
    failing = Failing(engine)
    for one in (whole, engine):
        migrate(one)
    Projector(whole).apply(blocks)
    failed = 0
    for every in itertools.count(1, 13):
        failing.begin(every, times)
        try:
            Projector(engine).apply(blocks)
        except DATABASE_AWAY:
            failed += 1
        else:
            break
    failing.begin(0, 0)
    assert failed > 50
    assert rows(engine, "SELECT count(*) FROM quarantine") == rows(whole, "SELECT count(*) FROM quarantine")
    assert digest(engine) == digest(whole)
