"""Queries in processes of their own: the same answers, with a deadline, whatever becomes of the processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import readmodel
from api.app import create_app
from api.problems import ApiError
from api.queries import MOST_WAITING, Queries
from api.routes import ROUTERS
from api.routing import is_query
from instance.creation import create_token, load_settings
from instance.settings import Settings
from readmodel.engine import is_overrun
from tests.integration.api.conftest import CONTEXT, Service, event
from tests.integration.api.processes import until
from tests.integration.api.wire import server

ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
TOO_LONG = "epcisException:QueryTooComplexException"


@pytest.fixture(scope="module")
def asked(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """An analyst's client of a server with two processes for queries."""
    home = Path(shutil.copytree(template, tmp_path_factory.mktemp("queries") / "home"))
    config = home / "config.toml"
    config.write_text(config.read_text().replace("query_processes = 0", "query_processes = 2"))
    token = create_token(load_settings(home), "analyst", "analyst", "FarmMSP")
    with (
        server(home) as port,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client,
    ):
        yield client, home
        client.get("/parties")
        started = children(home)
    until(lambda: not any(_runs(pid) for pid in started))  # the server was killed; nothing of it stays


def children(home: Path) -> list[int]:
    """The processes of the server at this home."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"api.server" in arguments and str(home).encode() in arguments:
            tasks = entry / "task"
            found += [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    return found


def test_the_same_answers(asked: tuple[httpx.Client, Path]) -> None:
    client, _ = asked
    assert client.get("/parties").json() == {"items": [], "next": None}
    found = client.get("/events", headers={"Accept": "application/ld+json"})
    assert found.headers["content-type"] == "application/ld+json"
    assert found.headers["gs1-epcis-version"] == "2.0.0"
    assert found.headers["x-request-id"]
    assert len(found.headers.get_list("x-frame-options")) == 1
    for path, status in (("/things/x", 404), ("/events?EQ_colour=red", 400), ("/parties?perPage=0", 400)):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert client.get("/capture").status_code == 403
    assert client.get("/parties", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_processes_that_are_killed_are_replaced(asked: tuple[httpx.Client, Path]) -> None:
    client, home = asked
    for _ in range(2):
        until(lambda: bool(children(home)))
        before = children(home)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert [client.get("/parties").status_code for _ in range(3)] == [200] * 3


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_what_stays_in_the_first_process() -> None:
    """What is asked of the inbox; and nothing that asks the read model, which could take long."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    here = {route.path: route for route in routes if route.methods == {"GET"} and not is_query(route)}
    assert set(here) == {"/capture", "/capture/{captureID}", "/health", "/metrics"}
    assert not any("engine" in route.endpoint.__code__.co_names for route in here.values())


# --- deadlines


@pytest.fixture
def impatient(settings: Settings) -> Settings:
    return settings.model_copy(update={"http": settings.http.model_copy(update={"query_seconds": 0.05})})


async def test_a_query_that_takes_too_long_is_ended(impatient: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readmodel.queries.registry.parties", lambda connection, **_: connection.execute(ENDLESS).all())
    monkeypatch.setattr("readmodel.engine._STEPS", 1000)
    app = create_app(impatient)
    token = create_token(impatient, "analyst", "analyst", "FarmMSP")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers={"Authorization": f"Bearer {token}"}
        ) as client,
    ):
        answer = await client.get("/parties")
        assert (answer.status_code, answer.json()["type"]) == (503, TOO_LONG)
        assert "0.05 s" in answer.json()["detail"]
        assert "read model can't be reached" not in answer.text
        assert (await client.get("/places")).status_code == 200


def test_each_question_has_its_own_time(settings: Settings) -> None:
    engine = readmodel.open_engine(settings.readmodel_url, seconds=0.1)
    for _ in range(2):
        with engine.connect() as connection, pytest.raises(OperationalError) as ended:
            connection.execute(ENDLESS)
        assert is_overrun(ended.value)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


async def test_conditions_are_counted_and_no_database_is_said_to_be_away(idle_service: Service) -> None:
    for number, status in ((50, 200), (51, 400), (900, 400)):
        conditions = "&".join(f"EQ_bizTransaction_t{n}=x" for n in range(number))
        answer = await idle_service.analyst.get(f"/events?{conditions}")
        assert answer.status_code == status, answer.text
    assert "at most 50" in answer.json()["detail"]


async def test_a_query_the_database_refuses_is_not_told_as_a_fault_of_the_database(
    idle_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.event_query.MAX_CONDITIONS", 100_000)
    conditions = "&".join(f"EQ_bizTransaction_t{n}=x" for n in range(1100))
    answer = await idle_service.analyst.get(f"/events?{conditions}")
    assert (answer.status_code, answer.json()["type"]) == (400, TOO_LONG)


async def test_too_many_waiting_are_told_so(settings: Settings) -> None:
    queries = Queries(settings.model_copy(update={"http": settings.http.model_copy(update={"query_processes": 1})}))
    queries._waiting = MOST_WAITING
    with pytest.raises(ApiError) as refused:
        async with queries._turn():
            pass
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "2"})
    queries.close()


async def test_a_scanner_has_its_own_process(settings: Settings) -> None:
    """As many analysts as there may be hold no more than all processes but one."""
    http = settings.http.model_copy(update={"query_processes": 3, "query_seconds": 0.01})
    queries = Queries(settings.model_copy(update={"http": http}))
    async with queries._turn(), queries._turn():
        with pytest.raises(ApiError):
            async with queries._turn():
                pass
    queries.close()


# --- large bodies


async def test_a_reader_that_dies_is_a_503_and_nothing_is_stored(
    idle_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is tried again; twice it is told, to all who wait, and one process is there afterwards."""
    reader = idle_service.app.state.reader
    monkeypatch.setattr(reader, "_inline_limit", 100)
    body = {"@context": CONTEXT, **event(1, action="NONE")}
    assert (await idle_service.scanner.post("/capture", json=body)).status_code == 400
    (pid,) = reader._elsewhere.pids
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(reader, "_seconds", 0.2)
    monkeypatch.setattr("instance.processes.START_SECONDS", 0.0)
    answers = await asyncio.gather(*(idle_service.scanner.post("/capture", json=body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {503}
    assert all("nothing was stored" in answer.json()["detail"] for answer in answers)
    monkeypatch.undo()
    monkeypatch.setattr(reader, "_inline_limit", 100)
    answers = await asyncio.gather(*(idle_service.scanner.post("/capture", json=body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {400}
    assert len(reader._elsewhere.pids) == 1
    assert idle_service.app.state.inbox.states() == {}
