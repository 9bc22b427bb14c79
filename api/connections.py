"""What a connection may cost before anybody knows who is at its other end: bytes, time and number are limited here.

The server's own protocol (`uvicorn` over `httptools`) takes whatever comes: a header that never ends, a request that is
never finished, as many connections as somebody opens. `Connection` is that protocol with its bytes counted and its
phases watched; `Connections` is all of them together.
"""

from __future__ import annotations

import asyncio
import enum
from collections import Counter
from collections.abc import Callable
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.hosts import AllowedHosts, host_faults
from api.problems import MEDIA_TYPE, describe, encode
from instance.settings import HttpSettings

log = structlog.get_logger("lotline.http")

SWEEP_SECONDS = 0.5
LINGER_SECONDS = 2.0
"""How long what a refused client still sends is thrown away: closed at once, it would not read its answer."""
_SLICE = 16 * 1024
_LONGEST_LENGTH = 19
"""Digits of a Content-Length: 2**63 has as many."""
_FRAMING_SHARE = 8
"""A body in chunks may have one byte around for so many in it, beside what a head may have."""

Observer = Callable[[int], None]


class Phase(enum.Enum):
    """What a connection is doing, seen from what has been read of it."""

    IDLE = "between two requests"
    HEAD = "reading a request line and its headers, or waiting for the first"
    BODY = "reading a body"
    ANSWER = "answering; all has been read"


