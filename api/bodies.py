"""Request bodies with events: how they are read, and how OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.problems import ApiError, ErrorItem, invalid_events
from instance.settings import Settings
from relay.intake import TOO_LARGE, Intake, Reader
from relay.jobs import OnError

_EVENT_EXAMPLE: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-05-04T09:12:33.000+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "epcList": ["https://id.gs1.org/00/106141412345678908"],
    "readPoint": {"id": "https://id.gs1.org/414/0614141000005"},
}
_CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]
_DOCUMENT_EXAMPLE = {
    "@context": _CONTEXT,
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-05-04T09:12:34.000+02:00",
    "epcisBody": {"eventList": [_EVENT_EXAMPLE]},
}
_DESCRIPTION = "EPCIS 2.0 in JSON or JSON-LD; identifiers as EPC URNs or GS1 Digital Links."


def _body(description: str, kinds: list[str], example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"type": "string", "enum": kinds}},
        "description": "Checked against all of EPCIS 2.0 and CBV 2.0; the answer names every fault.",
    }
    content = {"schema": schema, "example": example}
    return {
        "requestBody": {
            "required": True,
            "description": f"{description} {_DESCRIPTION}",
            "content": {"application/json": content, "application/ld+json": content},
        }
    }


_EVENT_KINDS = [
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
]
DOCUMENT_BODY = _body(
    "An EPCIS document or one event.",
    ["EPCISDocument", "EPCISQueryDocument", *_EVENT_KINDS],
    _DOCUMENT_EXAMPLE,
)
EVENT_BODY = _body("One event.", _EVENT_KINDS, {"@context": _CONTEXT, **_EVENT_EXAMPLE})


async def read_events(request: Request, on_error: OnError = "rollback") -> Intake:
    """The events of a request's body; the 400 problem with all faults, or the 413 one."""
    reader: Reader = request.app.state.reader
    settings: Settings = request.app.state.settings
    reading = await reader.read(await request.body(), on_error)
    if not isinstance(reading, Intake):
        if reading[0].code == TOO_LARGE:
            raise ApiError(413, f"the document {reading[0].message}", headers=limit_headers(settings))
        raise invalid_events(reading)
    if not reading.events and not reading.master_data:
        raise ApiError(400, "the document has no events", errors=[_NO_EVENTS])
    if reading.events > settings.http.capture_limit:
        raise ApiError(
            413,
            f"{reading.events} events in one request; {settings.http.capture_limit} are allowed",
            headers=limit_headers(settings),
        )
    return reading


_NO_EVENTS = ErrorItem(index=None, field="/epcisBody/eventList", code="no_events", message="there is no event in it")


def limit_headers(settings: Settings) -> dict[str, str]:
    """EPCIS's headers that tell a client how much it may send at once."""
    return {
        "GS1-EPCIS-Capture-Limit": str(settings.http.capture_limit),
        "GS1-EPCIS-Capture-File-Size-Limit": str(settings.http.body_limit),
    }
