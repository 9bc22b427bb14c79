"""What will go wrong: late goods, stock-outs, drifting lead times, demand shocks, gaps in custody.

Every warning says how bad, about what, what to do, and which events on the ledger show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from forecasting.late import Journey, Risk
from forecasting.metrics import Array
from forecasting.outcome import Forecasted
from readmodel.queries.exceptions import ExceptionRecord
from readmodel.queries.stock import Stock

_LIKELY, _POSSIBLE = 0.6, 0.35
_MANY = 60
_DRIFT, _SHOCK = 1.35, 4.0
_LOST_FACTOR = 4.0
_FORGOTTEN_DAYS = 45
"""A gap older than this is a matter for the books, not for this morning."""
_DAYS = {"D": 1, "W-MON": 7, "MS": 30}


@dataclass(frozen=True)
class Disruption:
    """A warning. ``evidence`` are event hashes; ``subject`` names things, places or lanes, separated by blanks."""

    kind: str
    severity: str
    subject: str
    detail: str
    evidence: tuple[str, ...] = ()
    expected_at: datetime | None = None
    key: str = ""
    """What tells it from others of its kind, where the subject does not."""

    def row(self) -> dict[str, Any]:
        """For the table of disruptions; the id is the same for the same kind and key."""
        return {
            "id": f"{self.kind}|{self.key or self.subject}",
            "kind": self.kind,
            "severity": self.severity,
            "subject": self.subject,
            "detail": self.detail,
            "evidence": list(self.evidence),
            "expected_at": self.expected_at,
        }


def distinct(found: Iterable[Disruption]) -> list[Disruption]:
    """Each once, the first of its id: two handoffs of one lot on one lane are two warnings."""
    once: dict[str, Disruption] = {}
    for one in found:
        once.setdefault(one.row()["id"], one)
    return list(once.values())


def late(risks: Sequence[Risk], as_of: datetime) -> Iterator[Disruption]:
    """Open handoffs that are overdue, or likely to be."""
    usual = _usual_days(risk.journey for risk in risks)
    for risk in risks[: 4 * _MANY]:
        journey = risk.journey
        subject = " ".join(filter(None, (journey.item, journey.origin, journey.destination)))
        overdue = (as_of - journey.promised).total_seconds() / 86_400
        if overdue > max(10.0, _LOST_FACTOR * usual):
            yield Disruption(
                "custody_gap", "high" if overdue < _FORGOTTEN_DAYS else "low", subject,
                f"Released {journey.released:%Y-%m-%d} to {journey.destination or journey.receiver}, promised {journey.promised:%Y-%m-%d}, never accepted: "
                "ask the consignee whether it arrived without a scan, else open a claim for loss.",
                journey.evidence, journey.promised, journey.id,
            )  # fmt: skip
        elif overdue > 0:
            yield Disruption(
                "overdue", "high" if overdue > 2 else "medium", subject,
                f"{overdue:.1f} days past its promise to {journey.destination or journey.receiver}: call the carrier.",
                journey.evidence, journey.promised, journey.id,
            )  # fmt: skip
        elif risk.probability >= _POSSIBLE:
            yield Disruption(
                "late_handoff", "medium" if risk.probability >= _LIKELY else "low", subject,
                f"{risk.probability:.0%} likely to miss {journey.promised:%Y-%m-%d %H:%M} at {journey.destination or journey.receiver}: "
                f"{'; '.join(risk.reasons)}. Tell the consignee.",
                journey.evidence, journey.promised, journey.id,
            )  # fmt: skip


def _usual_days(journeys: Iterable[Journey]) -> float:
    promised = [(journey.promised - journey.released).total_seconds() / 86_400 for journey in journeys]
    return float(np.median(promised)) if promised else 1.0


def stock_outs(
    stock: Sequence[Stock], forecasts: Sequence[Forecasted], inbound: dict[tuple[str, str], float], as_of: datetime
) -> Iterator[Disruption]:
    """Where demand will use up what is on hand and under way before the horizon's end."""
    shelf: dict[tuple[str, str], float] = {}
    for one in stock:
        if one.place is not None:
            shelf[(one.product, one.place)] = shelf.get((one.product, one.place), 0.0) + one.quantity
    for forecast in forecasts:
        series = forecast.series
        if series.kind != "demand" or not series.place:
            continue
        key = (series.product or "", series.place)
        warning = _stock_out(forecast, max(shelf.get(key, 0.0), 0.0), inbound.get(key, 0.0), as_of)
        if warning is not None:
            yield warning


