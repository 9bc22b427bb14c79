"""The projector: each block exactly once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from fabric.words.blocks import DecodedBlock, Write
from fabric.words.client_identity import client_identity
from readmodel import ChainMismatchError, Checkpoint, Projector, digest
from readmodel.projector import clear
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.integration.readmodel.stories import busy_chain
from tests.unit.chaincode.peer import creator

NewModel = Callable[[], Engine]


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_the_checkpoint_is_the_last_block(engine: Engine) -> None:
    projector = Projector(engine)
    assert projector.checkpoint() is None
    chain = busy_chain()
    projector.apply(chain.blocks)
    last = chain.blocks[-1]
    assert projector.checkpoint() == Checkpoint(last.number, last.header_hash.hex())


def test_applying_again_changes_nothing(engine: Engine) -> None:
    chain = busy_chain()
    projector = Projector(engine)
    first = projector.apply(chain.blocks)
    assert (first.blocks, first.events) == (
        len(chain.blocks),
        rows(engine, "SELECT count(*) FROM event")[0][0],
    )
    before = digest(engine)
    for again in (projector, Projector(engine)):
        applied = again.apply(chain.blocks)
        assert (applied.blocks, applied.transactions, applied.events) == (0, 0, 0)
    assert digest(engine) == before


def test_however_blocks_are_batched_the_content_is_the_same(fresh: NewModel) -> None:
    chain = busy_chain()
    digests = set()
    for size in (1, 2, 7, len(chain.blocks)):
        engine = fresh()
        projector = Projector(engine)
        for start in range(0, len(chain.blocks), size):
            projector.apply(chain.blocks[start : start + size])
        digests.add(digest(engine))
    assert len(digests) == 1


def test_a_new_process_for_every_block_makes_no_difference(fresh: NewModel) -> None:
    chain = busy_chain()
    one, many = fresh(), fresh()
    Projector(one).apply(chain.blocks)
    for block in chain.blocks:
        Projector(many).apply(block)
    assert digest(one) == digest(many)


def test_both_databases_hold_the_same(sqlite_engine: Engine, postgres_engine: Engine) -> None:
    chain = busy_chain()
    Projector(sqlite_engine).apply(chain.blocks)
    for block in chain.blocks:
        Projector(postgres_engine).apply(block)
    assert digest(sqlite_engine) == digest(postgres_engine)


def test_rebuilding_gives_the_same_file(fresh: NewModel, tmp_path: Path) -> None:
    chain = busy_chain()
    first, second = fresh(), fresh()
    Projector(first).apply(chain.blocks)
    for block in chain.blocks:
        Projector(second).apply(block)
    clear(second)
    Projector(second).apply(chain.blocks)
    copies = []
    for name, engine in (("first", first), ("second", second)):
        copy = tmp_path / f"{name}.copy"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM INTO ?", (str(copy),))
        copies.append(_without_counters(copy.read_bytes()))
    assert copies[0] == copies[1]


def _without_counters(content: bytes) -> bytes:
    """SQLite counts changes of the file (24-27, 92-95) and of its schema (40-43) in the header."""
    return content[:24] + content[28:40] + content[44:92] + content[96:]


def test_a_block_of_another_chain_is_refused(engine: Engine) -> None:
    ours, theirs = ChainBuilder("ours"), ChainBuilder("theirs")
    for chain in (ours, theirs):
        chain.capture(c.object_event(0, epcList=[c.item(1)]))
        chain.capture(c.object_event(1, epcList=[c.item(2)]))
        chain.capture(c.object_event(2, epcList=[c.item(3)]))
    projector = Projector(engine)
    projector.apply(ours.blocks[:2])
    before = digest(engine)
    with pytest.raises(ChainMismatchError, match="follows a block with hash"):
        projector.apply(theirs.blocks[2])
    with pytest.raises(ChainMismatchError, match="reset"):
        projector.apply(theirs.blocks[1])
    with pytest.raises(ChainMismatchError, match="expected block 2 but got block 3"):
        projector.apply(DecodedBlock(3, b"", b"", b"x", []))
    assert digest(engine) == before
    projector.apply(ours.blocks[2])
    assert rows(engine, "SELECT max(number) FROM block") == [(2,)]


def test_a_block_of_another_chain_leaves_nothing_of_its_batch(engine: Engine) -> None:
    chain, theirs = ChainBuilder(), ChainBuilder("theirs")
    for number, each in ((1, chain), (2, chain), (3, theirs), (4, theirs), (5, theirs)):
        each.capture(c.object_event(number, epcList=[c.item(number)]))
    projector = Projector(engine)
    projector.apply(chain.blocks[0])
    before = digest(engine)
    with pytest.raises(ChainMismatchError, match="follows a block with hash"):
        projector.apply([chain.blocks[1], theirs.blocks[2]])
    assert digest(engine) == before
    projector.apply(chain.blocks[1])
    assert rows(engine, "SELECT id, uri FROM thing ORDER BY id") == [
        (1, c.GTIN),
        (2, c.item(1)),
        (3, c.item(2)),
    ]


def test_an_invalid_transaction_is_kept_as_evidence_and_has_no_effect(engine: Engine) -> None:
    chain = ChainBuilder()
    chain.add(c.captured([c.object_event(0, epcList=[c.item(1)])]), code=11)
    chain.capture(c.object_event(1, epcList=[c.item(2)]))
    Projector(engine).apply(chain.blocks)
    assert rows(engine, 'SELECT block, code, valid, events FROM "transaction" ORDER BY id') == [
        (0, 11, False, 0),
        (1, 0, True, 1),
    ]
    assert rows(engine, "SELECT count(*) FROM event") == [(1,)]


def test_other_namespaces_and_unknown_keys_are_passed_over(engine: Engine) -> None:
    chain = ChainBuilder()
    chain.add(
        [
            Write("_lifecycle", "namespaces/fields/lotline/Sequence", b"\x01", False),
            Write("othercc", "\x00EV\x00x\x00", b"{not json", False),
            Write("lotline", "\x00ZZ\x00x\x00", b"not json either", False),
            Write("lotline", "plain", b"text", False),
        ]
    )
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT count(*) FROM event") == [(0,)]


def test_hostile_texts_do_not_stop_the_projector(engine: Engine) -> None:
    endless = "https://example.com/" + "é" * 5_000
    chain = ChainBuilder()
    chain.capture(
        c.object_event(0, epcList=[endless], step="a\x00b", quantityList=[{"epcClass": c.GTIN, "quantity": 1e300}]),
        c.object_event(1, "ADD", "commissioning", quantityList=[{"epcClass": c.GTIN, "quantity": 1e300}]),
        c.object_event(2, "ADD", "commissioning", quantityList=[{"epcClass": c.GTIN, "quantity": 1e300}]),
        also=[c.write("PY", c.party(1), value={"id": c.party(1), "msp": "M", "name": "nul \x00 name"})],
    )
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT name FROM party") == [("nul \ufffd name",)]
    assert rows(engine, "SELECT count(*) FROM thing") == [(2,)]
    ((total, movements),) = rows(engine, "SELECT quantity, movements FROM daily_flow")
    assert (float(str(total)) >= 2**63 - 1, movements) == (True, 2)


def test_state_is_that_of_the_last_write(engine: Engine) -> None:
    chain = ChainBuilder()
    chain.add([c.state(c.item(1), holder=c.party(1), place=c.place(1), lot=c.lot("A"))])
    chain.add([c.state(c.item(1), parent=c.sscc(1), status="in_transit", lot=c.lot("A"))])
    Projector(engine).apply(chain.blocks)
    sql = (
        "SELECT t.status, t.holder_id, t.place_id, p.uri, l.uri "
        "FROM thing t JOIN thing p ON p.id = t.parent_id JOIN thing l ON l.id = t.lot_id WHERE t.uri = '"
        + c.item(1)
        + "'"
    )
    assert rows(engine, sql) == [("in_transit", None, None, c.sscc(1), c.lot("A"))]


def test_balances_follow_the_ledger_exactly(engine: Engine) -> None:
    def balance(quantity: str | None, holder: str = c.party(1), place: str = c.place(1)) -> Write:
        value = {"class": c.lot("A"), "quantity": quantity, "uom": "KGM", "time": c.at(0)}
        return c.write("LB", c.lot("A"), holder, place, value=value, delete=quantity is None)

    chain = ChainBuilder()
    chain.add([balance("10.1234567"), balance("3", place="")])
    Projector(engine).apply(chain.blocks[-1])
    assert rows(engine, "SELECT quantity, holder_id, place_id FROM balance ORDER BY place_id") == [
        ("3", 1, 0),
        ("10.1234567", 1, 1),
    ]
    chain.add([balance("0.5"), balance(None, place="")])
    Projector(engine).apply(chain.blocks[-1])
    assert rows(engine, "SELECT quantity, amount FROM balance") == [("0.5", 500_000)]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ADD", "ADD", "DELETE", "EMPTY", "USE", "SHIP"]),
        st.integers(1, 3),
        st.sets(st.integers(1, 4), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=10,
)


def _story(entries: list[tuple[str, int, set[int]]]) -> list[tuple[dict[str, object], list[Write]]]:
    """Events at different times, with the handoff writes of those that ship a pallet."""
    story: list[tuple[dict[str, object], list[Write]]] = []
    for hours, (what, parent, children) in enumerate(entries):
        names = [c.item(n) for n in sorted(children)]
        also: list[Write] = []
        if what == "USE":
            event = c.transform(hours, names, [c.lot(f"L{hours}")])
        elif what == "SHIP":
            event = c.object_event(hours, step="shipping", epcList=[c.sscc(parent)])
            also = [c.handoff(f"h{hours}", c.sscc(parent), releasedAt=c.at(hours), acceptedAt=c.at(hours + 0.5))]
        else:
            action = "ADD" if what == "ADD" else "DELETE"
            event = c.pack(hours, c.sscc(parent), [] if what == "EMPTY" else names, action)
        story.append((event, also))
    return story


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_what_happened_does_not_depend_on_when_it_was_told(
    model_of: Callable[[list[DecodedBlock], int], list[object]],
    entries: list[tuple[str, int, set[int]]],
    random: Random,
    size: int,
) -> None:
    """Containment, what handoffs carried and daily flows are the same for any order of arrival."""
    story = _story(entries)
    shuffled = list(story)
    random.shuffle(shuffled)
    results = []
    for told, batch in ((story, len(story)), (shuffled, size)):
        chain = ChainBuilder()
        for event, also in told:
            chain.capture(event, also=also)
        results.append(model_of(chain.blocks, batch))
    assert results[0] == results[1]


@pytest.fixture
def model_of(fresh: NewModel) -> Callable[[list[DecodedBlock], int], list[object]]:
    """Project blocks, so many at a time, into an emptied model; give what happened in it, by name."""
    engine = fresh()

    def project(blocks: list[DecodedBlock], size: int) -> list[object]:
        clear(engine)
        projector = Projector(engine)
        for start in range(0, len(blocks), size):
            projector.apply(blocks[start : start + size])
        return [
            sorted(rows(engine, sql), key=repr)
            for sql in (
                "SELECT k.uri, p.uri, c.kind, c.from_time, c.to_time FROM containment c "
                "JOIN thing k ON k.id = c.child_id JOIN thing p ON p.id = c.parent_id",
                "SELECT h.key, p.uri, l.released, l.accepted FROM handoff_line l "
                "JOIN handoff h ON h.id = l.handoff_id JOIN thing p ON p.id = l.product_id",
                "SELECT p.uri, f.flow, f.day, w.uri, f.quantity, f.movements FROM daily_flow f "
                "JOIN thing p ON p.id = f.product_id LEFT JOIN place w ON w.id = f.place_id",
            )
        ]

    return project


def test_an_event_is_kept_to_the_byte(engine: Engine) -> None:
    """Numbers no float can hold stay as they are on the ledger, or the event's hash could not be checked again."""
    number = b"123456789012345678901234567890.10"
    event = b'{"action":"OBSERVE","eventTime":"2024-03-01T00:00:00Z","ex:n":%s,"type":"ObjectEvent"}' % number
    first_version = b'"hash":"ni:///sha-256;%s?ver=CBV2.0",' % (b"cd" * 32)
    for before, between in (
        (b"", b""),
        (b'"device":"d",', b""),
        (b'"declares":"x","device":"d",', b'"flags":["late"],'),
        (b"", first_version),
        (b"", b'"flags":["late"],' + first_version),
    ):
        value = b'{%s"event":%s,%s"msp":"M","n":0,"party":null}' % (before, event, between)
        chain = ChainBuilder()
        chain.add([Write("lotline", f"\x00EV\x00{'cd' * 32}\x00", value, False)])
        clear(engine)
        Projector(engine).apply(chain.blocks)
        assert rows(engine, "SELECT stored FROM event") == [(event.decode(),)]


