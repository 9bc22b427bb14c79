"""Limits behind the socket: of a token, of all bodies together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import httpx

from api.app import create_app
from api.edge import Edge
from instance.creation import create_token
from instance.settings import Settings
from tests.integration.api.conftest import bare

JSON = {"Content-Type": "application/json"}


@contextlib.asynccontextmanager
async def client_of(settings: Settings, **http: float) -> AsyncIterator[httpx.AsyncClient]:
    """A scanner's client of an application with these settings of ``[http]``."""
    changed = settings.model_copy(update={"http": settings.http.model_copy(update=http)})
    headers = {"Authorization": f"Bearer {create_token(changed, 'scanner', 'scanner', 'FarmMSP')}"}
    app = create_app(changed)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client,
    ):
        yield client


async def test_a_token_that_asks_too_often_is_told_when_to_come_again(settings: Settings) -> None:
    async with client_of(settings, requests_per_second=0.4) as client:
        assert [(await client.get("/parties")).status_code for _ in range(2)] == [200, 200]
        answer = await client.post("/events", json=bare(1))
        assert (answer.status_code, answer.headers["retry-after"]) in [(429, str(seconds)) for seconds in (1, 2, 3)]
        assert answer.json()["type"] == "epcisException:TooManyRequestsException"
        assert "0.4 times a second" in answer.json()["detail"]
        assert (await client.get("/metrics")).status_code == 200


async def test_all_bodies_together_have_a_limit(settings: Settings) -> None:
    async with client_of(settings, bodies_limit=2000) as client:
        for _ in range(3):  # what was refused is not counted any longer
            answer = await client.post("/capture", content=b" " * 2001, headers=JSON)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "2000 bytes together" in answer.json()["detail"]
            assert (await client.post("/capture", content=b" " * 2000, headers=JSON)).status_code == 400


async def test_a_client_that_goes_away_is_no_fault_of_ours(settings: Settings) -> None:
    """It is counted as what it is, and nothing is answered."""
    seen: list[int] = []

    async def nothing(scope: object, receive: object, send: object) -> None:
        from starlette.requests import ClientDisconnect

        raise ClientDisconnect

    edge = Edge(
        nothing, settings=settings.http, limit_headers={}, observe=lambda _m, _r, status, _s: seen.append(status)
    )

    async def unused(*_: object) -> None:
        raise AssertionError

    await edge({"type": "http", "method": "POST", "path": "/capture", "headers": []}, unused, unused)  # type: ignore[arg-type]
    assert seen == [499]
