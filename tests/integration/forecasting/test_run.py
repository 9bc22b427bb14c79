"""A whole run on a simulated network's ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

import readmodel
from forecasting import history, snapshot
from forecasting.run import NothingToForecastError, RunSummary, run
from readmodel.forecasts import latest


@pytest.fixture(scope="module")
def summary(engine: Engine) -> RunSummary:
    return run(engine, max_series=16)


def rows(engine: Engine, query: str, **values: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def test_every_series_has_a_forecast_with_nested_intervals(engine: Engine, summary: RunSummary) -> None:
    assert summary.forecast == summary.series >= 16
    counts = rows(
        engine, "SELECT count(*), count(DISTINCT unique_id) FROM forecast WHERE run_id = :run", run=summary.run_id
    )
    assert counts[0][1] == summary.series + summary.totals
    broken = rows(
        engine,
        "SELECT * FROM forecast WHERE NOT (0 <= lo95 AND lo95 <= lo80 AND lo80 <= y_hat AND y_hat <= hi80 AND hi80 <= hi95)",
    )
    assert broken == []


def test_every_series_is_scored_beside_both_naive_models(engine: Engine, summary: RunSummary) -> None:
    tested = rows(
        engine,
        "SELECT s.unique_id, count(DISTINCT b.model) FROM series s LEFT JOIN backtest b ON b.run_id = s.run_id"
        " AND b.unique_id = s.unique_id AND b.model IN ('naive', 'seasonal_naive', 'combination') AND b.metric = 'mase'"
        " WHERE s.run_id = :run AND s.n_obs > 60 GROUP BY s.unique_id",
        run=summary.run_id,
    )
    assert {count for _, count in tested} == {3}
    # not the minimum of what is compared: the newest periods, of which no weight and no interval had known
    assert summary.better_than_seasonal_naive is not None
    assert summary.better_than_seasonal_naive > 0


def test_prophet_and_statsmodels_have_a_part_in_every_forecast(engine: Engine, summary: RunSummary) -> None:
    found = rows(engine, "SELECT weights, level FROM series WHERE run_id = :run", run=summary.run_id)
    weights = [json.loads(str(one)) for one, level in found if level == "bottom"]
    assert len(weights) == summary.series
    for one in weights:
        assert {"prophet", "regression"} <= set(one)
        assert sum(one.values()) == pytest.approx(1, abs=0.01)
    assert sum(one["prophet"] for one in weights) > 0


def test_sums_are_the_sums_of_their_parts(engine: Engine, summary: RunSummary) -> None:
    assert summary.totals > 0
    for level in ("product", "place", "all"):
        key = "''" if level == "all" else f"s.{level}"
        wanted = (
            f"SELECT {key}, f.ds, sum(f.y_hat) FROM series s JOIN forecast f ON f.run_id = s.run_id AND f.unique_id = s.unique_id"
            f" WHERE s.run_id = :run AND s.kind = 'demand' AND s.level = :level GROUP BY {key}, f.ds"
        )
        totals = {row[:2]: row[2] for row in rows(engine, wanted, run=summary.run_id, level=level)}
        parts = {row[:2]: row[2] for row in rows(engine, wanted, run=summary.run_id, level="bottom")}
        assert totals
        assert all(total == pytest.approx(parts[which], abs=0.001) for which, total in totals.items())


def test_warnings_name_events_that_are_on_the_ledger(engine: Engine, summary: RunSummary) -> None:
    assert sum(summary.disruptions.values()) > 0
    named = [set(json.loads(str(evidence))) for (evidence,) in rows(engine, "SELECT evidence FROM disruption")]
    hashes = set().union(*named)
    assert hashes
    known = {hash_ for (hash_,) in rows(engine, "SELECT hash FROM event")}
    assert {hash_.split(";")[1].split("?")[0] for hash_ in hashes} <= known


def published(engine: Engine, run_id: int) -> list[list[tuple[object, ...]]]:
    tables = ("series", "forecast", "backtest", "late_risk", "disruption", "forecast_finding")
    columns = {
        name: ", ".join(row[1] for row in rows(engine, f"PRAGMA table_info({name})") if row[1] != "run_id")  # type: ignore[misc]
        for name in tables
    }
    return [
        rows(engine, f"SELECT {columns[name]} FROM {name} WHERE run_id = :run ORDER BY {columns[name]}", run=run_id)
        for name in tables
    ]


def test_on_a_busy_machine_with_other_processes_the_same_bytes(engine: Engine, summary: RunSummary) -> None:
    """One worker beside a process that never rests, instead of two: every row of every table is the same."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        again = run(engine, max_series=16, processes=1)
    finally:
        busy.kill()
        busy.wait()
    assert again.run_id > summary.run_id
    assert published(engine, again.run_id) == published(engine, summary.run_id)
    digests = rows(
        engine,
        "SELECT DISTINCT data_digest, block FROM forecast_run WHERE id IN (:a, :b)",
        a=summary.run_id,
        b=again.run_id,
    )
    assert len(digests) == 1
    newest = latest(engine)
    assert newest is not None
    assert newest.id == again.run_id  # what readers are given
    assert rows(engine, "SELECT count(*) FROM forecast_work") == [(0,)]


def test_the_digest_covers_promises_and_parameters(engine: Engine) -> None:
    seen = snapshot.take(engine, None, None)
    assert seen is not None
    moved = [replace(one, promised=one.promised + timedelta(days=1)) for one in seen.journeys]
    assert seen.digest() != replace(seen, journeys=moved).digest()
    assert seen.digest(freq="W") != seen.digest(freq="D")
    assert seen.digest() == replace(seen, block=99).digest()


def test_a_block_that_comes_meanwhile_is_not_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(engine, "SELECT max(number) FROM block")
    demand = history.demand

    def and_a_block(*arguments: Any) -> Any:
        with engine.begin() as other:
            other.execute(
                text(
                    "INSERT INTO block (number, header_hash, previous_hash, data_hash, transactions) VALUES (90000, 'a', 'b', 'c', 0)"
                )
            )
        return demand(*arguments)

    monkeypatch.setattr(history, "demand", and_a_block)
    try:
        seen = snapshot.take(engine, None, None)
        assert seen is not None
        assert [(seen.block,)] == before
    finally:
        with engine.begin() as other:
            other.execute(text("DELETE FROM block WHERE number = 90000"))


def test_an_empty_ledger_is_told(tmp_path: Path) -> None:
    engine = readmodel.open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    readmodel.migrate(engine)
    with pytest.raises(NothingToForecastError, match="no events"):
        run(engine)
    engine.dispose()
