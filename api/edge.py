"""The outermost layer of the HTTP process, around every request: its id, its log line, its size, its headers.

Plain ASGI: a scanner's capture passes here in microseconds.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ApiError, describe, respond

log = structlog.get_logger("lotline.http")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE = (b"cache-control", b"no-store")

Observer = Callable[[str, str, int, float], None]


class Edge:
    """ASGI middleware. ``observe(method, route, status, seconds)`` is called once a request."""

    def __init__(self, app: ASGIApp, *, body_limit: int, limit_headers: dict[str, str], observe: Observer) -> None:
        self._app = app
        self._body_limit = body_limit
        self._limit_headers = limit_headers
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = 500

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_extra_headers(message, request_id)]
            await send(message)

        structlog.contextvars.bind_contextvars(request=request_id)
        try:
            await self._serve(scope, receive, outgoing)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "(none)")
            self._observe(scope["method"], route, status, seconds)
            log.info(
                "request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 2),
                token=_token_id(scope),
            )  # fmt: skip
            structlog.contextvars.unbind_contextvars("request")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, self._limited(scope, receive), watched)
        except Exception:
            log.exception("unhandled", method=scope["method"], route=getattr(scope.get("route"), "path", "(none)"))
            if begun:
                raise
            document = describe(500, "the server failed on this request; its log has the details", path)
            await respond(document)(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Callable[[], Awaitable[Message]]:
        """``receive`` that gives up with a 413 as soon as the body is known to be too large."""
        left = self._body_limit
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = announced.isdigit() and int(announced) > self._body_limit

        async def limited() -> Message:
            nonlocal left
            if too_large:
                raise self._too_large()
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise self._too_large()
            return message

        return limited

    def _too_large(self) -> ApiError:
        return ApiError(413, f"a body may have {self._body_limit} bytes", headers=self._limit_headers)


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _extra_headers(message: Message, request_id: str) -> list[tuple[bytes, bytes]]:
    extra = [*_SECURITY_HEADERS, (b"x-request-id", request_id.encode())]
    if not any(name.lower() == b"cache-control" for name, _ in message.get("headers", ())):
        extra.append(_NO_STORE)
    return extra


def _token_id(scope: Scope) -> Any:
    principal = scope.get("state", {}).get("principal")
    return None if principal is None else principal.token_id
