"""How much each member says: by errors it could not have known, and Prophet and statsmodels always a little."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.combine import apart, apply, combine, future_of
from forecasting.metrics import Array

SERIES, ORIGINS, HORIZON = 30, 4, 6


def members(*noises: float, seed: int = 1) -> tuple[Array, Array, Array]:
    """Past forecasts of members that miss by so much, what came, and the same members' future."""
    generator = np.random.default_rng(seed)
    actual = 100 + generator.normal(0, 1, (SERIES, ORIGINS, HORIZON))
    past = np.stack([actual + generator.normal(0, noise, actual.shape) for noise in noises])
    return past, actual, np.stack([np.full((SERIES, HORIZON), 100.0 + noise) for noise in noises])


def test_the_better_a_member_was_the_more_it_says() -> None:
    past, actual, future = members(1.0, 1.2, 9.0)
    found = combine(past, actual, np.ones(SERIES), future, squared=False)
    assert found.weights.sum(axis=0) == pytest.approx(np.ones(SERIES))
    mean = found.weights.mean(axis=1)
    assert mean[0] >= mean[1] > mean[2] == 0
    assert np.all(np.abs(future_of(found, future) - 101.1) < 0.2)


def test_together_they_are_better_than_the_best_alone() -> None:
    past, actual, future = members(3.0, 3.0, 3.0, 3.0)
    found = combine(past, actual, np.ones(SERIES), future, squared=False)
    alone = np.abs(past[0] - actual).mean()
    assert np.abs(found.past - actual).mean() < 0.6 * alone


def test_a_member_that_always_takes_part_is_heard_unless_it_is_hopeless() -> None:
    past, actual, future = members(1.0, 1.6, 9.0)
    found = combine(past, actual, np.ones(SERIES), future, squared=False, always=(1, 2))
    assert found.weights[1].min() > 0.015
    assert found.weights[2].max() == 0


def test_weights_of_an_origin_have_not_seen_it_nor_what_overlaps_with_it() -> None:
    assert apart(4, 0) == [2, 3]
    assert apart(4, 2) == [0]
    past, actual, future = members(1.0, 2.0)
    changed = actual.copy()
    changed[:, 0] += np.random.default_rng(9).normal(0, 0.3, changed[:, 0].shape)  # what came at the first origin
    one = combine(past, actual, np.ones(SERIES), future, squared=False)
    other = combine(past, changed, np.ones(SERIES), future, squared=False)
    assert one.rule == other.rule
    assert np.array_equal(one.past[:, 0], other.past[:, 0])


def test_who_says_nothing_of_the_future_has_no_weight() -> None:
    past, actual, future = members(1.0, 1.0)
    future[0, 3] = np.nan
    found = combine(past, actual, np.ones(SERIES), future, squared=False)
    assert found.weights[:, 3].tolist() == [0, 1]
    assert np.isfinite(future_of(found, future)).all()


def test_without_any_past_all_say_the_same() -> None:
    past, actual, future = members(1.0, 5.0)
    found = combine(past, np.full_like(actual, np.nan), np.ones(SERIES), future, squared=True)
    assert np.allclose(found.weights, 0.5)


def test_a_hole_is_filled_by_the_others() -> None:
    forecasts = np.array([[[1.0, np.nan]], [[3.0, 5.0]]])
    assert apply(np.array([[0.5], [0.5]]), forecasts).tolist() == [[2.0, 5.0]]
    assert np.isnan(apply(np.array([[1.0], [0.0]]), forecasts)[0, 1])
