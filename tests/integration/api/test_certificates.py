"""A certificate that ends: its jobs wait and health says whose; renewed, they go on without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger import ca
from relay import worker
from relay.worker import Worker
from tests.integration.api.conftest import Service, document, event


async def health(service: Service, when: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await service.auditor.get("/health")).json()
            if when(found):
                return found
            await asyncio.sleep(0.05)


async def test_jobs_of_an_expired_certificate_wait_for_the_next_one(idle_service: Service, monkeypatch: Any) -> None:
    monkeypatch.setattr(worker, "CERTIFICATE_SECONDS", 0.0)
    service = idle_service
    farm = service.settings.organisation_dir("FarmMSP")
    past = datetime.now(UTC) - timedelta(days=2)
    ca.issue(farm, "scanner", "scanner", valid_from=past, valid_for=timedelta(days=1))
    ca.issue(farm, "admin", "admin", valid_for=timedelta(days=10))
    running = Worker(service.settings)
    await running.start()
    try:
        taken = await service.scanner.post("/capture", json=document(event(1)))
        assert taken.status_code == 202
        found = await health(service, lambda one: any("cannot write" in reason for reason in one["reasons"]))
        assert found["status"] == "degraded"
        assert any("scanner of FarmMSP ended on" in reason for reason in found["reasons"])
        assert any("admin of FarmMSP ends on" in warning for warning in found["warnings"])
        assert any("expired" in error for error in found["worker"]["failing"])
        assert (await service.scanner.get(taken.headers["location"])).json()["running"]
        other = await service.shop.post("/capture", json=document(event(2)))
        assert (await service.finished(other.headers["location"], "shop"))["accepted"] == 1
        ca.issue(farm, "scanner", "scanner")
        assert (await service.finished(taken.headers["location"]))["accepted"] == 1
        await health(service, lambda one: one["status"] == "ok")
    finally:
        await running.stop()


async def test_a_clock_that_is_behind_fails_nothing(idle_service: Service) -> None:
    """To it, every certificate begins in the future."""
    service = idle_service
    farm = service.settings.organisation_dir("FarmMSP")
    ca.issue(farm, "scanner", "scanner", valid_from=datetime.now(UTC) + timedelta(days=700))
    running = Worker(service.settings)
    await running.start()
    try:
        taken = await service.scanner.post("/capture", json=document(event(1)))
        found = await health(service, lambda one: any("cannot write" in reason for reason in one["reasons"]))
        assert any("clock" in reason for reason in found["reasons"])
        assert (await service.scanner.get(taken.headers["location"])).json()["running"]
        ca.issue(farm, "scanner", "scanner")
        assert (await service.finished(taken.headers["location"]))["accepted"] == 1
    finally:
        await running.stop()
