"""OPTIONS on every path as EPCIS 2.0 wants it, and an honest Allow header on a 405."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
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


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Give ``app`` an OPTIONS answer for every path of ``routers``, and its 405s the path's methods."""
    allowed: dict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
    patterns: dict[str, re.Pattern[str]] = {}
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, Route):
            allowed[route.path] |= route.methods or set()
            if "GET" in allowed[route.path]:
                allowed[route.path].add("HEAD")
            patterns[route.path] = route.path_regex

    def allow(path: str) -> dict[str, str]:
        found = next((name for name, pattern in patterns.items() if pattern.match(path)), None)
        return {"Allow": ", ".join(sorted(allowed[found]))} if found else {}

    async def options(request: Request) -> Response:
        path = request.url.path
        extra: dict[str, str] = {}
        if path == "/capture":
            extra = limit_headers(request.app.state.settings)
            extra["GS1-Capture-Error-Behaviour"] = "rollback, proceed"
        return Response(status_code=204, headers={**allow(path), **_EPCIS_HEADERS, **extra})

    async def not_allowed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = allow(request.url.path) or dict(error.headers or {})
        detail = f"{request.method} is not one of: {headers.get('Allow', '')}"
        return respond(describe(405, detail, request.url.path), headers)

    for path in allowed:
        app.add_api_route(path, options, methods=["OPTIONS"], include_in_schema=False)
    app.add_exception_handler(405, not_allowed)
