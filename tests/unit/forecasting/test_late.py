"""Late risks: the future must not leak into the past."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.late import FEATURES, Journey, LateModel, Record, evaluate, risks, training_rows

START = datetime(2024, 1, 1, tzinfo=UTC)


def journey(number: int, released: float, promised: float, arrived: float | None, lane: str = "A") -> Journey:
    """Times in days."""
    return Journey(
        id=f"{number}",
        released=START + timedelta(days=released),
        promised=START + timedelta(days=promised),
        arrived=None if arrived is None else START + timedelta(days=arrived),
        sender=f"sender {lane}",
        receiver="receiver",
        origin=f"origin {lane}",
        destination=f"destination {lane}",
        country="FR",
        quantity=10,
    )


JOURNEYS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0.1, 20), st.none() | st.floats(0.1, 40), st.sampled_from("ABC")),
    max_size=25,
).map(
    lambda rows: [
        journey(n, released, released + promise, None if taken is None else released + taken, lane)
        for n, (released, promise, taken, lane) in enumerate(rows)
    ]
)


def seen_at(one: Journey, now: datetime) -> Journey:
    """What was known of a journey then."""
    return one if one.arrived is None or one.arrived < now else dataclasses.replace(one, arrived=None)


@given(JOURNEYS, st.floats(1, 120))
def test_later_arrivals_change_no_probability(journeys: list[Journey], days: float) -> None:
    now = START + timedelta(days=days)
    known = [seen_at(one, now) for one in journeys if one.released < now]
    whole, _ = risks(journeys, now)
    then, _ = risks(known, now)
    assert [(risk.journey.id, risk.probability) for risk in whole] == [
        (risk.journey.id, risk.probability) for risk in then
    ]


@given(JOURNEYS)
def test_features_at_release_know_nothing_of_what_follows(journeys: list[Journey]) -> None:
    now = START + timedelta(days=200)
    rows, _, kept = training_rows(journeys, now)
    for row, one in zip(rows, kept, strict=True):
        earlier = [
            seen_at(other, one.released) for other in journeys if (other.released, other.id) < (one.released, one.id)
        ]
        record = Record()
        for other in earlier:
            record.expect(other)
        assert np.allclose(row, record.features(one, one.released))


def test_a_broken_promise_is_known_when_it_is_broken() -> None:
    never = journey(1, 0, 10, None)
    assert (never.late, never.known) == (True, never.promised)
    assert journey(2, 0, 10, 12).known == START + timedelta(days=10)
    timely = journey(3, 0, 10, 8)
    assert (timely.late, timely.known) == (False, timely.arrived)


def test_overdue_is_certain_and_long_under_way_is_likelier() -> None:
    history = [journey(n, n, n + 10, n + (5 if n % 4 else 14)) for n in range(100)]
    fresh, old, overdue = journey(900, 119, 129, None), journey(901, 111, 121, None), journey(902, 100, 110, None)
    found, quality = risks([*history, fresh, old, overdue], START + timedelta(days=120))
    chance = {risk.journey.id: risk.probability for risk in found}
    assert chance["902"] == 1
    assert chance["900"] < chance["901"] < 1
    assert quality["trainedOn"] == 101


def test_few_late_journeys_are_told() -> None:
    model = LateModel().fit(np.zeros((30, len(FEATURES))), np.zeros(30), [START] * 30)
    assert model.note is not None
    assert "0 of 30" in model.note
    rows = np.full((1, len(FEATURES)), 0.3)
    assert model.predict(rows).tolist() == [0.3]


def test_a_bad_lane_is_learnt() -> None:
    generator = np.random.default_rng(3)
    journeys = []
    for n in range(800):
        lane = "B" if n % 2 else "A"
        late = generator.random() < (0.6 if lane == "B" else 0.05)
        journeys.append(journey(n, n / 4, n / 4 + 10, n / 4 + (13 if late else 7), lane))
    rows, outcomes, kept = training_rows(journeys, START + timedelta(days=400))
    judged = evaluate(rows, outcomes, kept)
    assert judged["auc"] > 0.7
    assert abs(judged["late"] - 0.325) < 0.1
