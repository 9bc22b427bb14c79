"""What every route does before its own work: who asks, in which format, and in which format do they want it
back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, get_origin

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import EVERYBODY, MAY_CAPTURE, Allow
from api.paging import key_of
from api.problems import ApiError, query_error
from api.queries import Queries
from proving.gathering import checkpoint
from readmodel.queries.paging import bind

JSON = "application/json"
JSON_LD = "application/ld+json"
AS_OF = "Lotline-Block"
"""The header that says as of which block an answer is."""


class ApiRoute(APIRoute):
    """Checks the token, then the media types, then reads the body: in that order, whatever the endpoint
    is."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        guards = _guards(self)
        takes_json = self.body_field is not None or "requestBody" in (self.openapi_extra or {})
        offered = self._offered()
        parameters = self._query_parameters()
        elsewhere = is_query(self)

        async def answered(request: Request) -> Response:
            """With the block that the answer is as of, or later: read first, so that it never says more than it knows."""
            block = await run_in_threadpool(_block, request.app.state.engine)
            response = await handle(request)
            if block is not None:
                response.headers[AS_OF] = str(block)
            return response

        async def checked(request: Request) -> Response:
            if request.app.state.checked_before:
                bind(request.state.page_key)
                return await answered(request)
            for guard in guards:
                guard.check(request)
            request.state.media_type = choose(request.headers.get("accept", ""), offered)
            if parameters is not None:
                _check_names(request, parameters)
            if guards and request.state.principal is not None:
                request.state.page_key = key_of(request, request.app.state.page_secret)
                bind(request.state.page_key)
            if takes_json:
                require_json(request)
            queries: Queries | None = request.app.state.queries
            if elsewhere and queries is not None and queries.ready:
                return await queries.answer(request)
            return await (answered if elsewhere else handle)(request)

        return checked

    def _query_parameters(self) -> dict[str, bool] | None:
        """Names of the parameters, and which may be repeated; None for the event query, which has a table of
        its own."""
        if "parameters" in (self.openapi_extra or {}):
            return None
        fields = [field for field in get_flat_params(self.dependant) if isinstance(field.field_info, params.Query)]
        return {field.alias: get_origin(field.field_info.annotation) is list for field in fields}

    def _offered(self) -> tuple[str, ...]:
        content = self.responses.get(200, {}).get("content", {})
        return tuple(content) or (JSON,)


def _block(engine: Engine) -> int | None:
    with engine.connect() as connection:
        return checkpoint(connection)


def is_query(route: APIRoute) -> bool:
    """Whether it reads what another process can read as well. What a scanner is told of its own jobs is in the inbox."""
    guards = set(_guards(route))
    return route.methods == {"GET"} and bool(guards) and not {MAY_CAPTURE, EVERYBODY} & guards


def _guards(route: APIRoute) -> list[Allow]:
    return [part.call for part in route.dependant.dependencies if isinstance(part.call, Allow)]


def _check_names(request: Request, parameters: dict[str, bool]) -> None:
    """A condition that is quietly ignored gives wrong answers: neither unknown nor repeated ones pass."""
    for name, number in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in parameters:
            raise query_error(name, "no such parameter")
        if number > 1 and not parameters[name]:
            raise query_error(name, "given more than once")


def choose(accept: str, offered: tuple[str, ...]) -> str:
    """The offered media type that the Accept header likes best, the first offered on a tie; 406 if it likes
    none."""
    if not accept.strip():
        return offered[0]
    wishes = [_wish(part) for part in accept.split(",") if part.strip()]
    best = max(offered, key=lambda media_type: _liking(media_type, wishes))
    if _liking(best, wishes) <= 0:
        raise ApiError(406, f"offered here: {', '.join(offered)}")
    return best


def require_json(request: Request) -> None:
    """415 unless the body claims to be JSON in UTF-8 without compression."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in (JSON, JSON_LD):
        sent = media_type.strip() or "nothing"
        raise ApiError(
            415,
            f"Content-Type must be {JSON} or {JSON_LD}, not {sent!r}",
            headers={"Accept": f"{JSON}, {JSON_LD}"},
        )
    charset = parameters.lower().replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise ApiError(415, f"JSON is UTF-8, not {charset}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ApiError(415, "send the body uncompressed", headers={"Accept-Encoding": "identity"})


def _wish(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return media_range, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return media_range, 0.0


def _liking(media_type: str, wishes: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that matches, as HTTP has it."""
    family = media_type.partition("/")[0] + "/*"
    for candidate in (media_type, family, "*/*"):
        qualities = [quality for media_range, quality in wishes if media_range == candidate]
        if qualities:
            return max(qualities)
    return 0.0
