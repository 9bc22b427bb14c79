"""statsmodels' part for intermittent demand: one Poisson regression over all series, on what their recent past looks like.

A linear companion of the boosted trees, on the same rows: means over several windows, how often there was nothing, age and
distance. Its answer is a mean, not a median of zeros.
"""

from __future__ import annotations

import warnings

import numpy as np

from forecasting.boosted import samples, scaled
from forecasting.features import Facts
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel

_ROWS = 40_000
_FEWEST = 200


def counts(panel: Panel, cut: Ints) -> Array:
    """(n, H): NaN where there was too little to learn from."""
    forecast = np.full((len(panel.ids), panel.horizon), np.nan)
    for column in np.unique(cut):
        rows = np.flatnonzero(cut == column)
        found = _cohort(panel.take(rows), cut[rows], int(column))
        if found is not None:
            forecast[rows] = found
    return forecast


def _cohort(panel: Panel, cuts: Ints, cut: int) -> Array | None:
    import statsmodels.api as sm

    z, scale = scaled(panel, cuts)
    facts = Facts(panel, z, 1, True)
    i, o, t = samples(z, panel, cut)
    if len(i) < _FEWEST:
        return None
    stride = max(1, len(i) // _ROWS)
    i, o, t = i[::stride], o[::stride], t[::stride]
    design, target = _design(facts, i, o, t), z[i, t]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sm.GLM(target, design, family=sm.families.Poisson()).fit_regularized(alpha=1e-3, L1_wt=0.0, maxiter=100)
    n, horizon = len(panel.ids), panel.horizon
    ahead_i = np.repeat(np.arange(n), horizon)
    ahead_o = np.full(n * horizon, cut)
    ahead_t = np.minimum(ahead_o + np.tile(np.arange(horizon), n), len(panel.dates) - 1)
    linear = np.clip(_design(facts, ahead_i, ahead_o, ahead_t) @ fit.params, -12, 3)
    return np.asarray(np.exp(linear).reshape(n, horizon) * scale[:, None])


def _design(facts: Facts, i: Ints, o: Ints, t: Ints) -> Array:
    names, rows = facts.names(), facts.rows(i, o, t).astype(float)
    columns = [np.ones(len(i))]
    for place, name in enumerate(names):
        if name == "ahead":
            columns.append(rows[:, place] / facts.panel.horizon)
        elif name.startswith("mean"):
            columns.append(np.log(np.nan_to_num(rows[:, place], nan=1.0) + 0.1))
        elif name.startswith("zeros"):
            columns.append(np.nan_to_num(rows[:, place], nan=0.5))
    return np.column_stack(columns)
