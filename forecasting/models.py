"""The contestants. Each is a function of the history and the number of periods ahead; each is seeded or deterministic.

They run in worker processes (see ``workers``), which is where the heavy libraries are imported.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from forecasting.metrics import Array

Model = Callable[[Array, int, int, pd.DatetimeIndex], Array]
"""(history, season, horizon, dates of the history) -> forecast of ``horizon`` values."""

_WINDOW = 8
_SEED = 20_240_101


def naive(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """The last value for ever."""
    return np.repeat(y[-1], horizon)


def seasonal_naive(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """The last season again."""
    return np.resize(y[-season:], horizon)


def window_average(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """The mean of the last periods."""
    return np.repeat(float(np.mean(y[-max(_WINDOW, season) :])), horizon)


def ets(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsmodels: exponential smoothing with damped trend, and season where there is one."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    seasonal = "add" if season > 1 else None
    model = ExponentialSmoothing(
        y, trend="add", damped_trend=True, seasonal=seasonal, seasonal_periods=season if season > 1 else None,
        initialization_method="estimated",
    )  # fmt: skip
    return np.asarray(model.fit(optimized=True, use_brute=False).forecast(horizon))


def theta(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsmodels: the Theta method."""
    from statsmodels.tsa.forecasting.theta import ThetaModel

    series = pd.Series(y, index=dates)
    model = ThetaModel(series, period=max(season, 2), deseasonalize=season > 1, use_test=season > 1)
    return np.asarray(model.fit(disp=False).forecast(horizon))


def auto_ets(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: the best exponential smoothing by AICc."""
    from statsforecast.models import AutoETS

    return _statsforecast(AutoETS(season_length=season), y, horizon)


def auto_theta(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: the best of the Theta family."""
    from statsforecast.models import AutoTheta

    return _statsforecast(AutoTheta(season_length=season), y, horizon)


def croston_sba(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: Croston with the Syntetos-Boylan correction."""
    from statsforecast.models import CrostonSBA

    return _statsforecast(CrostonSBA(), y, horizon)


def tsb(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: Teunter-Syntetos-Babai."""
    from statsforecast.models import TSB

    return _statsforecast(TSB(alpha_d=0.1, alpha_p=0.1), y, horizon)


def adida(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: aggregate, forecast, disaggregate."""
    from statsforecast.models import ADIDA

    return _statsforecast(ADIDA(), y, horizon)


def imapa(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """statsforecast: as ADIDA, over several levels."""
    from statsforecast.models import IMAPA

    return _statsforecast(IMAPA(), y, horizon)


def prophet(y: Array, season: int, horizon: int, dates: pd.DatetimeIndex) -> Array:
    """Prophet, in a temporary folder of its own: its optimiser leaves files behind."""
    with tempfile.TemporaryDirectory(prefix="lotline-prophet-") as folder:
        model = _prophet(y, season, dates)
        frame = pd.DataFrame({"ds": dates.tz_localize(None), "y": y})
        model.fit(frame, seed=_SEED, output_dir=folder)
        freq = dates.freqstr
        future = model.make_future_dataframe(horizon, freq=freq, include_history=False)
        return np.asarray(model.predict(future)["yhat"])


def _prophet(y: Array, season: int, dates: pd.DatetimeIndex) -> Any:
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("cmdstanpy").disabled = True
    from prophet import Prophet

    days = (dates[-1] - dates[0]).days
    return Prophet(
        weekly_seasonality=season == 7,
        yearly_seasonality=days > 500,
        daily_seasonality=False,
        n_changepoints=min(15, max(1, len(y) // 6)),
        changepoint_prior_scale=0.02,
        uncertainty_samples=0,
    )


def _statsforecast(model: Any, y: Array, horizon: int) -> Array:
    return np.asarray(model.forecast(y=np.asarray(y, dtype=np.float64), h=horizon)["mean"])


MODELS: dict[str, Model] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "window_average": window_average,
    "ets": ets,
    "theta": theta,
    "auto_ets": auto_ets,
    "auto_theta": auto_theta,
    "croston_sba": croston_sba,
    "tsb": tsb,
    "adida": adida,
    "imapa": imapa,
    "prophet": prophet,
}
BARS = ("naive", "seasonal_naive")
"""Shown beside every choice."""

_REGULAR = ("window_average", "ets", "theta", "auto_ets", "auto_theta")
_INTERMITTENT = ("window_average", "tsb", "adida", "imapa", "croston_sba")


_LONG = 200
"""Beyond so many periods the search for the best exponential smoothing costs more than it gains over ets and theta."""


def contestants(demand_class: str, length: int) -> tuple[str, ...]:
    """Which models suit a class of demand and a length of history; Prophet joins by volume and time left."""
    if demand_class not in ("smooth", "erratic"):
        return (*BARS, *_INTERMITTENT)
    return (*BARS, *(name for name in _REGULAR if name != "auto_ets" or length <= _LONG))


def forecast_origins(
    name: str, y: Array, season: int, horizon: int, dates: pd.DatetimeIndex, origins: tuple[int, ...]
) -> list[Array]:
    """What a model would have said at each origin (a length of history); the last origin is the whole history."""
    model = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.asarray(model(y[:origin], season, horizon, dates[:origin]), dtype=np.float64) for origin in origins]
