"""``/events``: capture one event and wait for it; find events; get one.

An EPCISQueryDocument is linked data: it can be had as ``application/ld+json`` too.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy import Connection

from api import problems
from api.auth import MAY_CAPTURE, MAY_QUERY
from api.bodies import EVENT_BODY, read_events
from api.event_documents import EXAMPLE, query_document
from api.event_query import EventQuery, openapi_parameters, parse_query
from api.job_documents import job_errors
from api.models import CaptureAccepted, EventCreated
from api.paging import PageSize, PageToken, next_link
from api.problems import ApiError, ErrorItem
from api.routes.capture import IdempotencyKey, later, put
from api.routing import JSON, JSON_LD, ApiRoute
from instance.settings import Settings
from instance.tokens import Principal
from readmodel.queries.events import count_events, event_and_declarations, find_events
from relay.inbox import Inbox, NewJob
from relay.jobs import Job

EPCIS_HEADERS = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
MAX_PER_PAGE = 1000
_DOCUMENT = {"schema": {"type": "object", "required": ["@context", "type", "epcisBody"]}, "example": EXAMPLE}
EVENT_ANSWER: dict[str, Any] = {
    "description": "An EPCISQueryDocument. `lotline:provenance` says where on the ledger each event stands.",
    "content": {JSON: _DOCUMENT, JSON_LD: _DOCUMENT},
}
EVENTS_ANSWER: dict[str, Any] = {
    **EVENT_ANSWER,
    "headers": {
        "Link": {
            "description": "rel=next: the next page; absent on the last one",
            "schema": {"type": "string"},
        }
    },
}

router = APIRouter(route_class=ApiRoute, tags=["events"])


@router.post(
    "/events",
    status_code=201,
    response_model=EventCreated,
    openapi_extra=EVENT_BODY,
    responses={
        201: {
            "description": "On the ledger, and every query shows it.",
            "headers": {"Location": {"description": "Path of the event", "schema": {"type": "string"}}},
        },
        202: {
            "model": CaptureAccepted,
            "description": "The ledger takes longer; the event is stored and will reach it. Ask the job.",
            "headers": {"Location": {"description": "Path of the job", "schema": {"type": "string"}}},
        },
        **problems.responses(400, 401, 403, 406, 409, 413, 415, 422, 503),
    },
)
async def post_event(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_CAPTURE)],
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Capture one event and wait until the ledger has decided on it."""
    intake = await read_events(request)
    if len(intake.hashes) != 1:
        raise ApiError(400, f"one event, not {len(intake.hashes)}; POST /capture takes many", errors=[_ONE_EVENT])
    job = NewJob.of_intake(intake, principal.msp_id, principal.identity, "rollback", idempotency_key)
    stored = await put(request, job)
    inbox: Inbox = request.app.state.inbox
    settings: Settings = request.app.state.settings
    finished = await inbox.wait(stored.job_id, settings.http.sync_deadline)
    if finished is None or finished.running:
        return later(stored.job_id, 1)
    return _decided(response, finished)


_ONE_EVENT = ErrorItem(index=None, field="/epcisBody/eventList", code="not_one_event", message="must hold one event")


def _refused(job: Job) -> ApiError:
    first = job_errors(job)[0]
    return ApiError(first.status, first.detail, errors=first.errors)


def _decided(response: Response, job: Job) -> EventCreated:
    if job.failure is not None or not job.verdicts:
        raise _refused(job)
    event = job.verdicts[0]["event"]
    location = f"/events/{quote(event, safe='')}"
    if job.duplicate:
        raise ApiError(409, "this event is on the ledger already", headers={"Location": location})
    if not job.success:
        raise _refused(job)
    response.headers["Location"] = location
    return EventCreated(event=event, location=location, tx_id=job.tx_id or "", block=job.block or 0)


@router.get(
    "/events",
    response_class=Response,
    openapi_extra={"parameters": openapi_parameters()},
    responses={200: EVENTS_ANSWER, **problems.responses(400, 401, 403, 406, 413)},
)
def get_events(
    request: Request,
    principal: Annotated[Principal, Depends(MAY_QUERY)],
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
) -> Response:
    """Events that match every parameter given (EPCIS SimpleEventQuery).

    Several values of one parameter are separated by `|`; any may match. Besides the parameters
    listed, `EQ_bizTransaction_{type}`, `EQ_source_{type}` and `EQ_destination_{type}` are understood.
    """
    query = parse_query(request.query_params.multi_items())
    size = per_page if query.count_limit is None else min(query.count_limit, MAX_PER_PAGE)
    with request.app.state.engine.connect() as connection:
        _refuse_too_many(connection, query)
        page = find_events(connection, query.wanted, per_page=size, token=next_page_token)
    following = page.next if query.count_limit is None else None
    headers = {} if following is None else {"Link": next_link(request, following)}
    return _linked_data(request, query_document(page.items), headers)


@router.get(
    "/events/{eventID:path}",
    response_class=Response,
    responses={200: EVENT_ANSWER, **problems.responses(401, 403, 404, 406)},
)
def get_event(
    request: Request,
    principal: Annotated[Principal, Depends(MAY_QUERY)],
    event_id: Annotated[str, Path(alias="eventID", max_length=500, description="Event hash or eventID")],
) -> Response:
    """One event, by its hash or by an eventID that somebody gave it, and after it the declarations that it is wrong."""
    with request.app.state.engine.connect() as connection:
        records = event_and_declarations(connection, event_id)
    if not records:
        raise ApiError(404, "no such event on the ledger")
    return _linked_data(request, query_document(records), {})


def _refuse_too_many(connection: Connection, query: EventQuery) -> None:
    most = query.max_count
    if most is not None and count_events(connection, query.wanted, most + 1) > most:
        raise ApiError(413, f"more than {most} events match", kind="QueryTooLargeException")


def _linked_data(request: Request, document: dict[str, Any], headers: dict[str, str]) -> Response:
    media_type: str = request.state.media_type
    return Response(orjson.dumps(document), headers={**EPCIS_HEADERS, **headers}, media_type=media_type)
