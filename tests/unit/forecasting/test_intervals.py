"""Conformal intervals keep their promise on what they have not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.intervals import LEVELS, Conformal, quantile
from forecasting.metrics import coverage


def test_the_finite_sample_quantile() -> None:
    ordered = np.arange(1.0, 10.0)  # nine errors: the tenth of ten ranks is the largest
    assert quantile(ordered, 0.9) == 9
    assert quantile(ordered, 0.8) == 8
    assert quantile(ordered, 0.1) == 1
    assert quantile(np.empty(0), 0.9) == 0


@pytest.mark.parametrize("level", LEVELS)
def test_coverage_of_new_values(level: float) -> None:
    generator = np.random.default_rng(5)
    errors = [generator.gamma(2, 1, 6) - 2 for _ in range(300)]  # skewed, as demand is
    conformal = Conformal(errors, 6)
    forecast = np.full(6, 100.0)
    hits = []
    for _ in range(2000):
        actual = forecast + 3 * (generator.gamma(2, 1, 6) - 2)
        hits.append(coverage(actual, *conformal.bounds(forecast, 3.0, level)))
    assert np.mean(hits) == pytest.approx(level, abs=0.03)


@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), max_size=20),
    st.lists(st.floats(0, 100), min_size=4, max_size=4),
    st.floats(0.1, 10),
)
def test_bounds_hold_the_forecast_and_nest(errors: list[list[float]], forecast: list[float], scale: float) -> None:
    conformal = Conformal([np.array(error) for error in errors], 4)
    middle = np.array(forecast)
    low80, high80 = conformal.bounds(middle, scale, 0.80)
    low95, high95 = conformal.bounds(middle, scale, 0.95)
    assert (low95 >= 0).all()
    assert (low95 <= low80).all()
    assert (low80 <= middle).all()
    assert (middle <= high80).all()
    assert (high80 <= high95).all()


def test_few_errors_at_a_horizon_borrow_from_their_neighbours() -> None:
    errors = [np.array([1.0, 2.0, 3.0]) for _ in range(4)]
    low, high = Conformal(errors, 3).bounds(np.full(3, 10.0), 1.0, 0.8)
    assert high.tolist() == [13, 13, 13]  # twelve errors are reached with both neighbours, the largest counts
    assert low.tolist() == [10, 10, 10]  # a forecast that was always too low is still within its interval
