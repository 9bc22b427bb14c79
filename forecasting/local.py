"""Members that are fitted to one series at a time (statsforecast). They see what is left when known effects are taken away."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from forecasting.effects import Effects
from forecasting.guards import checked
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel, window

Fit = Callable[[Array, int, int], Array]
"""(history without gaps, season or 1, horizon) -> forecast."""
_FEWEST = 4
_FEWEST_TO_SEARCH = 14
_SEASONS_KEPT = 10
_RECENT_SEASONS = 3
"""Members without a season look at so many years only: what lies before says little of today's level."""


def _forecast(model: Any, y: Array, horizon: int) -> Array:
    return np.asarray(model.forecast(y=np.asarray(y, dtype=np.float64), h=horizon)["mean"], dtype=np.float64)


def _fits() -> dict[str, Fit]:
    from statsforecast import models as sf

    def by_season(make: Callable[[int], Any]) -> Fit:
        return lambda y, season, horizon: _forecast(make(season), y, horizon)

    return {
        "ets": by_season(lambda m: sf.AutoETS(season_length=m, model="ZNZ" if m > 1 else "ZZZ")),
        "theta": by_season(lambda m: sf.DynamicOptimizedTheta(season_length=m)),
        "ces": by_season(lambda m: sf.AutoCES(season_length=m)),
        "mfles": by_season(lambda m: sf.MFLES(season_length=m)),
        "mstl": by_season(lambda m: sf.MSTL(season_length=m, trend_forecaster=sf.AutoETS(model="ZZN"))),
        "adida": lambda y, season, horizon: _forecast(sf.ADIDA(), y, horizon),
        "imapa": lambda y, season, horizon: _forecast(sf.IMAPA(), y, horizon),
        "tsb": lambda y, season, horizon: _forecast(sf.TSB(alpha_d=0.1, alpha_p=0.1), y, horizon),
        "ses": lambda y, season, horizon: _forecast(sf.SimpleExponentialSmoothingOptimized(), y, horizon),
    }


INTERMITTENT = ("adida", "imapa", "tsb", "ses")
BARS = ("naive", "seasonal_naive")
_LONG_SEASON = 24
"""Above it exponential smoothing goes without a season: a state a week is not estimated from two or three years."""


def naive(panel: Panel, cut: Ints) -> Array:
    """(n, H): the last value that is known."""
    filled = _carried(panel.history(cut))
    last = window(filled, cut - 1, 1)[:, 0]
    return _shut(panel, cut, np.repeat(last[:, None], panel.horizon, axis=1))


def seasonal_naive(panel: Panel, cut: Ints) -> Array:
    """(n, H): the last season again; the last value where there is none."""
    season, horizon = max(panel.frequency.season, 1), panel.horizon
    back = -(-(np.arange(horizon) + 1) // season) * season
    history = panel.history(cut)
    columns = cut[:, None] + np.arange(horizon) - back
    rows = np.arange(len(cut))[:, None]
    found = np.where(columns >= 0, history[rows, np.clip(columns, 0, history.shape[1] - 1)], np.nan)
    return _shut(panel, cut, np.where(np.isnan(found), naive(panel, cut), found))


def local(name: str, panel: Panel, cut: Ints, known: Effects) -> tuple[Array, dict[str, str]]:
    """(n, H) of one member, NaN for series on which it gives nothing, and why by series."""
    if name in BARS:
        return {"naive": naive, "seasonal_naive": seasonal_naive}[name](panel, cut), {}
    fit, horizon = _fits()[name], panel.horizon
    result = np.full((len(panel.ids), horizon), np.nan)
    failures: dict[str, str] = {}
    histories = panel.history(cut)
    for i in range(len(panel.ids)):
        try:
            found = _one(name, fit, panel, i, histories[i, : cut[i]], known)
        except Exception as error:
            failures[panel.ids[i]] = f"{type(error).__name__}: {error}"[:200]
            continue
        if found is not None:
            result[i] = found
    return _shut(panel, cut, result), failures


def _one(name: str, fit: Fit, panel: Panel, i: int, history: Array, known: Effects) -> Array | None:
    intermittent, cut = name in INTERMITTENT, len(history)
    history = np.where(panel.closed[i, :cut], np.nan, history)
    first = int(np.argmax(~np.isnan(history))) if not np.isnan(history).all() else cut
    if cut - first < (_FEWEST_TO_SEARCH if name == "ets" else _FEWEST):
        return None
    shift = np.zeros(len(panel.dates)) if intermittent else known.shift[i]
    work = history if intermittent else _free(history, shift, known, i)
    season = panel.frequency.season
    usable = cut - first >= 2 * season + 2 and season > 1
    period = season if usable and not (season > _LONG_SEASON and name == "ets") else 1
    if name == "mstl" and period == 1:
        return None
    y = _filled(work[first:], season if usable else 1)
    kept = _SEASONS_KEPT * max(season, 12) if period > 1 else max(_RECENT_SEASONS * season, 60)
    y = y[-kept:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forecast = fit(y, period, panel.horizon)
    forecast = checked(forecast, y)
    if intermittent:
        return forecast
    ahead = np.minimum(cut + np.arange(panel.horizon), len(panel.dates) - 1)
    return _bound(forecast, shift[ahead], known, i)


def _free(history: Array, shift: Array, known: Effects, i: int) -> Array:
    """The history as it would have been with the regressors at their means."""
    if known.log[i]:
        floor = known.floor[i]
        return np.asarray(np.maximum((history + floor) * np.exp(-shift[: len(history)]) - floor, 0.0))
    return np.asarray(history - shift[: len(history)])


def _bound(forecast: Array, shift: Array, known: Effects, i: int) -> Array:
    if known.log[i]:
        floor = known.floor[i]
        return np.asarray(np.maximum((forecast + floor) * np.exp(shift) - floor, 0.0))
    return np.asarray(forecast + shift)


def _filled(y: Array, season: int) -> Array:
    """Gaps closed: by the mean of the same place in the seasons around, else by a line between neighbours."""
    gaps = np.flatnonzero(np.isnan(y))
    if not len(gaps):
        return y
    full, seen = y.copy(), np.flatnonzero(~np.isnan(y))
    full[gaps] = np.interp(gaps, seen, y[seen])
    if season > 1:
        for gap in gaps:
            around = [y[at] for at in (gap - season, gap + season) if 0 <= at < len(y) and not np.isnan(y[at])]
            if around:
                full[gap] = float(np.mean(around))
    return full


def _carried(y: Array) -> Array:
    """Each gap takes the last value before it."""
    at = np.where(np.isnan(y), -1, np.arange(y.shape[1]))
    at = np.maximum.accumulate(at, axis=1)
    carried = y[np.arange(len(y))[:, None], np.maximum(at, 0)]
    return np.where(at >= 0, carried, np.nan)


def _shut(panel: Panel, cut: Ints, forecast: Array) -> Array:
    """Nothing is sold where it is known to be closed."""
    shut = window(panel.closed.astype(float), cut, panel.horizon)
    return np.where((shut == 1.0) & ~np.isnan(forecast), 0.0, forecast)
