"""Bad input: a problem document that names event and field, and nothing half-written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from instance.creation import create_token
from instance.settings import Settings
from tests.integration.api.conftest import Service, bare, document, event, sgtin
from tests.integration.api.processes import Process, answers, free_port, until

JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
async def nothing_half_written(idle_service: Service) -> AsyncIterator[None]:
    """Whatever a test here sends, no job may come of it."""
    yield
    assert idle_service.app.state.inbox.states() == {}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer with that status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"type", "title", "status", "detail", "instance", "errors"}
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in answer.text
    return body


def nested(depth: int) -> bytes:
    return (
        b'{"@context":"https://x.example/","type":"ObjectEvent","ilmd":' + b'{"a":' * depth + b"1" + b"}" * (depth + 1)
    )


@pytest.mark.parametrize("path", ["/capture", "/events"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"type": "ObjectEvent",}',
        b"\xff\xfe\x00",
        b'{"type":"ObjectEvent\xff"}',
        '{"type":"ObjectEvent"}'.encode("utf-16"),
        b"null",
        b"[]",
        b"7",
        b'"EPCISDocument"',
        b"{}",
        b'{"type": 7}',
        b'{"type": null, "@context": null}',
        b"NaN",
        b'{"type":"ObjectEvent","@context":"https://x.example/","eventTime":1e999}',
        b'{"type":"\\ud800"}',
        b"[" * 100_000,
        nested(300),
        nested(100_000),
    ],
)
async def test_malformed_bodies(idle_service: Service, path: str, body: bytes) -> None:
    answer = await idle_service.scanner.post(path, content=body, headers=JSON)
    found = problem(answer, 400)
    assert found["type"] == "epcisException:ValidationException"
    assert found["errors"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"eventTime": "yesterday"}, "eventTime"),
        ({"eventTime": 1777878753}, "eventTime"),
        ({"eventTime": "2026-02-30T10:00:00Z"}, "eventTime"),
        ({"eventTimeZoneOffset": "CET"}, "eventTimeZoneOffset"),
        ({"action": "STEAL"}, "action"),
        ({"action": None}, "action"),
        ({"bizStep": 5}, "bizStep"),
        ({"epcList": "https://id.gs1.org/00/106141412345678908"}, "epcList"),
        ({"epcList": [7]}, "epcList/0"),
        ({"epcList": [["a"]]}, "epcList/0"),
        ({"epcList": ["https://id.gs1.org/00/106141412345678909"]}, "epcList/0"),
        ({"epcList": [sgtin(1), "https://id.gs1.org/01/09506000134353/21/1"]}, "epcList/1"),
        ({"readPoint": {"id": "https://id.gs1.org/414/0614141000013"}}, "readPoint"),
        ({"readPoint": "here"}, "readPoint"),
        ({"quantityList": [{"epcClass": "urn:x:y", "quantity": "many"}]}, "quantityList/0/quantity"),
        ({"quantityList": [{"quantity": 5}]}, "quantityList/0/epcClass"),
        ({"unknownField": 1}, "unknownField"),
        ({"sensorElementList": {"a": 1}}, "sensorElementList"),
    ],
)
async def test_the_event_and_the_field_are_named(idle_service: Service, changes: dict[str, Any], field: str) -> None:
    answer = await idle_service.scanner.post("/capture", json=document(event(1), event(2), event(3, **changes)))
    found = problem(answer, 400)
    faults = [fault for fault in found["errors"] if fault["index"] == 2]
    assert faults == found["errors"]
    assert any(fault["field"].startswith(f"/epcisBody/eventList/2/{field}") for fault in faults), faults
    assert "event 2" in found["detail"]
    assert all(fault["code"] and fault["message"] for fault in faults)


async def test_every_fault_is_named_not_only_the_first(idle_service: Service) -> None:
    events = [event(1, action="X"), event(2), event(3, bizStep=5), event(4, epcList=[1])]
    found = problem(await idle_service.scanner.post("/capture", json=document(*events)), 400)
    assert {fault["index"] for fault in found["errors"]} == {0, 2, 3}


async def test_a_document_of_faults_is_answered_briefly(idle_service: Service) -> None:
    events = [event(n, action="X") for n in range(1, 2000)]
    found = problem(await idle_service.scanner.post("/capture", json=document(*events)), 400)
    assert 1 <= len(found["errors"]) <= 100


@pytest.mark.parametrize("missing", ["@context", "schemaVersion", "creationDate", "epcisBody"])
async def test_incomplete_documents(idle_service: Service, missing: str) -> None:
    body = document(event(1))
    del body[missing]
    found = problem(await idle_service.scanner.post("/capture", json=body), 400)
    assert any(missing in fault["field"] or missing in fault["message"] for fault in found["errors"])


async def test_a_document_without_events(idle_service: Service) -> None:
    assert (
        problem(await idle_service.scanner.post("/capture", json=document()), 400)["errors"][0]["code"] == "no_events"
    )


@pytest.mark.parametrize("size", [10 * 1024 * 1024 + 1, 70 * 1024 * 1024])
async def test_bodies_over_the_limit(idle_service: Service, size: int) -> None:
    answer = await idle_service.scanner.post("/capture", content=b" " * size, headers=JSON)
    found = problem(answer, 413)
    assert found["type"] == "epcisException:CaptureLimitExceededException"
    assert "10485760 bytes" in found["detail"]
    assert idle_service.app.state.inbox.states() == {}


async def test_seventy_megabytes_to_the_real_process(home: Path, settings: Settings) -> None:
    """The answer comes while the client still sends; it must reach it, with the length announced or not."""
    port = free_port()
    server = Process("api.server", home, "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    headers = {**JSON, "Authorization": f"Bearer {create_token(settings, 'scanner', 'scanner', 'FarmMSP')}"}
    pieces = [b" " * 1_000_000] * 70
    try:
        await asyncio.to_thread(until, lambda: answers(url))
        for content in (b"".join(pieces), iter(pieces)):
            answer = await asyncio.to_thread(httpx.post, f"{url}/capture", content=content, headers=headers, timeout=60)
            assert answer.status_code == 413
            assert "10485760 bytes" in answer.json()["detail"]
            assert answer.headers["gs1-epcis-capture-file-size-limit"] == "10485760"
    finally:
        server.stop()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", ""],
)
async def test_other_media_types(idle_service: Service, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for path in ("/capture", "/events", "/parties"):
        client = idle_service.admin
        answer = await client.post(path, content=orjson.dumps(bare(1)), headers=headers)
        assert problem(answer, 415)["type"] == "epcisException:UnsupportedMediaTypeException"


@pytest.mark.parametrize("path", ["/capture", "/health", "/events", "/overview"])
async def test_unacceptable_formats(idle_service: Service, path: str) -> None:
    answer = await idle_service.admin.get(path, headers={"Accept": "application/xml"})
    assert problem(answer, 406)["type"] == "epcisException:NotAcceptableException"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic c2Nhbm5lcjpzY2FubmVy",
        "Bearer ' OR '1'='1",
        "Bearer " + "x" * 4000,
    ],
)
@pytest.mark.parametrize(
    "path", ["/capture", "/events", "/things/x", "/trace/x", "/handoffs", "/forecasts", "/parties"]
)
async def test_no_valid_token(idle_service: Service, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await idle_service.nobody.get(path, headers=headers)
    assert problem(answer, 401)["type"] == "epcisException:SecurityException"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_stranger_is_turned_away_before_the_body_is_read(idle_service: Service) -> None:
    for path in ("/capture", "/events", "/parties", "/places", "/devices", "/things/protect"):
        answer = await idle_service.nobody.post(path, content=b"{" * 10, headers={"Content-Type": "text/plain"})
        problem(answer, 401)


@pytest.mark.parametrize(
    ("role", "method", "path", "needed"),
    [
        ("analyst", "POST", "/capture", "scanner"),
        ("auditor", "POST", "/events", "scanner"),
        ("analyst", "GET", "/capture", "scanner"),
        ("scanner", "GET", "/events", "analyst"),
        ("scanner", "GET", "/trace/x", "analyst"),
        ("scanner", "GET", "/forecasts", "analyst"),
        ("scanner", "POST", "/parties", "admin"),
        ("analyst", "POST", "/places", "admin"),
        ("auditor", "POST", "/devices", "admin"),
        ("scanner", "POST", "/things/protect", "admin"),
    ],
)
async def test_a_wrong_role_is_told_the_right_one(
    idle_service: Service, role: str, method: str, path: str, needed: str
) -> None:
    answer = await idle_service.clients[role].request(method, path, json=bare(1) if method == "POST" else None)
    found = problem(answer, 403)
    assert needed in found["detail"]
    assert role in found["detail"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/events?EQ_colour=red", "EQ_colour"),
        ("/events?GE_eventTime=yesterday", "GE_eventTime"),
        ("/events?GE_eventTime=2026-05-04T09:00:00", "GE_eventTime"),
        ("/events?eventType=PartyEvent", "eventType"),
        ("/events?EQ_action=ADD|STEAL", "EQ_action"),
        ("/events?EQ_bizStep=", "EQ_bizStep"),
        ("/events?EQ_bizStep=a&EQ_bizStep=b", "EQ_bizStep"),
        ("/events?orderBy=colour", "orderBy"),
        ("/events?orderDirection=UP", "orderDirection"),
        ("/events?eventCountLimit=5", "eventCountLimit"),
        ("/events?eventCountLimit=-5&orderBy=eventTime", "eventCountLimit"),
        ("/events?eventCountLimit=5&maxEventCount=5&orderBy=eventTime", "maxEventCount"),
        ("/events?perPage=0", "perPage"),
        ("/events?perPage=many", "perPage"),
        ("/events?nextPageToken=mine", "nextPageToken"),
        ("/handoffs?colour=red", "colour"),
        ("/handoffs?status=lost", "status"),
        ("/handoffs?party=a&party=b", "party"),
        ("/events?perPage=1&perPage=2", "perPage"),
        ("/handoffs?nextPageToken=%F0%9F%A6%84", "nextPageToken"),
        ("/capture?nextPageToken=zz", "nextPageToken"),
        ("/trace/x?direction=sideways", "direction"),
        ("/trace/x?maxNodes=0", "maxNodes"),
    ],
)
async def test_wrong_parameters(idle_service: Service, path: str, name: str) -> None:
    found = problem(await idle_service.admin.get(path), 400)
    assert found["type"] == "epcisException:QueryParameterException"
    assert found["errors"][0]["field"] == name
    assert name in found["detail"]


SPITEFUL = [
    "' OR 1=1 --",
    '"; DROP TABLE event; --',
    '=HYPERLINK("http://x")',
    "%",
    "_",
    "\\",
    "\x00",
    "🦄",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "a" * 400,
]


# What may be a code: one that nobody can read is refused, saying why; anything else is looked for and not there.
_MAY_BE_CODES = ("MATCH_epc", "EQ_readPoint", "EQ_source_x", "party")


def is_refused(answer: httpx.Response, field: str) -> bool:
    """Whether a text was refused as a code, with the reason by the field's name."""
    if field not in _MAY_BE_CODES or answer.status_code != 400:
        return False
    (error,) = problem(answer, 400)["errors"]
    return bool(error["field"] == field and error["message"])


