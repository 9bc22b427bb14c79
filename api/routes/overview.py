"""``/overview``: the morning's numbers in one answer."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import problems
from api.answers import GLN
from api.auth import MAY_QUERY
from api.models import Answer
from api.parameters import AsOf, moment_of
from api.routes.handoffs import HandoffOut
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.overview import overview

router = APIRouter(route_class=ApiRoute, tags=["trace"])


class LaneOut(Answer):
    """How much is on its way from one place to another."""

    from_place: str | None = Field(examples=[GLN])
    from_name: str | None = Field(examples=["Green Farm, cold store"])
    to_place: str | None = Field(examples=[GLN])
    to_name: str | None
    handoffs: int = Field(examples=[12])
    late: int = Field(examples=[1])


class DayCountOut(Answer):
    """Movements of one kind on one day (UTC)."""

    day: dt.date
    flow: str = Field(examples=["shipped"])
    movements: int = Field(examples=[40])


class RiskOut(Answer):
    """A warning of the newest forecast run; ``GET /disruptions`` has the evidence."""

    id: str
    kind: str = Field(examples=["late_handoff"])
    severity: str = Field(examples=["high"])
    subject: str
    detail: str
    expected_at: dt.datetime | None


class OverviewOut(Answer):
    """The state of the network."""

    at: dt.datetime
    block: int | None = Field(description="Last block in the read model", examples=[17])
    recorded_at: dt.datetime | None = Field(description="Time of the last transaction")
    newest_event: dt.datetime | None = Field(description="Time of the newest event")
    events: int
    things: int
    parties: int
    places: int
    transactions: int
    invalid_transactions: int
    in_transit: int = Field(description="Handoffs released and not accepted")
    late: int = Field(description="Of those, promised before now")
    handoffs: int
    open_exceptions: dict[str, int] = Field(description="By kind", examples=[{"shortage": 2}])
    refusals: int = Field(description="Attempts that the contract refused in these days: `GET /refusals`", examples=[0])
    quarantined: int = Field(description="Records on the ledger that cannot be read: `GET /quarantine`", examples=[0])
    lanes: list[LaneOut] = Field(description="The busiest")
    most_late: list[HandoffOut]
    movements: list[DayCountOut]
    risks: list[RiskOut]
    forecast_run: int | None


@router.get("/overview", response_model=OverviewOut, responses=problems.responses(400, 401, 403, 406))
def get_overview(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    days: Annotated[int, Query(ge=1, le=3660, description="Movements of so many days")] = 30,
    top: Annotated[int, Query(ge=1, le=100, description="Length of each list")] = 10,
    as_of: AsOf = None,
) -> Any:
    """What moves, what is late, what may go wrong, as of now or of the end of a day."""
    with request.app.state.engine.connect() as connection:
        return overview(connection, moment_of(as_of), days=days, top=top)
