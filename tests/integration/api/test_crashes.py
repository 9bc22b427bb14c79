"""kill -9 of the real processes, at any moment: nothing accepted is lost, nothing is applied twice."""

from __future__ import annotations

import asyncio
import collections
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from api.instance import Settings, create_token
from api.jobs import find_job, open_inbox
from api.status import read_heartbeat
from ledger.blocks import decode_block
from ledger.embedded import EmbeddedLedger
from tests.integration.api.conftest import document, event
from tests.integration.api.processes import Process, answers, free_port, until

KILLS = 12
SEED = 20260504


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """A running HTTP process."""
    port = free_port()
    server = Process("api.server", settings.home, "--port", str(port))
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def reports(settings: Settings, worker: Process) -> bool:
    """Whether this worker is past its start."""
    heartbeat = read_heartbeat(settings.heartbeat_file)
    return heartbeat is not None and heartbeat.pid == worker.pid


def unanswered_batches(settings: Settings) -> int:
    """Batches whose fate the inbox does not know."""
    connection = open_inbox(settings.inbox_file)
    try:
        return int(connection.execute("SELECT count(*) FROM batch").fetchone()[0])
    finally:
        connection.close()


def unfinished(settings: Settings) -> int:
    connection = open_inbox(settings.inbox_file)
    try:
        row = connection.execute("SELECT count(*) FROM job WHERE finished_at IS NULL").fetchone()
        return int(row[0])
    finally:
        connection.close()


def events_on_ledger(home: Path) -> collections.Counter[str]:
    """How often each event was written in a valid transaction."""

    async def read() -> collections.Counter[str]:
        ledger = await EmbeddedLedger.open(home / "ledger", read_only=True)
        found: collections.Counter[str] = collections.Counter()
        for number in range(await ledger.height()):
            for transaction in decode_block(await ledger.block(number)).transactions:
                for write in transaction.writes if transaction.valid else ():
                    if write.key.startswith("\x00EV\x00") and write.value is not None:
                        found[orjson.loads(write.value)["hash"]] += 1
        await ledger.close()
        return found

    return asyncio.run(read())


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(settings: Settings, url: str) -> None:
    chance = random.Random(SEED)
    token = create_token(settings, "scanner", "scanner", "FarmMSP")
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
    accepted: list[str] = []
    caught_at_work = 0
    for _ in range(KILLS):
        worker = Process("api.worker", settings.home)
        # Scans go on while the worker starts, works and dies, at any moment from its first batch on.
        ends = None
        while ends is None or time.monotonic() < ends:
            number = len(accepted) + 1
            answer = client.post("/capture", json=document(event(number), event(number)))
            assert answer.status_code == 202
            accepted.append(answer.json()["captureID"])
            if ends is None and reports(settings, worker):
                ends = time.monotonic() + chance.uniform(0.0, 0.2)
            assert worker.alive, worker.log.read_text()[-2000:]
        worker.kill()
        caught_at_work += unanswered_batches(settings)
    assert caught_at_work, "no kill fell between a batch and its answer: the test shows nothing"
    last = Process("api.worker", settings.home)
    until(lambda: unfinished(settings) == 0)
    assert last.terminate() == 0
    _check(settings, accepted)


def test_what_the_http_process_answered_202_for_survives_its_death(settings: Settings) -> None:
    token = create_token(settings, "scanner", "scanner", "FarmMSP")
    accepted: list[str] = []
    for life in range(4):
        port = free_port()
        server = Process("api.server", settings.home, "--port", str(port))
        until(lambda port=port: answers(f"http://127.0.0.1:{port}"))  # type: ignore[misc]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"})
        for number in range(life * 10, life * 10 + 10):
            answer = client.post("/capture", json=document(event(number + 1), event(number + 1)))
            assert answer.status_code == 202
            accepted.append(answer.json()["captureID"])
        server.kill()
    worker = Process("api.worker", settings.home)
    until(lambda: unfinished(settings) == 0)
    assert worker.terminate() == 0
    _check(settings, accepted)


def _check(settings: Settings, accepted: list[str]) -> None:
    """Every job holds one event twice: accepted once, a duplicate once, whatever happened in between."""
    connection = open_inbox(settings.inbox_file)
    jobs = [find_job(connection, job_id) for job_id in accepted]
    connection.close()
    assert {(job.state, job.accepted, job.duplicate, job.rejected) for job in jobs if job} == {("done", 1, 1, 0)}
    assert None not in jobs
    on_ledger = events_on_ledger(settings.home)
    assert set(on_ledger.values()) == {1}
    assert len(on_ledger) == len(accepted)
    written = {verdict["event"] for job in jobs if job for verdict in job.verdicts or ()}
    assert written == set(on_ledger)
