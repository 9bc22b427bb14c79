"""An instance with two organisations, its worker, and a client for each role."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from api.app import create_app
from instance.creation import OrganisationConfig, Settings, create_instance, create_token, load_settings
from relay.worker import Worker

ORGANISATIONS = [
    OrganisationConfig(msp_id="FarmMSP", name="Green Farm"),
    OrganisationConfig(msp_id="ShopMSP", name="Shop"),
]
QUICK = "\n[worker]\nlinger = 0.0\npoll = 0.002\nbackoff_first = 0.01\nbatch_events = 60\n"


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    """A worker's log lines tell nothing here; a traceback does."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new instance, made once; tests work on copies."""
    home = tmp_path_factory.mktemp("template") / "home"
    create_instance(home, organisations=ORGANISATIONS)
    config = home / "config.toml"
    config.write_text(config.read_text().replace("[http]\n", "[http]\nquery_processes = 0\n") + QUICK)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "home"))


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings(home)


@dataclass
class Service:
    """A running instance: the application, clients by role, and the worker in the same process."""

    settings: Settings
    app: FastAPI
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def __getattr__(self, role: str) -> httpx.AsyncClient:
        try:
            return self.clients[role]
        except KeyError:
            raise AttributeError(role) from None

    async def finished(self, location: str, role: str = "scanner") -> dict[str, Any]:
        """The job at that location, once it runs no more."""
        for _ in range(2000):
            job: dict[str, Any] = (await self.clients[role].get(location)).json()
            if not job["running"]:
                return job
            await asyncio.sleep(0.005)
        raise AssertionError(f"{location} does not finish: {job}")

    async def capture(self, *events: dict[str, Any], role: str = "scanner", **headers: str) -> dict[str, Any]:
        """Capture events as one document and return the finished job."""
        answer = await self.clients[role].post("/capture", json=document(*events), headers=headers)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.headers["location"], role)


@pytest.fixture
async def idle_service(settings: Settings) -> AsyncIterator[Service]:
    """Without a worker: nothing reaches the ledger."""
    app = create_app(settings)
    service = Service(settings, app)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        for name, role, msp_id in (
            ("scanner", "scanner", "FarmMSP"),
            ("analyst", "analyst", "FarmMSP"),
            ("auditor", "auditor", "FarmMSP"),
            ("admin", "admin", "FarmMSP"),
            ("shop", "scanner", "ShopMSP"),
            ("shop_admin", "admin", "ShopMSP"),
        ):
            token = create_token(settings, role, role, msp_id)  # type: ignore[arg-type]
            headers = {"Authorization": f"Bearer {token}"}
            service.clients[name] = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        service.clients["nobody"] = httpx.AsyncClient(transport=transport, base_url="http://test")
        yield service
        for client in service.clients.values():
            await client.aclose()


@pytest.fixture
async def service(idle_service: Service) -> AsyncIterator[Service]:
    """With a worker."""
    worker = Worker(idle_service.settings)
    await worker.start()
    yield idle_service
    await worker.stop()


CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
PALLET = "https://id.gs1.org/00/106141412345678908"
DOCK = "https://id.gs1.org/414/0614141000012"


def sgtin(number: int) -> str:
    return f"https://id.gs1.org/01/09506000134352/21/{number}"


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event that commissions one item."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-05-04T09:12:33.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [sgtin(number)],
        "readPoint": {"id": DOCK},
        "bizLocation": {"id": DOCK},
        **changes,
    }


def bare(number: int = 1, **changes: Any) -> dict[str, Any]:
    """The same, standing alone."""
    return {"@context": CONTEXT, **event(number, **changes)}


def document(*events: dict[str, Any]) -> dict[str, Any]:
    """An EPCIS document of these events."""
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-04T09:12:34.000+02:00",
        "epcisBody": {"eventList": list(events)},
    }
