"""Queries are answered by processes of their own: whoever reads a thousand events a page takes no time from a scan.

The HTTP process checks who asks, and hands the request on; what comes back is a whole response. The processes hold the
same application as it, and of all that it holds only the read model.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Message

from api.problems import ApiError
from instance.processes import Processes
from instance.settings import Settings
from instance.tokens import Principal

MOST_WAITING = 200
_GRACE_SECONDS = 5.0
"""The database ends what takes too long; beyond this, the process is ended."""
_PASSED_ON = ("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path")

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Queries:
    """The processes that answer queries. One is kept for scanners, whose look-ups are short, if there are several."""

    def __init__(self, settings: Settings) -> None:
        count = settings.http.query_processes
        self._seconds = settings.http.query_seconds
        self._processes = Processes(count, partial(_prepare, settings))
        self._for_analysts = asyncio.Semaphore(max(1, count - 1))
        self._waiting = 0
        self.ready = False
        """Until the first has started, which takes seconds, queries are answered where they come in."""

    async def start(self) -> None:
        """Start the first of them."""
        await self._processes.start()
        self.ready = True

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return self._processes.pids

    async def answer(self, request: Request) -> Response:
        """The response that another process makes for a request whose right to it has been checked."""
        principal: Principal = request.state.principal
        async with contextlib.AsyncExitStack() as stack:
            if principal.role != "scanner":
                await stack.enter_async_context(self._turn())
            status, headers, body = await self._processes.run(
                _answer, _scope(request), seconds=self._seconds + _GRACE_SECONDS
            )
        response = Response(body, status)
        response.raw_headers = headers
        return response

    def close(self) -> None:
        """Queries under way are given up."""
        self._processes.close()

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        busy = ApiError(503, "too many queries wait already; try again", headers={"Retry-After": "2"})
        if self._waiting >= MOST_WAITING:
            raise busy
        self._waiting += 1
        try:
            await asyncio.wait_for(self._for_analysts.acquire(), self._seconds)
        except TimeoutError:
            raise busy from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._for_analysts.release()


def _scope(request: Request) -> dict[str, Any]:
    """What another process must know of a request."""
    passed = {name: request.scope[name] for name in _PASSED_ON if name in request.scope}
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"authorization"]
    state = {name: getattr(request.state, name) for name in ("principal", "media_type", "page_key")}
    return {**passed, "headers": headers, "state": state, "client": None, "server": None}


# --- in the other process

_app: FastAPI
_loop: asyncio.AbstractEventLoop


def _prepare(settings: Settings) -> None:
    from api.app import create_answering_app  # which has this class in it
    from instance import logs

    global _app, _loop
    logs.configure("query")
    _app = create_answering_app(settings)
    _loop = asyncio.new_event_loop()


def _answer(scope: dict[str, Any]) -> Answer:
    return _loop.run_until_complete(_respond(scope))


async def _respond(scope: dict[str, Any]) -> Answer:
    status = 500
    headers: list[tuple[bytes, bytes]] = []
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    await _app(scope, receive, send)
    return status, headers, b"".join(parts)
