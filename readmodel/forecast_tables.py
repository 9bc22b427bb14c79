"""The tables of results that forecasting writes. Not made from blocks: a rebuild leaves them alone.

They name things by their ledger identifiers (text), never by the read model's own ids, so that they
outlive it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from readmodel.columns import Id, Json, Timestamp


class ForecastRun(SQLModel, table=True):
    """One run of forecasting: what it learned from and when."""

    __tablename__ = "forecast_run"

    id: int | None = Field(default=None, primary_key=True, sa_type=Id)
    created_at: datetime = Field(sa_type=Timestamp)
    block: int | None = Field(default=None, sa_type=Id)
    """The last block the history was read up to."""
    freq: str | None = None
    horizon: int | None = None
    data_digest: str | None = None
    code_version: str | None = None
    seconds: float | None = None
    summary: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class Series(SQLModel, table=True):
    """A series that was looked at, forecast or not, and why."""

    __table_args__: ClassVar[Any] = (
        Index("ix_series_kind", "run_id", "kind"),
        Index("ix_series_product", "run_id", "product"),
    )

    run_id: int = Field(primary_key=True, sa_type=Id)
    unique_id: str = Field(primary_key=True)
    kind: str
    """demand, transit or dwell."""
    product: str | None = None
    party: str | None = None
    place: str | None = None
    country: str | None = None
    freq: str | None = None
    uom: str | None = None
    """UN/ECE Rec 20 code of the base unit; none: pieces (or days, of transit)."""
    level: str | None = None
    """bottom, or what the series is the sum over: product, place, country, party, all."""
    demand_class: str | None = None
    """smooth, intermittent, erratic or lumpy."""
    weights: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """Share of each member in the forecast."""
    chosen_model: str | None = None
    fallback_reason: str | None = None
    n_obs: int


class Forecast(SQLModel, table=True):
    """A predicted value with its 80 % and 95 % intervals."""

    run_id: int = Field(primary_key=True, sa_type=Id)
    unique_id: str = Field(primary_key=True)
    ds: datetime = Field(primary_key=True, sa_type=Timestamp)
    horizon: int
    """Steps ahead, from 1."""
    y_hat: float
    lo80: float | None = None
    hi80: float | None = None
    lo95: float | None = None
    hi95: float | None = None
    quantiles: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """Value by level: one-sided, for service levels."""
    model: str


class Backtest(SQLModel, table=True):
    """How a model did on a series' past."""

    run_id: int = Field(primary_key=True, sa_type=Id)
    unique_id: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    value: float


class LateRisk(SQLModel, table=True):
    """The calibrated probability that an open handoff arrives after its promised date."""

    __tablename__ = "late_risk"
    __table_args__: ClassVar[Any] = (Index("ix_late_risk_probability", "run_id", "probability"),)

    run_id: int = Field(primary_key=True, sa_type=Id)
    handoff_id: str = Field(primary_key=True)
    probability: float
    reasons: list[Any] = Field(default_factory=list, sa_type=Json)
    promised_at: datetime | None = Field(default=None, sa_type=Timestamp)


class Disruption(SQLModel, table=True):
    """Something that will go, or is going, wrong, with the events that show it."""

    __table_args__: ClassVar[Any] = (Index("ix_disruption_kind", "run_id", "kind"),)

    run_id: int = Field(primary_key=True, sa_type=Id)
    id: str = Field(primary_key=True)
    kind: str
    severity: str
    subject: str
    """The identifier (handoff, product, place, lane …) it is about."""
    detail: str
    evidence: list[str] = Field(default_factory=list, sa_type=Json)
    """Event hashes (ni URIs)."""
    expected_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ForecastFinding(SQLModel, table=True):
    """Something odd about the data a run learned from, and what was done about it."""

    __tablename__ = "forecast_finding"

    run_id: int = Field(primary_key=True, sa_type=Id)
    number: int = Field(primary_key=True, sa_type=Id)
    kind: str
    subject: str
    """A series, product or place; empty: the whole."""
    detail: str
    count: int


class ForecastWork(SQLModel, table=True):
    """A finished piece of a run that is not finished: an interrupted run goes on from here."""

    __tablename__ = "forecast_work"

    plan: str = Field(primary_key=True)
    """Digest of all that the piece depends on."""
    piece: str = Field(primary_key=True)
    data: bytes


FORECAST_TABLES: tuple[type[SQLModel], ...] = (
    ForecastRun,
    Series,
    Forecast,
    Backtest,
    LateRisk,
    Disruption,
    ForecastFinding,
)
WORK_TABLES: tuple[type[SQLModel], ...] = (ForecastWork,)
