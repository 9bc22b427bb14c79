"""The dashboard as it is served: ``streamlit run ui/server.py``. The pages are in `app`, the door in `signin`; here is what every
answer says.

``LOTLINE_API_URL`` is where the API is. ``LOTLINE_SIGN_IN`` and ``LOTLINE_TOKEN`` are `lotline up`'s: a file of links that sign in
once, and the token that those who came by one ask with. A browser is told to load nothing from elsewhere, whatever a page holds, and to show no page of ours inside another's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.starlette import App

# `streamlit run` puts this file's folder on the path, not the folder that holds the package
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ui.signin import Gate

_POLICY = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Streamlit's page begins with a script; charts compile theirs
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
_HEADERS = [
    (b"content-security-policy", "; ".join(_POLICY).encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_OURS = {name for name, _ in _HEADERS}


class SafeHeaders:
    """Plain ASGI: adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def outgoing(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in _OURS]
                message = {**message, "headers": [*kept, *_HEADERS]}
            await send(message)

        await self._app(scope, receive, outgoing)


app: Any = App(
    Path(__file__).with_name("app.py"),
    middleware=[Middleware(SafeHeaders), Middleware(Gate, token=os.environ.get("LOTLINE_TOKEN", ""))],
)
