"""One gradient boosting over all series of a panel (LightGBM): it sees what no series can show by itself.

Regular series: the target is log(y + c) less the level of the last periods, so that series of every size are alike. Intermittent
ones: y over the series' mean, by a Tweedie deviance, whose expectation is a mean and not a median of zeros.
Deterministic: one thread, seeded, rows in a fixed order.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from forecasting.effects import transform
from forecasting.features import WINDOWS, Facts, Rolling
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel, window

_ROWS, _MOST_ROWS = 90_000, 200_000
_FEWEST_ROWS = 400
_REPEATS = 8
"""A target is learned from so many distances, at most."""
_YEARS = {"H": 336, "D": 730, "B": 520, "W": 208, "M": 84, "Q": 40, "Y": 30}
"""How many periods of targets are learned from."""
_COMMON: dict[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 20_240_101,
    "verbosity": -1,
}
_ROUNDS = 300
_CATEGORIES = 250
_ALIKE = 60.0
_TWEEDIE: dict[str, Any] = {
    "objective": "tweedie", "tweedie_variance_power": 1.3, "num_leaves": 15, "learning_rate": 0.03
}  # fmt: skip
_TWEEDIE_ROUNDS = 160
_FORGET_SEASONS = 1.5
"""After so many seasons a row of intermittent demand counts half: parts grow old."""


def boosted(panel: Panel, cut: Ints, *, intermittent: bool) -> Array:
    """(n, H): the global model's forecast as of the cuts; NaN where there was too little to learn from.

    Series that are cut at different dates are learned from apart: nobody sees what came later elsewhere.
    """
    forecast = np.full((len(panel.ids), panel.horizon), np.nan)
    for column in np.unique(cut):
        rows = np.flatnonzero(cut == column)
        part = panel.take(rows)
        found = _cohort(part, cut[rows], int(column), intermittent)
        if found is not None:
            forecast[rows] = found
    shut = window(panel.closed.astype(float), cut, panel.horizon)
    return np.where((shut == 1.0) & ~np.isnan(forecast), 0.0, forecast)


def _cohort(panel: Panel, cuts: Ints, cut: int, intermittent: bool) -> Array | None:
    z, floor, log, scale = _target(panel, cuts, intermittent)
    level_window = 1 if intermittent else _level_window(z, panel)
    facts = Facts(panel, z, level_window, intermittent)
    i, o, t = samples(z, panel, cut)
    if len(i) < _FEWEST_ROWS:
        return None
    target = z[i, t] if intermittent else z[i, t] - facts.level(i, o)
    usable = ~np.isnan(target)
    if not np.any(target[usable] != 0):
        return None  # nothing was ever wanted: there is nothing to learn
    model = _train(facts, i[usable], o[usable], t[usable], target[usable], intermittent)
    n, horizon = len(panel.ids), panel.horizon
    ahead_i = np.repeat(np.arange(n), horizon)
    ahead_o = np.full(n * horizon, cut)
    ahead_t = np.minimum(ahead_o + np.tile(np.arange(horizon), n), len(panel.dates) - 1)
    said = model.predict(facts.rows(ahead_i, ahead_o, ahead_t), num_threads=1)
    if intermittent:
        return np.asarray(said).reshape(n, horizon) * scale[:, None]
    value = (np.asarray(said) + facts.level(ahead_i, ahead_o)).reshape(n, horizon)
    back = np.exp(np.minimum(value, 700.0)) - floor[:, None]
    return np.where(log[:, None], np.maximum(back, 0.0), value * scale[:, None])


def _target(panel: Panel, cuts: Ints, intermittent: bool) -> tuple[Array, Array, Any, Array]:
    """The transformed history, its floor, where it is logarithmic, and each series' scale."""
    z, floor, log = transform(panel, cuts)
    if intermittent:
        z, scale = scaled(panel, cuts)
        return z, floor, log, scale
    y = np.where(panel.closed[:, : panel.y.shape[1]], np.nan, panel.history(cuts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        size = np.nanstd(y, axis=1)
    scale = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    return np.where(log[:, None], z, z / scale[:, None]), floor, log, scale


def scaled(panel: Panel, cuts: Ints) -> tuple[Array, Array]:
    """Intermittent histories over their means, and the means (1 where nothing was ever wanted)."""
    y = np.where(panel.closed[:, : panel.y.shape[1]], np.nan, panel.history(cuts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        size = np.nanmean(np.abs(y), axis=1)
    scale = np.where(np.isfinite(size) & (size > 0), size, np.nan)
    if np.isfinite(scale).any():
        low, middle, high = np.nanquantile(scale, (0.1, 0.5, 0.9))
        # series of like size are learned from as they are: a rare part is not a common one seen from afar
        scale = np.full_like(scale, middle) if high < _ALIKE * low else scale
    scale = np.where(np.isfinite(scale), scale, 1.0)
    return np.maximum(y, 0.0) / scale[:, None], scale


def _level_window(z: Array, panel: Panel) -> int:
    """The last so many periods whose mean came nearest to what followed, over the whole panel."""
    rolling = Rolling.of(z)
    best, least = 1, np.inf
    season = panel.frequency.season
    choices = sorted({1, 2, 4, *(w for w in WINDOWS[panel.frequency.unit] if w <= max(season, 12))})
    if season <= 7 and panel.frequency.unit in "DB":
        choices = [w for w in WINDOWS[panel.frequency.unit] if w % season == 0 and w <= 8 * season]
    ahead = max(1, panel.horizon // 2)
    for w in choices:
        miss = np.abs(z[:, ahead:] - rolling.all_means(w)[:, : z.shape[1] - ahead])
        miss = miss[:, w:]
        if np.isfinite(miss).any() and float(np.nanmean(miss)) < least:
            best, least = w, float(np.nanmean(miss))
    return best


def samples(z: Array, panel: Panel, cut: int) -> tuple[Ints, Ints, Ints]:
    """Triples to learn from: every known target of the last years, once for each of some horizons."""
    first = max(0, cut - _YEARS[panel.frequency.unit])
    i, t = np.nonzero(~np.isnan(z[:, first:cut]))
    t = t + first
    if not len(i):
        return i, t, t
    generator = np.random.default_rng(20_240_101)
    repeats = int(np.clip(_ROWS // len(i), 1, min(panel.horizon, _REPEATS)))
    if len(i) > _MOST_ROWS:
        kept = np.sort(generator.choice(len(i), _MOST_ROWS, replace=False))
        i, t = i[kept], t[kept]
    if repeats == panel.horizon:
        ahead = np.tile(np.arange(1, panel.horizon + 1), len(i))
    else:
        ahead = generator.integers(1, panel.horizon + 1, size=len(i) * repeats)
    i, t = np.repeat(i, repeats), np.repeat(t, repeats)
    o = t - ahead + 1
    begun = np.argmax(~np.isnan(z), axis=1)
    usable = o > begun[i]
    return i[usable], o[usable], t[usable]


def _train(facts: Facts, i: Ints, o: Ints, t: Ints, target: Array, intermittent: bool) -> Any:
    import lightgbm as lgb

    names = facts.names()
    groups = facts.panel.groups
    categories = [f"group_{name}" for name, codes in groups.items() if int(codes.max(initial=0)) < _CATEGORIES]
    season = max(facts.panel.frequency.season, 2)
    weight = 0.5 ** ((t.max() - t) / (_FORGET_SEASONS * season)) if intermittent else None
    data = lgb.Dataset(
        facts.rows(i, o, t),
        target,
        weight=weight,
        feature_name=names,
        categorical_feature=categories,
        params={"verbosity": -1},
    )
    small = len(target) < 20_000
    shape = _TWEEDIE if intermittent else {"num_leaves": 15, "min_data_in_leaf": 20} if small else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lgb.train({**_COMMON, **shape}, data, _TWEEDIE_ROUNDS if intermittent else _ROUNDS)
