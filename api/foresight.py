"""Reads the newest forecast run. A run is written in one transaction, so what is read here is complete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, SQLModel, col

from api.paging import position, token_of
from readmodel.forecast_tables import (
    Backtest,
    Disruption,
    Forecast,
    ForecastFinding,
    ForecastRun,
    LateRisk,
    Series,
)

Condition = ColumnElement[bool]


def newest_run(session: Session) -> ForecastRun | None:
    """The newest run, None before the first."""
    return session.scalars(select(ForecastRun).order_by(col(ForecastRun.id).desc()).limit(1)).first()


def recent_runs(session: Session, limit: int) -> Sequence[ForecastRun]:
    """The newest runs first."""
    return session.scalars(select(ForecastRun).order_by(col(ForecastRun.id).desc()).limit(limit)).all()


def list_series(
    session: Session, wanted: dict[str, str | None], per_page: int, token: str | None
) -> tuple[Sequence[Series], str | None]:
    """Series of the newest run whose columns have the ``wanted`` values, by id."""
    conditions = [getattr(Series, name) == value for name, value in wanted.items() if value is not None]
    return _page(session, Series, conditions, (col(Series.unique_id),), per_page, token)


def backtests_of(session: Session, series: Sequence[Series]) -> dict[str, list[Backtest]]:
    """The back-tests of some series of one run."""
    found: dict[str, list[Backtest]] = {one.unique_id: [] for one in series}
    if not series:
        return found
    query = (
        select(Backtest)
        .where(col(Backtest.run_id) == series[0].run_id, col(Backtest.unique_id).in_(list(found)))
        .order_by(col(Backtest.unique_id), col(Backtest.model), col(Backtest.metric))
    )
    for row in session.scalars(query):
        found[row.unique_id].append(row)
    return found


def list_forecasts(
    session: Session, unique_id: str | None, wanted: dict[str, str | None], per_page: int, token: str | None
) -> tuple[Sequence[Forecast], str | None]:
    """Forecasts of the newest run, of one series or of all whose columns have the ``wanted`` values."""
    conditions: list[Condition] = []
    if unique_id is not None:
        conditions.append(col(Forecast.unique_id) == unique_id)
    given = {name: value for name, value in wanted.items() if value is not None}
    if given:
        run = select(func.max(col(ForecastRun.id))).scalar_subquery()
        matching = select(col(Series.unique_id)).where(
            col(Series.run_id) == run, *(getattr(Series, name) == value for name, value in given.items())
        )
        conditions.append(col(Forecast.unique_id).in_(matching))
    order = (col(Forecast.unique_id), col(Forecast.ds))
    return _page(session, Forecast, conditions, order, per_page, token)


def list_late_risks(session: Session, per_page: int, token: str | None) -> tuple[Sequence[LateRisk], str | None]:
    """Open handoffs of the newest run, the most endangered first."""
    order = (col(LateRisk.probability).desc(), col(LateRisk.handoff_id))
    return _page(session, LateRisk, [], order, per_page, token)


def list_findings(
    session: Session, wanted: dict[str, str | None], per_page: int, token: str | None
) -> tuple[Sequence[ForecastFinding], str | None]:
    """What was odd about the data of the newest run."""
    conditions = [getattr(ForecastFinding, name) == value for name, value in wanted.items() if value is not None]
    return _page(session, ForecastFinding, conditions, (col(ForecastFinding.number),), per_page, token)


def list_disruptions(
    session: Session, wanted: dict[str, str | None], per_page: int, token: str | None
) -> tuple[Sequence[Disruption], str | None]:
    """Disruptions of the newest run, soonest first."""
    conditions = [getattr(Disruption, name) == value for name, value in wanted.items() if value is not None]
    order = (col(Disruption.expected_at).is_(None), col(Disruption.expected_at), col(Disruption.id))
    return _page(session, Disruption, conditions, order, per_page, token)


def _page(
    session: Session,
    model: type[SQLModel],
    conditions: Sequence[Condition],
    order: Sequence[Any],
    per_page: int,
    token: str | None,
) -> tuple[Sequence[Any], str | None]:
    """Rows of the newest run. A run never changes, so a page may be named by where it begins."""
    first = position(token) or 0
    run = select(func.max(col(ForecastRun.id))).scalar_subquery()
    query: Select[Any] = select(model).where(model.run_id == run, *conditions)  # type: ignore[attr-defined]
    rows = session.scalars(query.order_by(*order).offset(first).limit(per_page + 1)).all()
    more = token_of(first + per_page) if len(rows) > per_page else None
    return rows[:per_page], more