def test_an_event_is_named_by_its_key_and_submitted_by_who_signed(engine: Engine) -> None:
    """Records of the contract's first version say both once more, and give the same rows."""
    event = c.object_event(0, "ADD", "commissioning", epcList=[c.item(1)])
    found = []
    for more in ({}, {"hash": c.hash_of(event), "submitter": client_identity(creator(c.MSP, "scanner")).id}):
        (write,) = c.captured([event])
        chain = ChainBuilder()
        chain.add([c.write("EV", c.hash_of(event)[14:78], value={**orjson.loads(write.value or b""), **more})])
        clear(engine)
        Projector(engine).apply(chain.blocks)
        found += rows(engine, "SELECT hash, submitter, msp, stored FROM event")
    assert found[0] == found[1]
    assert found[0][:2] == (c.hash_of(event)[14:78], client_identity(creator(c.MSP, "scanner")).id)


def test_an_error_declaration_repeats_no_movement(engine: Engine) -> None:
    made = c.object_event(0, "ADD", "commissioning", epcList=[c.item(1)])
    declared = {**made, "errorDeclaration": {"declarationTime": c.at(5)}}
    chain = ChainBuilder()
    chain.capture(made)
    (write,) = c.captured([declared])
    value = {**orjson.loads(write.value or b""), "declares": c.hash_of(made)}
    chain.add([c.write("EV", "ef" * 32, value=value)])
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT movements FROM daily_flow") == [(1,)]
    assert rows(engine, "SELECT declares FROM event ORDER BY id") == [(None,), (c.hash_of(made)[14:78],)]


@pytest.mark.parametrize("promise", ["soon", "2024-03-05", "", "2024-13-45T00:00:00Z"])
def test_a_promise_that_is_no_moment_is_none(engine: Engine, promise: str) -> None:
    chain = ChainBuilder()
    chain.add([c.handoff("h", c.item(1), releasedAt=c.at(1), promisedAt=promise)])
    Projector(engine).apply(chain.blocks)
    assert rows(engine, "SELECT promised_at FROM handoff") == [(None,)]


def test_a_thing_shipped_by_itself_is_no_longer_inside(engine: Engine) -> None:
    chain = ChainBuilder()
    chain.capture(c.pack(1, c.sscc(1), [c.item(1), c.item(2)]))
    chain.capture(c.object_event(3, step="shipping", epcList=[c.item(1)]))
    Projector(engine).apply(chain.blocks)
    sql = "SELECT t.uri, c.to_time IS NULL FROM containment c JOIN thing t ON t.id = c.child_id ORDER BY t.uri"
    assert [(uri, bool(inside)) for uri, inside in rows(engine, sql)] == [(c.item(1), False), (c.item(2), True)]
