"""Keep and read the results of forecasting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlmodel import Session, SQLModel, col

from readmodel.forecast_tables import (
    FORECAST_TABLES,
    Backtest,
    Disruption,
    Forecast,
    ForecastFinding,
    ForecastRun,
    ForecastWork,
    LateRisk,
    Series,
)

Rows = Iterable[Mapping[str, Any]]


def save_run(
    engine: Engine,
    *,
    series: Rows = (),
    forecasts: Rows = (),
    backtests: Rows = (),
    late_risks: Rows = (),
    disruptions: Rows = (),
    findings: Rows = (),
    created_at: datetime | None = None,
    block: int | None = None,
    freq: str | None = None,
    horizon: int | None = None,
    data_digest: str | None = None,
    code_version: str | None = None,
    seconds: float | None = None,
    summary: Mapping[str, Any] | None = None,
) -> int:
    """Write a whole run in one transaction and return its id.

    Rows are mappings with the columns of the table of that name without ``run_id``
    (``DataFrame.to_dict("records")`` will do). Times are aware datetimes, or naive ones meant as UTC; a
    missing or not-a-number value of an optional column is stored as null. A reader sees the whole run or
    nothing of it.

        run_id = save_run(engine, block=17, freq="W", horizon=8, series=[…], forecasts=[…])
    """
    run = ForecastRun(
        created_at=created_at or datetime.now(UTC),
        block=block,
        freq=freq,
        horizon=horizon,
        data_digest=data_digest,
        code_version=code_version,
        seconds=seconds,
        summary=dict(summary or {}),
    )
    tables: tuple[tuple[type[SQLModel], Rows], ...] = (
        (Series, series),
        (Forecast, forecasts),
        (Backtest, backtests),
        (LateRisk, late_risks),
        (Disruption, disruptions),
        (ForecastFinding, ({"number": number, **row} for number, row in enumerate(findings))),
    )
    with Session(engine) as session:
        session.add(run)
        session.flush()
        run_id = run.id
        assert run_id is not None, "the database gives the id on flush"
        for model, rows in tables:
            _insert(session.connection(), model, run_id, rows)
        session.commit()
    return run_id


class Work:
    """Finished pieces of a run, kept in the read model's database until the run is whole."""

    def __init__(self, engine: Engine, plan: str) -> None:
        self._engine, self._plan = engine, plan

    def load(self) -> dict[str, bytes]:
        """What of this plan is done; pieces of other plans, which nobody will ask for again, are deleted."""
        with self._engine.begin() as connection:
            connection.execute(delete(ForecastWork).where(col(ForecastWork.plan) != self._plan))
            found = connection.execute(select(col(ForecastWork.piece), col(ForecastWork.data)))
            return {str(row[0]): bytes(row[1]) for row in found}

    def keep(self, key: str, piece: bytes) -> None:
        """Keep one."""
        with self._engine.begin() as connection:
            connection.execute(insert(ForecastWork), [{"plan": self._plan, "piece": key, "data": piece}])

    def forget(self) -> None:
        """The run is whole."""
        with self._engine.begin() as connection:
            connection.execute(delete(ForecastWork).where(col(ForecastWork.plan) == self._plan))


def latest(engine: Engine) -> ForecastRun | None:
    """The newest run, or None before the first."""
    with Session(engine) as session:
        return session.scalars(select(ForecastRun).order_by(col(ForecastRun.id).desc()).limit(1)).first()


def runs(engine: Engine, limit: int = 50) -> Sequence[ForecastRun]:
    """The newest runs first."""
    with Session(engine) as session:
        return session.scalars(select(ForecastRun).order_by(col(ForecastRun.id).desc()).limit(limit)).all()


def prune(engine: Engine, keep: int) -> int:
    """Delete all but the newest ``keep`` runs; returns how many went."""
    with Session(engine) as session:
        newest_first = select(col(ForecastRun.id)).order_by(col(ForecastRun.id).desc())
        old = session.scalars(newest_first.offset(keep)).all()
        for model in FORECAST_TABLES:
            column = model.__table__.c["id" if model is ForecastRun else "run_id"]  # type: ignore[attr-defined]
            session.connection().execute(delete(model).where(column.in_(old)))
        session.commit()
    return len(old)


def _insert(connection: Connection, model: type[SQLModel], run_id: int, rows: Rows) -> None:
    names = [name for name in model.model_fields if name != "run_id"]
    values = [{"run_id": run_id, **{name: _plain(row.get(name)) for name in names}} for row in rows]
    for value in values:
        for name in ("reasons", "evidence"):
            if name in value and value[name] is None:
                value[name] = []
    if values:
        connection.execute(insert(model), values)


def _plain(value: Any) -> Any:
    """A value a database takes: pandas' and NumPy's kinds of missing become None, its scalars Python's."""
    if hasattr(value, "to_pydatetime"):  # pandas Timestamp, or NaT
        value = value.to_pydatetime() if value == value else None
    elif hasattr(value, "item") and not isinstance(value, (list, dict, str)):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
