"""``/capture``: take events in, say what became of them.

A request is answered as soon as it is valid, allowed and on the disk; the ledger comes after.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from api import problems
from api.auth import MAY_ADMINISTER, MAY_CAPTURE
from api.bodies import DOCUMENT_BODY, read_events
from api.job_documents import describe_job, summarise
from api.models import CaptureAccepted, JobDocument, JobSummary, Page
from api.paging import PageSize, PageToken, position, token_of
from api.problems import ApiError
from api.routing import ApiRoute
from instance.database import DATABASE_ERRORS, words
from instance.tokens import Principal
from relay.inbox import Inbox, InboxFullError, NewJob, Stored
from relay.jobs import Job

router = APIRouter(route_class=ApiRoute, tags=["capture"])

ErrorBehaviour = Annotated[
    Literal["rollback", "proceed"],
    Header(
        alias="GS1-Capture-Error-Behaviour",
        description="rollback: all events or none. proceed: what is good, whatever else is not.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="A second request with the same key gets the first one's job, also after a lost answer.",
    ),
]
JobId = Annotated[str, Path(alias="captureID", pattern="^[0-9a-f]{32}$", description="From the Location header")]


@router.post(
    "/capture",
    status_code=202,
    response_model=CaptureAccepted,
    openapi_extra=DOCUMENT_BODY,
    responses={
        202: {
            "description": "Stored; it will reach the ledger.",
            "headers": {"Location": {"description": "Path of the job", "schema": {"type": "string"}}},
        },
        **problems.responses(400, 401, 403, 406, 409, 413, 415, 503),
    },
)
async def post_capture(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_CAPTURE)],
    on_error: ErrorBehaviour = "rollback",
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Capture an EPCISDocument, an EPCISQueryDocument or one bare event.

    With `proceed`, an event that is invalid is left out and listed among the job's `errors` from the start; a document
    of which nothing is valid is answered 400, as it is with `rollback` for a single invalid event.
    """
    intake = await read_events(request, on_error)
    job = NewJob.of_intake(intake, principal.msp_id, principal.identity, on_error, idempotency_key)
    stored = await put(request, job)
    response.headers["Location"] = location = f"/capture/{stored.job_id}"
    return CaptureAccepted(capture_id=stored.job_id, events=intake.events, location=location)


@router.get("/capture", response_model=Page[JobSummary], responses=problems.responses(400, 401, 403, 406))
async def list_capture(
    request: Request,
    principal: Annotated[Principal, Depends(MAY_CAPTURE)],
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
    state: Annotated[Literal["failed"] | None, Query(description="Only jobs that failed as a whole")] = None,
) -> Any:
    """Capture jobs, newest first: a scanner's own, an admin's whole organisation's."""
    inbox: Inbox = request.app.state.inbox
    found = await inbox.jobs(
        msp_id=principal.msp_id,
        identity=None if principal.role == "admin" else principal.identity,
        before=position(next_page_token),
        limit=per_page + 1,
        failed=state == "failed",
    )
    more = token_of(found[per_page - 1].seq) if len(found) > per_page else None
    return Page[JobSummary](items=[summarise(job) for job in found[:per_page]], next=more)


@router.get("/capture/{captureID}", response_model=JobDocument, responses=problems.responses(400, 401, 403, 404, 406))
async def get_capture(
    request: Request,
    principal: Annotated[Principal, Depends(MAY_CAPTURE)],
    capture_id: JobId,
    per_page: Annotated[int, Query(alias="perPage", ge=1, le=1000, description="Verdicts in one answer")] = 1000,
    next_page_token: PageToken = None,
) -> Any:
    """A job's state. It is finished (`running: false`) once every query shows its events."""
    job = await own_job(request, principal, capture_id)
    return describe_job(job, first=position(next_page_token) or 0, count=per_page)


@router.post(
    "/capture/{captureID}/retry",
    status_code=202,
    response_model=CaptureAccepted,
    responses=problems.responses(401, 403, 404, 406, 409, 503),
)
async def retry_capture(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    capture_id: JobId,
) -> Any:
    """Send a job that failed as a whole to the ledger again. What of it is there after all counts as duplicate."""
    job = await own_job(request, principal, capture_id)
    try:
        again = await request.app.state.inbox.retry(job.id)
    except DATABASE_ERRORS as error:
        raise ApiError(503, f"the inbox could not be written: {words(error)}", headers={"Retry-After": "30"}) from error
    if not again:
        raise ApiError(409, f"job {job.id} has not failed")
    response.headers["Location"] = location = f"/capture/{job.id}"
    return CaptureAccepted(capture_id=job.id, events=job.events, location=location)


def later(job_id: str, events: int) -> Response:
    """The 202 of an endpoint that would rather have waited: the job knows more, soon."""
    location = f"/capture/{job_id}"
    body = CaptureAccepted(capture_id=job_id, events=events, location=location)
    return Response(
        body.model_dump_json(by_alias=True),
        202,
        headers={"Location": location},
        media_type="application/json",
    )


async def put(request: Request, job: NewJob) -> Stored:
    """Into the inbox; the problems that can be met there."""
    inbox: Inbox = request.app.state.inbox
    try:
        stored = await inbox.put(job)
    except InboxFullError as error:
        raise ApiError(503, f"{error}. Keep it and send it again.", headers={"Retry-After": "30"}) from error
    if not stored.same_content:
        raise ApiError(409, f"this Idempotency-Key came before with another content, as job {stored.job_id}")
    return stored


async def own_job(request: Request, principal: Principal, job_id: str) -> Job:
    """The job if the caller may see it. Whether others' jobs exist is not told."""
    inbox: Inbox = request.app.state.inbox
    job = await inbox.find(job_id)
    mine = job is not None and job.msp_id == principal.msp_id
    if job is None or not mine or (principal.role != "admin" and job.identity != principal.identity):
        raise ApiError(404, f"no job {job_id}")
    return job
