"""A whole run on a simulated network's ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

import readmodel
from forecasting import NothingToForecastError, RunSummary, run
from readmodel.forecasts import latest


@pytest.fixture(scope="module")
def summary(engine: Engine) -> RunSummary:
    return run(engine, max_series=16, budget_seconds=60)


def rows(engine: Engine, query: str, **values: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def test_every_series_has_a_forecast_with_nested_intervals(engine: Engine, summary: RunSummary) -> None:
    assert summary.forecast == summary.series >= 16
    counts = rows(
        engine, "SELECT count(*), count(DISTINCT unique_id) FROM forecast WHERE run_id = :run", run=summary.run_id
    )
    assert counts[0][1] == summary.series
    broken = rows(
        engine,
        "SELECT * FROM forecast WHERE NOT (0 <= lo95 AND lo95 <= lo80 AND lo80 <= y_hat AND y_hat <= hi80 AND hi80 <= hi95)",
    )
    assert broken == []


def test_the_choice_is_no_worse_than_naive_on_the_back_test(engine: Engine, summary: RunSummary) -> None:
    pairs = rows(
        engine,
        "SELECT c.value, n.value FROM series s"
        " JOIN backtest c ON c.run_id = s.run_id AND c.unique_id = s.unique_id AND c.model = s.chosen_model"
        " JOIN backtest n ON n.run_id = s.run_id AND n.unique_id = s.unique_id"
        " AND n.model IN ('naive', 'seasonal_naive')"
        " WHERE c.metric = n.metric AND n.metric ="
        " CASE WHEN s.demand_class IN ('intermittent', 'lumpy') THEN 'rmsse' ELSE 'mase' END"
        " AND s.run_id = :run",
        run=summary.run_id,
    )
    assert pairs
    assert all(chosen <= naive + 1e-9 for chosen, naive in pairs)  # type: ignore[operator]
    assert summary.better_than_seasonal_naive is not None
    assert summary.better_than_seasonal_naive > 0


def test_every_series_has_a_choice_beside_both_naive_models(engine: Engine, summary: RunSummary) -> None:
    chosen = rows(engine, "SELECT unique_id, chosen_model FROM series WHERE run_id = :run", run=summary.run_id)
    assert len(chosen) == summary.series
    forecast = rows(engine, "SELECT DISTINCT unique_id, model FROM forecast WHERE run_id = :run", run=summary.run_id)
    assert sorted(chosen) == sorted(forecast)
    tested = rows(
        engine,
        "SELECT unique_id, count(DISTINCT model) FROM backtest WHERE run_id = :run"
        " AND model IN ('naive', 'seasonal_naive') AND metric = 'mase' GROUP BY unique_id",
        run=summary.run_id,
    )
    assert {unique_id for unique_id, _ in tested} == {unique_id for unique_id, _ in chosen}
    assert {count for _, count in tested} == {2}


def test_prophet_took_part(engine: Engine, summary: RunSummary) -> None:
    assert rows(engine, "SELECT 1 FROM backtest WHERE run_id = :run AND model = 'prophet' LIMIT 1", run=summary.run_id)


def test_warnings_name_events_that_are_on_the_ledger(engine: Engine, summary: RunSummary) -> None:
    assert sum(summary.disruptions.values()) > 0
    named = [set(json.loads(str(evidence))) for (evidence,) in rows(engine, "SELECT evidence FROM disruption")]
    hashes = set().union(*named)
    assert hashes
    known = {hash_ for (hash_,) in rows(engine, "SELECT hash FROM event")}
    assert {hash_.split(";")[1].split("?")[0] for hash_ in hashes} <= known


def test_a_second_run_of_the_same_history_says_the_same(engine: Engine, summary: RunSummary) -> None:
    again = run(engine, max_series=16, budget_seconds=60)
    assert again.run_id > summary.run_id
    digests = rows(
        engine, "SELECT DISTINCT data_digest FROM forecast_run WHERE id IN (:a, :b)", a=summary.run_id, b=again.run_id
    )
    assert len(digests) == 1
    assert again.models == summary.models
    newest = latest(engine)
    assert newest is not None
    assert newest.id == again.run_id  # what readers are given
    kept = rows(engine, "SELECT count(DISTINCT unique_id) FROM forecast WHERE run_id = :run", run=summary.run_id)
    assert kept == [(summary.series,)]  # the first can still be scored


def test_an_empty_ledger_is_told(tmp_path: Path) -> None:
    engine = readmodel.open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    readmodel.migrate(engine)
    with pytest.raises(NothingToForecastError, match="no events"):
        run(engine)
    engine.dispose()
