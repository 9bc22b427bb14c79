"""The outermost layer of the HTTP process, around every request: its id, its log line, its size, its headers.

Plain ASGI: a scanner's capture passes here in microseconds.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import ApiError, describe, respond
from instance.settings import HttpSettings

log = structlog.get_logger("lotline.http")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Of every answer that does not say otherwise."""
_CLIENT_GONE = 499
"""Of a request whose client went before it had sent all; for the log and the metrics, nobody gets it."""

Observer = Callable[[str, str, int, float], None]


class Edge:
    """ASGI middleware. ``observe(method, route, status, seconds)`` is called once a request."""

    def __init__(
        self, app: ASGIApp, *, settings: HttpSettings, limit_headers: dict[str, str], observe: Observer
    ) -> None:
        self._app = app
        self._body_limit = settings.body_limit
        self._bodies_limit = settings.bodies_limit
        self._bodies = 0
        self._limit_headers = limit_headers
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        bodiless = method == "HEAD"
        if bodiless:  # is what GET is, without the body
            scope = {**scope, "method": "GET"}
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = _CLIENT_GONE

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_extra_headers(message, request_id)]
            elif bodiless:
                message = {**message, "body": b""}
            await send(message)

        structlog.contextvars.bind_contextvars(request=request_id)
        try:
            await self._serve(scope, receive, outgoing)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "(none)")
            self._observe(method, route, status, seconds)
            log.info(
                "request", method=method, route=route, status=status, ms=round(seconds * 1000, 2),
                token=_token_id(scope),
            )  # fmt: skip
            structlog.contextvars.unbind_contextvars("request")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        begun = False
        body = _Body(self, receive, scope)

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, body.receive, watched)
        except ClientDisconnect:
            log.info("the client went before its request was whole")
        except Exception:
            log.exception("unhandled", method=scope["method"], route=getattr(scope.get("route"), "path", "(none)"))
            if begun:
                raise
            document = describe(500, "the server failed on this request; its log has the details", path)
            await respond(document)(scope, receive, send)
        finally:
            self._bodies -= body.taken

    def take(self, size: int) -> None:
        """Count bytes of a body; the 503 problem when all bodies together are too much."""
        if self._bodies + size > self._bodies_limit:
            detail = f"the bodies of all requests may have {self._bodies_limit} bytes together; try again"
            raise ApiError(503, detail, headers={"Retry-After": "5"})
        self._bodies += size

    def too_large(self) -> ApiError:
        """The 413 problem."""
        return ApiError(413, f"a body may have {self._body_limit} bytes", headers=self._limit_headers)

    def announced_too_large(self, scope: Scope) -> bool:
        """Whether Content-Length says so. It is compared by its digits: there may be thousands."""
        digits = dict(scope["headers"]).get(b"content-length", b"").lstrip(b"0")
        limit = str(self._body_limit).encode()
        return digits.isdigit() and (len(digits), digits) > (len(limit), limit)

    @property
    def body_limit(self) -> int:
        return self._body_limit


class _Body:
    """``receive`` of one request, that gives up as soon as the body is known to be too large."""

    def __init__(self, edge: Edge, receive: Receive, scope: Scope) -> None:
        self._edge = edge
        self._receive = receive
        self._too_large = edge.announced_too_large(scope)
        self.taken = 0

    async def receive(self) -> Message:
        if self._too_large:
            raise self._edge.too_large()
        message = await self._receive()
        size = len(message.get("body", b""))
        if self.taken + size > self._edge.body_limit:
            raise self._edge.too_large()
        self._edge.take(size)
        self.taken += size
        return message


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _extra_headers(message: Message, request_id: str) -> list[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in message.get("headers", ())}
    return [(b"x-request-id", request_id.encode()), *(pair for pair in _DEFAULTS if pair[0] not in said)]


def _token_id(scope: Scope) -> Any:
    principal = scope.get("state", {}).get("principal")
    return None if principal is None else principal.token_id
