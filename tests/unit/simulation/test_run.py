"""A simulated network: valid, the same for the same seed, and true to its truth file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epcis import check, parse_document, parse_event
from simulation import Anomalies, Simulation, SimulationConfig, document, simulate

CONFIG = SimulationConfig(events=2_000, days=90, seed=3, end=date(2026, 1, 1))


def events(run: Simulation) -> list[dict[str, Any]]:
    return [event for batch in run.batches() for event in batch.events]


@pytest.fixture(scope="module")
def made() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    run = simulate(CONFIG)
    return events(run), run.truth()


def test_the_same_seed_is_the_same_to_the_byte() -> None:
    first, second = simulate(CONFIG), simulate(CONFIG)
    assert json.dumps(events(first)) == json.dumps(events(second))
    assert json.dumps(first.truth()) == json.dumps(second.truth())
    other = simulate(SimulationConfig(events=2_000, days=90, seed=4, end=date(2026, 1, 1)))
    assert json.dumps(events(other)) != json.dumps(events(simulate(CONFIG)))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(30, 60), st.integers(16, 30), st.integers(0, 2**32))
def test_every_event_is_valid_and_in_its_time(days: int, density: int, seed: int) -> None:
    config = SimulationConfig(events=days * density, days=days, seed=seed, end=date(2026, 1, 1))
    for event in events(simulate(config)):
        parsed = parse_event(event)
        assert [problem for problem in check(parsed) if problem.severity == "error"] == []
        assert config.start <= parsed.event_time
        assert parsed.event_time.date() <= config.end


@pytest.mark.parametrize(("events", "days"), [(480, 30), (2_700, 30), (1_440, 90), (8_100, 90)])
def test_about_as_many_events_as_asked_for(events: int, days: int) -> None:
    run = simulate(replace(CONFIG, events=events, days=days))
    found = sum(len(batch.events) for batch in run.batches())
    assert abs(found - events) <= 0.1 * events
    assert run.truth()["eventsMade"] == found


def test_batches_are_documents(made: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    batch = next(iter(simulate(CONFIG).batches()))
    assert len(parse_document(document(batch)).events) == len(batch.events)


def test_anomalies_name_events_that_are_there(made: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    found, truth = made
    hashes = {parse_event(event).hash for event in found}
    shown = [anomaly for anomaly in truth["anomalies"] if anomaly["event"] is not None]
    # what is uploaded late may come after the last day
    there = {anomaly["event"] for anomaly in shown if anomaly["kind"] != "late_upload"}
    assert there
    assert there <= hashes
    late = [anomaly for anomaly in shown if anomaly["kind"] == "late_upload"]
    missing = [anomaly for anomaly in late if anomaly["event"] not in hashes]
    assert len(missing) < len(late)
    assert all(anomaly["time"] >= "2025-12-29" for anomaly in missing)


def test_every_lot_made_was_commissioned_of_materials_that_were(
    made: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    found, truth = made
    begun: set[str] = set()
    for event in found:
        parsed = parse_event(event)
        if parsed.type == "ObjectEvent" and parsed.action == "ADD":
            begun |= {element.epc_class for element in parsed.quantity_list}
        if parsed.type == "TransformationEvent":
            begun |= {element.epc_class for element in parsed.output_quantity_list}
            if event.get("bizStep") == "creating_class_instance" and event.get("ilmd"):
                # cases have serial numbers; their lot stands in the event's master data
                begun |= {
                    f"{case.partition('/21/')[0]}/10/{event['ilmd']['cbvmda:lotNumber']}"
                    for case in parsed.output_epc_list
                }
    for lot, record in truth["lots"].items():
        assert set(record["materials"]) <= begun
        assert lot in begun
        assert record["quantity"] > 0


@pytest.mark.parametrize(
    ("events", "days", "says"),
    [(50_000, 29, "at least 30 days"), (1_439, 90, "1440 to 8100 events"), (8_101, 90, "1440 to 8100 events")],
)
def test_what_cannot_be_simulated(events: int, days: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SimulationConfig(events=events, days=days)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_probability_is_from_0_to_1(value: float) -> None:
    with pytest.raises(ValueError, match="lost_pallet is a probability"):
        Anomalies(lost_pallet=value)
