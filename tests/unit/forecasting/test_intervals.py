"""Conformal quantiles keep their promise on what they have not seen, and are never certain of demand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.intervals import LEVELS, calibrate, interval, quantile
from tests.effort import examples


def test_the_finite_sample_quantile() -> None:
    ordered = np.arange(1.0, 10.0)  # nine errors: the tenth of ten ranks is the largest
    assert quantile(ordered, 0.9) == 9
    assert quantile(ordered, 0.8) == 8
    assert quantile(ordered, 0.1) == 1
    assert quantile(np.empty(0), 0.9) == pytest.approx(1.606, abs=0.01)  # of a normal one, not 0


@pytest.mark.parametrize("level", [0.80, 0.95])
def test_coverage_of_new_values(level: float) -> None:
    generator = np.random.default_rng(5)
    sizes = np.exp(generator.normal(0, 1, 400))[:, None, None]
    past = np.full((400, 4, 6), 1000.0)
    actual = past + sizes * (generator.gamma(2, 1, past.shape) - 2)  # skewed, as demand is
    spread = calibrate(past, actual, np.ones(400), np.ones(400, dtype=bool))
    quantiles = spread.quantiles(np.full((400, 6), 1000.0), np.zeros(400))
    low, high = interval(quantiles, level)
    new = 1000.0 + sizes[:, 0] * (generator.gamma(2, 1, (400, 6)) - 2)
    # the spreads of these series differ a hundredfold and are known from twenty errors each
    assert np.mean((new >= low) & (new <= high)) == pytest.approx(level, abs=0.03)
    assert np.mean(new <= quantiles[:, :, LEVELS.index(0.9)]) == pytest.approx(0.9, abs=0.02)


def test_a_peak_is_less_sure_where_peaks_were_less_sure() -> None:
    generator = np.random.default_rng(6)
    past = generator.choice([100.0, 1000.0], (200, 4, 6))
    actual = past * (1 + generator.normal(0, 0.1, past.shape))
    spread = calibrate(past, actual, np.full(200, 50.0), np.ones(200, dtype=bool))
    quantiles = spread.quantiles(np.tile([100.0, 1000.0] * 3, (200, 1)), np.zeros(200))
    low, high = interval(quantiles, 0.8)
    assert np.mean((high - low)[:, 1]) > 3 * np.mean((high - low)[:, 0])


def test_of_what_is_mostly_not_asked_for_the_interval_lies_above_nothing() -> None:
    generator = np.random.default_rng(7)
    demand = (generator.random((500, 4, 6)) < 0.5) * generator.gamma(2, 2, (500, 4, 6))
    past = np.full(demand.shape, demand.mean())
    spread = calibrate(past, demand, np.ones(500), np.ones(500, dtype=bool))
    low, high = interval(spread.quantiles(past[:, 0], np.zeros(500)), 0.8)
    assert np.all(low == 0)
    new = (generator.random((500, 6)) < 0.5) * generator.gamma(2, 2, (500, 6))
    assert np.mean(new <= high) == pytest.approx(0.8, abs=0.03)


@settings(max_examples=examples(40))
@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=12, max_size=12), min_size=1, max_size=6),
    st.floats(0, 1e9),
    st.booleans(),
)
def test_quantiles_rise_hold_the_forecast_and_are_wide(errors: list[list[float]], level: float, known: bool) -> None:
    actual = level + np.array(errors).reshape(len(errors), 3, 4)
    past = np.full(actual.shape, level)
    if not known:
        actual[:] = np.nan
    spread = calibrate(past, actual, np.ones(len(errors)), np.ones(len(errors), dtype=bool))
    point = np.full((len(errors), 4), level)
    quantiles = spread.quantiles(point, np.zeros(len(errors)))
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert (quantiles >= 0).all()
    low, high = interval(quantiles, 0.95)
    assert (low <= point).all()
    assert (high >= point).all()
    assert (high > low).all()
