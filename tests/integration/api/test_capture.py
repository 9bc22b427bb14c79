"""Capture over HTTP: accepted means durable, finished means queryable, and verdicts are per event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from urllib.parse import quote

import pytest

from relay.batches import Batches, Lane
from relay.jobs import Failure, open_inbox
from relay.worker import Worker
from tests.integration.api.conftest import Service, bare, document, event, sgtin


async def test_an_accepted_event_is_queryable_when_its_job_has_finished(service: Service) -> None:
    answer = await service.scanner.post("/capture", json=document(event(1)))
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == body["location"] == f"/capture/{body['captureID']}"
    job = await service.finished(body["location"])
    assert (job["success"], job["accepted"], job["duplicate"], job["rejected"]) == (True, 1, 0, 0)
    assert job["captureErrorBehaviour"] == "rollback"
    assert job["errors"] == []
    (verdict,) = job["verdicts"]
    assert verdict["verdict"] == "accepted"
    found = (await service.analyst.get("/events", params={"MATCH_epc": sgtin(1)})).json()
    results = found["epcisBody"]["queryResults"]
    assert [each["eventID"] for each in results["resultsBody"]["eventList"]] == [verdict["event"]]
    (origin,) = results["lotline:provenance"]
    assert (origin["txId"], origin["block"], origin["msp"]) == (job["txId"], job["block"], "FarmMSP")


async def test_capturing_twice_is_capturing_once(service: Service) -> None:
    first = await service.capture(event(1))
    again = await service.capture(event(1))
    assert (first["accepted"], again["accepted"], again["duplicate"], again["success"]) == (1, 0, 1, True)


async def test_the_answer_does_not_wait_for_the_ledger(idle_service: Service) -> None:
    answer = await idle_service.scanner.post("/capture", json=document(event(1)))
    assert answer.status_code == 202
    job = (await idle_service.scanner.get(answer.headers["location"])).json()
    assert (job["running"], job["success"], job["accepted"]) == (True, True, None)


async def test_what_was_accepted_before_the_worker_runs_reaches_the_ledger(idle_service: Service) -> None:
    places = [
        (await idle_service.scanner.post("/capture", json=document(event(n)))).headers["location"] for n in range(1, 31)
    ]
    worker = Worker(idle_service.settings)
    await worker.start()
    try:
        jobs = [await idle_service.finished(place) for place in places]
    finally:
        await worker.stop()
    assert {job["accepted"] for job in jobs} == {1}
    assert len({job["txId"] for job in jobs}) < 5


async def test_rollback_keeps_nothing_of_a_document_with_a_rejected_event(service: Service) -> None:
    await service.capture(event(1))
    second_birth = event(1, eventTime="2026-05-04T10:00:00.000+02:00")
    job = await service.capture(event(2), second_birth)
    assert (job["running"], job["success"], job["accepted"], job["rejected"]) == (False, False, 0, 2)
    problem = job["errors"][0]
    assert problem["status"] == 422
    assert problem["errors"][0]["index"] == 1
    assert problem["errors"][0]["message"]
    assert [verdict["verdict"] for verdict in job["verdicts"]] == ["rejected", "rejected"]
    assert job["verdicts"][0]["code"] == "rolled_back"
    assert (await service.scanner.get(f"/things/{quote(sgtin(2), safe='')}")).status_code == 404


async def test_proceed_keeps_the_rest(service: Service) -> None:
    await service.capture(event(1))
    second_birth = event(1, eventTime="2026-05-04T10:00:00.000+02:00")
    job = await service.capture(event(2), second_birth, **{"GS1-Capture-Error-Behaviour": "proceed"})
    assert (job["success"], job["accepted"], job["rejected"]) == (False, 1, 1)
    assert job["captureErrorBehaviour"] == "proceed"
    assert [problem["errors"][0]["index"] for problem in job["errors"]] == [1]
    assert (await service.scanner.get(f"/things/{quote(sgtin(2), safe='')}")).status_code == 200


async def test_the_same_idempotency_key_is_the_same_job(service: Service) -> None:
    headers = {"Idempotency-Key": "dock-3/000017"}
    first = await service.scanner.post("/capture", json=document(event(1)), headers=headers)
    again = await service.scanner.post("/capture", json=document(event(1)), headers=headers)
    other = await service.scanner.post("/capture", json=document(event(2)), headers=headers)
    assert again.headers["location"] == first.headers["location"]
    assert other.status_code == 409
    assert first.headers["location"].rpartition("/")[2] in other.json()["detail"]


async def test_verdicts_come_in_pages(service: Service) -> None:
    job = await service.capture(*(event(n) for n in range(1, 8)))
    place = f"/capture/{job['captureID']}"
    seen, token = [], None
    while True:
        params = {"perPage": "3"} | ({"nextPageToken": token} if token else {})
        page = (await service.scanner.get(place, params=params)).json()
        seen += page["verdicts"]
        token = page["next"]
        if token is None:
            break
    assert seen == job["verdicts"]


async def test_jobs_are_listed_newest_first_and_belong_to_their_owner(service: Service) -> None:
    mine = [(await service.capture(event(n)))["captureID"] for n in range(1, 6)]
    theirs = (await service.capture(event(9), role="shop"))["captureID"]
    listed, token = [], None
    while True:
        params = {"perPage": "2"} | ({"nextPageToken": token} if token else {})
        page = (await service.scanner.get("/capture", params=params)).json()
        listed += [job["captureID"] for job in page["items"]]
        token = page["next"]
        if token is None:
            break
    assert listed == mine[::-1]
    assert (await service.scanner.get(f"/capture/{theirs}")).status_code == 404
    assert (await service.admin.get(f"/capture/{mine[0]}")).status_code == 200
    assert (await service.shop_admin.get(f"/capture/{mine[0]}")).status_code == 404


async def test_a_large_body_is_parsed_elsewhere_with_the_same_result(service: Service) -> None:
    job = await service.capture(*(event(n) for n in range(1, 301)))
    assert (job["accepted"], job["events"]) == (300, 300)
    bad = document(*(event(n) for n in range(1, 300)), event(300, epcList=[sgtin(300), 7]))
    answer = await service.scanner.post("/capture", json=bad)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["index"] == 299


async def test_post_events_answers_when_the_event_is_queryable(service: Service) -> None:
    answer = await service.scanner.post("/events", json=bare(1))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    found = await service.analyst.get(answer.headers["location"])
    (stored,) = found.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert stored["eventID"] == body["event"]
    assert found.json()["epcisBody"]["queryResults"]["lotline:provenance"][0]["txId"] == body["txId"]


async def test_post_events_tells_a_duplicate(service: Service) -> None:
    first = await service.scanner.post("/events", json=bare(1))
    again = await service.scanner.post("/events", json=bare(1))
    assert again.status_code == 409
    assert again.json()["type"] == "epcisException:ResourceAlreadyExistsException"
    assert again.headers["location"] == first.headers["location"]


async def test_post_events_tells_a_rejection(service: Service) -> None:
    await service.scanner.post("/events", json=bare(1))
    answer = await service.scanner.post("/events", json=bare(1, eventTime="2026-05-04T10:00:00.000+02:00"))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["errors"][0]["index"] == 0
    assert problem["errors"][0]["code"]


async def test_post_events_with_the_same_key_is_answered_alike(service: Service) -> None:
    headers = {"Idempotency-Key": "k1"}
    both = [await service.scanner.post("/events", json=bare(1), headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in both] == [201, 201]
    assert both[0].json() == both[1].json()


async def test_post_events_does_not_wait_for_ever(idle_service: Service) -> None:
    patient = idle_service.settings.http.model_copy(update={"sync_deadline": 0.05})
    idle_service.app.state.settings = idle_service.settings.model_copy(update={"http": patient})
    answer = await idle_service.scanner.post("/events", json=bare(1))
    assert answer.status_code == 202
    job = (await idle_service.scanner.get(answer.headers["location"])).json()
    assert job["running"]


async def test_post_events_takes_one_event(service: Service) -> None:
    answer = await service.scanner.post("/events", json=document(event(1), event(2)))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "not_one_event"


@pytest.mark.parametrize("limit", ["events", "bytes"])
async def test_limits_are_told_with_the_answer(idle_service: Service, limit: str) -> None:
    small = idle_service.settings.http.model_copy(update={"capture_limit": 3})
    idle_service.app.state.settings = idle_service.settings.model_copy(update={"http": small})
    events = [event(n) for n in range(4)] if limit == "events" else [event(1, epcList=[sgtin(1) * 10**6])]
    answer = await idle_service.scanner.post("/capture", json=document(*events))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["gs1-epcis-capture-file-size-limit"] == str(10 * 1024 * 1024)
    assert "gs1-epcis-capture-limit" in answer.headers
    assert idle_service.app.state.inbox.states() == {}


async def test_an_endless_body_without_length_is_cut(idle_service: Service) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 40 * 1024 * 1024:
            sent += 65536
            yield b" " * 65536

    answer = await idle_service.scanner.post(
        "/capture", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_a_full_inbox_asks_to_come_back(idle_service: Service) -> None:
    idle_service.app.state.inbox._limit = 2
    for number in (1, 2):
        await idle_service.scanner.post("/capture", json=document(event(number)))
    idle_service.app.state.inbox._reader._counted -= 10
    answer = await idle_service.scanner.post("/capture", json=document(event(3)))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_many_scanners_at_once(service: Service) -> None:
    answers = await asyncio.gather(*(service.scanner.post("/capture", json=document(event(n))) for n in range(1, 101)))
    jobs = await asyncio.gather(*(service.finished(answer.headers["location"]) for answer in answers))
    assert [job["accepted"] for job in jobs] == [1] * 100


async def test_the_owner_of_a_job_signs_its_transaction(service: Service) -> None:
    job = await service.capture(event(3), role="shop")
    found = (await service.analyst.get(f"/events/{quote(job['verdicts'][0]['event'], safe='')}")).json()
    assert found["epcisBody"]["queryResults"]["lotline:provenance"][0]["msp"] == "ShopMSP"


async def test_a_job_that_failed_is_listed_and_sent_again_by_an_admin(idle_service: Service) -> None:
    service = idle_service
    location = (await service.scanner.post("/capture", json=document(event(1)))).headers["location"]
    assert (await service.admin.post(f"{location}/retry")).status_code == 409
    with closing(open_inbox(service.settings.inbox_file)) as connection:
        batches = Batches(connection, max_events=1, max_bytes=10**6)
        batch = batches.next(Lane("FarmMSP", "scanner"))
        assert batch is not None
        batches.failed(batch, Failure(500, "refused_by_contract", "KeyError"), alarm=True)
    (failed,) = (await service.admin.get("/capture", params={"state": "failed"})).json()["items"]
    assert location.endswith(failed["captureID"])
    assert (await service.shop_admin.get("/capture", params={"state": "failed"})).json()["items"] == []
    assert (await service.scanner.get("/capture", params={"state": "done"})).status_code == 400
    assert (await service.scanner.post(f"{location}/retry")).status_code == 403
    assert (await service.shop_admin.post(f"{location}/retry")).status_code == 404
    again = await service.admin.post(f"{location}/retry")
    assert (again.status_code, again.headers["location"]) == (202, location)
    assert (await service.admin.get("/capture", params={"state": "failed"})).json()["items"] == []
    assert (await service.scanner.get(location)).json()["running"]


async def test_health_tells_strangers_its_state_and_nothing_else(idle_service: Service) -> None:
    """Without a worker it is degraded; why is for those with a token."""
    assert (await idle_service.nobody.get("/health")).json() == {"status": "degraded"}
    assert "the worker does not run" in (await idle_service.scanner.get("/health")).json()["reasons"][0]
    assert (await idle_service.auditor.get("/health")).json()["worker"] == {
        "alive": False,
        "failing": [],
        "busySeconds": 0.0,
    }
    wrong = await idle_service.nobody.get("/health", headers={"Authorization": "Bearer nonsense"})
    assert wrong.status_code == 401