def _stock_out(forecast: Forecasted, shelf: float, coming: float, as_of: datetime) -> Disruption | None:
    series, future = forecast.series, forecast.point
    if float(future.sum()) <= 0:
        return None
    high = forecast.bounds(0.80)[1]
    length = _DAYS[series.frequency.code]
    expected = _days_until(future, shelf + coming, length)
    cautious = _days_until(high, shelf, length)
    if expected is None and cautious is None:
        return None
    soon = expected is not None and expected <= 2 * length
    severity = (
        "high" if soon and coming == 0 else "medium" if expected is not None and expected <= 7 * length else "low"
    )
    if severity == "low":
        return None
    runs_out = as_of + timedelta(days=expected if expected is not None else cautious or 0)
    detail = (
        f"{series.product} at {series.place}: {shelf:,.0f} on hand and {coming:,.0f} on the way against an expected demand of "
        f"{future[0]:,.0f} a {'day' if length == 1 else 'period'}: gone by about {runs_out:%Y-%m-%d}. Order now or move stock."
    )
    return Disruption("stock_out", severity, f"{series.product} {series.place}", detail, expected_at=runs_out)


def _days_until(demand: Array, stock: float, length: int) -> float | None:
    used = np.cumsum(demand)
    gone = int(np.searchsorted(used, stock, side="right"))
    return None if gone >= len(demand) else float(gone * length)


def drifts(forecasts: Sequence[Forecasted]) -> Iterator[Disruption]:
    """Lanes whose transit times have grown: the last six weeks with arrivals against the time before."""
    for forecast in forecasts:
        series = forecast.series
        weeks = series.y[~np.isnan(series.y)]
        if series.kind != "transit" or len(weeks) < 20:
            continue
        before, lately = float(np.median(weeks[:-6])), float(np.median(weeks[-6:]))
        if before > 0 and lately > _DRIFT * before and lately - before > 0.5:
            lane = " ".join(series.unique_id.split("|")[1:])
            yield Disruption(
                "lead_time_drift", "medium", lane,
                f"Transit on this lane takes {lately:.1f} days lately, {before:.1f} before: plan and promise by the new time.",
            )  # fmt: skip


def shocks(forecasts: Sequence[Forecasted]) -> Iterator[Disruption]:
    """Demand of the last week far from what the seasons explain. Nothing is said of weeks of which not all is known."""
    for forecast in forecasts:
        series = forecast.series
        season = series.frequency.season if series.frequency.code == "D" else 1
        y = series.y[int(np.argmax(~np.isnan(series.y))) :]
        if series.kind != "demand" or len(y) < 8 * season:
            continue
        sums = y[len(y) % season :].reshape(-1, season).sum(axis=1)
        if np.isnan(sums[-9:]).any():
            continue
        usual = float(np.median(sums[-9:-1]))
        spread = 1.4826 * float(np.median(np.abs(sums[-9:-1] - usual))) + 0.08 * usual + 1.0
        if abs(sums[-1] - usual) > _SHOCK * spread:
            word = "more" if sums[-1] > usual else "less"
            yield Disruption(
                "demand_shock", "low", f"{series.product} {series.place or series.country or ''}".strip(),
                f"{sums[-1]:,.0f} in the last period, {abs(sums[-1] / max(usual, 1.0) - 1):.0%} {word} than usual ({usual:,.0f}): a promotion, a gap in "
                "the record, or a change? Check before ordering by it.",
            )  # fmt: skip


def open_exceptions(known: Sequence[ExceptionRecord]) -> Iterator[Disruption]:
    """What the contract found wrong and nobody has explained, newest first."""
    for found in known:
        evidence = (found.event,) if found.event else ()
        subject = found.item or found.id
        yield Disruption(
            "exception",
            found.severity or "low",
            f"{subject} {found.kind}",
            f"{found.kind.replace('_', ' ')}: {found.detail}",
            evidence,
            found.opened_at,
        )
