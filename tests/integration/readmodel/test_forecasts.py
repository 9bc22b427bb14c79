"""Results of forecasting are kept whole, read back, and survive a rebuild."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from readmodel import Projector, digest
from readmodel.forecast_tables import Disruption, Forecast, LateRisk, Series
from readmodel.forecasts import latest, prune, runs, save_run
from readmodel.projector import clear
from readmodel.queries import HandoffFilter, handoffs, overview
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.stories import busy_chain

FORECAST = {"unique_id": "s", "ds": datetime(2024, 4, 1, tzinfo=UTC), "horizon": 1, "y_hat": 3.5, "model": "Naive"}


def kept(engine: Engine, model: Any) -> list[Any]:
    with Session(engine) as session:
        return list(session.exec(select(model)).all())


def test_a_run_is_read_back_as_it_was_saved(engine: Engine) -> None:
    frame = pd.DataFrame([{**FORECAST, "ds": pd.Timestamp("2024-04-01"), "lo80": math.nan, "hi80": 4.5}])
    run = save_run(
        engine,
        series=[{"unique_id": "s", "kind": "demand", "n_obs": 30, "product": c.GTIN}],
        forecasts=frame.to_dict("records"),
        disruptions=[{"id": "d", "kind": "stockout", "severity": "high", "subject": c.GTIN, "detail": "…"}],
        freq="W",
        horizon=8,
        summary={"series": 1},
    )
    found = latest(engine)
    assert found is not None
    assert (found.id, found.freq, found.horizon, found.summary) == (run, "W", 8, {"series": 1})
    (forecast,) = kept(engine, Forecast)
    assert (forecast.ds, forecast.lo80, forecast.hi80, forecast.lo95) == (FORECAST["ds"], None, 4.5, None)
    assert kept(engine, Series)[0].product == c.GTIN
    assert kept(engine, Disruption)[0].evidence == []


def test_a_run_is_whole_or_not_at_all(engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        save_run(engine, series=[{"unique_id": "s", "kind": "demand", "n_obs": 1}], forecasts=[FORECAST, FORECAST])
    assert latest(engine) is None
    assert kept(engine, Series) == []


def test_old_runs_are_pruned(engine: Engine) -> None:
    ids = [save_run(engine, forecasts=[FORECAST]) for _ in range(3)]
    assert [one.id for one in runs(engine)] == ids[::-1]
    assert prune(engine, keep=1) == 2
    assert [one.run_id for one in kept(engine, Forecast)] == [ids[-1]]


def test_results_are_no_part_of_what_blocks_make(engine: Engine) -> None:
    chain = busy_chain()
    Projector(engine).apply(chain.blocks)
    before = digest(engine)
    save_run(engine, forecasts=[FORECAST])
    assert digest(engine) == before
    clear(engine)
    Projector(engine).apply(chain.blocks)
    assert digest(engine) == before
    assert len(kept(engine, Forecast)) == 1


def test_the_newest_run_is_shown_with_handoffs_and_overview(engine: Engine) -> None:
    Projector(engine).apply(busy_chain().blocks)
    save_run(engine, late_risks=[{"handoff_id": "h2", "probability": 0.1}])
    warned = [
        {"id": name, "kind": "late", "severity": severity, "subject": "h2", "detail": "…"}
        for name, severity in (("a", "low"), ("b", "critical"), ("c", "high"))
    ]
    risk = {"handoff_id": "h2", "probability": 0.7, "reasons": ["lane"], "promised_at": c.moment(60)}
    run = save_run(engine, late_risks=[risk], disruptions=warned)
    assert {one.run_id for one in kept(engine, LateRisk)} == {run - 1, run}
    with engine.connect() as connection:
        probabilities = {one.id: one.late_probability for one in handoffs(connection, HandoffFilter()).items}
        now = overview(connection, c.moment(61))
    assert probabilities == {"h1": None, "h2": 0.7, "h3": None}
    assert now.forecast_run == run
    assert [one.id for one in now.risks] == ["b", "c", "a"]
