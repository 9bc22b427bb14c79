"""One run: history, contests, intervals, late risks, disruptions; all written to the read model in one go."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, Engine

from forecasting import contest, disruptions, history, late
from forecasting.contest import Choice
from forecasting.intervals import Conformal
from forecasting.series import FREQUENCIES, Series
from forecasting.workers import Result, run_all
from readmodel.forecasts import save_run
from readmodel.queries.handoffs import HandoffFilter, handoffs
from readmodel.queries.transit import Transit

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and all of it."""

Calibrated = dict[tuple[str, str], tuple[Conformal, Conformal | None]]
_FIT_SECONDS = 20.0
_PROPHET_SERIES = 24
_COST = {"theta": 1, "auto_theta": 1, "ets": 2, "auto_ets": 3}
"""What is cheap comes first, so that every series has something when time runs out."""


class NothingToForecastError(RuntimeError):
    """The read model holds no history that could be forecast."""


@dataclass
class RunSummary:
    """What a run did; kept with it."""

    run_id: int = 0
    series: int = 0
    forecast: int = 0
    seconds: float = 0.0
    as_of: str = ""
    models: dict[str, int] = field(default_factory=dict)
    fallbacks: int = 0
    skipped: list[str] = field(default_factory=list)
    coverage80: float | None = None
    coverage95: float | None = None
    better_than_seasonal_naive: float | None = None
    late: dict[str, Any] = field(default_factory=dict)
    risks: int = 0
    disruptions: dict[str, int] = field(default_factory=dict)


