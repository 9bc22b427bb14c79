"""OPTIONS on every path as EPCIS 2.0 wants it, and an honest Allow header on a 405."""

from __future__ import annotations

from collections import defaultdict

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from api.bodies import limit_headers
from api.problems import describe, respond

_EPCIS_HEADERS = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-EPCIS-Min": "2.0.0",
    "GS1-EPCIS-Max": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-CBV-Min": "2.0.0",
    "GS1-CBV-Max": "2.0.0",
    "GS1-EPC-Format": "Always_GS1_Digital_Link",
    "GS1-Vendor-Version": "lotline/0.1.0",
}


def install(app: FastAPI) -> None:
    """Call it after all routes are there."""
    allowed: dict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
    for route in app.routes:
        if isinstance(route, Route):
            allowed[route.path] |= route.methods or set()
    headers = {path: {"Allow": ", ".join(sorted(methods))} for path, methods in allowed.items()}

    async def options(request: Request) -> Response:
        path = request.scope["route"].path
        extra = limit_headers(request.app.state.settings) if path == "/capture" else {}
        if path == "/capture":
            extra["GS1-Capture-Error-Behaviour"] = "rollback, proceed"
        return Response(status_code=204, headers={**headers[path], **_EPCIS_HEADERS, **extra})

    async def not_allowed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = getattr(request.scope.get("route"), "path", "")
        allow = headers.get(path, dict(error.headers or {}))
        detail = f"{request.method} is not one of: {allow.get('Allow', '')}"
        return respond(describe(405, detail, request.url.path), allow)

    for path in list(allowed):
        app.add_api_route(path, options, methods=["OPTIONS"], include_in_schema=False)
    app.add_exception_handler(405, not_allowed)
