"""What only a network has: another organisation's instance, and crashes of parts that are not ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

import readmodel
from auditing import audit
from instance.creation import create_token, load_settings
from instance.ledgers import open_ledger, open_readers
from instance.settings import SettingsError
from ledger.errors import Unavailable
from readmodel import Projector, digest, rebuild
from tests.fabric.api.conftest import make_instance
from tests.fabric.playground import Playground
from tests.integration.api.conftest import Service, event, sgtin
from tests.integration.api.processes import Process, answers, free_port, until

pytestmark = pytest.mark.fabric


async def test_what_one_captures_another_traces(service: Service, playground: Playground, tmp_path: Path) -> None:
    job = await service.capture(event(1), event(2))
    assert job["success"], job
    chaincode = service.settings.ledger.chaincode
    other = await asyncio.to_thread(make_instance, playground, tmp_path / "other", chaincode)
    port = free_port()
    config = other / "config.toml"
    config.write_text(config.read_text().replace("port = 8700", f"port = {port}"))
    settings = load_settings(other)
    token = create_token(settings, "auditor", "auditor", "ShopMSP")
    processes = [Process("relay.worker", other), Process("api.server", other)]
    try:
        await asyncio.to_thread(until, lambda: answers(settings.url))
        async with httpx_client(settings.url, token) as client:
            for _ in range(400):
                found = await client.get(f"/things/{sgtin(1)}")
                if found.status_code == 200:
                    break
                await asyncio.sleep(0.05)
            assert found.json()["status"] == "active"
            traced = (await client.get(f"/trace/{sgtin(1)}")).json()
            assert [one["msp"] for one in traced["events"]] == ["FarmMSP"]
    finally:
        for process in processes:
            process.stop()


def httpx_client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"})


async def test_the_watcher_sees_every_organisations_peers(service: Service) -> None:
    assert (await service.capture(event(1), event(2)))["success"]
    report = await audit(service.settings)
    assert (report.findings, report.unread) == ([], [])
    assert report.rows > 0
    ledger = next(iter((await open_readers(service.settings)).values()))
    assert report.blocks >= 2 * (await ledger.height() - 1)  # of both organisations
    await ledger.close()


async def test_two_read_models_of_the_chain_are_equal(service: Service, playground: Playground, tmp_path: Path) -> None:
    await service.capture(*(event(n) for n in range(20)))
    engines = [readmodel.open_engine(f"sqlite:///{tmp_path / name}.db") for name in ("a", "b")]
    chaincode = service.settings.ledger.chaincode
    ledger = playground.ledger(chaincode)
    height = await ledger.height()
    for engine in engines:
        readmodel.migrate(engine)
        await Projector(engine, chaincode).run(ledger, until=height)
    before = digest(engines[0])
    assert before == digest(engines[1])
    await rebuild(engines[1], ledger, chaincode)
    with engines[1].connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM event").scalar() == 20
    await ledger.close()


async def test_a_broken_connection_file_is_told(home: Path) -> None:
    file = home / "ledger" / "organisations" / "FarmMSP" / "connection.json"
    file.write_text("{}")
    with pytest.raises(SettingsError, match="peers is missing"):
        await open_ledger(load_settings(home))


async def test_one_worker_an_instance(service: Service) -> None:
    with pytest.raises(Unavailable, match="another process"):
        await open_ledger(service.settings)
