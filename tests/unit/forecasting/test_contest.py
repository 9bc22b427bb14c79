"""The choice of a model, and what happens to models that fail."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from forecasting.contest import Entry, choose, collect, judge, origins_of
from forecasting.guards import ImplausibleError, checked
from forecasting.intervals import Conformal
from forecasting.models import contestants, naive, seasonal_naive, window_average
from forecasting.series import DAILY, Series
from forecasting.workers import Result

START = datetime(2024, 1, 1, tzinfo=UTC)
Y = np.tile(np.array([10.0, 12, 11, 13, 12, 20, 5]), 30)


def series(y: np.ndarray = Y) -> Series:
    return Series("demand|a|b", "demand", y, START, DAILY, product="a", place="b")


def entry(model: str, offset: float, one: Series) -> Entry:
    """Forecasts that miss by ``offset`` everywhere."""
    horizon = one.frequency.horizon
    past = [one.y[origin : origin + horizon] + offset for origin in origins_of(one)]
    return Entry(model, past, np.full(horizon, 1.0))


def test_origins_end_where_the_future_is_known() -> None:
    one = series()
    assert origins_of(one) == (len(Y) - 84, len(Y) - 56, len(Y) - 28)
    assert origins_of(series(Y[:40])) == ()


def test_the_least_error_wins() -> None:
    one = series()
    choice = choose(one, {"ets": entry("ets", 1, one), "seasonal_naive": entry("seasonal_naive", 3, one)})
    assert choice.chosen == "ets"
    assert choice.fallback_reason is None
    assert choice.scores["ets"]["wape"] < choice.scores["seasonal_naive"]["wape"]


def test_naive_wins_unless_it_is_clearly_beaten() -> None:
    one = series()
    choice = choose(one, {"ets": entry("ets", 2.99, one), "seasonal_naive": entry("seasonal_naive", 3, one)})
    assert choice.chosen == "seasonal_naive"


def test_failures_are_told() -> None:
    one = series()
    choice = choose(one, {"prophet": Entry("prophet", failure="it took too long"), "naive": entry("naive", 1, one)})
    assert choice.chosen == "naive"
    assert choice.fallback_reason == "left out: prophet: it took too long"


def test_with_nothing_usable_the_last_value_stands() -> None:
    choice = choose(series(), {"ets": Entry("ets", failure="died")})
    assert choice.chosen == "naive"
    assert choice.fallback_reason == "no contestant gave a usable forecast"
    assert choice.entries["naive"].future is not None
    assert set(choice.entries["naive"].future) == {5.0}


def test_too_short_for_a_back_test() -> None:
    one = series(Y[:20])
    choice = choose(
        one, {"naive": Entry("naive", [], np.ones(28)), "window_average": Entry("window_average", [], np.ones(28))}
    )
    assert (choice.chosen, choice.fallback_reason) == ("window_average", "the history is too short for a back-test")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e48])
def test_impossible_forecasts_are_failures(bad: float) -> None:
    one = series()
    horizon = one.frequency.horizon
    forecasts = [np.full(horizon, 10.0)] * 3 + [np.full(horizon, bad)]
    found = collect([Result((one.unique_id, "ets"), forecasts)], {one.unique_id: one})
    assert found[one.unique_id]["ets"].failure
    assert found[one.unique_id]["ets"].future is None


def test_negative_forecasts_are_nothing() -> None:
    assert checked(np.array([-3.0, 2.0]), np.array([5.0])).tolist() == [0, 2]
    with pytest.raises(ImplausibleError, match="diverges"):
        checked(np.array([101.0]), np.array([5.0]))


def test_intervals_are_judged_on_an_origin_they_have_not_seen() -> None:
    one = series()
    choice = choose(one, {"naive": entry("naive", 2, one)})
    early = Conformal(choice.errors("naive", -1), one.frequency.horizon)
    judged = judge(choice, early)
    assert judged["coverage80"] == 1  # always the same error: the interval has learnt it
    assert judge(choice, None) == {}


def test_simple_models() -> None:
    dates = series().dates
    assert naive(Y, 7, 3, dates).tolist() == [5, 5, 5]
    assert seasonal_naive(Y, 7, 9, dates).tolist() == [10, 12, 11, 13, 12, 20, 5, 10, 12]
    assert window_average(np.arange(20.0), 1, 2, dates).tolist() == [15.5, 15.5]


def test_who_takes_part() -> None:
    assert "croston_sba" in contestants("lumpy", 100)
    assert "auto_ets" in contestants("smooth", 100)
    assert "auto_ets" not in contestants("smooth", 400)
    assert {"naive", "seasonal_naive"} <= set(contestants("erratic", 400))
