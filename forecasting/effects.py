"""What known regressors and holidays do to each series, by regression (statsmodels), and the forecast of that regression.

log(y + c) of a series is explained by the place in the season, holidays and known regressors; recent periods count more (half
after a year and a half). Each series has its own coefficients, drawn by a ridge towards those of the whole panel, so that a short
series takes what the others have shown. Other members forecast what is left when the effects are taken away, and get them back.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from forecasting.calendars import holiday_columns
from forecasting.metrics import Array
from forecasting.panel import Ints, Mask, Panel, window

_FORGET_DAYS = 550.0
_FLOOR = 0.05
"""Share of a series' mean that is added before the logarithm, so that a zero is no minus infinity."""
_RIDGE = 2.0
"""Observations that the panel's coefficients are worth."""
_LEVEL_WEIGHT = 0.15


@dataclass(frozen=True)
class Effects:
    """For the series of a panel, as of a cut.

    ``z`` (n, T): the transformed history, NaN where closed, unknown or after the cut; ``shift`` (n, T + H): what regressors and
    holidays add to it; ``forecast`` (n, H): the regression's own forecast, in the units of ``y``.
    """

    z: Array
    floor: Array
    log: Mask
    shift: Array
    forecast: Array

    def back(self, z: Array) -> Array:
        """(n, H) from the transformed scale to units."""
        logged = np.exp(np.minimum(z, 700.0)) - self.floor[:, None]
        return np.where(self.log[:, None], np.maximum(logged, 0.0), z)


def transform(panel: Panel, cut: Ints) -> tuple[Array, Array, Mask]:
    """z, floor and whether the logarithm was taken (only of series that are never negative)."""
    y = np.where(panel.closed[:, : panel.y.shape[1]], np.nan, panel.history(cut))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nan_to_num(np.nanmean(y, axis=1))
        least = np.nan_to_num(np.nanmin(y, axis=1))
    log = (least >= 0) & (mean > 0)
    floor = np.where(log, _FLOOR * mean, 0.0)
    z = np.where(log[:, None], np.log(np.where(log[:, None], y + floor[:, None], 1.0)), y)
    return z, floor, log


def effects(panel: Panel, cut: Ints, wanted: Ints | None = None) -> Effects:
    """Regressions of all series of a panel, or of the ``wanted`` rows, from what was known at their cuts."""
    z, floor, log = transform(panel, cut)
    season, driver = _season_terms(panel), _varying(_drivers(panel), z)
    horizon = panel.horizon
    shift = np.zeros((len(z), len(panel.dates)))
    fitted = np.full((len(z), horizon), np.nan)
    pooled = _pooled(z, season, driver, log)
    if wanted is not None:
        z, floor, log, cut, driver = z[wanted], floor[wanted], log[wanted], cut[wanted], driver[wanted]
        shift, fitted = shift[wanted], fitted[wanted]
    for i in range(len(z)):
        rows = np.flatnonzero(~np.isnan(z[i]))
        if len(rows) == 0:
            continue
        design = np.hstack([season, driver[i]])
        scale = 1.0 if log[i] else max(float(np.std(z[i, rows])), 1e-9)
        beta = _own(z[i, rows] / scale, design[rows], pooled, rows, panel.frequency.days) * scale
        shift[i] = driver[i] @ beta[season.shape[1] :]
        explained = design @ beta
        ahead = np.minimum(cut[i] + np.arange(horizon), len(panel.dates) - 1)
        fitted[i] = _level(z[i, rows] - explained[rows]) + explained[ahead]
    found = Effects(z, floor, log, shift, fitted)
    return replace(found, forecast=found.back(fitted))


def regression(panel: Panel, cut: Ints, known: Effects) -> Array:
    """(n, H): the member that the regressions are by themselves."""
    shut = window(panel.closed.astype(float), cut, panel.horizon)
    return np.where((shut == 1.0) & ~np.isnan(known.forecast), 0.0, known.forecast)


