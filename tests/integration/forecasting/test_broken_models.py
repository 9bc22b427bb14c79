"""A run in which one model hangs, one takes its process with it, and one diverges."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import time

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from forecasting import contest, run
from forecasting.metrics import Array
from forecasting.models import forecast_origins

running = importlib.import_module("forecasting.run")  # the package gives the function under this name


def break_some(
    name: str, y: Array, season: int, horizon: int, dates: pd.DatetimeIndex, origins: tuple[int, ...]
) -> list[Array]:
    """The real models but for three; works inside the worker process."""
    if name == "theta":
        time.sleep(3600)
    if name == "ets":
        os._exit(3)
    if name == "auto_theta":
        return [np.full(horizon, 1e48) for _ in origins]
    return forecast_origins(name, y, season, horizon, dates, origins)


def test_broken_models_are_left_out_and_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "forecast_origins", break_some)
    monkeypatch.setattr(running, "_FIT_SECONDS", 6.0)
    summary = run(engine, max_series=3, budget_seconds=300)
    with engine.connect() as connection:
        query = "SELECT chosen_model, fallback_reason FROM series WHERE run_id = :run AND demand_class IN ('smooth', 'erratic')"
        regular = connection.execute(text(query), {"run": summary.run_id}).all()
        values = connection.execute(text("SELECT y_hat FROM forecast WHERE run_id = :run"), {"run": summary.run_id})
        assert max(value for (value,) in values) < 1e9
    assert regular
    for chosen, reason in regular:
        assert chosen not in ("theta", "ets", "auto_theta")
        assert "theta: it took too long" in reason
        assert "ets: the worker process died" in reason
        assert "auto_theta: it diverges" in reason
    assert summary.fallbacks >= len(regular)
    assert multiprocessing.active_children() == []
