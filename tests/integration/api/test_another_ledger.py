"""The ledger is not the one the read model was made from, or was tampered with: scans go on, nothing false is shown, health says why."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from alembic import command

from instance.creation import create_instance
from readmodel import open_engine
from readmodel.migrate import alembic_config
from relay.worker import Worker
from tests.integration.api.conftest import ORGANISATIONS, Service, document, event
from tests.integration.lotline.run import answer, lotline


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[Worker]:
    worker = Worker(service.settings)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def health(service: Service, when: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the instance says of itself, once it says so."""
    for _ in range(1_000):
        found: dict[str, Any] = (await service.admin.get("/health")).json()
        if found["worker"]["alive"] and when(found):
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def on_the_ledger(service: Service, *events: dict[str, Any]) -> str:
    """Capture, and wait until the ledger has it; the job's address."""
    sent = await service.scanner.post("/capture", json=document(*events))
    assert sent.status_code == 202
    location = sent.headers["location"]
    await _until(lambda: _accepted(service, location))
    return str(location)


async def _accepted(service: Service, location: str) -> bool:
    return (await service.scanner.get(location)).json()["accepted"] is not None


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1_000):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError


async def rebuilt(service: Service, code: int = 0) -> Any:
    return await asyncio.to_thread(answer, service.settings.home, "rebuild", code=code)


async def test_an_older_copy_of_the_ledger_was_restored(idle_service: Service) -> None:
    service = idle_service
    ledger = service.settings.home / "ledger" / "ledger.db"
    async with working(service):
        await service.capture(event(1))
    copy = shutil.copy(ledger, ledger.with_suffix(".yesterday"))
    async with working(service):
        for number in (2, 3, 4):
            await service.capture(event(number))
    for part in ledger.parent.glob("ledger.db*"):
        part.unlink()
    shutil.copy(copy, ledger)
    service.settings.heartbeat_file.unlink()
    told = await asyncio.to_thread(answer, service.settings.home, "status")
    assert "more blocks than the ledger" in told["ledger"]["problem"]
    async with working(service):
        found = await health(service, lambda one: bool(one["reasons"]))
        assert found["status"] == "degraded"
        assert found["projector"]["lagBlocks"] < 0
        assert any("more blocks than the ledger" in reason for reason in found["reasons"])
        location = await on_the_ledger(service, event(9))
        assert (await service.scanner.get(location)).json()["running"] is True
        # The chain passes the old height: it is another one, and says so.
        for number in (10, 11, 12, 13):
            await on_the_ledger(service, event(number))
        found = await health(service, lambda one: any("not the one" in reason for reason in one["reasons"]))
    service.settings.heartbeat_file.unlink()
    told = await rebuilt(service)
    assert (told["before"], told["equal"]) == (None, None)
    assert "lotline rebuild" in told["reason"]
    async with working(service):
        job = await service.finished(location)
        assert (job["accepted"], job["running"]) == (1, False)
        await health(service, lambda one: one["status"] == "ok" and one["projector"]["lagBlocks"] == 0)


async def test_the_ledger_of_another_instance_was_put_there(idle_service: Service, tmp_path: Path) -> None:
    service = idle_service
    async with working(service):
        await service.capture(event(1))
    other = tmp_path / "other"
    await asyncio.to_thread(lambda: create_instance(other, organisations=ORGANISATIONS))
    for number in (5, 6):
        await asyncio.to_thread(lotline, other, "capture", "-", stdin=json.dumps(document(event(number))).encode())
    shutil.rmtree(service.settings.ledger_dir)
    shutil.copytree(other / "ledger", service.settings.ledger_dir)
    service.settings.heartbeat_file.unlink()
    told = await asyncio.to_thread(answer, service.settings.home, "status")
    assert "not the one" in told["ledger"]["problem"]
    async with working(service):
        found = await health(service, lambda one: bool(one["reasons"]))
        assert any("not the one" in reason for reason in found["reasons"])
        # what is put on this ledger is not shown, and no job is called finished
        location = await on_the_ledger(service, event(9))
        assert (await service.scanner.get(location)).json()["running"] is True
    service.settings.heartbeat_file.unlink()
    told = await rebuilt(service)
    assert told["equal"] is None
    assert (await asyncio.to_thread(answer, service.settings.home, "status"))["ledger"]["problem"] is None
    async with working(service):
        await service.finished(location)
        events = (await service.analyst.get("/events")).json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert len(events) == 3


