"""Metrics against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import metrics


def array(*values: float) -> metrics.Array:
    return np.array(values, dtype=np.float64)


def test_scales() -> None:
    # changes from two before: 2, 2, 2
    assert metrics.seasonal_scale(array(1, 5, 3, 7, 5), 2) == 2
    assert metrics.seasonal_scale(array(1, 3, 6), 7) == 2.5  # too short for the season: from the step before
    assert metrics.seasonal_scale(array(4, 4, 4), 1) == 4  # a constant: its own size
    assert metrics.seasonal_scale(array(0, 0, 0), 1) == 1
    assert metrics.seasonal_scale(array(3), 7) == 1
    assert metrics.step_scale(array(0, 3, 3, -1)) == pytest.approx(np.sqrt(25 / 3))
    assert metrics.step_scale(array(2, 2)) == 1


def test_errors() -> None:
    actual, forecast = array(10, 20, 30), array(12, 18, 33)
    assert metrics.mase(actual, forecast, 2) == pytest.approx(7 / 3 / 2)
    assert metrics.rmsse(actual, forecast, 2) == pytest.approx(np.sqrt(17 / 3) / 2)
    assert metrics.wape(actual, forecast) == pytest.approx(7 / 60)
    assert metrics.bias(actual, forecast) == pytest.approx(3 / 60)
    assert metrics.wape(array(0, 0), array(0, 0)) == 0
    assert metrics.wape(array(0, 0), array(1, 0)) == 1


def test_intervals() -> None:
    actual, low, high = array(5, 10, 20), array(4, 10, 10), array(6, 12, 15)
    assert metrics.coverage(actual, low, high) == pytest.approx(2 / 3)
    # widths 2, 2, 5; 20 lies 5 above its interval and costs 5 * 2 / 0.2
    assert metrics.msis(actual, low, high, 2, 0.8) == pytest.approx((2 + 2 + 5 + 50) / 3 / 2)


def test_auc() -> None:
    assert metrics.auc(array(0.1, 0.4, 0.35, 0.8), array(0, 0, 1, 1)) == 0.75
    assert metrics.auc(array(0.5, 0.5, 0.5), array(0, 1, 1)) == 0.5  # ties count half
    assert metrics.auc(array(0.1, 0.9), array(1, 1)) is None


def test_calibration() -> None:
    found = metrics.calibration(array(0.9, 0.9, 0.1, 0.1), array(1, 1, 0, 1))
    assert found["late"] == 0.75
    assert found["brier"] == pytest.approx((0.01 + 0.01 + 0.01 + 0.81) / 4)
    assert found["brierSkill"] == pytest.approx(1 - 0.21 / 0.1875)
    assert found["ece"] == pytest.approx(0.5 * 0.1 + 0.5 * 0.4)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[int, bool]]) -> None:
    late = [score for score, outcome in pairs if outcome]
    timely = [score for score, outcome in pairs if not outcome]
    found = metrics.auc(array(*(score for score, _ in pairs)), array(*(float(outcome) for _, outcome in pairs)))
    if not late or not timely:
        assert found is None
    else:
        wins = sum((one > other) + 0.5 * (one == other) for one in late for other in timely)
        assert found == pytest.approx(wins / (len(late) * len(timely)))
