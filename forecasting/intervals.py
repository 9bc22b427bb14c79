"""Conformal intervals: how far off were such forecasts, so far ahead, on the past?

Errors are scaled by the series' own seasonal change and pooled over series and origins, by horizon: a single series has
too few origins (Barber et al. 2021 for the finite-sample correction).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np

from forecasting.metrics import Array

LEVELS = (0.80, 0.95)
_FEWEST = 12


class Conformal:
    """Quantiles of pooled scaled errors by horizon."""

    def __init__(self, errors: Iterable[Array], horizon: int) -> None:
        gathered = [error[:horizon] for error in errors if len(error)]
        self._horizon = horizon
        self._pooled = [_near(gathered, step) for step in range(horizon)]

    def bounds(self, forecast: Array, scale: float, level: float) -> tuple[Array, Array]:
        """Lower and upper bound for each horizon; never below 0."""
        low, high = np.empty(len(forecast)), np.empty(len(forecast))
        for step in range(len(forecast)):
            pooled = self._pooled[min(step, self._horizon - 1)]
            low[step] = forecast[step] + scale * quantile(pooled, (1 - level) / 2)
            high[step] = forecast[step] + scale * quantile(pooled, 1 - (1 - level) / 2)
        return np.maximum(np.minimum(low, forecast), 0.0), np.maximum(high, forecast)


def _near(gathered: list[Array], step: int) -> Array:
    """The errors at a horizon; its neighbours' too where there are few."""
    for reach in (0, 1, 3, 1000):
        found = [error[max(0, step - reach) : step + reach + 1] for error in gathered]
        pooled = np.concatenate(found) if found else np.empty(0)
        if len(pooled) >= _FEWEST:
            break
    return np.sort(pooled)


def quantile(ordered: Array, share: float) -> float:
    """The conformal quantile: one error more is counted than there is, on the side it is asked for."""
    count = len(ordered)
    if count == 0:
        return 0.0
    if share < 0.5:
        return -quantile(-ordered[::-1], 1 - share)
    rank = min(count, ceil((count + 1) * share))
    return float(ordered[rank - 1])
