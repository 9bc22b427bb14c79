"""``/disruptions``: what will run late or run out, each with the events that show it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlmodel import Session

from api import foresight, problems
from api.auth import MAY_QUERY
from api.models import HASH, Answer, Page
from api.paging import PageSize, PageToken
from api.routing import ApiRoute
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["foresight"])


class DisruptionOut(Answer):
    """Something that goes, or will go, wrong."""

    run_id: int
    id: str
    kind: str = Field(examples=["late_handoff"])
    severity: str = Field(examples=["high"])
    subject: str = Field(description="Handoff, product, place or lane it is about")
    detail: str
    evidence: list[str] = Field(description="Event hashes anyone can look up", examples=[[HASH]])
    expected_at: datetime | None


class LateRiskOut(Answer):
    """How probable it is that an open handoff comes after its promised date."""

    run_id: int
    handoff_id: str
    probability: float = Field(examples=[0.42])
    reasons: list[Any] = Field(examples=[["the lane's last five took longer than promised"]])
    promised_at: datetime | None


@router.get("/disruptions", response_model=Page[DisruptionOut], responses=problems.responses(400, 401, 403, 406))
def get_disruptions(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    kind: Annotated[str | None, Query(max_length=50)] = None,
    severity: Annotated[str | None, Query(max_length=50)] = None,
    subject: Annotated[str | None, Query(max_length=500)] = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Disruptions of the newest forecast run, soonest first."""
    wanted = {"kind": kind, "severity": severity, "subject": subject}
    with Session(request.app.state.engine) as session:
        items, more = foresight.list_disruptions(session, wanted, per_page, next_page_token)
        return Page[DisruptionOut](items=[DisruptionOut.model_validate(item) for item in items], next=more)


@router.get("/disruptions/late", response_model=Page[LateRiskOut], responses=problems.responses(400, 401, 403, 406))
def get_late_risks(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Open handoffs by the probability that they come late, highest first."""
    with Session(request.app.state.engine) as session:
        items, more = foresight.list_late_risks(session, per_page, next_page_token)
        return Page[LateRiskOut](items=[LateRiskOut.model_validate(item) for item in items], next=more)