@pytest.mark.parametrize("text", SPITEFUL)
async def test_spiteful_text_in_queries_finds_nothing(idle_service: Service, text: str) -> None:
    for name in ("EQ_bizStep", "MATCH_epc", "EQ_eventID", "EQ_readPoint", "EQ_bizTransaction_po", "EQ_source_x"):
        answer = await idle_service.admin.get("/events", params={name: text})
        if not is_refused(answer, name):
            assert answer.status_code == 200, answer.text
            assert answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    for name in ("party", "reference"):
        answer = await idle_service.admin.get("/handoffs", params={name: text})
        assert is_refused(answer, name) or answer.json() == {"items": [], "next": None}


@pytest.mark.parametrize("text", SPITEFUL)
async def test_spiteful_text_in_paths_is_not_found(idle_service: Service, text: str) -> None:
    for collection in ("things", "trace", "events", "handoffs", "exceptions", "parties", "places", "devices"):
        url = httpx.URL("http://test").copy_with(raw_path=f"/{collection}/".encode() + _quoted(text))
        answer = await idle_service.admin.get(url)
        is_code = collection in ("things", "trace", "parties", "places") and answer.status_code == 400
        found = problem(answer, 400 if is_code else 404)
        assert not is_code or found["errors"][0]["message"]


