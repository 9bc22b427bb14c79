"""Prophet's part: the shape that series have in common, fitted once a group, and brought to each series' own level.

Prophet on each of thousands of short series is slow and wild (facts: 49 % of its 80 % intervals hold); on what a group has in common it
is neither. Up to ``MOST`` series have a Prophet each; beyond that it is one a group, never more than ``MOST`` a moment, whatever the
clock says. Regressors and holidays come in as their effect on the group; what a series' own differ by is added.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from forecasting.effects import Effects
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel, window

MOST = 24
_SEED = 20_240_101
_LEVEL_WEIGHT = 0.15
_BLIND = 4
"""Shapes where nothing is known by which to group."""
_LEAST = 12
"""Periods that a shape is fitted to, at least."""


def groups(panel: Panel, z: Array) -> Ints:
    """(n,): which shape each series has part in.

    Of the groupings with at most ``MOST`` groups the one that explains most of what series do apart from their levels, beyond
    what as many groups would by chance; without one, by how restless the series are.
    """
    n = len(panel.ids)
    if n <= MOST:
        return np.arange(n)
    usable = {name: codes for name, codes in panel.groups.items() if int(codes.max()) < MOST}
    if usable:
        return usable[max(sorted(usable), key=lambda name: _explained(z, usable[name]))]
    spread = np.nan_to_num(np.nanstd(np.diff(np.nan_to_num(z), axis=1), axis=1))
    order = np.lexsort((np.arange(n), spread))
    codes = np.empty(n, dtype=np.int64)
    codes[order] = np.arange(n) * _BLIND // n
    return codes


def _explained(z: Array, codes: Ints) -> float:
    known = ~np.isnan(z)
    centred = np.nan_to_num(z - (np.nansum(z, axis=1) / np.maximum(known.sum(axis=1), 1))[:, None])
    total, count = (np.zeros((int(codes.max()) + 1, z.shape[1])) for _ in range(2))
    np.add.at(total, codes, centred)
    np.add.at(count, codes, known)
    between = float(np.sum(total**2 / np.maximum(count, 1)))
    noise = float(np.sum(centred**2) - between) / max(int(known.sum() - (count > 0).sum()), 1)
    return between - noise * float((count > 0).sum())


def shapes(panel: Panel, cut: Ints, known: Effects, *, intermittent: bool) -> tuple[Array, dict[str, str]]:
    """(n, H) of the Prophet member, NaN where it gives nothing, and failures by group."""
    forecast = np.full((len(panel.ids), panel.horizon), np.nan)
    failures: dict[str, str] = {}
    z, shift = (_ratios(panel, cut), np.zeros_like(known.shift)) if intermittent else (known.z, known.shift)
    codes = groups(panel, z)
    for group in np.unique(codes):
        for column in np.unique(cut[codes == group]):
            rows = np.flatnonzero((codes == group) & (cut == column))
            try:
                said = _group(panel, z[rows], shift[rows], int(column))
            except Exception as error:
                failures[panel.ids[int(rows[0])]] = f"{type(error).__name__}: {error}"[:200]
                continue
            if said is not None:
                forecast[rows] = said
    forecast = forecast * _means(panel, cut)[:, None] if intermittent else known.back(forecast)
    if intermittent:
        forecast = np.maximum(forecast, 0.0)
    shut = window(panel.closed.astype(float), cut, panel.horizon)
    return np.where((shut == 1.0) & ~np.isnan(forecast), 0.0, forecast), failures


def _means(panel: Panel, cut: Ints) -> Array:
    history = panel.history(cut)
    count = np.maximum((~np.isnan(history)).sum(axis=1), 1)
    return np.asarray(np.nansum(history, axis=1) / count)


def _ratios(panel: Panel, cut: Ints) -> Array:
    mean = _means(panel, cut)
    return panel.history(cut) / np.where(mean > 0, mean, 1.0)[:, None]


def _group(panel: Panel, z: Array, shift: Array, cut: int) -> Array | None:
    """(rows, H) on the transformed scale."""
    known = ~np.isnan(z)
    count = known.sum(axis=0)
    columns = np.flatnonzero(count > 0)
    if len(columns) < _LEAST:
        return None
    level = np.nansum(z, axis=1) / np.maximum(known.sum(axis=1), 1)
    common = np.nansum(z - level[:, None], axis=0)[columns] / count[columns]
    effect = shift.mean(axis=0)
    horizon = panel.horizon
    ahead = np.minimum(cut + np.arange(horizon), len(panel.dates) - 1)
    said = _prophet(panel, columns, common, effect, np.concatenate([columns, ahead]))
    fitted, future = said[: len(columns)], said[len(columns) :]
    own = shift - effect
    residual = z[:, columns] - fitted - own[:, columns]
    weight = (1 - _LEVEL_WEIGHT) ** (columns[-1] - columns) * known[:, columns]
    total = weight.sum(axis=1)
    stands = np.nansum(weight * np.nan_to_num(residual), axis=1) / np.where(total > 0, total, 1.0)
    return np.where(total[:, None] > 0, future + stands[:, None] + own[:, ahead], np.nan)


def _prophet(panel: Panel, columns: Ints, y: Array, effect: Array, wanted: Ints) -> Array:
    dates = panel.dates.tz_localize(None)
    frame = pd.DataFrame({"ds": dates[columns], "y": y, "effect": effect[columns]})
    model = _model(panel, len(columns))
    if float(np.std(effect[columns])) > 1e-9:
        model.add_regressor("effect", standardize=False, prior_scale=1.0)
    with _folder() as folder:
        model.fit(frame, seed=_SEED, output_dir=folder, iter=500)
    return np.asarray(model.predict(pd.DataFrame({"ds": dates[wanted], "effect": effect[wanted]}))["yhat"])


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """A folder of its own: Prophet's optimiser leaves files behind, cmdstan in the folder for temporary files too."""
    with tempfile.TemporaryDirectory(prefix="lotline-prophet-") as folder:
        yield folder


def _hush() -> None:
    for name in ("prophet", "prophet.forecaster", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
        logging.getLogger(name).disabled = True


def _model(panel: Panel, length: int) -> Any:
    _hush()  # its import speaks
    from prophet import Prophet

    _hush()  # and sets levels itself
    span = length * panel.frequency.days
    yearly: Any = False
    if panel.calendar and span > 500:
        yearly = {"M": 4, "W": 6, "Q": 1}.get(panel.frequency.unit, 6)
    model = Prophet(
        weekly_seasonality=3 if panel.calendar and panel.frequency.unit in "HDB" else False,
        yearly_seasonality=yearly,
        daily_seasonality=panel.calendar and panel.frequency.unit == "H",
        n_changepoints=min(10, max(1, length // 8)),
        changepoint_prior_scale=0.03,
        uncertainty_samples=0,
    )
    if not panel.calendar and panel.frequency.season > 1:
        model.add_seasonality("season", period=panel.frequency.season * panel.frequency.days, fourier_order=3)
    return model
