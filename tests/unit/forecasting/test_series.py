"""What kind of demand a series is, and its periods."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from forecasting.series import DAILY, WEEKLY, Series, demand_class

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([5, 6, 5, 6, 5, 6], "smooth"),
        ([1, 30, 2, 40, 1, 50], "erratic"),
        ([5, 0, 0, 5, 0, 0, 6], "intermittent"),
        ([1, 0, 0, 50, 0, 0, 2], "lumpy"),
        ([0, 0, 0], "intermittent"),
        ([3, -1, 0, 0, 0, 0], "smooth"),  # a balance, no demand
        ([1e300, 1e300], "smooth"),
    ],
)
def test_classes_of_demand(y: list[float], kind: str) -> None:
    assert demand_class(np.array(y, dtype=float)) == kind


def test_dates_ahead_follow_the_history() -> None:
    series = Series("s", "demand", np.ones(10), START, WEEKLY)
    assert series.ahead[0] - series.dates[-1] == pd.Timedelta(days=7)
    assert len(series.ahead) == WEEKLY.horizon
    assert len(Series("s", "demand", np.ones(14), START, DAILY).ahead) == 28
