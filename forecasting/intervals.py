"""Conformal quantiles: how far off were such forecasts, so far ahead, on a past that they had not seen?

Errors of the combination are scaled by what the series' own other errors were, drawn towards its kind's, and pooled over series by
horizon: a single series has too few origins (Barber et al. 2021 for the finite-sample correction). Where it made the past's
intervals better, the scale grows with the size of the forecast: a promotion's peak is less sure than a quiet day.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

import numpy as np

from forecasting.combine import apart
from forecasting.metrics import Array

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99)
"""Quantiles that every forecast has: the intervals of 80 and 95 %, and one-sided ones for service levels."""
_GROWTHS = (0.0, 0.5, 1.0)
_PRIOR_POINTS = 10.0
_FEWEST = 60
_NOTHING = 0.25
"""A lower bound so few spreads above 0 is 0: where nothing is asked for in many periods, the next may be one of them."""
_LEAST_SPREAD = 0.02
"""Where a series never missed, the spread is taken for this share of its scale: no demand to come is certain."""


@dataclass(frozen=True)
class Spread:
    """Quantiles of scaled errors by horizon ``table`` (H, levels), the scale of each series (n), and how it grows."""

    table: Array
    scale: Array
    level: Array
    growth: float

    def quantiles(self, forecast: Array, floor: Array) -> Array:
        """(n, H, levels), rising, none below ``floor`` (n); 0 wide only where the forecast itself is certain."""
        width = self.scale[:, None] * _growth(forecast, self.level, self.growth)
        found = forecast[:, :, None] + width[:, :, None] * self.table[None]
        below = np.array(LEVELS) < 0.5
        around = np.where(below, np.minimum(found, forecast[:, :, None]), found)
        above = np.array(LEVELS) > 0.5
        around = np.where(above, np.maximum(around, forecast[:, :, None]), around)
        rising = np.maximum(np.maximum.accumulate(around, axis=2), floor[:, None, None])
        nothing = below & (rising < _NOTHING * width[:, :, None]) & (floor == 0)[:, None, None]
        return np.where(nothing, 0.0, rising)


def interval(quantiles: Array, level: float) -> tuple[Array, Array]:
    """Lower and upper bounds (n, H) of the interval of 80 or 95 %, out of quantiles (n, H, levels).

    Central; but where the lower bound is 0, nothing can fall below it, and the whole share that may be missed lies above: of a
    part that is mostly not asked for, [0, P80] holds 80 % and [0, P90] would hold 90.
    """
    low = quantiles[:, :, LEVELS.index(0.1 if level == 0.80 else 0.025)]
    high = quantiles[:, :, LEVELS.index(0.9 if level == 0.80 else 0.975)]
    return low, np.where(low == 0, quantiles[:, :, LEVELS.index(level)], high)


def calibrate(past: Array, actual: Array, base: Array, nonnegative: Array) -> Spread:
    """From combined forecasts ``past`` (n, K, H) at origins and what came, ``actual``; ``base`` (n) is each series' scale."""
    error = actual - past
    level = _mean(np.abs(past), (1, 2), base)
    best: tuple[float, Spread] | None = None
    for growth in _GROWTHS if np.all(nonnegative) else (0.0,):
        spread = _calibrated(error, past, base, level, growth)
        width = _interval_score(spread, error, past, base)
        if best is None or width < best[0] * 0.99:
            best = (width, spread)
    assert best is not None
    return best[1]


def _calibrated(error: Array, past: Array, base: Array, level: Array, growth: float) -> Spread:
    _, origins, horizon = error.shape
    unit = error / (base[:, None, None] * _growth(past, level[:, None], growth))
    usual = _mean(np.abs(unit), None, 1.0)
    scaled = np.full(error.shape, np.nan)
    for k in range(origins):
        others = np.abs(unit[:, apart(origins, k)])
        scaled[:, k] = unit[:, k] / _own(others, usual)[:, None]
    pooled = [_near(scaled, step) for step in range(horizon)]
    table = np.array([[quantile(one, share) for share in LEVELS] for one in pooled])
    table = np.where(np.abs(table) < _LEAST_SPREAD, np.sign(np.array(LEVELS) - 0.5) * _LEAST_SPREAD, table)
    return Spread(table, base * _own(np.abs(unit), usual), level, growth)


def _own(unit: Array, usual: Array) -> Array:
    """(n,): the mean miss of each series, drawn towards the usual one."""
    points = (~np.isnan(unit)).sum(axis=(1, 2))
    total = np.nansum(unit, axis=(1, 2))
    prior = float(usual) if np.isfinite(usual) and usual > 0 else 1.0
    return np.asarray((total + _PRIOR_POINTS * prior) / (points + _PRIOR_POINTS))


def _growth(forecast: Array, level: Array, power: float) -> Array:
    if power == 0:
        return np.ones_like(forecast)
    usual = np.broadcast_to(np.asarray(level)[..., None], forecast.shape) if np.ndim(level) < forecast.ndim else level
    ratio = np.abs(forecast) / np.where(usual > 0, usual, 1.0)
    return np.clip(ratio, 0.1, 10.0) ** power


def _interval_score(spread: Spread, error: Array, past: Array, base: Array) -> float:
    """Mean pinball loss of all levels, scaled."""
    total = 0.0
    for k in range(error.shape[1]):
        width = spread.scale[:, None] * _growth(past[:, k], spread.level, spread.growth)
        for place, share in enumerate(LEVELS):
            miss = (error[:, k] - width * spread.table[None, :, place]) / base[:, None]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                value = (
                    float(np.nanmean(np.maximum(share * miss, (share - 1) * miss))) if np.isfinite(miss).any() else 0.0
                )
            total += value
    return total


def _near(scaled: Array, step: int) -> Array:
    """The errors at a horizon; its neighbours' too where there are few."""
    for reach in (0, 1, 3, 1000):
        part = scaled[:, :, max(0, step - reach) : step + reach + 1]
        pooled = part[~np.isnan(part)]
        if len(pooled) >= _FEWEST:
            break
    return np.sort(pooled)


def _mean(values: Array, axis: tuple[int, ...] | None, default: Array | float) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = np.nanmean(values, axis=axis) if values.size else np.full(np.shape(default), np.nan)
    return np.asarray(np.where(np.isfinite(found), found, default))


_NORMAL = (-1.96, -1.2816, -0.6745, 0.0, 0.6745, 0.8416, 1.2816, 1.6449, 1.96, 2.3263)


def quantile(ordered: Array, share: float) -> float:
    """The conformal quantile: one error more is counted than there is, on the side it is asked for.

    With fewer than four errors, those of a normal distribution of unit mean absolute error.
    """
    count = len(ordered)
    if count < 4:
        return 1.2533 * _NORMAL[int(np.argmin([abs(share - level) for level in LEVELS]))]
    if share < 0.5:
        return -quantile(-ordered[::-1], 1 - share)
    rank = ceil((count + 1) * share)
    if rank <= count:
        return float(ordered[rank - 1])
    # beyond the largest error seen: as much further as a normal distribution has it
    seen = NormalDist().inv_cdf(count / (count + 1))
    return float(ordered[-1]) * max(1.0, NormalDist().inv_cdf(share) / seen)