def _quoted(text: str) -> bytes:
    return "".join(f"%{byte:02X}" for byte in text.encode()).encode()


async def test_unknown_paths_and_methods(idle_service: Service) -> None:
    problem(await idle_service.admin.get("/nothing"), 404)
    problem(await idle_service.admin.get("/capture/not-a-job"), 400)
    problem(await idle_service.admin.get("/capture/" + "0" * 32), 404)
    answer = await idle_service.admin.delete("/capture")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    problem(await idle_service.admin.put("/events/x"), 405)
    problem(await idle_service.admin.request("BREW", "/capture"), 405)


async def test_a_fault_of_ours_is_a_problem_document_without_details(idle_service: Service) -> None:
    engine, idle_service.app.state.engine = idle_service.app.state.engine, None
    found = problem(await idle_service.admin.get("/overview"), 500)
    idle_service.app.state.engine = engine
    assert found["type"] == "epcisException:ImplementationException"
    assert "NoneType" not in found["detail"]


async def test_a_read_model_that_is_away_is_a_503(idle_service: Service) -> None:
    (idle_service.settings.home / "readmodel.db").unlink()
    (idle_service.settings.home / "readmodel.db").mkdir()
    idle_service.app.state.engine.dispose()
    answer = await idle_service.admin.get("/overview")
    problem(answer, 503)
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/parties", {"id": "https://id.gs1.org/417/0614141000006", "name": "x"}, "/id"),
        ("/parties", {"id": "https://id.gs1.org/414/0614141000012", "name": "x"}, "/id"),
        ("/parties", {"id": "Robert'); DROP TABLE party;--", "name": "x"}, "/id"),
        ("/parties", {"id": "https://id.gs1.org/417/0614141000005"}, "name"),
        ("/parties", {"id": "https://id.gs1.org/417/0614141000005", "name": "x", "colour": "red"}, "colour"),
        ("/parties", [], ""),
        (
            "/places",
            {"id": "https://id.gs1.org/414/0614141000012", "party": "x", "name": "x", "kind": "y"},
            "/party",
        ),
        (
            "/places",
            {
                "id": "https://id.gs1.org/414/0614141000012",
                "party": "https://id.gs1.org/417/0614141000005",
                "name": "x",
                "kind": "y",
                "latitude": 91,
            },
            "latitude",
        ),
        ("/things/protect", {"id": "https://id.gs1.org/01/09506000134351/21/1", "organisations": ["FarmMSP"]}, "id"),
        ("/things/protect", {"id": "https://id.gs1.org/01/09506000134352/21/1", "organisations": []}, "organisations"),
        (
            "/devices",
            {
                "id": "d",
                "party": "https://id.gs1.org/417/0614141000005",
                "algorithm": "Ed25519",
                "publicKey": "x",
            },
            "",
        ),
    ],
)
async def test_wrong_registrations(idle_service: Service, path: str, body: Any, field: str) -> None:
    found = problem(await idle_service.admin.post(path, json=body), 400)
    assert any(field in fault["field"] for fault in found["errors"]), found["errors"]
