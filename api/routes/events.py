"""``/events``: capture one event and wait for it; find events; get one."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from api import problems
from api.auth import MAY_CAPTURE
from api.bodies import EVENT_BODY, read_events
from api.inbox import Inbox, NewJob
from api.job_documents import job_errors
from api.jobs import CAPTURE, Job
from api.models import CaptureAccepted, EventCreated
from api.problems import ApiError, ErrorItem
from api.routes.capture import IdempotencyKey, put
from api.routing import ApiRoute
from api.settings import Settings
from api.tokens import Principal

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
    job = NewJob(
        CAPTURE, principal.msp_id, principal.identity, "rollback", intake.payload, 1, idempotency_key
    )
    stored = await put(request, job)
    inbox: Inbox = request.app.state.inbox
    settings: Settings = request.app.state.settings
    finished = await inbox.wait(stored.job_id, settings.http.sync_deadline)
    if finished is None or finished.running:
        return _later(response, stored.job_id)
    return _decided(response, finished, intake.hashes[0])


_ONE_EVENT = ErrorItem(index=None, field="/epcisBody/eventList", code="not_one_event", message="must hold one event")


def _later(response: Response, job_id: str) -> CaptureAccepted | Any:
    response.status_code = 202
    response.headers["Location"] = location = f"/capture/{job_id}"
    return CaptureAccepted(captureID=job_id, events=1, location=location)


def _decided(response: Response, job: Job, event: str) -> EventCreated:
    location = f"/events/{quote(event, safe='')}"
    if job.duplicate:
        raise ApiError(409, "this event is on the ledger already", headers={"Location": location})
    if not job.success:
        errors = job_errors(job)
        raise ApiError(errors[0].status, errors[0].detail, errors=errors[0].errors)
    response.headers["Location"] = location
    return EventCreated(event=event, location=location, tx_id=job.tx_id or "", block=job.block or 0)
