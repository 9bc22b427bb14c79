"""From daily flows to regular series: nothing invented, nothing left out, nothing of today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.history import regular
from forecasting.series import DAILY, MONTHLY, WEEKLY, Frequency, Series, demand_class

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


def daily(amounts: dict[int, float]) -> pd.Series:
    """Day number -> amount."""
    days = pd.DatetimeIndex([START + timedelta(days=day) for day in amounts])
    return pd.Series(list(amounts.values()), index=days, dtype=float)


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([5, 6, 5, 6, 5, 6], "smooth"),
        ([1, 30, 2, 40, 1, 50], "erratic"),
        ([5, 0, 0, 5, 0, 0, 6], "intermittent"),
        ([1, 0, 0, 50, 0, 0, 2], "lumpy"),
        ([0, 0, 0], "intermittent"),
    ],
)
def test_classes_of_demand(y: list[float], kind: str) -> None:
    assert demand_class(np.array(y, dtype=float)) == kind


def test_periods_without_demand_are_zero() -> None:
    found = regular(daily({0: 3, 3: 5}), DAILY, START + timedelta(days=6))
    assert found.tolist() == [3, 0, 0, 5, 0, 0]


def test_the_period_under_way_is_left_out() -> None:
    amounts = dict.fromkeys(range(20), 1.0)  # two weeks and six days
    assert regular(daily(amounts), WEEKLY, START + timedelta(days=20)).tolist() == [7, 7]
    assert regular(daily(amounts), WEEKLY, START + timedelta(days=21)).tolist() == [7, 7, 6]
    assert regular(daily(amounts), MONTHLY, START + timedelta(days=20)).tolist() == []


@given(
    st.dictionaries(st.integers(0, 120), st.floats(0.5, 50), min_size=1, max_size=40),
    st.integers(1, 140),
    st.sampled_from([DAILY, WEEKLY, MONTHLY]),
)
def test_what_is_counted_is_what_was_before(amounts: dict[int, float], now: int, frequency: Frequency) -> None:
    as_of = START + timedelta(days=now)
    found = regular(daily(dict(sorted(amounts.items()))), frequency, as_of)
    if found.empty:
        return
    offset = pd.tseries.frequencies.to_offset(frequency.code)
    assert offset is not None
    end = found.index[-1] + offset
    assert end <= pd.Timestamp(as_of)
    counted = sum(amount for day, amount in amounts.items() if pd.Timestamp(START + timedelta(days=day)) < end)
    assert found.sum() == pytest.approx(counted)
    assert list(found.index) == list(pd.date_range(found.index[0], found.index[-1], freq=frequency.code))


def test_dates_ahead_follow_the_history() -> None:
    series = Series("s", "demand", np.ones(10), START, WEEKLY)
    assert series.ahead[0] - series.dates[-1] == pd.Timedelta(days=7)
    assert len(series.ahead) == WEEKLY.horizon
    assert series.season == 1  # ten weeks are no two years
    assert Series("s", "demand", np.ones(14), START, DAILY).season == 7
