"""The event query against a slow, obvious one over the same events in memory."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from readmodel import Projector
from readmodel.projector import clear
from readmodel.queries import EventFilter, EventRecord, InvalidTokenError, count_events, event, find_events
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.integration.readmodel.stories import busy_chain

STEPS = ["storing", "shipping", "receiving"]


def walk(connection: Connection, wanted: EventFilter, per_page: int = 2) -> list[EventRecord]:
    """Every page, one after another."""
    found: list[EventRecord] = []
    token: str | None = None
    while True:
        page = find_events(connection, wanted, per_page=per_page, token=token)
        found.extend(page.items)
        token = page.next
        if token is None:
            return found


@dataclass
class Told:
    """An event as captured, with what the ledger added."""

    id: int
    body: dict[str, Any]
    recorded: datetime


def oracle(told: list[Told], wanted: EventFilter) -> list[int]:
    """The ids that match, in order."""
    found = [one for one in told if _matches(one, wanted)]
    keys: dict[str, Callable[[Told], tuple[Any, ...]]] = {
        "eventTime": lambda one: (one.body["eventTime"], one.id),
        "recordTime": lambda one: (one.recorded, one.id),
    }
    found.sort(key=keys[wanted.order_by], reverse=wanted.direction == "DESC")
    return [one.id for one in found]


def _matches(one: Told, wanted: EventFilter) -> bool:
    body = one.body
    time = datetime.fromisoformat(body["eventTime"])
    epcs = set(body.get("epcList", ()))
    anything = epcs | set(body.get("childEPCs", ())) | {body.get("parentID")}
    documents = {link["bizTransaction"] for link in body.get("bizTransactionList", ())}
    checks = [
        not wanted.event_types or body["type"] in wanted.event_types,
        not wanted.actions or body.get("action") in wanted.actions,
        not wanted.biz_steps or body.get("bizStep") in wanted.biz_steps,
        not wanted.read_points or body.get("readPoint", {}).get("id") in wanted.read_points,
        wanted.ge_event_time is None or time >= wanted.ge_event_time,
        wanted.lt_event_time is None or time < wanted.lt_event_time,
        wanted.ge_record_time is None or one.recorded >= wanted.ge_record_time,
        wanted.lt_record_time is None or one.recorded < wanted.lt_record_time,
        not wanted.match_epc or bool((epcs | set(body.get("childEPCs", ()))) & set(wanted.match_epc)),
        not wanted.match_any_epc or bool(anything & set(wanted.match_any_epc)),
        not wanted.biz_transactions or bool(documents & set(wanted.biz_transactions["po"])),
    ]
    return all(checks)


BODIES = st.one_of(
    st.builds(
        lambda hours, step, items, where, document: c.object_event(
            hours,
            step=step,
            epcList=[c.item(n) for n in sorted(items)],
            readPoint={"id": c.place(where)},
            bizTransactionList=[{"type": "po", "bizTransaction": document}] if document else None,
        ),
        st.integers(0, 5),
        st.sampled_from(STEPS),
        st.sets(st.integers(1, 4), min_size=1, max_size=2),
        st.integers(1, 2),
        st.sampled_from([None, "urn:po:1", "urn:po:2"]),
    ),
    st.builds(
        lambda hours, parent, items: c.pack(hours, c.sscc(parent), [c.item(n) for n in sorted(items)]),
        st.integers(0, 5),
        st.integers(1, 2),
        st.sets(st.integers(1, 4), min_size=1, max_size=2),
    ),
)


def _some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


FILTERS = st.builds(
    EventFilter,
    event_types=_some(["ObjectEvent", "AggregationEvent", "TransformationEvent"]),
    actions=_some(["ADD", "OBSERVE"]),
    biz_steps=_some(STEPS),
    read_points=_some([c.place(1), c.place(2), c.place(9)]),
    ge_event_time=st.none() | st.integers(0, 6).map(c.moment),
    ge_record_time=st.none() | st.integers(0, 12).map(lambda n: c.moment(24 + n / 3600)),
    lt_record_time=st.none() | st.integers(0, 12).map(lambda n: c.moment(24 + n / 3600)),
    lt_event_time=st.none() | st.integers(0, 6).map(c.moment),
    match_epc=_some([c.item(n) for n in range(1, 6)]),
    match_any_epc=_some([c.item(1), c.item(2), c.sscc(1), c.sscc(2)]),
    biz_transactions=st.just({})
    | st.lists(st.sampled_from(["urn:po:1", "urn:po:3"]), min_size=1).map(lambda v: {"po": v}),
    order_by=st.sampled_from(["eventTime", "recordTime"]),
    direction=st.sampled_from(["ASC", "DESC"]),
)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(BODIES, max_size=12), FILTERS, st.integers(1, 4))
def test_the_query_finds_what_a_slow_one_finds(
    sqlite_engine: Engine, bodies: list[dict[str, Any]], wanted: EventFilter, per_page: int
) -> None:
    clear(sqlite_engine)
    chain, told = ChainBuilder(), []
    for number, body in enumerate(bodies):
        block = chain.capture({**body, "n": number})  # an extension: the same event twice would be one
        recorded = block.transactions[0].timestamp
        assert recorded is not None
        told.append(Told(number + 1, body, recorded))
    Projector(sqlite_engine).apply(chain.blocks)
    with sqlite_engine.connect() as connection:
        expected = oracle(told, wanted)
        assert [one.id for one in walk(connection, wanted, per_page)] == expected
        assert count_events(connection, wanted, 1_000) == len(expected)


@pytest.mark.parametrize("order_by", ["eventTime", "recordTime"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_pages_are_stable_while_events_are_captured(engine: Engine, order_by: Any, direction: Any) -> None:
    chain, projector = ChainBuilder(), Projector(engine)
    projector.apply(chain.capture(*(c.object_event(n % 3, epcList=[c.item(n)]) for n in range(10))))
    wanted = EventFilter(order_by=order_by, direction=direction)
    with engine.connect() as connection:
        page = find_events(connection, wanted, per_page=3)
    seen = [one.id for one in page.items]
    hour = 0.0
    while page.next is not None:
        hour += 0.3
        projector.apply(
            chain.capture(
                c.object_event(hour, epcList=[c.item(50)]), c.object_event(9, epcList=[c.item(round(100 + 10 * hour))])
            )
        )
        with engine.connect() as connection:
            page = find_events(connection, wanted, per_page=3, token=page.next)
        seen.extend(one.id for one in page.items)
    assert sorted(seen) == list(range(1, 11))


@pytest.fixture
def busy(engine: Engine) -> Engine:
    Projector(engine).apply(busy_chain().blocks)
    return engine


def test_an_event_comes_with_its_provenance(busy: Engine) -> None:
    with busy.connect() as connection:
        (shipped,) = find_events(connection, EventFilter(biz_steps=["shipping"], match_epc=[c.sscc(1)])).items
        assert shipped.event["epcList"] == [c.sscc(1), c.sscc(2)]
        assert shipped.hash == c.hash_of(shipped.event)
        assert (shipped.msp, shipped.party) == (c.MSP, c.party(1))
        assert base64.b64decode(shipped.submitter or "") == b"x509::CN=scanner of MakerMSP::CN=scanner of MakerMSP"
        assert shipped.event_time == c.moment(10)
        assert len(shipped.tx_id) == 64
        for identity in (shipped.hash, shipped.hash[14:78]):
            assert event(connection, identity) == shipped
        assert event(connection, "ni:///sha-256;" + "00" * 32 + "?ver=CBV2.0") is None


def test_an_event_is_found_by_the_id_its_client_gave(engine: Engine) -> None:
    chain = ChainBuilder()
    chain.capture(c.object_event(0, epcList=[c.item(1)], eventID="urn:uuid:1"))
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = event(connection, "urn:uuid:1")
        assert found is not None
        assert found.event_id == "urn:uuid:1"
        assert [one.id for one in find_events(connection, EventFilter(event_ids=["urn:uuid:1"])).items] == [found.id]


def test_products_and_lots_stand_for_what_is_of_them(busy: Engine) -> None:
    with busy.connect() as connection:
        of_product = walk(connection, EventFilter(match_epc=[c.GTIN], event_types=["ObjectEvent"]))
        assert {one.biz_step for one in of_product} == {"commissioning", "retail_selling"}
        of_lot = walk(connection, EventFilter(match_epc=[c.lot("A")], event_types=["ObjectEvent"]))
        assert of_lot == of_product
        quantities = walk(connection, EventFilter(match_epc_class=[c.GTIN]))
        assert {one.biz_step for one in quantities} == {"packing", "shipping", "receiving"}
        assert [one.type for one in walk(connection, EventFilter(match_output_epc_class=[c.lot("A")]))] == [
            "TransformationEvent"
        ]
        assert [one.type for one in walk(connection, EventFilter(match_input_epc_class=[c.OTHER_GTIN]))] == [
            "TransformationEvent"
        ]


def test_a_foreign_token_is_refused(busy: Engine) -> None:
    with busy.connect() as connection, pytest.raises(InvalidTokenError):
        find_events(connection, EventFilter(), token="bm9uc2Vuc2U")