def run(
    engine: Engine,
    *,
    freq: str | None = None,
    as_of: datetime | None = None,
    max_series: int = 120,
    processes: int = 2,
    budget_seconds: float = 35.0,
    progress: Progress | None = None,
) -> RunSummary:
    """Forecast everything that has a history, and say what may go wrong.

    ``as_of`` is the end of the history (default: the newest event on the ledger, never the wall clock); ``freq`` D, W or M
    (default: by each series' density). Fits stop when ``budget_seconds`` are used up; what was skipped for that is in the
    summary. Raises NothingToForecastError.
    """
    begun = time.monotonic()
    tell = progress or (lambda stage, done, total: None)
    now = as_of or history.newest(engine)
    if now is None:
        raise NothingToForecastError("there are no events on the ledger yet")
    with engine.connect() as connection:
        journeys = history.journeys(connection, now)
        demand = history.demand(connection, now, FREQUENCIES[freq] if freq else None)
    series = [*demand[:max_series], *history.transit(journeys, now)[: max(10, max_series // 6)]]
    summary = RunSummary(series=len(series), as_of=now.isoformat())
    if len(demand) > max_series:
        summary.skipped.append(f"{len(demand) - max_series} demand series of the smallest volume")
    choices = _contests(series, processes, begun + budget_seconds, summary, tell)
    calibrated = contest.calibrate(choices)
    tell("late handoffs", 0, 1)
    with engine.connect() as connection:
        risks, summary.late = late.risks(_journeys(connection, journeys, now), now)
        warnings = _warnings(connection, choices, calibrated, risks, now)
    tell("late handoffs", 1, 1)
    _write(engine, choices, calibrated, risks, warnings, summary, begun, now)
    return summary


def _contests(
    series: Sequence[Series], processes: int, until: float, summary: RunSummary, tell: Progress
) -> list[Choice]:
    """All contestants on all series; then Prophet on the largest while there is time."""
    by_id = {one.unique_id: one for one in series}
    tasks = contest.tasks(series)
    quick = sorted(tasks, key=lambda task: _COST.get(task.key[1], 0))
    results: list[Result] = []
    extra = contest.tasks([one for one in series if one.kind == "demand"][:_PROPHET_SERIES], "prophet")
    # Prophet is among what was asked for: it gets a third of the time, on the series that matter most
    reserve = until - 0.3 * (until - time.monotonic()) if extra else until
    for part, limit in ((quick, reserve), (extra, until)):
        total = len(tasks) + len(extra)
        for result in run_all(part, processes, _FIT_SECONDS, limit):
            results.append(result)
            tell("models", len(results), total)
    begun = {result.key for result in results}
    missed = [task.key for task in (*tasks, *extra) if task.key not in begun]
    if missed:
        names = sorted({model for _, model in missed})
        summary.skipped.append(f"{len(missed)} fits for want of time ({', '.join(names)})")
    entries = contest.collect(results, by_id)
    return [contest.choose(one, entries.get(one.unique_id, {})) for one in series]


def _journeys(connection: Connection, rows: Sequence[Transit], as_of: datetime) -> list[late.Journey]:
    """Handoffs with a promise, as the late model sees them."""
    return [
        late.Journey(
            id=row.handoff,
            released=row.released_at,
            promised=row.promised_at,
            arrived=row.accepted_at if row.accepted_at is not None and row.accepted_at < as_of else None,
            sender=row.from_party or "",
            receiver=row.to_party or "",
            origin=row.from_place or row.from_party or "",
            destination=row.to_place or row.to_party or "",
            country=row.to_country or "",
            quantity=row.quantity or 0.0,
            item=row.item,
        )
        for row in rows
        if row.released_at is not None and row.promised_at is not None and row.promised_at > row.released_at
    ]


def _warnings(
    connection: Connection, choices: Sequence[Choice], calibrated: Calibrated, risks: Sequence[late.Risk], now: datetime
) -> list[disruptions.Disruption]:
    evidence, inbound = _under_way(connection)
    known = [late.Risk(_with_evidence(risk.journey, evidence), risk.probability, risk.reasons) for risk in risks]
    found = [
        *disruptions.late(known, now),
        *disruptions.stock_outs(connection, choices, calibrated, inbound, now),
        *disruptions.drifts(choices),
        *disruptions.shocks(choices),
        *disruptions.open_exceptions(connection),
    ]
    return disruptions.distinct(found)


def _with_evidence(journey: late.Journey, evidence: dict[str, tuple[str, ...]]) -> late.Journey:
    return late.Journey(**{**_fields(journey), "evidence": evidence.get(journey.id, ())})


def _fields(journey: late.Journey) -> dict[str, Any]:
    return {name: getattr(journey, name) for name in journey.__dataclass_fields__}


def _under_way(connection: Connection) -> tuple[dict[str, tuple[str, ...]], dict[tuple[str, str], float]]:
    """Release events of open handoffs, and what they bring by product and place."""
    evidence: dict[str, tuple[str, ...]] = {}
    inbound: dict[tuple[str, str], float] = {}
    token: str | None = None
    while True:
        page = handoffs(connection, HandoffFilter(statuses=("released", "disputed")), per_page=500, token=token)
        for handoff in page.items:
            evidence[handoff.id] = tuple(handoff.release_events)
            for line in handoff.lines:
                key = (line.product, handoff.to_place or "")
                inbound[key] = inbound.get(key, 0.0) + (line.released or 0.0) - (line.accepted or 0.0)
        token = page.next
        if token is None:
            return evidence, inbound


def _write(
    engine: Engine,
    choices: Sequence[Choice],
    calibrated: Calibrated,
    risks: Sequence[late.Risk],
    warnings: Sequence[disruptions.Disruption],
    summary: RunSummary,
    begun: float,
    now: datetime,
) -> None:
    judged = {choice.series.unique_id: contest.judge(choice, _of(calibrated, choice)[1]) for choice in choices}
    _summarise(choices, judged, warnings, risks, summary)
    summary.seconds = round(time.monotonic() - begun, 2)
    kept = {name: value for name, value in asdict(summary).items() if name != "run_id"}
    summary.run_id = save_run(
        engine,
        series=[_series_row(choice) for choice in choices],
        forecasts=[row for choice in choices for row in _forecast_rows(choice, _of(calibrated, choice)[0])],
        backtests=[row for choice in choices for row in _backtest_rows(choice, judged[choice.series.unique_id])],
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
        block=_height(engine),
        data_digest=_digest([choice.series for choice in choices]),
        code_version=version("lotline"),
        seconds=summary.seconds,
        summary=kept,
    )


def _height(engine: Engine) -> int | None:
    """The last block that the read model holds."""
    with engine.connect() as connection:
        number: int | None = connection.exec_driver_sql("SELECT max(number) FROM block").scalar()
        return number


def _of(calibrated: Calibrated, choice: Choice) -> tuple[Conformal, Conformal | None]:
    return calibrated[(choice.series.kind, choice.series.frequency.code)]


def _summarise(
    choices: Sequence[Choice],
    judged: dict[str, dict[str, float]],
    warnings: Sequence[disruptions.Disruption],
    risks: Sequence[late.Risk],
    summary: RunSummary,
) -> None:
    for choice in choices:
        summary.models[choice.chosen] = summary.models.get(choice.chosen, 0) + 1
        summary.fallbacks += choice.fallback_reason is not None
    for warning in warnings:
        summary.disruptions[warning.kind] = summary.disruptions.get(warning.kind, 0) + 1
    scores = [score for score in judged.values() if score]
    if scores:
        summary.coverage80 = round(sum(score["coverage80"] for score in scores) / len(scores), 3)
        summary.coverage95 = round(sum(score["coverage95"] for score in scores) / len(scores), 3)
    ratios = [
        choice.scores[choice.chosen]["mase"] / choice.scores["seasonal_naive"]["mase"]
        for choice in choices
        if choice.scores.get("seasonal_naive", {}).get("mase") and choice.chosen in choice.scores
    ]
    summary.better_than_seasonal_naive = round(1 - sum(ratios) / len(ratios), 3) if ratios else None
    summary.forecast = len(choices)
    summary.risks = len(risks)


def _series_row(choice: Choice) -> dict[str, Any]:
    series = choice.series
    return {
        "unique_id": series.unique_id,
        "kind": series.kind,
        "product": series.product,
        "party": series.party,
        "place": series.place,
        "country": series.country,
        "freq": series.frequency.code,
        "demand_class": series.demand_class if series.kind == "demand" else None,
        "chosen_model": choice.chosen,
        "fallback_reason": choice.fallback_reason,
        "n_obs": len(series.y),
    }


def _forecast_rows(choice: Choice, conformal: Conformal) -> list[dict[str, Any]]:
    series, future = choice.series, choice.entries[choice.chosen].future
    assert future is not None
    low80, high80 = conformal.bounds(future, choice.scale, 0.80)
    low95, high95 = conformal.bounds(future, choice.scale, 0.95)
    return [
        {
            "unique_id": series.unique_id,
            "ds": moment,
            "horizon": step + 1,
            "y_hat": float(future[step]),
            "lo80": float(low80[step]),
            "hi80": float(high80[step]),
            "lo95": float(low95[step]),
            "hi95": float(high95[step]),
            "model": choice.chosen,
        }
        for step, moment in enumerate(series.ahead)
    ]


def _backtest_rows(choice: Choice, judged: dict[str, float]) -> list[dict[str, Any]]:
    every = {**choice.scores}
    if choice.chosen in every:
        every[choice.chosen] = {**every[choice.chosen], **judged}
    return [
        {"unique_id": choice.series.unique_id, "model": model, "metric": metric, "value": value}
        for model, scores in every.items()
        for metric, value in scores.items()
    ]


def _digest(series: Sequence[Series]) -> str:
    """SHA-256 over everything that was learned from, in order: whoever has the ledger can make it again."""
    digest = hashlib.sha256()
    for one in sorted(series, key=lambda s: s.unique_id):
        digest.update(f"{one.unique_id}\n{one.start.isoformat()}\n{one.frequency.code}\n".encode())
        digest.update(" ".join(f"{value:.6f}" for value in one.y).encode() + b"\n")
    return digest.hexdigest()
