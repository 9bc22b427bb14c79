"""The HTTP process: `create_app` puts the parts together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

import readmodel
from api import methods, openapi, problems, reference, scanner
from api.bodies import limit_headers
from api.edge import Edge
from api.metrics import Metrics
from api.queries import Queries
from api.rates import Rates
from api.routes import ROUTERS
from api.status import Status, assess
from auditing import read_report
from instance.database import DATABASE_ERRORS
from instance.processes import OverrunError, UnavailableError
from instance.settings import Settings
from instance.tokens import open_tokens
from readmodel.engine import DATABASE_AWAY, is_overrun, is_too_complex
from readmodel.queries.paging import InvalidTokenError
from relay.heartbeat import process_lives, read_heartbeat
from relay.inbox import Inbox, ReadError
from relay.intake import Reader
from relay.workers import together

log = structlog.get_logger("lotline.http")


def create_app(settings: Settings) -> FastAPI:
    """The application of one instance. It only reads the ledger's answers; the worker process writes.

    uvicorn.run(create_app(load_settings(home)))
    """
    app = _application(settings, _lifespan(settings))

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        app.state.metrics.observe(method, route, status, seconds)

    app.add_middleware(Edge, settings=settings.http, limit_headers=limit_headers(settings), observe=observe)
    return app


def create_answering_app(settings: Settings) -> FastAPI:
    """The same without an edge and without all but the read model: it answers queries that another process let in."""
    app = _application(settings, None)
    app.state.checked_before = True
    app.state.engine = _engine(settings)
    return app


def _application(
    settings: Settings, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None
) -> FastAPI:
    app = FastAPI(
        title="Lotline",
        version=openapi.VERSION,
        summary="Supply-chain traceability on a shared ledger",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.checked_before = False
    app.state.queries = None
    app.state.rates = Rates(settings.http.requests_per_second)
    problems.install(app)
    app.add_exception_handler(InvalidTokenError, _on_invalid_token)
    app.add_exception_handler(UnavailableError, _on_unavailable)
    for unreadable in (ReadError, *DATABASE_ERRORS):
        app.add_exception_handler(unreadable, _on_inbox_error)
    app.add_exception_handler(OverrunError, _on_overrun)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _on_database_error)
    for router in ROUTERS:
        app.include_router(router)
    methods.install(app, ROUTERS)
    openapi.install(app)
    reference.install(app)
    scanner.install(app)
    return app


async def _on_invalid_token(request: Request, error: Exception) -> Response:
    problem = problems.query_error("nextPageToken", str(error))
    return problems.respond(
        problems.describe(400, problem.detail, request.url.path, kind=problem.kind, errors=problem.errors)
    )


async def _on_unavailable(request: Request, error: Exception) -> Response:
    log.warning("unavailable", error=str(error), path=request.scope["path"])
    outcome = "" if request.method == "GET" else "nothing was stored, "
    document = problems.describe(503, f"{error}; {outcome}try again", request.url.path)
    return problems.respond(document, {"Retry-After": "5"})


async def _on_inbox_error(request: Request, error: Exception) -> Response:
    log.warning("inbox away", error=str(error), path=request.scope["path"])
    document = problems.describe(503, "the inbox can't be read just now; try again", request.url.path)
    return problems.respond(document, {"Retry-After": "5"})


async def _on_overrun(request: Request, error: Exception) -> Response:
    log.warning("overrun", error=str(error), path=request.scope["path"])
    if request.method != "GET":
        return problems.respond(problems.describe(503, f"{error}; nothing was stored", request.url.path))
    return _too_long(request)


async def _on_database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)
    if is_overrun(error):
        return _too_long(request)
    if is_too_complex(error):
        document = problems.describe(
            400, "the query has more conditions than the database can take", request.url.path,
            kind="QueryTooComplexException",
        )  # fmt: skip
        return problems.respond(document)
    log.warning("read model away", error=str(error))
    document = problems.describe(503, "the read model can't be reached; try again", request.url.path)
    return problems.respond(document, {"Retry-After": "5"})


def _too_long(request: Request) -> Response:
    seconds = request.app.state.settings.http.query_seconds
    detail = f"the query took longer than the {seconds:g} s that it may; ask for less, or of a shorter time"
    return problems.respond(problems.describe(503, detail, request.url.path, kind="QueryTooComplexException"))


def _engine(settings: Settings) -> Engine:
    return readmodel.open_engine(settings.readmodel_url, seconds=settings.http.query_seconds)


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        inbox = Inbox(settings.inbox_place, limit_events=settings.http.inbox_limit)
        app.state.inbox = inbox
        app.state.tokens = open_tokens(settings.tokens_place)
        app.state.page_secret = app.state.tokens.secret("pages")
        app.state.reader = Reader(settings.http.inline_limit, settings.http.parse_seconds)
        app.state.engine = _engine(settings)

        def status() -> Status:
            if settings.shared:
                heartbeat, lives = together(inbox.workers()), False
            else:
                heartbeat = read_heartbeat(settings.heartbeat_file)
                lives = heartbeat is not None and process_lives(heartbeat.pid)
            report = read_report(settings.run_dir)
            changed = 0 if report is None else report.count
            return assess(heartbeat, inbox.depth(), lives=lives, inbox_trouble=inbox.trouble, changed=changed)

        app.state.status = status
        app.state.metrics = Metrics(status, inbox.states)
        try:
            async with _answering(app, settings):
                yield
        finally:
            await inbox.close()
            app.state.reader.close()
            app.state.tokens.close()
            app.state.engine.dispose()

    return lifespan


@asynccontextmanager
async def _answering(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """With the processes that answer queries, if any are wanted; they start while the server does its work."""
    if not settings.http.query_processes:
        yield
        return
    queries = app.state.queries = Queries(settings)
    starting = asyncio.create_task(_start(queries))
    try:
        yield
    finally:
        queries.close()
        await starting


async def _start(queries: Queries) -> None:
    """If they can't be had, queries are answered without them."""
    try:
        await queries.start()
    except UnavailableError as error:
        log.warning("queries have no processes of their own", error=str(error))