class _RefusedError(Exception):
    """Raised inside the parser, which stops there."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Connections:
    """The open connections of one process, and what they may do. ``observe(status)`` is told of each refusal."""

    def __init__(self, settings: HttpSettings, *, most: int, observe: Observer) -> None:
        self.settings = settings
        self.hosts = AllowedHosts(settings)
        self._most = most
        self._observe = observe
        self._open: dict[Connection, str] = {}
        self._of_address: Counter[str] = Counter()
        # those that can be spared, the longest waiting first
        self._unfinished: dict[Connection, None] = {}
        self._idle: dict[Connection, None] = {}
        self._refused: Counter[int] = Counter()
        self._sweeping = False

    def protocol(self) -> type[Connection]:
        """The class whose instances the server makes, one a connection."""
        return type("WatchedConnection", (Connection,), {"all": self})

    def admit(self, connection: Connection) -> bool:
        """Count it in; room is made at the cost of one that has sent no whole request. False: there is none."""
        address = connection.address
        if self._of_address[address] >= self.settings.connections_per_address and not self._spare(address):
            return False
        if len(self._open) >= self._most and not self._spare(None):
            return False
        self._open[connection] = address
        self._of_address[address] += 1
        if not self._sweeping:
            self._sweeping = True
            connection.loop.call_later(SWEEP_SECONDS, self._sweep, connection.loop)
        return True

    def leave(self, connection: Connection) -> None:
        """It has gone."""
        self.busy(connection)
        address = self._open.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def waits(self, connection: Connection, phase: Phase) -> None:
        """Nobody would miss it much: it has sent no whole request, or none lately."""
        self.busy(connection)
        (self._idle if phase is Phase.IDLE else self._unfinished)[connection] = None

    def busy(self, connection: Connection) -> None:
        """It is not to be spared now."""
        self._unfinished.pop(connection, None)
        self._idle.pop(connection, None)

    def note(self, status: int) -> None:
        """Count a refusal; the log has one line for all of a moment."""
        self._refused[status] += 1
        self._observe(status)

    def _spare(self, address: str | None) -> bool:
        for waiting in (self._unfinished, self._idle):
            for connection in waiting:
                if address is None or connection.address == address:
                    self.note(503)
                    self.leave(connection)
                    connection.drop()
                    return True
        return False

    def _sweep(self, loop: asyncio.AbstractEventLoop, due: float | None = None) -> None:
        now = loop.time()
        # a loop that was held up has not read yet what may have come in time
        if due is None or now - due < SWEEP_SECONDS:
            for connection in list(self._open):
                connection.look(now)
        if self._refused:
            counts = {str(status): number for status, number in self._refused.items()}
            log.warning("refused before any request was read", connections=len(self._open), **counts)
            self._refused.clear()
        self._sweeping = bool(self._open)
        if self._sweeping:
            loop.call_later(SWEEP_SECONDS, self._sweep, loop, now + SWEEP_SECONDS)


class Connection(HttpToolsProtocol):
    """One connection."""

    all: Connections

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.address = "(local)"
        self._phase = Phase.HEAD
        self._since = self.loop.time()
        self._message = 0
        self._head_bytes = 0
        self._head_pending = 0
        self._head_begun = False
        self._body_bytes = 0
        self._framing = 0
        self._refused = False
        self._closing_since: float | None = None
        self._stuck_since: float | None = None
        self._answering: RequestResponseCycle | None = None

    # --- the transport's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self.address = self.client[0]
        if self.all.admit(self):
            self._enter(Phase.HEAD)
        else:
            self._refused = True
            self.all.note(503)
            self.transport.write(_answer(503, "too many connections are open; try again", {"retry-after": "1"}))
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.all.leave(self)
        self._forget_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser in slices, so that a head without an end is noticed before it is long."""
        self._unset_keepalive_if_required()
        view = memoryview(data)
        while view and not self._refused and self.parser is not None:
            piece, view = view[:_SLICE], view[_SLICE:]
            before = (self._phase, self._message)
            body = self._body_bytes
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:  # to be ignored (RFC 9110, 7.8); what comes behind it is not read
                self.cycle.keep_alive = False
                return
            except httptools.HttpParserError as error:
                reason = error.__context__ if isinstance(error.__context__, _RefusedError) else None
                if reason is not None:
                    self.refuse(reason.status, str(reason))
                else:
                    self.refuse(400, "this is no valid HTTP/1.1 request")
            else:
                if before == (self._phase, self._message):
                    self._weigh(len(piece), self._body_bytes - body)

    def pause_writing(self) -> None:
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    # --- the parser's calls

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._message += 1
        self._head_bytes = self._head_pending = 0
        self._head_begun = True
        self._enter(Phase.HEAD)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        limit = self.all.settings.url_limit
        if len(self.url) > limit:
            raise _RefusedError(414, f"a URI may have {limit} bytes")
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is Phase.BODY:  # behind a body in chunks: nothing there may change what the head said
            self._framing += len(name) + len(value)
            return
        super().on_header(name, value)
        limit = self.all.settings.header_count
        if len(self.headers) > limit:
            raise _RefusedError(431, f"a request may have {limit} headers")
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        if self._phase is Phase.HEAD:
            self._check_head()
            self._body_bytes = self._framing = 0
            self._enter(Phase.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._enter(Phase.ANSWER)
        super().on_message_complete()
        if self.cycle.response_complete:  # it was answered before its body had come
            self._enter(Phase.IDLE)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._phase is Phase.ANSWER and not self.pipeline:
            self._enter(Phase.IDLE)

    # --- limits

    def look(self, now: float) -> None:
        """Called now and then: whatever has taken too long ends."""
        if self._refused or self.transport.is_closing():
            self._closing_since = self._closing_since or now
            # what was answered may still be on its way to a slow reader
            patience = LINGER_SECONDS if self._refused else self.all.settings.body_seconds
            if now - self._closing_since > patience:
                self.drop()
            return
        settings = self.all.settings
        if self._stuck_since is not None and now - self._stuck_since > settings.body_seconds:
            self.drop()
        elif self.flow.read_paused:
            self._since = now  # it is us who don't read
        elif self._phase is Phase.HEAD and now - self._since > settings.head_seconds:
            if self._head_begun:
                self.refuse(408, f"a request's line and headers must have come within {settings.head_seconds:g} s")
            else:
                self.all.note(408)
                self.transport.close()
        elif self._phase is Phase.BODY and now - self._since > settings.body_seconds:
            self.refuse(408, f"a request's body must have come within {settings.body_seconds:g} s")

    def refuse(self, status: int, detail: str) -> None:
        """Answer without the application, and read no more of this connection."""
        if self._refused:
            return
        self._refused = True
        self.all.busy(self)
        self.all.note(status)
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and self._phase is not Phase.BODY:
            # It came behind a request that is still being answered: that answer is the last.
            self.cycle.keep_alive = False
            self._refused = False
            self.flow.pause_reading()
            return
        if answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:
                self.drop()
                return
        if self._phase is Phase.BODY and not answering:  # it has its answer
            self.transport.close()
            return
        self.transport.write(_answer(status, detail, {}))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()

    def drop(self) -> None:
        """End it at once; what is still to be said is not said."""
        self._forget_reader()
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _forget_reader(self) -> None:
        """The request being answered is not the last that was read, if several came at once."""
        cycle = self._answering
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self.loop.time()
        if phase in (Phase.HEAD, Phase.IDLE):
            self.all.waits(self, phase)
        else:
            self.all.busy(self)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        self._head_pending = 0
        self._hold_head(self._head_bytes)

    def _weigh(self, size: int, body: int) -> None:
        """A slice that neither began nor ended a phase."""
        if self._phase is Phase.HEAD:
            self._head_pending += size
            try:
                self._hold_head(self._head_bytes + self._head_pending)
            except _RefusedError as error:
                self.refuse(error.status, str(error))
        elif self._phase is Phase.BODY:
            self._framing += size - body
            if self._framing > self.all.settings.head_limit + self._body_bytes // _FRAMING_SHARE:
                self.refuse(400, "the body comes in too small chunks, or with too much around them")

    def _hold_head(self, size: int) -> None:
        limit = self.all.settings.head_limit
        if size > limit:
            raise _RefusedError(431, f"a request's line and headers may have {limit} bytes")

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        for status, detail in host_faults(self.headers, self.url, version, self.all.hosts):
            raise _RefusedError(status, detail)
        for name, value in self.headers:
            if name == b"content-length" and len(value) > _LONGEST_LENGTH:
                raise _RefusedError(400, f"a Content-Length has at most {_LONGEST_LENGTH} digits")


def _answer(status: int, detail: str, headers: dict[str, str]) -> bytes:
    """A whole response with a problem document."""
    body = encode(describe(status, detail, ""))
    lines = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return STATUS_LINE[status] + head.encode() + b"\r\n" + body
