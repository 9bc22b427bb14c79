"""One run: a snapshot, the recipe on it, late risks, disruptions; written to the read model in one go.

Nothing in it asks a clock: the same snapshot gives the same rows, on a busy machine or a quiet one, at once or after an interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from sqlalchemy import Engine

from forecasting import disruptions, late, snapshot
from forecasting.doing import Tell, execute
from forecasting.findings import Finding
from forecasting.history import History
from forecasting.outcome import COMBINATION, Forecasted, outcomes, plan_of, quantile_row
from forecasting.series import FREQUENCIES
from forecasting.snapshot import Snapshot
from readmodel.forecasts import Work, save_run

_DECIMALS = 6


class NothingToForecastError(RuntimeError):
    """The read model holds no history that could be forecast."""


@dataclass
class RunSummary:
    """What a run did; kept with it. ``weights`` are means over series of one period and kind."""

    run_id: int = 0
    series: int = 0
    forecast: int = 0
    totals: int = 0
    as_of: str = ""
    frequency: str | None = None
    weights: dict[str, dict[str, float]] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    findings: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    coverage80: float | None = None
    coverage95: float | None = None
    mase: float | None = None
    better_than_seasonal_naive: float | None = None
    late: dict[str, Any] = field(default_factory=dict)
    risks: int = 0
    disruptions: dict[str, int] = field(default_factory=dict)


def run(
    engine: Engine,
    *,
    freq: str | None = None,
    as_of: datetime | None = None,
    max_series: int | None = None,
    processes: int = 2,
    progress: Tell | None = None,
) -> RunSummary:
    """Forecast everything that has a history, and say what may go wrong.

    ``as_of`` is the end of the history (default: the newest event on the ledger, never the wall clock); ``freq`` D, W or M
    (default: by how dense the series are); ``max_series`` at most so many demand series. A run that is interrupted goes on from what is
    done when it is called again for the same snapshot. Raises NothingToForecastError, workers.StuckError.
    """
    tell = progress or (lambda stage, done, total: None)
    tell("history", 0, 1)
    seen = snapshot.take(engine, as_of, FREQUENCIES[freq] if freq else None)
    if seen is None:
        raise NothingToForecastError("there are no events on the ledger yet")
    tell("history", 1, 1)
    summary = RunSummary(as_of=seen.as_of.isoformat())
    digest = seen.digest(freq=freq, max_series=max_series)
    work = Work(engine, digest)
    found: list[Forecasted] = []
    failures: dict[str, str] = {}
    for name, history in _parts(seen, max_series, summary).items():
        plan = plan_of(history)
        results, failed = execute(plan, _Prefixed(work, name), processes, tell)
        found += outcomes(history, plan, results, failed)
        failures |= failed
    tell("late handoffs", 0, 1)
    risks, summary.late = late.risks(seen.journeys, seen.as_of)
    warnings = _warnings(seen, found, risks)
    tell("late handoffs", 1, 1)
    _summarise(seen, found, risks, warnings, failures, summary)
    _write(engine, seen, found, risks, warnings, summary, digest)
    work.forget()
    return summary


class _Prefixed:
    """The pieces of one kind of series among those of a run."""

    def __init__(self, work: Work, name: str) -> None:
        self._work, self._name = work, name

    def load(self) -> dict[str, bytes]:
        return {
            key.removeprefix(f"{self._name}:"): data
            for key, data in self._work.load().items()
            if key.startswith(f"{self._name}:")
        }

    def keep(self, key: str, piece: bytes) -> None:
        self._work.keep(f"{self._name}:{key}", piece)


def _parts(seen: Snapshot, max_series: int | None, summary: RunSummary) -> dict[str, History]:
    parts: dict[str, History] = {}
    if seen.demand is not None:
        parts["demand"] = snapshot.limited(seen.demand, max_series)
        left = len(seen.demand.series) - len(parts["demand"].series)
        if left:
            summary.skipped.append(f"{left} demand series with the fewest periods of demand (--max-series)")
        summary.frequency = seen.demand.panel.frequency.code
    if seen.transit is not None:
        parts["transit"] = seen.transit
    return parts


def _warnings(seen: Snapshot, found: Sequence[Forecasted], risks: Sequence[late.Risk]) -> list[disruptions.Disruption]:
    bottom = [one for one in found if one.series.level == "bottom"]
    return disruptions.distinct(
        [
            *disruptions.late(risks, seen.as_of),
            *disruptions.stock_outs(seen.stock, bottom, seen.inbound, seen.as_of),
            *disruptions.drifts(bottom),
            *disruptions.shocks(bottom),
            *disruptions.open_exceptions(seen.exceptions),
        ]
    )


def _summarise(
    seen: Snapshot,
    found: Sequence[Forecasted],
    risks: Sequence[late.Risk],
    warnings: Sequence[disruptions.Disruption],
    failures: dict[str, str],
    summary: RunSummary,
) -> None:
    bottom = [one for one in found if one.series.level == "bottom"]
    summary.series = summary.forecast = len(bottom)
    summary.totals = len(found) - len(bottom)
    summary.risks, summary.failures = len(risks), len(failures)
    for warning in warnings:
        summary.disruptions[warning.kind] = summary.disruptions.get(warning.kind, 0) + 1
    for finding in seen.findings:
        summary.findings[finding.kind] = summary.findings.get(finding.kind, 0) + 1
    groups: dict[str, list[Forecasted]] = {}
    for one in bottom:
        summary.rules[one.rule] = summary.rules.get(one.rule, 0) + 1
        groups.setdefault(f"{one.series.kind}, {'+'.join(sorted(one.weights))}", []).append(one)
    for members in groups.values():
        names = sorted(members[0].weights)
        kind = members[0].series.kind + (", intermittent" if "adida" in names else "")
        summary.weights[kind] = {
            name: round(float(np.mean([one.weights[name] for one in members])), 3) for name in names
        }
    _score(bottom, summary)


def _score(bottom: Sequence[Forecasted], summary: RunSummary) -> None:
    scored = [one.scores for one in bottom if COMBINATION in one.scores]
    if not scored:
        return

    def mean(metric: str) -> float:
        return round(float(np.mean([score[COMBINATION][metric] for score in scored])), 4)

    summary.coverage80, summary.coverage95, summary.mase = mean("coverage80"), mean("coverage95"), mean("mase")
    pairs = [
        (score[COMBINATION]["mase"], score["seasonal_naive"]["mase"]) for score in scored if "seasonal_naive" in score
    ]
    bar = float(np.mean([naive for _, naive in pairs])) if pairs else 0.0
    if bar > 0:
        summary.better_than_seasonal_naive = round(1 - float(np.mean([own for own, _ in pairs])) / bar, 4)


def _write(
    engine: Engine,
    seen: Snapshot,
    found: Sequence[Forecasted],
    risks: Sequence[late.Risk],
    warnings: Sequence[disruptions.Disruption],
    summary: RunSummary,
    digest: str,
) -> None:
    kept = {name: value for name, value in asdict(summary).items() if name != "run_id"}
    summary.run_id = save_run(
        engine,
        series=[_series_row(one) for one in found],
        forecasts=[row for one in found for row in forecast_rows(one)],
        backtests=[row for one in found for row in _backtest_rows(one)],
        late_risks=[
            {
                "handoff_id": risk.journey.id,
                "probability": risk.probability,
                "reasons": list(risk.reasons),
                "promised_at": risk.journey.promised,
            }
            for risk in risks
        ],
        disruptions=[warning.row() for warning in warnings],
        findings=[finding.row() for finding in _all_findings(seen, found)],
        block=seen.block,
        freq=summary.frequency,
        data_digest=digest,
        code_version=version("lotline"),
        summary=kept,
    )


def _all_findings(seen: Snapshot, found: Sequence[Forecasted]) -> list[Finding]:
    looked_at = {one.series.unique_id for one in found}
    return [one for one in seen.findings if not one.subject or one.subject in looked_at or one.kind == "empty"]


def _series_row(one: Forecasted) -> dict[str, Any]:
    series = one.series
    return {
        "unique_id": series.unique_id,
        "kind": series.kind,
        "product": series.product,
        "party": series.party,
        "place": series.place,
        "country": series.country,
        "freq": series.frequency.code,
        "uom": series.uom,
        "level": series.level,
        "demand_class": series.demand_class if series.kind == "demand" else None,
        "weights": one.weights or None,
        "chosen_model": COMBINATION,
        "fallback_reason": "left out: " + "; ".join(one.failures[:3]) if one.failures else None,
        "n_obs": int((~np.isnan(series.y)).sum()),
    }


def forecast_rows(one: Forecasted) -> list[dict[str, Any]]:
    """A row for each period ahead, in fixed decimals: what is kept, compared and, one day, committed."""
    low80, high80 = one.bounds(0.80)
    low95, high95 = one.bounds(0.95)
    return [
        {
            "unique_id": one.series.unique_id,
            "ds": moment,
            "horizon": step + 1,
            "y_hat": round(float(one.point[step]), _DECIMALS),
            "lo80": round(float(low80[step]), _DECIMALS),
            "hi80": round(float(high80[step]), _DECIMALS),
            "lo95": round(float(low95[step]), _DECIMALS),
            "hi95": round(float(high95[step]), _DECIMALS),
            "quantiles": quantile_row(one.quantiles[step]),
            "model": COMBINATION,
        }
        for step, moment in enumerate(one.series.ahead)
    ]


def _backtest_rows(one: Forecasted) -> list[dict[str, Any]]:
    return [
        {"unique_id": one.series.unique_id, "model": model, "metric": metric, "value": round(value, _DECIMALS)}
        for model, scores in one.scores.items()
        for metric, value in scores.items()
    ]
