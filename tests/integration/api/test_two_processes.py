"""Two HTTP processes and two workers on one database, killed again and again: what was acknowledged by either is on the ledger
once, and each of them answers for what the other took."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import text

import readmodel
from api.app import create_app
from instance.creation import Settings, create_token, load_settings
from tests.integration.api.conftest import document, event
from tests.integration.api.kept import check_kept, unfinished
from tests.integration.api.processes import Process, answers, free_port, until

SEED = 20260504


@pytest.fixture
def shared(settings: Settings, database_url: str) -> Settings:
    """The instance, with read model, inbox and tokens in PostgreSQL."""
    config = settings.home / "config.toml"
    text = config.read_text().replace('database_url = ""', f'database_url = "{database_url}"\ninbox = "database"')
    config.write_text(text)
    (settings.home / "tokens.db").unlink()  # nobody uses what was made with the template
    return load_settings(settings.home)


@dataclass
class Cluster:
    """The processes; each is started again when it was killed, as a supervisor does."""

    settings: Settings
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    running: dict[str, Process] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def start(self, name: str) -> None:
        if name.startswith("api"):
            self.running[name] = Process("api.server", self.settings.home, "--port", str(self.ports[int(name[-1])]))
        else:
            self.running[name] = Process("relay.worker", self.settings.home)

    def kill(self, name: str) -> None:
        self.running.pop(name).stop()

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)


@pytest.fixture
def cluster(shared: Settings) -> Iterator[Cluster]:
    made = Cluster(shared)
    try:
        for name in ("api0", "api1", "worker0"):
            made.start(name)
        until(lambda: all(answers(url) for url in made.urls))
        yield made
    finally:
        made.stop()


def test_what_either_process_acknowledged_is_on_the_ledger_once(cluster: Cluster) -> None:
    """A worker that finds the ledger taken ends, and is started again: the other one has died by then, perhaps."""
    token = create_token(cluster.settings, "scanner", "scanner", "FarmMSP")
    numbers = itertools.count(1)
    accepted: list[str] = []
    stopping = Event()

    def scan(seed: int) -> None:
        chance = random.Random(seed)
        headers = {"Authorization": f"Bearer {token}"}
        while not stopping.is_set():
            number = next(numbers)
            # a scanner that got no answer sends the same again, to whichever process is there
            while True:
                url = cluster.urls[chance.randrange(2)]
                try:
                    answer = httpx.post(
                        f"{url}/capture", json=document(event(number), event(number)),
                        headers={**headers, "Idempotency-Key": f"scan-{number}"}, timeout=20,
                    )  # fmt: skip
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                assert answer.status_code in (202, 401, 503), answer.text  # 401: the token is half a second old
                if answer.status_code == 202:
                    accepted.append(answer.json()["captureID"])
                    break
                time.sleep(0.05)

    chance = random.Random(SEED)
    with ThreadPoolExecutor() as scanners:
        ends = [scanners.submit(scan, seed) for seed in range(4)]
        try:
            for _ in range(8):
                enough = len(accepted) + chance.randrange(10, 40)
                until(lambda enough=enough: len(accepted) > enough)  # type: ignore[misc]
                name = chance.choice(sorted(cluster.running))
                cluster.kill(name)
                cluster.start(name)
                if "worker1" not in cluster.running or not cluster.running["worker1"].alive:
                    cluster.start("worker1")
        finally:
            stopping.set()
        for end in ends:
            end.result()
    alone = cluster.running
    until(lambda: unfinished(cluster.settings) == 0 or _keep_working(cluster), 120)
    urls = cluster.urls
    until(lambda: all(answers(url) for url in urls))
    check_answers(urls, token, accepted)
    for name in list(alone):
        cluster.kill(name)
    check_kept(cluster.settings, accepted, next(numbers) - 1)


def _keep_working(cluster: Cluster) -> bool:
    if not any(process.alive for name, process in cluster.running.items() if name.startswith("worker")):
        cluster.start("worker0")
    return False


def check_answers(urls: list[str], token: str, accepted: list[str]) -> None:
    """Both say the same of every job, whoever took it; a page of one goes on at the other."""
    for job in accepted[:: max(1, len(accepted) // 10)]:
        said: list[dict[str, Any]] = [
            httpx.get(f"{url}/capture/{job}", headers={"Authorization": f"Bearer {token}"}).json() for url in urls
        ]
        assert said[0] == said[1]
        assert said[0]["success"]


def test_tokens_pages_and_health_are_shared(cluster: Cluster) -> None:
    admin = create_token(cluster.settings, "admin", "admin", "FarmMSP")
    one, two = (httpx.Client(base_url=url, headers={"Authorization": f"Bearer {admin}"}) for url in cluster.urls)
    until(lambda: one.get("/capture").status_code == two.get("/capture").status_code == 200)
    jobs = [one.post("/capture", json=document(event(number))).json()["captureID"] for number in range(3)]
    until(lambda: unfinished(cluster.settings) == 0)
    first = two.get("/capture", params={"perPage": 2}).json()
    rest = one.get("/capture", params={"perPage": 2, "nextPageToken": first["next"]}).json()
    assert [job["captureID"] for job in (*first["items"], *rest["items"])] == jobs[::-1]
    page = one.get("/events", params={"perPage": 2})
    link = page.headers["link"].split("nextPageToken=")[1].split(">")[0].split("&")[0]
    assert two.get(f"/events?perPage=2&nextPageToken={link}").status_code == 200
    until(lambda: all(client.get("/health").json()["status"] == "ok" for client in (one, two)))
    cluster.kill("worker0")
    until(lambda: all(client.get("/health").json()["status"] == "degraded" for client in (one, two)))
    assert "the worker does not run" in two.get("/health").json()["reasons"][0]
    cluster.start("worker0")
    until(lambda: all(client.get("/health").json()["status"] == "ok" for client in (one, two)))
    with suppress(httpx.TransportError):
        one.close()
        two.close()


async def test_analysts_questions_end_in_postgresql_too(shared: Settings) -> None:
    """`http.query_seconds` is PostgreSQL's limit for a statement: the answer says so, and scans are taken meanwhile."""
    impatient = shared.model_copy(update={"http": shared.http.model_copy(update={"query_seconds": 0.5})})
    app = create_app(impatient)
    token = create_token(impatient, "admin", "admin", "FarmMSP")
    holder = readmodel.open_engine(impatient.readmodel_url)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers={"Authorization": f"Bearer {token}"}
        ) as client,
    ):
        with holder.connect() as connection, connection.begin():
            connection.execute(text("LOCK TABLE event IN ACCESS EXCLUSIVE MODE"))
            answer = await client.get("/events")
            assert (answer.status_code, answer.json()["detail"][:27]) == (503, "the query took longer than ")
            assert (await client.post("/capture", json=document(event(1)))).status_code == 202
        assert (await client.get("/events")).status_code == 200
    holder.dispose()
