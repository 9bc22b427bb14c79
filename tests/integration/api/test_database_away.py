"""The read model's database is away: scans go on to the ledger, the instance says what is wrong, and catches up."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from instance.creation import create_token, load_settings
from instance.settings import Settings
from tests.integration.api.conftest import document, event
from tests.integration.api.kept import check_kept, unfinished
from tests.integration.api.processes import Process, answers, free_port, until
from tests.integration.readmodel import postgres


@pytest.fixture
def database() -> Iterator[postgres.Server]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with postgres.server(programs) as made:
        yield made


@pytest.fixture
def on_postgres(home: Path, database: postgres.Server) -> Settings:
    """The instance with its read model in PostgreSQL, empty as yet."""
    config = home / "config.toml"
    text = config.read_text() + "backoff_last = 1.0\n"
    config.write_text(text.replace('database_url = ""', f'database_url = "{database.url}/postgres"'))
    settings = load_settings(home)
    assert settings.database_url.startswith("postgresql")
    return settings


class Scanner:
    """Scans all the while, and is answered 202 all the while."""

    def __init__(self, settings: Settings, url: str) -> None:
        token = create_token(settings, "scanner", "scanner", "FarmMSP")
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, verify=False)
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._scan, daemon=True)
        self._refusal = ""
        self.accepted: list[str] = []

    def __enter__(self) -> Scanner:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.close()
        assert self._refusal == ""

    def _scan(self) -> None:
        while not self._stopping.wait(0.02):
            number = next(self._numbers)
            answer = self._client.post("/capture", json=document(event(number), event(number)))
            if answer.status_code != 202:
                self._refusal = answer.text
                return
            self.accepted.append(answer.json()["captureID"])

    def after(self, count: int) -> None:
        """Wait until so many more were accepted."""
        wanted = len(self.accepted) + count
        until(lambda: len(self.accepted) >= wanted or not self._thread.is_alive())


class Instance:
    """Worker and HTTP process."""

    def __init__(self, settings: Settings) -> None:
        port = free_port()
        self.settings = settings
        self.url = f"http://127.0.0.1:{port}"
        auditor = create_token(settings, "auditor", "auditor", "FarmMSP")
        self._headers = {"Authorization": f"Bearer {auditor}"}
        self.worker = Process("relay.worker", settings.home)
        self.server = Process("api.server", settings.home, "--port", str(port))
        until(lambda: answers(self.url))

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = httpx.get(f"{self.url}/health", headers=self._headers).json()
        return found

    def tells_of_the_database(self) -> bool:
        """While the worker goes on."""
        found = self.health()
        assert self.worker.alive, self.worker.log.read_text()[-2000:]
        return found["worker"]["alive"] and any("database is away" in reason for reason in found["reasons"])

    def finish(self) -> None:
        """Let the worker finish every job, and end it."""
        until(lambda: unfinished(self.settings) == 0)
        until(lambda: self.health()["status"] == "ok")
        assert self.worker.terminate() == 0


@pytest.fixture
def instance(on_postgres: Settings) -> Iterator[Instance]:
    made = Instance(on_postgres)
    try:
        yield made
    finally:
        made.worker.stop()
        made.server.stop()


@pytest.mark.parametrize("seconds", [0, pytest.param(300, marks=[pytest.mark.faults, pytest.mark.timeout(900)])])
def test_the_database_goes_away_under_load(instance: Instance, database: postgres.Server, seconds: int) -> None:
    with Scanner(instance.settings, instance.url) as scanner:
        scanner.after(10)
        until(lambda: instance.health()["projector"]["checkpoint"] is not None)
        database.stop()
        gone = time.monotonic()
        until(instance.tells_of_the_database)
        height = instance.health()["ledger"]["height"]
        scanner.after(30)
        until(lambda: instance.health()["ledger"]["height"] > height)  # scans go on to the ledger
        while time.monotonic() < gone + seconds:
            scanner.after(10)
        auditor = create_token(instance.settings, "auditor", "auditor", "FarmMSP")
        question = httpx.get(f"{instance.url}/parties", headers={"Authorization": f"Bearer {auditor}"})
        assert question.status_code == 503
        assert "read model" in question.json()["detail"]
        assert instance.tells_of_the_database()
        database.start()
        scanner.after(10)
    instance.finish()
    check_kept(instance.settings, scanner.accepted, len(scanner.accepted))


def test_the_database_is_away_when_the_worker_starts(on_postgres: Settings, database: postgres.Server) -> None:
    database.stop()
    instance = Instance(on_postgres)
    try:
        with Scanner(on_postgres, instance.url) as scanner:
            until(instance.tells_of_the_database)
            scanner.after(20)
            until(lambda: instance.health()["ledger"]["height"] > 1)
            database.start()
        instance.finish()
        check_kept(on_postgres, scanner.accepted, len(scanner.accepted))
    finally:
        instance.worker.stop()
        instance.server.stop()
