"""Back-test the recipe on a panel: what it would have said at some moments of the past, and how far off that was.

Everything of a forecast (weights, intervals, regressions, what closes) is learned from before its moment. Regressors that are named as
known ahead are taken from the panel for the periods forecast: that is what "known ahead" means.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.doing import Kept, Nowhere, Tell, execute
from forecasting.intervals import LEVELS, interval
from forecasting.local import BARS
from forecasting.metrics import Array
from forecasting.panel import Panel, window
from forecasting.recipe import RECIPE, Part, Plan, assemble

COMBINATION = "combination"
Scores = dict[str, float | None]


@dataclass
class Backtest:
    """``scores`` by member and for the combination; ``rows`` one a series, moment and period ahead."""

    scores: dict[str, Scores]
    by_origin: list[dict[str, Any]]
    weights: dict[str, dict[str, float]]
    failures: dict[str, str]
    rows: pd.DataFrame
    series: int


def identity(panel: Panel, outer: tuple[int, ...]) -> str:
    """SHA-256 over everything that the answer depends on."""
    digest = hashlib.sha256(f"{RECIPE}|{outer}|{panel.frequency}|{panel.country}|{panel.calendar}|".encode())
    for text in (*panel.ids, *panel.known_names, *panel.past_names):
        digest.update(text.encode() + b"\n")
    for array in (panel.y, panel.known, panel.past, panel.ends, *panel.groups.values()):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(str(panel.dates[0]).encode())
    return digest.hexdigest()


def moments(horizon: int, origins: int, step: int) -> tuple[int, ...]:
    """Periods before the end of each series at which forecasts are made: the last leaves just the horizon."""
    return tuple(horizon + step * k for k in range(origins))


def backtest(
    panel: Panel, *, origins: int, step: int, processes: int = 2, kept: Kept | None = None, tell: Tell | None = None
) -> Backtest:
    """Forecast from some moments of the past, and score. Raises ValueError where no series is long enough."""
    outer = moments(panel.horizon, origins, step)
    if not np.any(panel.ends - max(outer) > 0):
        raise ValueError(
            f"no series is longer than {max(outer)} periods, which {origins} origins, {step} apart, of {panel.horizon} periods ahead need"
        )
    plan = Plan.of(panel, outer)
    results, failures = execute(plan, kept or Nowhere(), processes, tell or (lambda stage, done, total: None))
    judged: list[_Judged] = []
    for cut in sorted(outer, reverse=True):
        judged += [_judge(plan, part, cut) for part in assemble(plan, results, cut)]
    members = sorted({name for one in judged for name in one.forecasts})
    names = [*(name for name in members if name != COMBINATION), COMBINATION]
    return Backtest(
        {name: _scores([one for one in judged if name in one.forecasts], name) for name in names},
        [
            {"cutoff": cut, **_scores([one for one in judged if one.cut == cut], COMBINATION)}
            for cut in sorted(outer, reverse=True)
        ],
        _weights(plan, judged),
        failures,
        pd.concat([one.frame() for one in judged], ignore_index=True),
        len(panel.ids),
    )


@dataclass
class _Judged:
    """One part at one moment: forecasts (n, H) by name and what came."""

    cut: int
    panel: Panel
    part: Part
    actual: Array
    scale: Array
    step: Array
    forecasts: dict[str, Array]

    def frame(self) -> pd.DataFrame:
        """Long: ``unique_id, cutoff, ds, horizon, y, combination``, members, quantiles, intervals, weights."""
        n, horizon = self.actual.shape
        end = self.panel.ends - self.cut
        rows = np.repeat(np.arange(n), horizon)
        ahead = np.tile(np.arange(horizon), n)
        columns = np.minimum(np.repeat(end, horizon) + ahead, len(self.panel.dates) - 1)
        kept = np.repeat(end > 0, horizon)
        low80, high80 = interval(self.part.quantiles, 0.80)
        low95, high95 = interval(self.part.quantiles, 0.95)
        dates = self.panel.dates.tz_localize(None)
        found: dict[str, Any] = {
            "unique_id": np.array(self.panel.ids, dtype=object)[rows],
            "cutoff": dates[np.repeat(np.maximum(end - 1, 0), horizon)],
            "ds": dates[columns],
            "horizon": ahead + 1,
            "y": self.actual.ravel(),
            COMBINATION: self.forecasts[COMBINATION].ravel(),
            "lo80": low80.ravel(), "hi80": high80.ravel(), "lo95": low95.ravel(), "hi95": high95.ravel(),
        }  # fmt: skip
        for place, level in enumerate(LEVELS):
            found[f"q{level:g}"] = self.part.quantiles[:, :, place].ravel()
        for name, forecast in self.forecasts.items():
            found.setdefault(name, forecast.ravel())
        for place, name in enumerate(self.part.members):
            found[f"weight_{name}"] = np.repeat(self.part.weights[place], horizon)
        return pd.DataFrame({name: _nine_digits(values) for name, values in found.items()})[kept]


def _nine_digits(values: Any) -> Any:
    """Numbers as they are written: nine digits, whatever their size."""
    if getattr(values, "dtype", None) != np.float64:
        return values
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        size = np.nan_to_num(np.floor(np.log10(np.abs(values))), neginf=0.0, posinf=0.0)
        scale = 10.0 ** np.clip(8 - size, -290, 290)
        return np.round(values * scale) / scale


def _judge(plan: Plan, part: Part, cut: int) -> _Judged:
    panel = plan.panel.take(part.rows)
    end = np.maximum(panel.ends - cut, 0)
    actual = window(panel.y, end, panel.horizon)
    actual[panel.ends - cut <= 0] = np.nan
    history = np.where(np.arange(panel.y.shape[1]) < end[:, None], panel.y, np.nan)
    lag = panel.frequency.lag
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        scale = np.nanmean(np.abs(history[:, lag:] - history[:, :-lag]), axis=1)
        step = np.sqrt(np.nanmean(np.diff(history, axis=1) ** 2, axis=1))
    forecasts = {name: part.forecasts[name] for name in (*BARS, *part.members)}
    scale, step = (np.where(one > 0, one, np.nan) for one in (scale, step))
    return _Judged(cut, panel, part, actual, scale, step, {**forecasts, COMBINATION: part.point})


def _scores(judged: list[_Judged], name: str) -> Scores:
    """MASE, RMSE and RMSSE are means over series and moments; WAPE and bias are pooled (in per cent of what was)."""
    rows: dict[str, list[Array]] = {"mase": [], "rmse": [], "rmsse": []}
    missed = total = signed = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for one in judged:
            error = one.forecasts[name] - one.actual
            absolute = np.nanmean(np.abs(error), axis=1)
            root = np.sqrt(np.nanmean(error**2, axis=1))
            rows["mase"].append(absolute / one.scale)
            rows["rmse"].append(root)
            rows["rmsse"].append(root / one.step)
            known = ~np.isnan(error)
            missed += float(np.abs(error[known]).sum())
            signed += float(error[known].sum())
            total += float(np.abs(one.actual[known]).sum())
        found: Scores = {key: _number(np.concatenate(value)) for key, value in rows.items()}
    found["wape"] = round(100 * missed / total, 4) if total > 0 else None
    found["bias"] = round(100 * signed / total, 4) if total > 0 else None
    found["n"] = int(sum(np.sum(~np.isnan(one.forecasts[name] - one.actual)) for one in judged))
    return {**found, **_interval_scores(judged)} if name == COMBINATION else found


def _interval_scores(judged: list[_Judged]) -> Scores:
    """Coverage over all periods that are not certain, MSIS of the 95 % intervals, mean scaled pinball loss of all quantiles,
    and how often the one-sided 90 % quantile held."""
    held: dict[str, list[Array]] = {"coverage80": [], "coverage95": [], "coverageP90": [], "msis": [], "pinball": []}
    for one in judged:
        open_ = ~(one.part.certain | np.isnan(one.actual))
        quantiles, actual = one.part.quantiles, one.actual
        for level in (0.80, 0.95):
            low, high = interval(quantiles, level)
            inside = ((actual >= low - 1e-9) & (actual <= high + 1e-9)).astype(float)
            held[f"coverage{round(100 * level)}"].append(inside[open_])
        held["coverageP90"].append((actual <= quantiles[:, :, LEVELS.index(0.9)] + 1e-9).astype(float)[open_])
        low, high = interval(quantiles, 0.95)
        width = high - low + 40 * (np.maximum(low - actual, 0) + np.maximum(actual - high, 0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            held["msis"].append(np.nanmean(width, axis=1) / one.scale)
            miss = actual[:, :, None] - quantiles
            share = np.array(LEVELS)
            held["pinball"].append(np.nanmean(np.maximum(share * miss, (share - 1) * miss), axis=(1, 2)) / one.scale)
    return {name: _number(np.concatenate(values)) for name, values in held.items()}


def _number(values: Array) -> float | None:
    finite = values[np.isfinite(values)]
    return round(float(np.mean(finite)), 5) if len(finite) else None


def _weights(plan: Plan, judged: list[_Judged]) -> dict[str, dict[str, float]]:
    """Mean weight of each member at the newest moment, by class."""
    newest = min(one.cut for one in judged)
    found = {}
    for one in judged:
        if one.cut == newest:
            name = next(part for part, rows in plan.parts.items() if rows is one.part.rows)
            mean = one.part.weights.mean(axis=1)
            found[name] = {member: round(float(mean[place]), 4) for place, member in enumerate(one.part.members)}
            found[name] = {"series": len(one.part.rows), **found[name]}
    return found


def write(rows: pd.DataFrame, path: Path) -> None:
    """The forecasts as CSV or parquet, by the name's ending; whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix in (".parquet", ".pq"):
            rows.to_parquet(part, index=False)
        else:
            rows.to_csv(part, index=False, compression="gzip" if path.suffix == ".gz" else None)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
