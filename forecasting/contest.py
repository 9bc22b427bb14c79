"""Rolling-origin back-tests, and the choice of a model for each series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from forecasting import metrics
from forecasting.guards import ImplausibleError, checked
from forecasting.intervals import Conformal
from forecasting.metrics import Array
from forecasting.models import BARS, contestants, forecast_origins
from forecasting.series import Series
from forecasting.workers import Result, Task

ORIGINS = 3
_FALLBACKS = ("window_average", "seasonal_naive", "naive")
_BETTER = 0.98
"""A model must beat the best naive one by two per cent, or the naive one is as good and easier to explain."""


@dataclass
class Entry:
    """A contestant on one series: forecasts at the origins, and of the future."""

    model: str
    past: list[Array] = field(default_factory=list)
    future: Array | None = None
    failure: str | None = None


@dataclass
class Choice:
    """The outcome for one series."""

    series: Series
    entries: dict[str, Entry]
    origins: tuple[int, ...]
    scores: dict[str, dict[str, float]]
    chosen: str
    fallback_reason: str | None

    @property
    def scale(self) -> float:
        """By which errors are compared over series."""
        return metrics.seasonal_scale(self.series.y, self.series.season)

    def errors(self, model: str, upto: int | None = None) -> list[Array]:
        """Scaled errors at the origins (without the last with ``upto=-1``)."""
        entry = self.entries[model]
        pairs = list(zip(self.origins, entry.past, strict=True))[:upto]
        horizon = self.series.frequency.horizon
        return [(self.series.y[o : o + horizon] - forecast) / self.scale for o, forecast in pairs]


def origins_of(series: Series) -> tuple[int, ...]:
    """Lengths of history from which the back-test forecasts; fewer where the history is short."""
    length, horizon = len(series.y), series.frequency.horizon
    least = max(2 * horizon, 12, series.frequency.season + 1 if length > 3 * series.frequency.season else 0)
    return tuple(o for o in (length - horizon * n for n in range(ORIGINS, 0, -1)) if o >= least)


def tasks(series: Sequence[Series], extra: str | None = None) -> list[Task]:
    """A task for each series and contestant; with ``extra`` of that model only."""
    return [
        Task(
            (one.unique_id, model),
            forecast_origins,
            (model, one.y, one.season, one.frequency.horizon, one.dates, (*origins_of(one), len(one.y))),
        )
        for one in series
        for model in ((extra,) if extra else contestants(one.demand_class, len(one.y)))
    ]


def collect(results: Sequence[Result], series: dict[str, Series]) -> dict[str, dict[str, Entry]]:
    """Entries by series and model; what is implausible is a failure with its reason."""
    entries: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for result in results:
        unique_id, model = result.key
        entries[unique_id][model] = _entry(model, result, series[unique_id])
    return entries


def _entry(model: str, result: Result, series: Series) -> Entry:
    if result.failure is not None:
        return Entry(model, failure=result.failure)
    origins = (*origins_of(series), len(series.y))
    try:
        forecasts = [checked(f, series.y[:origin]) for f, origin in zip(result.value, origins, strict=True)]
    except ImplausibleError as error:
        return Entry(model, failure=str(error))
    return Entry(model, past=forecasts[:-1], future=forecasts[-1])


def choose(series: Series, entries: dict[str, Entry]) -> Choice:
    """The model with the least error on the past: MASE for regular demand, RMSSE for intermittent."""
    origins = origins_of(series)
    usable = {name: entry for name, entry in entries.items() if entry.failure is None}
    scores = {name: _score(series, origins, entry) for name, entry in usable.items()} if origins else {}
    metric = "mase" if series.demand_class in ("smooth", "erratic") else "rmsse"
    chosen, reason = _best(scores, usable, metric)
    if chosen is None:
        chosen, reason = "naive", "no contestant gave a usable forecast"
        last = np.repeat(max(series.y[-1], 0.0), series.frequency.horizon)
        entries = {**entries, "naive": Entry("naive", [last] * len(origins), last)}
    failed = sorted(f"{name}: {entry.failure}" for name, entry in entries.items() if entry.failure is not None)
    if failed and reason is None:
        reason = "left out: " + "; ".join(failed[:3])
    return Choice(series, entries, origins, scores, chosen, reason)


def _best(scores: dict[str, dict[str, float]], usable: dict[str, Entry], metric: str) -> tuple[str | None, str | None]:
    if scores:
        best = min(sorted(scores), key=lambda name: scores[name][metric])
        bars = [name for name in BARS if name in scores]
        if bars and best not in bars:
            bar = min(bars, key=lambda name: scores[name][metric])
            if scores[best][metric] > _BETTER * scores[bar][metric]:
                return bar, None
        return best, None
    fallback = next((name for name in _FALLBACKS if name in usable), None)
    return fallback, "the history is too short for a back-test" if fallback else None


def _score(series: Series, origins: Sequence[int], entry: Entry) -> dict[str, float]:
    horizon = series.frequency.horizon
    actual = np.concatenate([series.y[o : o + horizon] for o in origins])
    forecast = np.concatenate(entry.past)
    history = series.y[: origins[0]]
    return {
        "mase": metrics.mase(actual, forecast, metrics.seasonal_scale(history, series.season)),
        "rmsse": metrics.rmsse(actual, forecast, metrics.step_scale(history)),
        "wape": metrics.wape(actual, forecast),
        "bias": metrics.bias(actual, forecast),
    }


def calibrate(choices: Sequence[Choice]) -> dict[tuple[str, str], tuple[Conformal, Conformal | None]]:
    """Intervals by kind and period: from all origins, and from all but the last, on which they can be judged."""
    groups: defaultdict[tuple[str, str], list[Choice]] = defaultdict(list)
    for choice in choices:
        groups[(choice.series.kind, choice.series.frequency.code)].append(choice)
    calibrated = {}
    for key, members in groups.items():
        horizon = members[0].series.frequency.horizon
        every = [error for choice in members for error in choice.errors(choice.chosen)]
        early = [error for choice in members for error in choice.errors(choice.chosen, -1)]
        calibrated[key] = (Conformal(every, horizon), Conformal(early, horizon) if early else None)
    return calibrated


def judge(choice: Choice, early: Conformal | None) -> dict[str, float]:
    """Coverage and interval score on the last origin, with intervals that had not seen it."""
    if early is None or not choice.origins or len(choice.origins) < 2:
        return {}
    origin, horizon = choice.origins[-1], choice.series.frequency.horizon
    actual = choice.series.y[origin : origin + horizon]
    forecast = choice.entries[choice.chosen].past[-1]
    low80, high80 = early.bounds(forecast, choice.scale, 0.80)
    low95, high95 = early.bounds(forecast, choice.scale, 0.95)
    return {
        "coverage80": metrics.coverage(actual, low80, high80),
        "coverage95": metrics.coverage(actual, low95, high95),
        "msis": metrics.msis(actual, low95, high95, choice.scale, 0.95),
    }
