"""The HTTP process: `create_app` puts the parts together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from starlette.responses import Response

import readmodel
from api import methods, openapi, problems
from api.bodies import limit_headers
from api.edge import Edge
from api.metrics import Metrics
from api.rates import Rates
from api.routes import ROUTERS
from api.status import Status, assess
from instance.settings import Settings
from instance.tokens import TokenStore
from readmodel.engine import DATABASE_AWAY
from readmodel.queries.paging import InvalidTokenError
from relay.heartbeat import read_heartbeat
from relay.inbox import Inbox
from relay.intake import Reader

log = structlog.get_logger("lotline.http")


def create_app(settings: Settings) -> FastAPI:
    """The application of one instance. It only reads the ledger's answers; the worker process writes.

    uvicorn.run(create_app(load_settings(home)))
    """
    app = FastAPI(
        title="Lotline",
        version=openapi.VERSION,
        summary="Supply-chain traceability on a shared ledger",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        lifespan=_lifespan(settings),
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.rates = Rates(settings.http.requests_per_second)
    problems.install(app)
    app.add_exception_handler(InvalidTokenError, _on_invalid_token)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _on_database_away)
    for router in ROUTERS:
        app.include_router(router)
    methods.install(app, ROUTERS)
    openapi.install(app)

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        app.state.metrics.observe(method, route, status, seconds)

    app.add_middleware(Edge, settings=settings.http, limit_headers=limit_headers(settings), observe=observe)
    return app


async def _on_invalid_token(request: Request, error: Exception) -> Response:
    problem = problems.query_error("nextPageToken", str(error))
    return problems.respond(
        problems.describe(400, problem.detail, request.url.path, kind=problem.kind, errors=problem.errors)
    )


async def _on_database_away(request: Request, error: Exception) -> Response:
    log.warning("read model away", error=str(error))
    document = problems.describe(503, "the read model can't be reached; try again", request.url.path)
    return problems.respond(document, {"Retry-After": "5"})


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        inbox = Inbox(settings.inbox_file, limit_events=settings.http.inbox_limit)
        app.state.inbox = inbox
        app.state.tokens = TokenStore(settings.tokens_file)
        app.state.reader = Reader(settings.http.inline_limit)
        app.state.engine = readmodel.open_engine(settings.readmodel_url)

        def status() -> Status:
            return assess(read_heartbeat(settings.heartbeat_file), inbox.depth())

        app.state.status = status
        app.state.metrics = Metrics(status, inbox.states)
        try:
            yield
        finally:
            await inbox.close()
            app.state.reader.close()
            app.state.tokens.close()
            app.state.engine.dispose()

    return lifespan
