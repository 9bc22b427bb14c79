"""What is not a demand of zero, where a history begins, and what cannot be."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.findings import doubts, implausible, stray
from tests.effort import examples


def doubted(y: list[float], cut: int | None = None) -> list[int]:
    """Columns that are in doubt for somebody who has seen so much."""
    return np.flatnonzero(doubts(np.array([y], dtype=float))[0] < (len(y) if cut is None else cut)).tolist()


def test_three_days_of_nothing_after_a_year_of_sales_are_no_demand_of_zero() -> None:
    y = [20.0] * 365 + [0.0] * 3
    assert doubted(y) == [365, 366, 367]
    assert doubted(y, 367) == []  # after two of them nobody could tell


def test_sold_out_after_thirty_days() -> None:
    assert doubted([5.0] * 30 + [0.0] * 60) == list(range(30, 90))


def test_a_sunday_is_a_sunday() -> None:
    assert doubted([5.0, 4, 6, 5, 7, 9, 0] * 40) == []


def test_intermittent_demand_is_left_alone() -> None:
    generator = np.random.default_rng(1)
    assert doubted(list((generator.random(200) < 0.3) * 4.0)) == []


def test_returns_are_no_doubt() -> None:
    assert doubted([5.0] * 40 + [-1.0] + [0.0] * 20) == []


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, 5.0, float("nan")]), max_size=80), st.integers(0, 80))
def test_what_comes_later_raises_no_doubt_earlier(y: list[float], cut: int) -> None:
    steady = [3.0] * 30 + y
    seen = 30 + min(cut, len(y))
    whole = np.flatnonzero(doubts(np.array([steady]))[0] < seen)
    assert whole.tolist() == doubted(steady[:seen])


def test_one_stray_old_sale_is_no_beginning() -> None:
    y = np.full(6000, np.nan)
    y[0], y[5480:] = 1.0, 20.0
    assert stray(y, 1.0) == 5480
    assert stray(np.concatenate([[1.0], np.zeros(5479), np.full(520, 20.0)]), 1.0) == 5480
    assert stray(np.full(500, 20.0), 1.0) == 0


def test_a_pause_in_the_middle_is_part_of_the_history() -> None:
    y = np.concatenate([np.full(300, 5.0), np.zeros(500), np.full(300, 5.0)])
    assert stray(y, 1.0) == 0


def test_what_no_demand_can_be() -> None:
    y = np.full(50, 10.0)
    y[49] = 1e30
    assert implausible(y).tolist() == [49]
    assert implausible(np.full(50, 10.0)).tolist() == []
    growing = 10.0 ** np.linspace(0, 6, 50)
    assert implausible(growing).tolist() == []
