"""What comes in at the door: one judgement at all doors, `proceed` past what is invalid, master data, bounds."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from relay.intake import MAX_STORED_BYTES, Intake, read
from relay.worker import Worker
from tests.integration.api.conftest import CONTEXT, DOCK, Service, bare, document, event, sgtin

PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}
GTIN = "https://id.gs1.org/01/09506000134352"
WRONG = "https://id.gs1.org/8003/04012345000222X"


def _bad(**changes: Any) -> dict[str, Any]:
    return event(**{"epcList": [WRONG], **changes})


async def test_proceed_gets_past_what_is_invalid(service: Service) -> None:
    malformed = {**event(8), "action": "MAYBE"}
    job = await service.capture(event(1), _bad(), event(2), malformed, "no event", event(3), **PROCEED)  # type: ignore[arg-type]
    assert (job["events"], job["accepted"], job["rejected"], job["success"]) == (6, 3, 3, False)
    assert [verdict["verdict"] for verdict in job["verdicts"]] == [
        "accepted", "rejected", "accepted", "rejected", "rejected", "accepted",
    ]  # fmt: skip
    faults = [problem["errors"][0] for problem in job["errors"]]
    assert [(fault["index"], fault["field"], fault["code"]) for fault in faults] == [
        (1, "/epcisBody/eventList/1/epcList/0", "check_digit"),
        (3, "/epcisBody/eventList/3/action", "literal_error"),
        (4, "/epcisBody/eventList/4/type", "type"),
    ]
    assert all(fault["message"] for fault in faults)
    for number, status in ((1, 200), (2, 200), (3, 200), (8, 404)):
        assert (await service.scanner.get(f"/things/{quote(sgtin(number), safe='')}")).status_code == status


async def test_the_contracts_refusals_and_the_doors_stand_in_one_order(service: Service) -> None:
    await service.capture(event(1))
    again = event(1, eventTime="2026-05-04T10:00:00.000+02:00")
    job = await service.capture(_bad(), again, event(2), _bad(), **PROCEED)
    assert (job["accepted"], job["rejected"]) == (1, 3)
    assert [problem["errors"][0]["index"] for problem in job["errors"]] == [0, 1, 3]
    listed = (await service.scanner.get("/capture")).json()["items"][0]
    assert (listed["events"], listed["accepted"], listed["rejected"], listed["success"]) == (4, 1, 3, False)


async def test_refusals_are_known_at_once_and_outlive_the_process(idle_service: Service) -> None:
    answer = await idle_service.scanner.post("/capture", json=document(event(1), _bad()), headers=PROCEED)
    assert (answer.status_code, answer.json()["events"]) == (202, 2)
    job = (await idle_service.scanner.get(answer.headers["location"])).json()
    assert (job["running"], job["success"], job["accepted"]) == (True, False, None)
    assert [problem["errors"][0]["index"] for problem in job["errors"]] == [1]
    worker = Worker(idle_service.settings)
    await worker.start()
    try:
        done = await idle_service.finished(answer.headers["location"])
    finally:
        await worker.stop()
    assert done["errors"] == job["errors"]
    assert (done["accepted"], done["rejected"]) == (1, 1)


@pytest.mark.parametrize("headers", [{}, PROCEED])
async def test_a_document_without_a_valid_event_is_refused_whole(
    idle_service: Service, headers: dict[str, str]
) -> None:
    answer = await idle_service.scanner.post("/capture", json=document(_bad(), _bad()), headers=headers)
    assert answer.status_code == 400
    assert [fault["index"] for fault in answer.json()["errors"]] == [0, 1]


async def test_what_is_wrong_around_the_events_refuses_them_all(idle_service: Service) -> None:
    raw = {**document(event(1)), "creationDate": "yesterday"}
    assert (await idle_service.scanner.post("/capture", json=raw, headers=PROCEED)).status_code == 400


async def test_rollback_is_as_it_was(idle_service: Service) -> None:
    answer = await idle_service.scanner.post("/capture", json=document(event(1), _bad()))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["index"] == 1


async def test_the_same_key_with_another_bad_event_is_another_content(idle_service: Service) -> None:
    headers = {**PROCEED, "Idempotency-Key": "k"}
    first = await idle_service.scanner.post("/capture", json=document(event(1), _bad()), headers=headers)
    other = await idle_service.scanner.post("/capture", json=document(event(1), {"type": 5}), headers=headers)
    assert (first.status_code, other.status_code) == (202, 409)


# --- identifiers


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (f"{GTIN}/21/S/10/L", "qualifier_order"),
        (f"{GTIN}", "class_in_epc_list"),
        (f"{GTIN}/10/L", "class_in_epc_list"),
        ("urn:epc:raw:96.x30", "tag_uri"),
        ("https://id.gs1.org/01/9506000134352x", "broken_identifier"),
        ("https://example.com/" + "x" * 600, "identifier_too_long"),
    ],
)
async def test_refused_with_a_code(idle_service: Service, uri: str, code: str) -> None:
    answer = await idle_service.scanner.post("/events", json=bare(epcList=[uri]))
    assert answer.status_code == 400
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [("/epcList/0", code)]


async def test_one_thing_in_every_spelling_at_every_door(service: Service) -> None:
    job = await service.capture(
        event(1, epcList=["https://shop.example.com/p/gtin/9506000134352/lot/L7/ser/S7?17=271231"])
    )
    assert job["accepted"] == 1
    spellings = [
        f"{GTIN}/21/S7", f"{GTIN}/10/L7/21/S7", "HTTPS://ID.GS1.ORG/01/09506000134352/21/S7", f"{GTIN}?21=S7&10=L7",
        "urn:epc:id:sgtin:9506000.013435.S7", "urn:epc:tag:sgtin-198:1.9506000.013435.S7",
        "(01)09506000134352(17)271231(10)L7(21)S7", "(21)S7(01)9506000134352",
    ]  # fmt: skip
    for text in spellings:
        thing = await service.scanner.get(f"/things/{quote(text, safe='')}")
        assert (thing.status_code, thing.json()["id"]) == (200, f"{GTIN}/21/S7"), text
        named = await service.scanner.get("/things", params={"number": text})
        assert named.json()["items"] == [f"{GTIN}/21/S7"], text
        trace = await service.analyst.get(f"/trace/{quote(text, safe='')}")
        assert trace.json()["start"] == f"{GTIN}/21/S7", text
        found = (await service.analyst.get("/events", params={"MATCH_anyEPC": text})).json()
        (stored,) = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert stored["epcList"] == [f"{GTIN}/10/L7/21/S7?17=271231"], text
    assert (await service.scanner.get("/things", params={"number": "S7"})).json()["items"] == [f"{GTIN}/21/S7"]
    assert (await service.scanner.get("/things", params={"number": "9506000134352"})).json()["items"] == [GTIN]


@pytest.mark.parametrize("text", [f"{GTIN}/21/S/10/L", "(01)09506000134353(10)L", "urn:epc:id:sgtin:9506000.1.1"])
async def test_the_same_fault_at_every_door(idle_service: Service, text: str) -> None:
    quoted = quote(text, safe="")
    for client, path, params in (
        (idle_service.scanner, f"/things/{quoted}", {}),
        (idle_service.analyst, f"/trace/{quoted}", {}),
        (idle_service.scanner, "/things", {"number": text}),
        (idle_service.analyst, "/events", {"MATCH_epc": text}),
        (idle_service.analyst, "/handoffs", {"item": text}),
        (idle_service.scanner, f"/places/{quoted}", {}),
    ):
        answer = await client.get(path, params=params)
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["errors"][0]["message"]


async def test_a_lot_finds_the_items_that_were_named_with_it(service: Service) -> None:
    """By whoever: at the making, or later by a reader of its label."""
    seen = event(
        3, action="OBSERVE", bizStep="inspecting", epcList=[f"{GTIN}/10/L7/21/S9"], eventTime="2026-05-05T09:00:00Z"
    )
    await service.capture(event(1, epcList=[f"{GTIN}/10/L7/21/S8"]), event(2, epcList=[f"{GTIN}/21/S9"]), seen)
    for serial in ("S8", "S9"):
        thing = (await service.scanner.get(f"/things/{quote(f'{GTIN}/21/{serial}', safe='')}")).json()
        assert thing["lot"] == f"{GTIN}/10/L7"
    trace = (await service.analyst.get(f"/trace/{quote(f'{GTIN}/10/L7', safe='')}")).json()
    assert {f"{GTIN}/21/S8", f"{GTIN}/21/S9"} <= {node["id"] for node in trace["nodes"]}


async def test_a_number_with_a_slash_is_found(service: Service) -> None:
    await service.capture(event(1, epcList=[f"{GTIN}/21/A%2FB-1"]))
    assert (await service.scanner.get("/things", params={"number": "A/B-1"})).json()["items"] == [f"{GTIN}/21/A%2FB-1"]


async def test_what_a_scanner_sends_is_one_thing_at_every_door(service: Service) -> None:
    await service.capture(event(1, epcList=[f"{GTIN}/10/L7/21/S7"]), event(2, epcList=[f"{GTIN}/21/S70"]))
    raw = "]d201095060001343522 1S7\x1d10L7\r\n".replace(" ", "")
    for text in (raw, raw.replace("\x1d", "<GS>"), raw.replace("\x1d", "^"), "(01) 09506000134352 (21) S7"):
        code = (await service.scanner.get("/codes", params={"text": text})).json()
        assert (code["id"], code["things"]) == (f"{GTIN}/21/S7", [f"{GTIN}/21/S7"]), text
        assert (await service.scanner.get("/things", params={"number": text})).json()["items"] == [f"{GTIN}/21/S7"]
    known: tuple[tuple[str, list[str]], ...] = (
        ("S7", [f"{GTIN}/21/S7"]),
        ("s70\r\n", [f"{GTIN}/21/S70"]),
        ("L7", [f"{GTIN}/10/L7"]),
        ("S", []),
        ("9506000134352", [GTIN]),
        ("nothing", []),
    )
    for text, things in known:
        code = (await service.scanner.get("/codes", params={"text": text})).json()
        assert (code["things"], code["beginning"]) == (things, []), text
    await service.capture(event(3, epcList=[f"{GTIN}/21/LONG-4711"]))
    code = (await service.scanner.get("/codes", params={"text": "long-4"})).json()
    assert (code["things"], code["beginning"]) == ([], [f"{GTIN}/21/LONG-4711"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("010950600013435210L717271231", "ambiguous"),
        ("(01)09506000134353(10)L", "check_digit"),
        ("+A99912345/$$52001510X3", "foreign_code"),
        ("]C110L7", "no_key"),
        ("A\x00B", "no_key"),
        ("%%%|", "no_key"),
    ],
)
async def test_a_code_that_is_refused_says_why(idle_service: Service, text: str, code: str) -> None:
    answer = await idle_service.scanner.get("/codes", params={"text": text})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["code"] == code
    assert (await idle_service.scanner.get("/things", params={"number": text})).status_code == 400


async def test_a_number_is_looked_up_by_an_index(idle_service: Service) -> None:
    engine = idle_service.app.state.engine
    for query in (
        "SELECT uri FROM thing WHERE lower(replace(uri, rtrim(uri, replace(uri, '/', '')), '')) = 's7'",
        "SELECT uri FROM thing WHERE lower(replace(uri, rtrim(uri, replace(uri, '/', '')), '')) BETWEEN 's7' AND 's8'",
    ):
        with engine.connect() as connection:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
        assert "USING INDEX ix_thing_number" in plan


# --- master data and bounds


def _with_master_data(*events: dict[str, Any], name: str = "Cold store", place: str = DOCK) -> dict[str, Any]:
    element = {"id": place, "attributes": [{"id": "urn:epcglobal:cbv:mda#name", "attribute": name}]}
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": [element]}
    return {**document(*events), "epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}


@pytest.mark.parametrize("events", [[event(1)], []])
async def test_master_data_travels_with_its_document(service: Service, events: list[dict[str, Any]]) -> None:
    answer = await service.scanner.post("/capture", json=_with_master_data(*events))
    assert answer.status_code == 202
    job = await service.finished(answer.headers["location"])
    assert (job["success"], job["accepted"]) == (True, len(events))


async def test_a_place_that_nobody_registered_has_the_name_it_is_described_by(service: Service) -> None:
    place = "https://id.gs1.org/414/9506000999999"
    answer = await service.scanner.post(
        "/capture", json=_with_master_data(event(1, readPoint={"id": place}), place=place)
    )
    await service.finished(answer.headers["location"])
    found = (await service.analyst.get(f"/places/{quote(place, safe='')}")).json()
    assert (found["name"], found["registered"]) == ("Cold store", False)
    listed = (await service.analyst.get("/places")).json()["items"]
    assert "Cold store" in [one["name"] for one in listed]


async def test_master_data_that_is_wrong_refuses_its_document(idle_service: Service) -> None:
    answer = await idle_service.scanner.post(
        "/capture", json=_with_master_data(event(1), name="x" * 5000), headers=PROCEED
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "master_data_too_large"


def test_what_master_data_is_to_the_contract() -> None:
    import orjson

    reading = read(orjson.dumps(_with_master_data(event(1))))
    assert isinstance(reading, Intake)
    name = "urn:epcglobal:cbv:mda#name"
    assert orjson.loads(reading.master_data) == [
        {"id": DOCK, "kind": "place", "name": "Cold store", "attributes": {name: "Cold store"}}
    ]


@pytest.mark.parametrize("limit", ["MAX_STORED_BYTES", "MAX_THINGS"])
async def test_a_document_that_would_grow_too_large(
    idle_service: Service, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(f"relay.intake.{limit}", 0)
    answer = await idle_service.scanner.post("/capture", json=document(event(1)))
    assert answer.status_code == 413
    assert answer.headers["GS1-EPCIS-Capture-File-Size-Limit"]
    assert "0" in answer.json()["detail"]
    assert MAX_STORED_BYTES > 2**20


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"eventTime": "0000-01-01T00:00:00Z"}, "/eventTime", "date_time"),
        ({"eventTime": "9999-12-31T23:59:59-01:00"}, "/eventTime", "date_time"),
        (
            {"quantityList": [{"epcClass": f"{GTIN}/10/L", "quantity": 1e308}]},
            "/quantityList/0/quantity",
            "quantity_range",
        ),
        ({"lotline:blob": "x" * 2**20}, "", "event_too_large"),
    ],
)
async def test_what_nothing_behind_could_digest(
    idle_service: Service, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = await idle_service.scanner.post("/events", json=bare(**changes))
    assert answer.status_code == 400
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [(field, code)]


async def test_nested_too_deeply(idle_service: Service) -> None:
    deep: Any = "x"
    for _ in range(240):
        deep = {"a:b": deep}
    answer = await idle_service.scanner.post(
        "/events", json={**bare(), "@context": [CONTEXT, {"a": "https://a.org/"}], "a:x": deep}
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_deep")
