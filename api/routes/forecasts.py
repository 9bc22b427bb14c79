"""``/forecasts``: demand and transit times to come, with intervals and how the models did on the past."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlmodel import Session

from api import foresight, problems
from api.answers import GTIN, PGLN
from api.auth import MAY_QUERY
from api.models import Answer, Page
from api.paging import PageSize, PageToken
from api.parameters import Identifier
from api.routing import ApiRoute
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["foresight"])
Kind = Annotated[Literal["demand", "transit", "dwell"] | None, Query()]
Level = Annotated[Literal["bottom", "product", "place", "country", "party", "all"] | None, Query()]
Country = Annotated[str | None, Query(max_length=50)]
SeriesId = Annotated[str | None, Query(alias="uniqueId", max_length=1000, description="One series")]


class RunOut(Answer):
    """One run of forecasting."""

    id: int
    created_at: datetime
    block: int | None = Field(description="Last block of the history it learned from", examples=[17])
    freq: str | None = Field(examples=["W"])
    horizon: int | None = Field(examples=[8])
    data_digest: str | None = Field(description="Digest of the rows it learned from")
    code_version: str | None
    seconds: float | None
    summary: dict[str, Any] = Field(examples=[{}])


class BacktestOut(Answer):
    """How a model did on the series' past."""

    model: str = Field(examples=["seasonal_naive"])
    metric: str = Field(examples=["mase"])
    value: float = Field(examples=[1.0])


class SeriesOut(Answer):
    """A series that was looked at, forecast or not."""

    run_id: int
    unique_id: str
    kind: str = Field(examples=["demand"])
    product: str | None = Field(examples=[GTIN])
    party: str | None = Field(examples=[PGLN])
    place: str | None
    country: str | None = Field(examples=["DE"])
    freq: str | None = Field(examples=["W"])
    uom: str | None = Field(description="Base unit (UN/ECE Rec 20); null: pieces, or days of transit", examples=["KGM"])
    level: str | None = Field(
        description="bottom, or what it is the sum over: product, place, country, party, all", examples=["bottom"]
    )
    demand_class: str | None = Field(description="smooth, intermittent, erratic or lumpy", examples=["smooth"])
    weights: dict[str, float] | None = Field(
        description="Share of each member in the forecast; null for sums", examples=[{"boosted": 0.4, "prophet": 0.1}]
    )
    chosen_model: str | None = Field(description="combination", examples=["combination"])
    fallback_reason: str | None = Field(description="Members that gave nothing, and why", examples=[None])
    n_obs: int = Field(description="Observations", examples=[104])
    backtests: list[BacktestOut] = Field(
        description="Every member, the naive ones and the combination, on the newest periods, forecast without them"
    )


class ForecastOut(Answer):
    """One predicted value with its 80 % and 95 % intervals."""

    run_id: int
    unique_id: str
    ds: datetime = Field(description="Begin of the period")
    horizon: int = Field(description="Steps ahead, from 1", examples=[1])
    y_hat: float = Field(examples=[120.5])
    lo80: float | None
    hi80: float | None
    lo95: float | None
    hi95: float | None
    quantiles: dict[str, float] | None = Field(
        description="One-sided quantiles by level, for service levels", examples=[{"0.5": 118.0, "0.95": 160.5}]
    )
    model: str = Field(examples=["combination"])


class FindingOut(Answer):
    """Something odd about the data a run learned from, and what was done about it."""

    run_id: int
    number: int
    kind: str = Field(examples=["zero_run"])
    subject: str = Field(
        description="Series; empty: the whole", examples=["demand|https://id.gs1.org/01/09521000001008|"]
    )
    detail: str = Field(examples=["taken for unknown, not for a demand of 0"])
    count: int = Field(description="Values or periods concerned", examples=[3])


@router.get("/forecasts", response_model=Page[ForecastOut], responses=problems.responses(400, 401, 403, 406))
def get_forecasts(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    unique_id: SeriesId = None,
    kind: Kind = None,
    product: Identifier = None,
    country: Country = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Forecasts of the newest run, by series and time. Empty before the first run."""
    wanted = {"kind": kind, "product": product, "country": country}
    with Session(request.app.state.engine) as session:
        items, more = foresight.list_forecasts(session, unique_id, wanted, per_page, next_page_token)
        return Page[ForecastOut](items=[ForecastOut.model_validate(item) for item in items], next=more)


@router.get("/forecasts/series", response_model=Page[SeriesOut], responses=problems.responses(400, 401, 403, 406))
def get_series(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    unique_id: SeriesId = None,
    kind: Kind = None,
    product: Identifier = None,
    party: Identifier = None,
    place: Identifier = None,
    country: Country = None,
    level: Level = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Series of the newest run, with weights and back-test of every member; sums over them too, by ``level``."""
    wanted = {
        "unique_id": unique_id,
        "kind": kind,
        "product": product,
        "party": party,
        "place": place,
        "country": country,
        "level": level,
    }
    with Session(request.app.state.engine) as session:
        series, more = foresight.list_series(session, wanted, per_page, next_page_token)
        backtests = foresight.backtests_of(session, series)
        items = [
            SeriesOut.model_validate({**one.model_dump(), "backtests": backtests[one.unique_id]}) for one in series
        ]
    return Page[SeriesOut](items=items, next=more)


@router.get("/forecasts/findings", response_model=Page[FindingOut], responses=problems.responses(400, 401, 403, 406))
def get_findings(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    kind: Annotated[str | None, Query(max_length=50)] = None,
    subject: Annotated[str | None, Query(max_length=1000, description="One series")] = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """What was odd about the data of the newest run."""
    with Session(request.app.state.engine) as session:
        items, more = foresight.list_findings(session, {"kind": kind, "subject": subject}, per_page, next_page_token)
        return Page[FindingOut](items=[FindingOut.model_validate(item) for item in items], next=more)


@router.get("/forecasts/runs", response_model=Page[RunOut], responses=problems.responses(400, 401, 403, 406))
def get_runs(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Any:
    """The newest runs, and what they learned from."""
    with Session(request.app.state.engine) as session:
        runs = foresight.recent_runs(session, limit)
        return Page[RunOut](items=[RunOut.model_validate(run) for run in runs], next=None)
