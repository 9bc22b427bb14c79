"""Errors as problem documents (RFC 9457), with the types EPCIS 2.0 names.

Everything that goes wrong leaves through here: a client never sees a bare status, HTML or a stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from epcis import Problem as EventProblem

MEDIA_TYPE = "application/problem+json"

_TYPES = {
    400: ("ValidationException", "The request is not valid"),
    401: ("SecurityException", "A valid bearer token is needed"),
    403: ("SecurityException", "Not allowed"),
    404: ("NoSuchResourceException", "No such resource"),
    406: ("NotAcceptableException", "No representation you accept"),
    408: ("ValidationException", "The request took too long"),
    409: ("ResourceAlreadyExistsException", "It exists already"),
    413: ("CaptureLimitExceededException", "Too large"),
    414: ("URITooLongException", "The URI is too long"),
    415: ("UnsupportedMediaTypeException", "Unsupported media type"),
    422: ("ValidationException", "The ledger rejected it"),
    429: ("TooManyRequestsException", "Too many requests"),
    431: ("ValidationException", "Too much in the headers"),
    500: ("ImplementationException", "A fault of the server"),
    503: ("ImplementationException", "Not able to serve now"),
}


class ErrorItem(BaseModel):
    """One fault inside a request: which event, which field, what is wrong."""

    index: int | None = Field(
        None, description="Position of the event in the request, from 0; null: the request as such"
    )
    field: str = Field("", description="JSON pointer or parameter name")
    code: str = Field(description="Short name of the fault, for programs", examples=["invalid_check_digit"])
    message: str = Field(description="What is wrong, for people")


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "epcisException:ValidationException",
                "title": "The request is not valid",
                "status": 400,
                "detail": "event 3, /epcisBody/eventList/3/epcList/0: the check digit should be 7",
                "instance": "/capture",
                "errors": [
                    {
                        "index": 3,
                        "field": "/epcisBody/eventList/3/epcList/0",
                        "code": "invalid_identifier",
                        "message": "the check digit should be 7",
                    }
                ],
            }
        }
    )

    type: str = Field(description="`epcisException:…` as EPCIS 2.0 names them, or `about:blank`")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for")
    errors: list[ErrorItem] = Field(default_factory=list)


class ApiError(HTTPException):
    """Raise it anywhere in a request: it becomes a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        errors: Sequence[ErrorItem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.kind = kind
        self.errors = list(errors)


def invalid_events(problems: Sequence[EventProblem], *, status: int = 400) -> ApiError:
    """The problem document of a body whose events are not valid: every fault, the first one in ``detail``."""
    errors = [ErrorItem(index=p.index, field=p.field, code=p.code, message=p.message) for p in problems]
    return ApiError(status, _summary(errors), errors=errors)


def query_error(parameter: str, message: str, code: str = "invalid_parameter") -> ApiError:
    """A query parameter nobody can answer."""
    item = ErrorItem(index=None, field=parameter, code=code, message=message)
    return ApiError(400, f"{parameter}: {message}", kind="QueryParameterException", errors=[item])


def describe(
    status: int,
    detail: str,
    instance: str,
    *,
    kind: str | None = None,
    errors: Sequence[ErrorItem] = (),
) -> ProblemDocument:
    """A problem document as a value, for answers that carry problems inside."""
    default_kind, title = _TYPES.get(status, (None, HTTPStatus(status).phrase))
    kind = kind or default_kind
    return ProblemDocument(
        type=f"epcisException:{kind}" if kind else "about:blank",
        title=title,
        status=status,
        detail=detail,
        instance=instance,
        errors=list(errors),
    )


def encode(document: ProblemDocument) -> bytes:
    """The document as JSON."""
    return orjson.dumps(document.model_dump())


def respond(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> Response:
    """The document as a response."""
    return Response(encode(document), document.status, dict(headers) if headers else None, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors an endpoint names, and one for any other."""
    named = {status: _TYPES.get(status, ("", HTTPStatus(status).phrase))[1] for status in statuses}
    entries: dict[int | str, dict[str, Any]] = {status: _openapi(text) for status, text in named.items()}
    entries["default"] = _openapi("Any other error, as a problem document")
    return entries


def _openapi(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def _summary(errors: Sequence[ErrorItem]) -> str:
    first = errors[0]
    where = ", ".join(part for part in (f"event {first.index}" if first.index is not None else "", first.field) if part)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {first.message}{more}" if where else f"{first.message}{more}"


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = error.kind if isinstance(error, ApiError) else None
    errors = error.errors if isinstance(error, ApiError) else []
    document = describe(error.status_code, str(error.detail), request.url.path, kind=kind, errors=errors)
    return respond(document, error.headers)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    items = [
        ErrorItem(index=None, field=_field(fault["loc"]), code=str(fault["type"]), message=str(fault["msg"]))
        for fault in error.errors()[:100]
    ]
    about_query = all(fault["loc"] and fault["loc"][0] == "query" for fault in error.errors())
    kind = "QueryParameterException" if about_query else None
    return respond(describe(400, _summary(items), request.url.path, kind=kind, errors=items))


def _field(location: Sequence[str | int]) -> str:
    """Query and header faults name the parameter, body faults are pointed at."""
    if location and location[0] == "body":
        return "".join(f"/{part}" for part in location[1:])
    return str(location[1]) if len(location) > 1 else ""