async def test_a_block_was_changed_afterwards(idle_service: Service) -> None:
    service = idle_service
    async with working(service):
        await service.capture(event(1))
        await service.capture(event(2))
    with closing(sqlite3.connect(service.settings.home / "ledger" / "ledger.db")) as database, database:
        number, content = database.execute("SELECT number, content FROM block ORDER BY number DESC LIMIT 1").fetchone()
        assert content.count(b"/21/2") > 0
        database.execute("UPDATE block SET content = ? WHERE number = ?", (content.replace(b"/21/2", b"/21/3"), number))
    service.settings.heartbeat_file.unlink()
    failed = await asyncio.to_thread(lotline, service.settings.home, "rebuild", code=3)
    assert "tampered" in failed.stderr
    async with working(service):
        found = await health(service, lambda one: bool(one["reasons"]))
        assert any("tampered" in reason for reason in found["reasons"])
        assert found["projector"]["checkpoint"] == number - 1
        location = await on_the_ledger(service, event(7))
        assert (await service.scanner.get(location)).json()["running"] is True
        metrics = (await service.nobody.get("/metrics")).text
        assert "lotline_quarantined_total 0.0" in metrics


def set_back(model: Path) -> None:
    """Tables as version 3 had them, from which on there was no way back."""
    engine, config = open_engine(model), alembic_config()
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        for table in ("event_note", "event_alias", "refusal", "refusal_concern", "quarantine", "master_data"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    engine.dispose()


async def test_a_model_of_the_version_before_is_made_again_by_itself(idle_service: Service) -> None:
    service = idle_service
    async with working(service):
        await service.capture(event(1))
        await service.capture(event(2))
    await asyncio.to_thread(set_back, service.settings.home / "readmodel.db")
    told = await asyncio.to_thread(answer, service.settings.home, "status")
    assert "another version" in told["readModel"]["problem"]
    async with working(service):
        await health(service, lambda one: one["projector"]["lagBlocks"] == 0 and one["projector"]["checkpoint"] > 1)
        events = (await service.analyst.get("/events")).json()
        assert len(events["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 2


async def test_rebuilding_works_in_any_state_of_the_tables(idle_service: Service) -> None:
    service = idle_service
    async with working(service):
        await service.capture(event(1))
    file = service.settings.home / "readmodel.db"
    service.settings.heartbeat_file.unlink()
    whole = await rebuilt(service)
    assert whole["equal"] is True
    for damage in (
        "DROP TABLE thing",
        "ALTER TABLE event DROP COLUMN stored",
        "UPDATE alembic_version SET version_num = 'of a later version'",
        "DROP TABLE alembic_version",
        "DELETE FROM block",
    ):
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(damage)
        told = await rebuilt(service, code=0)
        assert told["after"] == whole["after"], damage
    for part in file.parent.glob("readmodel.db*"):
        part.unlink()
    file.write_bytes(b"no database at all" * 500)
    told = await rebuilt(service, code=0)
    assert (told["after"], told["equal"]) == (whole["after"], None)
    assert "damaged" in told["reason"]
    (kept,) = file.parent.glob("readmodel.damaged-*.db")
    assert kept.read_bytes() == b"no database at all" * 500
    content = bytearray(file.read_bytes())
    content[8192:12288] = bytes(4096)
    file.write_bytes(content)
    told = await rebuilt(service, code=0)
    assert told["after"] == whole["after"]
