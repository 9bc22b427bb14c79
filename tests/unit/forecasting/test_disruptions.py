"""Which warnings are raised, how bad they are, and for what."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting.disruptions import Disruption, _days_until, distinct, drifts, late, shocks
from forecasting.intervals import LEVELS
from forecasting.late import Journey, Risk
from forecasting.outcome import Forecasted
from forecasting.series import DAILY, WEEKLY, Frequency, Series

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def risk(promised_days: float, probability: float = 1.0) -> Risk:
    promised = NOW + timedelta(days=promised_days)
    journey = Journey(
        "h1", promised - timedelta(days=2), promised, None, "s", "r", "o", "Lyon", "FR", 5, ("hash",)
    )  # fmt: skip
    return Risk(journey, probability, ("because",))


@pytest.mark.parametrize(
    ("promised_days", "probability", "kind", "severity"),
    [
        (-1, 1.0, "overdue", "medium"),
        (-5, 1.0, "overdue", "high"),
        (-12, 1.0, "custody_gap", "high"),
        (-60, 1.0, "custody_gap", "low"),
        (1, 0.7, "late_handoff", "medium"),
        (1, 0.4, "late_handoff", "low"),
    ],
)
def test_severity_of_late_goods(promised_days: float, probability: float, kind: str, severity: str) -> None:
    (found,) = late([risk(promised_days, probability)], NOW)
    assert (found.kind, found.severity, found.subject, found.evidence) == (kind, severity, "o Lyon", ("hash",))
    assert found.row()["id"] == f"{kind}|h1"
    assert found.expected_at == NOW + timedelta(days=promised_days)
    assert "Lyon" in found.detail


def test_an_unlikely_delay_is_no_warning() -> None:
    assert list(late([risk(1, 0.2)], NOW)) == []


def choice(y: list[float], kind: str, frequency: Frequency) -> Forecasted:
    series = Series(f"{kind}|a|b", kind, np.array(y, dtype=float), NOW, frequency, product="a", place="b")
    return Forecasted(series, np.ones(8), np.ones((8, len(LEVELS))), {}, "median", {})


def test_lead_times_that_grow() -> None:
    (found,) = drifts([choice([3.0] * 30 + [6.0] * 6, "transit", WEEKLY)])
    assert (found.kind, found.subject) == ("lead_time_drift", "a b")
    assert "6.0 days lately, 3.0 before" in found.detail
    assert list(drifts([choice([3.0] * 36, "transit", WEEKLY)])) == []
    assert list(drifts([choice([3.0] * 34 + [6.0] * 2, "transit", WEEKLY)])) == []  # two weeks are no drift


def test_a_shock_of_demand() -> None:
    calm = [10.0, 12, 11, 13, 12, 20, 5] * 10
    assert list(shocks([choice(calm, "demand", DAILY)])) == []
    (found,) = shocks([choice([*calm, *(4 * value for value in calm[:7])], "demand", DAILY)])
    assert found.kind == "demand_shock"
    assert "300% more" in found.detail


def test_when_stock_is_gone() -> None:
    demand = np.array([4.0, 4.0, 4.0])
    assert _days_until(demand, 3, 1) == 0
    assert _days_until(demand, 4, 1) == 1  # used up by the end of the first day, missed on the second
    assert _days_until(demand, 11, 7) == 14
    assert _days_until(demand, 12, 1) is None


def test_two_handoffs_of_one_lot_on_one_lane_are_two_warnings() -> None:
    first = risk(-5)
    second = dataclasses.replace(first, journey=dataclasses.replace(first.journey, id="h2"))
    found = distinct(late([first, second], NOW))
    assert [one.row()["id"] for one in found] == ["overdue|h1", "overdue|h2"]


def test_of_the_same_exception_the_newest_stays() -> None:
    newest, oldest = (Disruption("exception", "low", "lot shortage", detail) for detail in ("newest", "oldest"))
    assert distinct([newest, oldest]) == [newest]


def test_the_same_warning_has_the_same_id() -> None:
    (first,) = late([risk(-5)], NOW)
    again = dataclasses.replace(first, detail="in other words")
    assert first.row()["id"] == again.row()["id"] == "overdue|h1"
