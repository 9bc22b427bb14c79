"""What the API answers with: camelCase JSON, every model with an example for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.problems import ProblemDocument

HASH = "ni:///sha-256;3f6c8e0a5b1d4e2f9a7c6b5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f?ver=CBV2.0"
T = TypeVar("T")


class Answer(BaseModel):
    """Base: snake_case in Python, camelCase in JSON; extra members are refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", from_attributes=True)


class Given(Answer):
    """Base of what clients send: a wrong type is a fault, not something to convert."""

    model_config = ConfigDict(strict=True)


class Page(Answer, Generic[T]):
    """A part of a list. ``next`` goes into ``nextPageToken`` to get the following part; null on the last
    one."""

    items: list[T]
    next: str | None = Field(description="Token of the next page, null on the last one", examples=[None])


class Verdict(Answer):
    """What the contract says of one event."""

    event: str = Field(description="Event hash, the event's identity", examples=[HASH])
    verdict: Literal["accepted", "duplicate", "rejected"] = Field(examples=["accepted"])
    code: str | None = Field(None, description="Why rejected, for programs", examples=[None])
    detail: str | None = Field(None, description="Why rejected, for people", examples=[None])
    field: str | None = Field(None, description="The part of the event that is to blame", examples=[None])
    item: str | None = Field(None, description="The thing or lot that a rejection is about", examples=[None])
    parties: list[str] = Field([], description="Parties on the other side of what was rejected", examples=[[]])
    organisations: list[str] = Field([], description="The same, where no party is known", examples=[[]])


class JobSummary(Answer):
    """A capture job as EPCIS 2.0 has it, with counts."""

    capture_id: str = Field(alias="captureID", examples=["0199c6a1b2c3a1b2c3d4e5f60718293a4b"])
    created_at: datetime
    finished_at: datetime | None
    running: bool = Field(description="False once the ledger has decided and every query shows it")
    success: bool = Field(description="True as long as no event was rejected")
    capture_error_behaviour: Literal["rollback", "proceed"]
    events: int = Field(description="Number of events in the request")
    accepted: int | None = Field(description="New on the ledger; null until it has decided")
    duplicate: int | None = Field(description="On the ledger before")
    rejected: int | None = Field(description="Not on the ledger, see errors")
    tx_id: str | None = Field(description="Transaction that carries the job")
    block: int | None = Field(description="Block of that transaction")


class JobDocument(JobSummary):
    """A capture job with the verdict on every event."""

    errors: list[ProblemDocument] = Field(description="One problem per rejected event, at most 100")
    verdicts: list[Verdict] = Field(description="In the order of the events, `perPage` at a time")
    next: str | None = Field(description="`nextPageToken` for the following verdicts, null when there are none")


class CaptureAccepted(Answer):
    """The request is stored and will reach the ledger, whatever crashes in between."""

    capture_id: str = Field(alias="captureID", examples=["0199c6a1b2c3a1b2c3d4e5f60718293a4b"])
    events: int = Field(examples=[1])
    location: str = Field(
        description="Where to ask for the outcome", examples=["/capture/0199c6a1b2c3a1b2c3d4e5f60718293a4b"]
    )


class EventCreated(Answer):
    """One event is on the ledger and can be queried."""

    event: str = Field(description="Event hash, the event's identity", examples=[HASH])
    location: str = Field(description="Path of the event")
    tx_id: str = Field(examples=["5f0c8a3e…"])
    block: int = Field(examples=[17])


Json = dict[str, Any]
