"""The door of the dashboard: nothing of it is answered to a browser that is not signed in.

A page of plain HTML takes a token of the API, which the API itself judges, or a link is opened that works once. The session is a
cookie that scripts cannot read and that other sites' requests do not carry; a form of another site is refused by its origin.
"""

from __future__ import annotations

import html
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.client import api_url
from ui.paths import FRONT, SIGN_IN, SIGN_OUT
from ui.sessions import COOKIE, SESSION_SECONDS, SESSIONS, Codes, Sessions

_OPEN = ("/_stcore/health",)
_MOST_BYTES = 4096
_SECONDS = 15.0
_PAGE = Path(__file__).with_name("signin.html")


class Gate:
    """Plain ASGI, around Streamlit."""

    def __init__(
        self, app: ASGIApp, sessions: Sessions = SESSIONS, codes: Codes | None = None, token: str = ""
    ) -> None:
        """``token``: what sessions of links ask the API with."""
        self._app = app
        self._sessions = sessions
        self._codes = codes or Codes.from_environment()
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in _OPEN:
            return await self._app(scope, receive, send)
        if scope["type"] == "http" and scope["path"] in (SIGN_IN, SIGN_OUT):
            request = Request(scope, receive)
            answer = await (self._sign_in(request) if scope["path"] == SIGN_IN else self._sign_out(request))
            return await answer(scope, receive, send)
        if scope["type"] == "http" and scope["path"] == FRONT and scope["method"] in ("GET", "HEAD"):
            asked = Request(scope).url.query  # Streamlit knows the page in front by the empty path only
            return await RedirectResponse(f"/?{asked}" if asked else "/", 307)(scope, receive, send)
        if self._sessions.find(cookie_of(Headers(scope=scope))) is not None:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 4401})
        return await _turned_away(Request(scope, receive))(scope, receive, send)

    async def _sign_in(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            code = request.query_params.get("code")
            if code is None:
                return _page(request, "")
            if "prefetch" in request.headers.get("sec-purpose", ""):
                return Response(status_code=503)
            if self._token and self._codes.take(code):
                return self._welcome(request, self._token, own=False)
            return _page(
                request, "This link was used before, or is too old. `lotline signin` prints another one.", status=403
            )
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "GET, HEAD, POST"})
        if not _same_origin(request):
            return _page(request, "This form was sent by another site.", status=403)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                return _page(request, "That is no token.", status=413)
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        fault, status = await run_in_threadpool(judge, token)
        return _page(request, fault, status=status) if fault else self._welcome(request, token, own=True)

    def _welcome(self, request: Request, token: str, *, own: bool) -> Response:
        self._sessions.close(cookie_of(request.headers))
        answer = RedirectResponse(_next(request), 303)
        answer.set_cookie(
            COOKIE, self._sessions.open(token, own=own), max_age=int(SESSION_SECONDS), path="/", httponly=True,
            samesite="lax", secure=_by_tls(request),
        )  # fmt: skip
        answer.headers["cache-control"] = "no-store"
        return answer

    async def _sign_out(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            return Response(status_code=405, headers={"allow": "GET, POST"})
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _page(request, "Another site asked to sign you out; you still are signed in.", status=403)
        self._sessions.close(cookie_of(request.headers))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_by_tls(request))
        return answer


def judge(token: str) -> tuple[str, int]:
    """What is wrong with a token, by the API's own word, and the status that says so; no words for one that may see the pages."""
    if not token:
        return "Give a token.", 400
    try:
        answer = httpx.get(
            f"{api_url()}/events", params={"perPage": 1}, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS
        )
    except UnicodeError:
        return "This token is unknown or revoked.", 401
    except (httpx.HTTPError, httpx.InvalidURL):
        return "The API does not answer. Is it running?", 503
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return "This token is unknown or revoked.", 401
    if answer.status_code == httpx.codes.FORBIDDEN:
        return "This token is for scanning. The dashboard wants an analyst's, auditor's or administrator's.", 403
    return ("", 200) if answer.is_success or answer.is_server_error else ("The API does not take this token.", 401)


def cookie_of(headers: Headers) -> str | None:
    """What the browser keeps of its session."""
    jar: SimpleCookie = SimpleCookie()
    for header in headers.getlist("cookie"):
        try:
            jar.load(header)
        except CookieError:
            continue
    return jar[COOKIE].value if COOKIE in jar else None


def _turned_away(request: Request) -> Response:
    """A page's reader is led to the door, and on from there; whatever a page loads gets nothing."""
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='')}", 303, {"cache-control": "no-store"})
    return Response("sign in first", 401, {"cache-control": "no-store"}, media_type="text/plain")


def _next(request: Request) -> str:
    """A path of this server; anything else is its first page."""
    wanted = request.query_params.get("next", "/")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if ours and parts.path not in (SIGN_IN, SIGN_OUT) and wanted.isprintable() else "/"


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def _by_tls(request: Request) -> bool:
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))


def _page(request: Request, fault: str, status: int = 200) -> Response:
    target = f"{SIGN_IN}?next={quote(_next(request), safe='')}"
    text = _PAGE.read_text(encoding="utf-8").replace("{{action}}", html.escape(target))
    said = f'<p class="fault" role="alert">{html.escape(fault)}</p>' if fault else ""
    return HTMLResponse(text.replace("{{fault}}", said), status, {"cache-control": "no-store"})
