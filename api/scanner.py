"""The scanner's page at ``/scan``: a few static files, all from here, kept on the device by its service worker.

The decoder of camera images (zxing-wasm) is fetched by ``python -m api.decoder`` when Lotline is set up; without it the page reads by wedge, by
hand, and by browsers that have a decoder of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from importlib.resources import files

from fastapi import FastAPI, Request
from starlette.responses import Response

from api import decoder
from api.problems import ApiError

PAGE = "/scan"
_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
    "wasm": "application/wasm",
}
_DICTIONARY = "application_identifiers.json"
_WORKER = "sw.js"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
    "Service-Worker-Allowed": PAGE,
}


def install(app: FastAPI) -> None:
    """Give ``app`` the page and what belongs to it."""

    async def page(request: Request) -> Response:
        return _answer(request, "index.html", _files()["index.html"])

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        content = _files().get(name)
        if content is None:
            raise ApiError(404, f"there is no {name} here")
        return _answer(request, name, content)

    async def decoding(request: Request) -> Response:
        name = request.path_params["name"]
        content = await asyncio.to_thread(decoder.content, name)
        if content is None:
            raise ApiError(404, "there is no decoder here: `python -m api.decoder` fetches it")
        return _answer(request, name, content)

    app.add_route(PAGE, page, include_in_schema=False)
    app.add_route(f"{PAGE}/zxing/{{name:path}}", decoding, include_in_schema=False)
    app.add_route(f"{PAGE}/{{name}}", file, include_in_schema=False)


def _answer(request: Request, name: str, content: bytes) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={**_HEADERS, "ETag": tag})
    return Response(content, headers={**_HEADERS, "ETag": tag}, media_type=_TYPES[name.rpartition(".")[2]])


@cache
def _files() -> dict[str, bytes]:
    """Everything but the decoder, by name. The service worker is told what to keep, and a version that changes with any of it."""
    folder = files("api") / "scan"
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}
    found[_DICTIONARY] = (files("epcis.identifiers") / _DICTIONARY).read_bytes()
    version = hashlib.sha256(b"".join(name.encode() + found[name] for name in sorted(found))).hexdigest()[:16]
    kept = [PAGE, *(f"{PAGE}/{name}" for name in sorted(found) if name not in (_WORKER, "index.html"))]
    worker = found[_WORKER].replace(b"{{version}}", version.encode()).replace(b"{{files}}", " ".join(kept).encode())
    return {**found, _WORKER: worker}
