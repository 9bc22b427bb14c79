"""What the recipe says of each series of a history: forecast, quantiles, weights, scores; and sums over them that add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecasting import metrics
from forecasting.history import History
from forecasting.intervals import LEVELS, calibrate, interval
from forecasting.local import BARS
from forecasting.metrics import Array
from forecasting.panel import window
from forecasting.recipe import Part, Pieces, Plan, assemble, scales
from forecasting.series import Series

COMBINATION = "combination"
TOTALS = ("product", "place", "country", "party", "all")


@dataclass(frozen=True)
class Forecasted:
    """A series and what is expected of it. ``quantiles`` is (H, levels); ``scores`` by model and metric are of the newest
    periods that are over, forecast without them."""

    series: Series
    point: Array
    quantiles: Array
    weights: dict[str, float]
    rule: str
    scores: dict[str, dict[str, float]]
    failures: tuple[str, ...] = ()

    def bounds(self, level: float) -> tuple[Array, Array]:
        """The interval of 80 or 95 %."""
        low, high = interval(self.quantiles[None], level)
        return low[0], high[0]


def plan_of(history: History) -> Plan:
    """Forecasts of what is to come, and of the newest periods that are over, by which they are judged."""
    return Plan.of(history.panel, (0, history.panel.horizon))


def outcomes(history: History, plan: Plan, results: dict[str, Pieces], failures: dict[str, str]) -> list[Forecasted]:
    """For each series of the history, in its order; then for sums over several (demand only)."""
    now, before = assemble(plan, results, 0), assemble(plan, results, plan.panel.horizon)
    found: dict[int, Forecasted] = {}
    why: dict[str, list[str]] = {}
    for key, reason in failures.items():
        member, _, name = key.partition("|")
        why.setdefault(name, []).append(f"{member}: {reason}")
    for part, old in zip(now, before, strict=True):
        for place, row in enumerate(part.rows):
            series = history.series[int(row)]
            weights = {name: round(float(part.weights[m, place]), 4) for m, name in enumerate(part.members)}
            found[int(row)] = Forecasted(
                series, part.point[place], part.quantiles[place], weights, part.rule, _scores(plan, old, place),
                tuple(sorted(why.get(series.unique_id, ()))),
            )  # fmt: skip
    bottom = [found[row] for row in range(len(history.series))]
    if history.series[0].kind != "demand":
        return bottom
    return [*bottom, *_totals(history, plan, now, before)]


def _scores(plan: Plan, part: Part, place: int) -> dict[str, dict[str, float]]:
    panel, row = plan.panel, int(part.rows[place])
    cut = int(panel.ends[row]) - panel.horizon
    end = np.array([max(cut, 0)])
    one = panel.take([row])
    actual = window(one.history(one.ends), end, panel.horizon)[0]
    history = one.history(end)
    if cut <= 0 or np.isnan(actual).all() or np.isnan(history).all():
        return {}
    forecasts = {name: part.forecasts[name][place] for name in (*BARS, *part.members)}
    scale = float(scales(history, panel.frequency.lag)[0])
    step = float(scales(history, 1, squared=True)[0])
    found = {}
    for name, forecast in {**forecasts, COMBINATION: part.point[place]}.items():
        known = ~np.isnan(forecast) & ~np.isnan(actual)
        if known.any():
            found[name] = _errors(actual[known], forecast[known], scale, step)
    known = ~np.isnan(actual)
    low80, high80 = (bound[0][known] for bound in interval(part.quantiles[place][None], 0.80))
    low95, high95 = (bound[0][known] for bound in interval(part.quantiles[place][None], 0.95))
    found[COMBINATION] |= {
        "coverage80": metrics.coverage(actual[known], low80, high80),
        "coverage95": metrics.coverage(actual[known], low95, high95),
        "msis": metrics.msis(actual[known], low95, high95, scale, 0.95),
    }
    return found


def _errors(actual: Array, forecast: Array, scale: float, step: float) -> dict[str, float]:
    return {
        "mase": metrics.mase(actual, forecast, scale),
        "rmsse": metrics.rmsse(actual, forecast, step),
        "wape": metrics.wape(actual, forecast),
        "bias": metrics.bias(actual, forecast),
    }


@dataclass(frozen=True)
class _Whole:
    """All series of a panel from one moment: (n, H), (n, K, H), (n, K, H)."""

    point: Array
    past: Array
    actual: Array

    @classmethod
    def of(cls, parts: Sequence[Part]) -> _Whole:
        """Parts put together again."""
        n = sum(len(part.rows) for part in parts)
        shape = parts[0].past.shape[1:]
        point, past, actual = np.zeros((n, shape[1])), np.full((n, *shape), np.nan), np.full((n, *shape), np.nan)
        for part in parts:
            point[part.rows], past[part.rows], actual[part.rows] = part.point, part.past, part.actual
        return cls(point, past, actual)


def _totals(history: History, plan: Plan, now: Sequence[Part], before: Sequence[Part]) -> Iterator[Forecasted]:
    """Sums by product, place, country, party and over all, of one unit each: the sum of the forecasts, and quantiles from
    what the sums of earlier forecasts missed by. They add up by construction."""
    whole, old = _Whole.of(now), _Whole.of(before)
    horizon = plan.panel.horizon
    for level in TOTALS:
        groups = _groups(history.series, level)
        if not groups:
            continue
        rows = list(groups.values())
        y = np.stack([_sum(history.panel.history(plan.panel.ends)[members]) for members in rows])
        scale = scales(y, plan.panel.frequency.lag)
        errors = [_summed(part, rows) for part in (whole, old)]
        points = [np.stack([part.point[members].sum(axis=0) for members in rows]) for part in (whole, old)]
        floor = np.where(np.nanmin(np.nan_to_num(y), axis=1) >= 0, 0.0, -np.inf)
        quantiles = [
            calibrate(past, actual, scale, floor == 0).quantiles(point, floor)
            for point, (past, actual) in zip(points, errors, strict=True)
        ]
        for place, (key, members) in enumerate(groups.items()):
            series = _total(history.series[members[0]], level, key, y[place])
            actual = np.nan_to_num(y[place, -horizon:]) if y.shape[1] > 2 * horizon else np.empty(0)
            scores = _total_scores(actual, points[1][place], quantiles[1][place], y[place, :-horizon], plan)
            yield Forecasted(series, points[0][place], quantiles[0][place], {}, "sum of its parts", scores)


def _groups(series: Sequence[Series], level: str) -> dict[tuple[str, str], list[int]]:
    """Rows by what they are summed over and unit; only sums of several."""
    found: dict[tuple[str, str], list[int]] = {}
    for row, one in enumerate(series):
        value = "all" if level == "all" else getattr(one, level)
        if value:
            found.setdefault((value, one.uom or ""), []).append(row)
    return {key: rows for key, rows in sorted(found.items()) if len(rows) > 1}


def _sum(y: Array) -> Array:
    return np.where(np.isnan(y).all(axis=0), np.nan, np.nansum(y, axis=0))


def _summed(part: _Whole, rows: Sequence[list[int]]) -> tuple[Array, Array]:
    both = ~np.isnan(part.past) & ~np.isnan(part.actual)
    found = []
    for values in (part.past, part.actual):
        kept = np.where(both, values, 0.0)
        total = np.stack([kept[members].sum(axis=0) for members in rows])
        known = np.stack([both[members].any(axis=0) for members in rows])
        found.append(np.where(known, total, np.nan))
    return found[0], found[1]


def _total(like: Series, level: str, key: tuple[str, str], y: Array) -> Series:
    value, uom = key
    about: Any = {name: value if name == level else None for name in ("product", "place", "country", "party")}
    name = f"total|{level}|{value}" + (f"|{uom}" if uom else "")
    return replace(like, unique_id=name, y=y, level=level, uom=uom or None, **about)


def _total_scores(
    actual: Array, point: Array, quantiles: Array, history: Array, plan: Plan
) -> dict[str, dict[str, float]]:
    if not len(actual):
        return {}
    scale = float(scales(history[None], plan.panel.frequency.lag)[0])
    step = float(scales(history[None], 1, squared=True)[0])
    season = plan.panel.frequency.season
    last = np.nan_to_num(history)
    found = {
        "naive": _errors(actual, np.repeat(last[-1], len(actual)), scale, step),
        "seasonal_naive": _errors(actual, np.resize(last[-min(season, len(last)) :], len(actual)), scale, step),
        COMBINATION: _errors(actual, point, scale, step),
    }
    low80, high80 = (bound[0] for bound in interval(quantiles[None], 0.80))
    low95, high95 = (bound[0] for bound in interval(quantiles[None], 0.95))
    found[COMBINATION] |= {
        "coverage80": metrics.coverage(actual, low80, high80), "coverage95": metrics.coverage(actual, low95, high95)
    }  # fmt: skip
    return found


def quantile_row(quantiles: Array) -> dict[str, float]:
    """Quantiles of one period by level, in fixed decimals."""
    return {f"{level:g}": round(float(value), 6) for level, value in zip(LEVELS, quantiles, strict=True)}
