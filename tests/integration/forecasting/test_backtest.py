"""The recipe on tables of several kinds: sane, without looking ahead, the same again, resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import demand_sets
from forecasting import backtest, doing
from forecasting.backtest import COMBINATION, Backtest
from forecasting.file import read
from forecasting.panel import Panel
from forecasting.recipe import Plan


def panel(tmp_path: Path, frame: pd.DataFrame, horizon: int, known: tuple[str, ...] = (), **options: str) -> Panel:
    path = tmp_path / "demand.parquet"
    frame.to_parquet(path, index=False)
    return read(path, horizon=horizon, regressors=known, **options).panel  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    frame = demand_sets.consumer_goods(5, 4, months=48)
    return panel(tmp_path_factory.mktemp("goods"), frame, 6, ("price", "discount"))


@pytest.fixture(scope="module")
def judged(goods: Panel) -> Backtest:
    return backtest.backtest(goods, origins=2, step=3, processes=2)


def test_the_combination_beats_the_naive_ones_and_is_calibrated(judged: Backtest) -> None:
    own = judged.scores[COMBINATION]
    for bar in ("naive", "seasonal_naive"):
        assert own["mase"] < 0.9 * judged.scores[bar]["mase"]  # type: ignore[operator]
    assert (own["mase"] or 9) <= 1.1 * min(score["mase"] or 9 for score in judged.scores.values())
    assert own["coverage80"] == pytest.approx(0.8, abs=0.12)
    assert own["coverage95"] == pytest.approx(0.95, abs=0.06)


def test_prophet_and_statsmodels_have_their_part(judged: Backtest) -> None:
    (weights,) = judged.weights.values()
    assert weights["prophet"] >= 0.015
    assert weights["regression"] >= 0.015
    assert sum(share for name, share in weights.items() if name != "series") == pytest.approx(1, abs=0.001)


def test_rows_are_whole_finite_and_nested(judged: Backtest) -> None:
    rows = judged.rows
    assert len(rows) == 20 * 2 * 6
    assert not rows.duplicated(["unique_id", "cutoff", "ds"]).any()
    assert (rows["ds"] > rows["cutoff"]).all()
    assert np.isfinite(rows.drop(columns=["unique_id", "cutoff", "ds"]).to_numpy(dtype=float)).all()
    assert (rows["lo95"] <= rows["lo80"]).all()
    assert (rows["lo80"] <= rows[COMBINATION]).all()
    assert (rows[COMBINATION] <= rows["hi80"]).all()
    assert (rows["hi80"] <= rows["hi95"]).all()
    assert (rows["hi95"] > rows["lo95"]).all()


def test_what_came_later_changes_no_earlier_forecast(goods: Panel, judged: Backtest) -> None:
    """Other values, other lengths of zero runs and other things known only afterwards: the older moment says the same."""
    width = goods.y.shape[1]
    y = goods.y.copy()
    y[:, width - 6 :] = np.where(np.arange(len(y))[:, None] % 2 == 0, 0.0, 50 * y[:, width - 6 :])
    other = backtest.backtest(replace(goods, y=y), origins=2, step=3, processes=2)
    key = ["unique_id", "ds"]
    before, after = (
        one.rows[one.rows["cutoff"] == one.rows["cutoff"].min()].sort_values(key) for one in (judged, other)
    )
    same = [name for name in before.columns if name != "y"]
    pd.testing.assert_frame_equal(before[same].reset_index(drop=True), after[same].reset_index(drop=True))


def test_work_that_was_interrupted_goes_on_and_says_the_same(goods: Panel, judged: Backtest, tmp_path: Path) -> None:
    class InterruptedWorkError(Exception):
        pass

    path, told = tmp_path / "work.sqlite", []

    def stop(stage: str, done: int, total: int) -> None:
        if done == 5:
            raise InterruptedWorkError

    with pytest.raises(InterruptedWorkError), doing.file(path) as kept:
        backtest.backtest(goods, origins=2, step=3, processes=1, kept=kept, tell=stop)
    with doing.file(path) as kept:
        found = backtest.backtest(
            goods, origins=2, step=3, processes=1, kept=kept, tell=lambda stage, done, total: told.append(done)
        )
    assert told[0] == 5  # what was done was not done again
    assert not path.exists()
    pd.testing.assert_frame_equal(found.rows, judged.rows)
    assert found.scores == judged.scores


def test_shops_with_closures_promotions_and_holidays(tmp_path: Path) -> None:
    frame = demand_sets.shop_sales(6, days=500)
    shops = panel(tmp_path, frame, 28, ("open", "promo", "school_holiday"), country="DE")
    found = backtest.backtest(shops, origins=1, step=28, processes=2)
    assert (found.scores[COMBINATION]["wape"] or 99) < 11  # the noise alone is about 6.5
    assert found.scores["seasonal_naive"]["wape"] > 13  # type: ignore[operator]
    closed = frame.assign(ds=frame["ds"])[frame["open"] == 0][["unique_id", "ds"]].merge(
        found.rows, on=["unique_id", "ds"]
    )
    assert len(closed) > 10
    assert (closed["hi95"] == 0).all()


def test_parts_that_are_seldom_asked_for(tmp_path: Path) -> None:
    parts = panel(tmp_path, demand_sets.spare_parts(80), 6)
    found = backtest.backtest(parts, origins=1, step=6, processes=2)
    assert set(found.weights) <= {"regular", "intermittent"}
    assert {"adida", "imapa", "tsb", "counts", "boosted", "prophet"} <= set(found.weights["intermittent"])
    assert found.scores[COMBINATION]["rmse"] < found.scores["naive"]["rmse"]  # type: ignore[operator]
    assert (found.rows["lo95"] >= 0).all()


@pytest.mark.parametrize("length", [5, 9, 13, 23, 26, 41])
def test_short_histories_are_forecast_all_the_same(length: int) -> None:
    generator = np.random.default_rng(length)
    y = 50 + 20 * np.sin(np.arange(length) * np.pi / 6) + generator.normal(0, 2, (3, length))
    dates = pd.date_range("2022-01-01", periods=length + 3, freq="MS")
    from forecasting.series import Frequency

    short = Panel(("a", "b", "c"), y, dates, Frequency("MS", 12, 3, 12), np.empty((3, length + 3, 0)))
    found = backtest.backtest(short, origins=1, step=3, processes=1)
    assert np.isfinite(found.rows[COMBINATION]).all()
    assert (found.rows["hi95"] > found.rows["lo95"]).all()


def test_nobody_is_asked_what_the_clock_says(goods: Panel) -> None:
    one, other = Plan.of(goods, (6, 9)), Plan.of(goods, (9, 6))
    assert [unit.key for unit in one.units()] == [unit.key for unit in other.units()]
    assert backtest.identity(goods, (6, 9)) == backtest.identity(goods, (6, 9))
    assert backtest.identity(goods, (6, 9)) != backtest.identity(replace(goods, country="DE"), (6, 9))


def test_too_short_for_so_many_moments(goods: Panel) -> None:
    with pytest.raises(ValueError, match="no series is longer than"):
        backtest.backtest(goods, origins=50, step=6)
