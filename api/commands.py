"""Registrations: they take the same way as events (inbox, worker, ledger), one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import Body, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from api import problems
from api.job_documents import job_errors
from api.models import Answer, CaptureAccepted
from api.problems import ApiError, ErrorItem
from api.routes.capture import later, put
from epcis.identifiers import read
from instance.settings import Settings
from instance.tokens import Principal
from relay.inbox import Inbox, NewJob
from relay.jobs import Job


class RegisteredItem(Answer):
    """Where to find what was registered."""

    id: str = Field(description="Canonical identifier", examples=["https://id.gs1.org/417/0614141000005"])
    location: str = Field(examples=["/parties/https%3A%2F%2Fid.gs1.org%2F417%2F0614141000005"])


class Registered(Answer):
    """The ledger has it, and queries show it."""

    items: list[RegisteredItem]
    tx_id: str = Field(examples=["5f0c8a3e…"])
    block: int = Field(examples=[17])


REGISTERED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "On the ledger, and every query shows it.",
        "headers": {"Location": {"description": "Path of what was registered", "schema": {"type": "string"}}},
    },
    202: {
        "model": CaptureAccepted,
        "description": "The ledger takes longer; the request is stored and will reach it. Ask the job.",
        "headers": {"Location": {"description": "Path of the job", "schema": {"type": "string"}}},
    },
    **problems.responses(400, 401, 403, 406, 409, 413, 415, 422, 503),
}


def as_list(value: Any) -> Any:
    """One record or many: the endpoint gets a list either way."""
    return value if isinstance(value, list) else [value]


MANY = Body(min_length=1, max_length=1000)
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
"""Words for people: not blank."""


def canonical(identifier: str, field: str, schemes: Sequence[str]) -> str:
    """The Digital Link form of an identifier of one of ``schemes``; the 400 problem otherwise."""
    _, parsed, fault = read(identifier, bare=False)
    if fault is not None:
        raise _bad_identifier(field, fault.message)
    if parsed is None:
        raise _bad_identifier(field, f"{identifier!r} is no GS1 identifier")
    if parsed.scheme not in schemes:
        raise _bad_identifier(field, f"a {' or '.join(schemes).upper()} is needed, this is a {parsed.scheme.upper()}")
    return parsed.canonical


def identified(index: int, text: str) -> str:
    """The canonical link of what the ``index``-th record of a body is about; the 400 problem for a broken one."""
    uri, _, fault = read(text)
    if fault is not None and fault.severity == "error":
        raise _bad_identifier("/id", fault.message, index)
    return str(uri)


async def register(
    request: Request, response: Response, principal: Principal, function: str, records: Sequence[BaseModel]
) -> Registered | Response:
    """Put ``records`` on the ledger in one transaction and wait for it, up to the deadline."""
    documents = [record.model_dump(by_alias=True, exclude_none=True) for record in records]
    ids = [str(document["id"]) for document in documents]
    return await command(request, response, principal, function, ids, documents)


async def command(
    request: Request, response: Response, principal: Principal, function: str, ids: Sequence[str], argument: Any
) -> Registered | Response:
    """Call a function of the contract with one JSON argument and wait for it, up to the deadline."""
    payload = orjson.dumps(argument)
    job = NewJob(function, principal.msp_id, principal.identity, "rollback", payload, len(ids))
    stored = await put(request, job)
    inbox: Inbox = request.app.state.inbox
    settings: Settings = request.app.state.settings
    finished = await inbox.wait(stored.job_id, settings.http.sync_deadline)
    if finished is None or finished.running:
        return later(stored.job_id, len(ids))
    return _registered(request, response, finished, ids)


def _registered(request: Request, response: Response, job: Job, ids: Sequence[str]) -> Registered:
    if not job.success:
        errors = job_errors(job)
        raise ApiError(errors[0].status, errors[0].detail, errors=errors[0].errors)
    collection = "/" + request.url.path.split("/")[1]
    items = [RegisteredItem(id=name, location=f"{collection}/{quote(name, safe='')}") for name in ids]
    response.headers["Location"] = items[0].location if len(items) == 1 else collection
    return Registered(items=items, tx_id=job.tx_id or "", block=job.block or 0)


def _bad_identifier(field: str, message: str, index: int | None = None) -> ApiError:
    item = ErrorItem(index=index, field=field, code="invalid_identifier", message=message)
    return ApiError(400, f"{field}: {message}", errors=[item])
