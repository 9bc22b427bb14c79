"""GET /events: every parameter against an obvious filter in Python, over the same events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import orjson
import pytest

import epcis
from tests.integration.api.conftest import DOCK, PALLET, Service, event, sgtin

LOT = "https://id.gs1.org/01/09506000134352/10/L42"
OTHER_PLACE = "https://id.gs1.org/414/0614141000029"
PARTY = "https://id.gs1.org/417/0614141000005"
ORDER = "urn:epcglobal:cbv:bt:0614141000005:PO-17"
Json = dict[str, Any]
EVENTS: list[Json] = [
    event(1),
    event(2, eventTime="2026-05-04T10:00:00.000+02:00"),
    event(
        1,
        eventTime="2026-05-04T11:00:00.000+02:00",
        action="OBSERVE",
        bizStep="storing",
        disposition="in_progress",
        eventID="urn:uuid:0a4dbd58-9c4c-4a8d-8b86-4e5c1f0a7d11",
        bizTransactionList=[{"type": "po", "bizTransaction": ORDER}],
    ),
    {
        "type": "AggregationEvent",
        "eventTime": "2026-05-04T12:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "ADD",
        "bizStep": "packing",
        "parentID": PALLET,
        "childEPCs": [sgtin(1), sgtin(2)],
        "readPoint": {"id": DOCK},
    },
    {
        "type": "ObjectEvent",
        "eventTime": "2026-05-05T08:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "quantityList": [{"epcClass": LOT, "quantity": 100}],
        "readPoint": {"id": OTHER_PLACE},
        "bizLocation": {"id": OTHER_PLACE},
        "destinationList": [{"type": "owning_party", "destination": PARTY}],
    },
    {
        "type": "TransformationEvent",
        "eventTime": "2026-05-05T09:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "transformationID": "urn:epc:id:gdti:0614141.06012.1234",
        "inputQuantityList": [{"epcClass": LOT, "quantity": 10}],
        "outputEPCList": [sgtin(7)],
        "readPoint": {"id": OTHER_PLACE},
    },
]


def named(each: Json, *fields: str) -> set[str]:
    """What is named in these fields."""
    found = [each.get(field, []) for field in fields]
    return {name for names in found for name in ([names] if isinstance(names, str) else names)}


def classes(each: Json, *fields: str) -> set[str]:
    return {element["epcClass"] for field in fields for element in each.get(field, [])}


QUERIES: list[tuple[str, str, Callable[[Json], bool]]] = [
    ("eventType", "AggregationEvent", lambda e: e["type"] == "AggregationEvent"),
    ("eventType", "AggregationEvent|TransformationEvent", lambda e: e["type"] != "ObjectEvent"),
    ("EQ_action", "OBSERVE", lambda e: e.get("action") == "OBSERVE"),
    ("EQ_bizStep", "packing|storing", lambda e: e.get("bizStep") in ("packing", "storing")),
    ("EQ_bizStep", "https://ref.gs1.org/cbv/BizStep-packing", lambda e: e.get("bizStep") == "packing"),
    ("EQ_bizStep", "urn:epcglobal:cbv:bizstep:packing", lambda e: e.get("bizStep") == "packing"),
    ("EQ_bizStep", "shipping", lambda e: False),
    ("EQ_disposition", "in_progress", lambda e: e.get("disposition") == "in_progress"),
    ("GE_eventTime", "2026-05-04T09:00:00.000Z", lambda e: e["eventTime"] >= "2026-05-04T11"),
    ("GE_eventTime", "2026-05-04T11:00:00.000+02:00", lambda e: e["eventTime"] >= "2026-05-04T11"),
    ("LT_eventTime", "2026-05-04T11:00:00.000+02:00", lambda e: e["eventTime"] < "2026-05-04T11"),
    ("GE_recordTime", "2020-01-01T00:00:00Z", lambda e: True),
    ("LT_recordTime", "2020-01-01T00:00:00Z", lambda e: False),
    ("EQ_readPoint", DOCK, lambda e: e["readPoint"]["id"] == DOCK),
    ("EQ_readPoint", "urn:epc:id:sgln:0614141.00001.0", lambda e: e["readPoint"]["id"] == DOCK),
    ("EQ_bizLocation", OTHER_PLACE, lambda e: e.get("bizLocation", {}).get("id") == OTHER_PLACE),
    ("EQ_eventID", "urn:uuid:0a4dbd58-9c4c-4a8d-8b86-4e5c1f0a7d11", lambda e: "eventID" in e),
    ("EQ_transformationID", "urn:epc:id:gdti:0614141.06012.1234", lambda e: "transformationID" in e),
    ("EQ_bizTransaction_po", ORDER, lambda e: "bizTransactionList" in e),
    ("EQ_bizTransaction_inv", ORDER, lambda e: False),
    ("EQ_destination_owning_party", PARTY, lambda e: "destinationList" in e),
    ("EQ_source_owning_party", PARTY, lambda e: False),
    ("MATCH_epc", sgtin(1), lambda e: sgtin(1) in named(e, "epcList", "childEPCs")),
    ("MATCH_epc", "urn:epc:id:sgtin:9506000.013435.1", lambda e: sgtin(1) in named(e, "epcList", "childEPCs")),
    ("MATCH_epc", PALLET, lambda e: False),
    ("MATCH_parentID", PALLET, lambda e: e.get("parentID") == PALLET),
    ("MATCH_anyEPC", PALLET, lambda e: e.get("parentID") == PALLET),
    ("MATCH_anyEPC", f"{sgtin(2)}|{sgtin(7)}", lambda e: bool(
        {sgtin(2), sgtin(7)} & named(e, "epcList", "childEPCs", "parentID", "outputEPCList"))),
    ("MATCH_inputEPC", sgtin(7), lambda e: False),
    ("MATCH_outputEPC", sgtin(7), lambda e: sgtin(7) in named(e, "outputEPCList")),
    ("MATCH_epcClass", LOT, lambda e: LOT in classes(e, "quantityList", "childQuantityList")),
    ("MATCH_inputEPCClass", LOT, lambda e: LOT in classes(e, "inputQuantityList")),
    ("MATCH_outputEPCClass", LOT, lambda e: False),
    ("MATCH_anyEPCClass", LOT, lambda e: LOT in classes(e, "quantityList", "inputQuantityList")),
]  # fmt: skip


async def find(service: Service, **params: str) -> list[Json]:
    answer = await service.analyst.get("/events", params=params)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def hashes(events: list[Json]) -> set[str]:
    return {epcis.event_hash({"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", **each})
            for each in events}  # fmt: skip


@pytest.fixture
async def filled(service: Service) -> Service:
    job = await service.capture(*EVENTS)
    assert (job["accepted"], job["errors"]) == (len(EVENTS), [])
    return service


async def test_every_parameter_finds_what_an_obvious_filter_finds(filled: Service) -> None:
    for name, value, matches in QUERIES:
        expected = [each for each in EVENTS if matches(each)]
        assert hashes(await find(filled, **{name: value})) == hashes(expected), (name, value)


async def test_parameters_narrow_each_other(filled: Service) -> None:
    for name, value, first in QUERIES:
        for second in ("eventType", "GE_eventTime"):
            if name == second:
                continue
            other = next(query for query in QUERIES if query[0] == second)
            expected = [each for each in EVENTS if first(each) and other[2](each)]
            found = await find(filled, **{name: value, second: other[1]})
            assert hashes(found) == hashes(expected), (name, second)


async def test_order_and_limits(filled: Service) -> None:
    times = sorted(epcis.parse_event(each).event_time for each in EVENTS)
    for direction, expected in (("ASC", times), ("DESC", times[::-1])):
        found = await find(filled, orderBy="eventTime", orderDirection=direction)
        assert [epcis.parse_event(each).event_time for each in found] == expected
    assert len(await find(filled, orderBy="eventTime", eventCountLimit="2")) == 2
    answer = await filled.analyst.get("/events", params={"maxEventCount": "2"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "epcisException:QueryTooLargeException"
    assert len(await find(filled, maxEventCount=str(len(EVENTS)))) == len(EVENTS)


async def test_pages_give_each_event_once_while_others_are_captured(filled: Service) -> None:
    seen: list[str] = []
    url: str | None = "/events?perPage=2"
    while url is not None:
        answer = await filled.analyst.get(url)
        seen += [each["eventID"] for each in answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
        url = answer.links.get("next", {}).get("url")
        await filled.capture(event(100 + len(seen)))
    assert len(seen) == len(set(seen)) == len(EVENTS)


async def test_what_comes_back_is_what_went_in(filled: Service) -> None:
    """Same hash, and our extension stands beside the events."""
    found = await find(filled)
    assert hashes(found) == hashes(EVENTS)
    for each in found:
        assert each["recordTime"]
        assert each["eventID"]
        single = (await filled.analyst.get(f"/events/{each['eventID'].replace('?', '%3F')}")).json()
        assert hashes(single["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == hashes([each])


async def test_the_answer_is_linked_data_on_request(filled: Service) -> None:
    plain = await filled.analyst.get("/events")
    linked = await filled.analyst.get("/events", headers={"Accept": "application/ld+json"})
    assert plain.headers["content-type"] == "application/json"
    assert linked.headers["content-type"] == "application/ld+json"
    assert linked.headers["gs1-epcis-version"] == "2.0.0"


async def test_every_gs1_example_comes_back_valid_and_with_its_hash(service: Service, shared_data: Any) -> None:
    """The 47 documents of GS1: what can be captured is read back valid by GS1's own schema, hash-equal."""
    folder = shared_data / "epcis" / "gs1"
    schema = next(folder.rglob("EPCIS-JSON-Schema.json"))
    validator = jsonschema_rs.validator_for(orjson.loads(schema.read_bytes()), validate_formats=True)
    paths = sorted((folder / "JSON").rglob("*.json*"))
    assert len(paths) == 47
    for path in paths:
        answer = await service.scanner.post(
            "/capture",
            content=path.read_bytes(),
            headers={"Content-Type": "application/ld+json", "GS1-Capture-Error-Behaviour": "proceed"},
        )
        assert answer.status_code == 202, (path, answer.text)
        job = await service.finished(answer.headers["location"])
        assert not job["rejected"], (path, job["errors"])
        sent = epcis.parse_document(path.read_bytes()).events
        for event_sent, verdict in zip(sent, job["verdicts"], strict=True):
            got = await service.analyst.get("/events/" + verdict["event"].replace("?", "%3F"))
            assert validator.is_valid(got.json()), (path, next(validator.iter_errors(got.json())).message)
            (back,) = epcis.parse_document(got.content).events
            assert back.hash == event_sent.hash, path


async def test_an_event_from_the_future_is_rejected_by_the_ledger(service: Service) -> None:
    job = await service.capture(event(1, eventTime="2999-01-01T00:00:00.000Z"))
    assert (job["success"], job["rejected"]) == (False, 1)
    assert "eventTime" in str(job["errors"][0])
