"""kill -9 of the real processes, at any moment: nothing accepted is lost, nothing is applied twice."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from instance.creation import Settings, create_token
from relay.heartbeat import read_heartbeat
from relay.jobs import open_inbox
from tests.integration.api.conftest import document, event
from tests.integration.api.kept import check_kept, unfinished
from tests.integration.api.processes import Process, answers, free_port, until

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
    connection = open_inbox(settings.inbox_place)
    try:
        return int(connection.execute("SELECT count(*) FROM batch").fetchone()[0])
    finally:
        connection.close()


def finish(worker: Process, settings: Settings) -> None:
    """Let a worker do what there is to do, and end it; past its start, before which a signal just kills it."""
    try:
        until(lambda: unfinished(settings) == 0 and reports(settings, worker))
        assert worker.terminate() == 0
    finally:
        worker.stop()


@pytest.fixture(name="kills")
def kills_at_least() -> int:
    return 8


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(settings: Settings, url: str, kills: int) -> None:
    chance = random.Random(SEED)
    token = create_token(settings, "scanner", "scanner", "FarmMSP")
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})
    accepted: list[str] = []
    caught_at_work = 0
    while kills > 0 or not caught_at_work:  # until one fell where it hurts, between a batch and its answer
        worker = Process("relay.worker", settings.home)
        # Scans go on while the worker starts, works and dies, at any moment from its first batch on.
        ends = None
        while ends is None or time.monotonic() < ends:
            number = len(accepted) + 1
            answer = client.post("/capture", json=document(event(number), event(number)))
            assert answer.status_code == 202
            accepted.append(answer.json()["captureID"])
            if ends is None:
                time.sleep(0.05)  # what piles up while it starts has to be waited for at the end
                if reports(settings, worker):
                    ends = time.monotonic() + chance.uniform(0.0, 0.2)
            assert worker.alive, worker.log.read_text()[-2000:]
        worker.kill()
        kills -= 1
        caught_at_work += unanswered_batches(settings)
    finish(Process("relay.worker", settings.home), settings)
    check_kept(settings, accepted, len(accepted))


def test_what_the_http_process_answered_202_for_survives_its_death(settings: Settings) -> None:
    """It is killed while requests are under way: what was answered is kept, and what was not is there once or not at all."""
    token = create_token(settings, "scanner", "scanner", "FarmMSP")
    numbers = itertools.count(1)
    accepted: list[str] = []
    cut_off = 0

    def scan(url: str) -> bool:
        """Until the server is gone; whether it died with a request of ours in its hands."""
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, verify=False) as client:
            while True:
                number = next(numbers)
                try:
                    answer = client.post("/capture", json=document(event(number), event(number)))
                except httpx.ConnectError:
                    return False
                except httpx.TransportError:
                    return True
                assert answer.status_code == 202
                accepted.append(answer.json()["captureID"])

    worker = Process("relay.worker", settings.home)
    chance = random.Random(SEED)
    lives = 0
    while lives < 2 or not cut_off:  # until a kill fell where it hurts
        lives += 1
        port = free_port()
        server = Process("api.server", settings.home, "--port", str(port))
        until(lambda port=port: answers(f"http://127.0.0.1:{port}"))  # type: ignore[misc]
        enough = len(accepted) + chance.randrange(5, 40)
        with ThreadPoolExecutor() as scanners:
            ends = [scanners.submit(scan, f"http://127.0.0.1:{port}") for _ in range(4)]
            until(lambda enough=enough: len(accepted) > enough)  # type: ignore[misc]
            server.kill()
            cut_off += sum(end.result() for end in ends)
    finish(worker, settings)
    check_kept(settings, accepted, next(numbers) - 1)