def _season_terms(panel: Panel) -> Array:
    """(T + H, s): weekday and yearly waves, as the period has them."""
    dates, columns = panel.dates.tz_localize(None), []
    span = panel.y.shape[1] * panel.frequency.days
    if not panel.calendar:
        return np.zeros((len(dates), 0))
    if panel.frequency.unit in "DB":
        columns += [(dates.dayofweek == day).astype(float) for day in range(1, 7)]
    if panel.frequency.unit == "H":
        columns += [(dates.hour == hour).astype(float) for hour in range(1, 24)]
        columns += [(dates.dayofweek == day).astype(float) for day in range(1, 7)]
    if span > 500:
        angle = 2 * np.pi * (dates.dayofyear.to_numpy() - 1) / 365.25
        waves = {"M": 4, "W": 5, "Q": 1}.get(panel.frequency.unit, 3)
        for wave in range(1, waves + 1):
            columns += [np.sin(wave * angle), np.cos(wave * angle)]
    return np.column_stack([np.asarray(one, dtype=float) for one in columns]) if columns else np.zeros((len(dates), 0))


def _drivers(panel: Panel) -> Array:
    """(n, T + H, d): known regressors, brought to about one, and holidays with the days around them."""
    n, periods = len(panel.ids), len(panel.dates)
    parts = []
    for one in range(panel.known.shape[2]):
        x = panel.known[:, :, one]
        if panel.known_names[one] and np.all(np.isnan(x) | ((x > 0) & (np.nanmax(x) > 2))):
            x = np.log(x)  # prices: what counts is by how much per cent
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            middle = np.nan_to_num(np.nanmean(x, axis=1, keepdims=True))
            spread = np.nan_to_num(np.nanstd(x))
        if spread > 0:
            parts.append(np.nan_to_num((x - middle) / spread))
    found = holiday_columns(panel)
    if "holiday" in found:
        parts += [
            np.tile(one, (n, 1)) for one in (found["holiday"], found["to_holiday"] == 1, found["since_holiday"] == 1)
        ]
    elif "holidays" in found and panel.frequency.unit == "W":
        parts.append(np.tile(found["holidays"], (n, 1)))
    return np.stack([np.asarray(one, dtype=float) for one in parts], axis=2) if parts else np.zeros((n, periods, 0))


def _varying(driver: Array, z: Array) -> Array:
    """Without what says nothing of the periods that are learned from: a flag that is always set when a shop is open."""
    seen = driver[:, : z.shape[1]][~np.isnan(z)]
    if not len(seen):
        return driver[:, :, :0]
    return driver[:, :, seen.std(axis=0) > 1e-9]


def _pooled(z: Array, season: Array, driver: Array, log: Mask) -> Array:
    """Coefficients of the whole panel, from series brought to one level and spread."""
    import statsmodels.api as sm

    count = season.shape[1] + driver.shape[2]
    rows_i, rows_t = np.nonzero(~np.isnan(z))
    if count == 0 or len(rows_i) < 5 * count:
        return np.zeros(count)
    stride = max(1, len(rows_i) // 60_000)
    rows_i, rows_t = rows_i[::stride], rows_t[::stride]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        spread = np.where(log, 1.0, np.maximum(np.nan_to_num(np.nanstd(z, axis=1)), 1e-9))
        level = np.nan_to_num(np.nanmean(z, axis=1))
    response = (z[rows_i, rows_t] - level[rows_i]) / spread[rows_i]
    design = np.hstack([np.ones((len(rows_i), 1)), season[rows_t], driver[rows_i, rows_t]])
    return np.asarray(sm.OLS(response, design).fit(method="pinv").params[1:])


def _own(z: Array, design: Array, pooled: Array, rows: Ints, days: float) -> Array:
    """A series' coefficients: what the panel's leave over, by ridge."""
    if design.shape[1] == 0:
        return pooled
    weight = 0.5 ** ((rows[-1] - rows) * days / _FORGET_DAYS)
    weight /= weight.sum()
    middle, centre = weight @ design, weight @ z
    x, rest = design - middle, z - centre - (design - middle) @ pooled
    # the ridge in closed form: with statsmodels' fit_regularized it took three quarters of the time of the whole regression
    weighted = x * weight[:, None]
    return np.asarray(
        pooled + np.linalg.solve(weighted.T @ x + _RIDGE / len(rows) * np.eye(x.shape[1]), weighted.T @ rest)
    )


def _level(residuals: Array) -> float:
    """Where a series stands now beside its regression: exponential weights, the older less."""
    weight = (1 - _LEVEL_WEIGHT) ** np.arange(len(residuals))[::-1]
    return float(np.sum(weight * residuals) / np.sum(weight))
