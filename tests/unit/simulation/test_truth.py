"""What the truth file calls sold, late, lost, damaged, short, missing, doubled or recalled is so in the events."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

import pytest

from epcis import parse_event
from simulation import Anomalies, SimulationConfig, simulate
from tests.unit.simulation.flows import Event, advice, goods, of_step, told

END = date(2026, 1, 1)
OFTEN = Anomalies(
    lost_pallet=0.05,
    damaged_pallet=0.05,
    short_delivery=0.3,
    missing_receipt=0.05,
    late_upload=0.1,
    duplicate_upload=0.05,
)
CONFIG = SimulationConfig(events=6_000, days=150, seed=5, end=END, anomalies=OFTEN)


class Made:
    """One run in which much goes wrong: what was uploaded, and the truth."""

    def __init__(self, config: SimulationConfig) -> None:
        run = simulate(config)
        self.uploads: list[tuple[datetime, str]] = [
            (batch.recorded_at, parse_event(event).hash) for batch in run.batches() for event in batch.events
        ]
        self.events = told(simulate(config))
        self.truth = run.truth()

    def anomalies(self, kind: str) -> list[dict[str, Any]]:
        """Of one kind; there are some."""
        found = [anomaly for anomaly in self.truth["anomalies"] if anomaly["kind"] == kind]
        assert found, kind
        return found


@pytest.fixture(scope="module")
def made() -> Made:
    return Made(CONFIG)


def pallets(events: list[Event]) -> set[str]:
    return {pallet for event in events for pallet in event.get("epcList", ())}


def test_what_the_tills_report_is_what_the_customers_got(made: Made) -> None:
    sold: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for event in of_step(made.events, "retail_selling"):
        for name, amount in goods(event, ("quantityList", "epcList")):
            gtin = name.partition("/01/")[2][:14]
            sold[f"{gtin} {event['readPoint']['id']}"][event["eventTime"][:10]] += int(amount)
    wanted = {
        series: {day: got for day, (_, got) in days.items() if got} for series, days in made.truth["demand"].items()
    }
    assert {series: dict(days) for series, days in sold.items()} == {
        series: days for series, days in wanted.items() if days
    }
    assert all(got <= want for days in made.truth["demand"].values() for want, got in days.values())


def test_a_shipment_says_what_was_promised_and_when_it_came(made: Made) -> None:
    arrived = defaultdict(set)
    for event in of_step(made.events, "receiving"):
        arrived[advice(event)].add(event["eventTime"])
    shipped = {advice(event): event for event in of_step(made.events, "shipping")}
    judged = Counter[bool]()
    for number, shipment in made.truth["shipments"].items():
        if number in shipped:
            assert shipped[number]["eventTime"] == shipment["released"]
            assert shipped[number]["lotline:promisedAt"] == shipment["promised"]
        if number in arrived:
            assert arrived[number] == {shipment["arrives"]}
            judged[shipment["late"]] += 1
            assert shipment["late"] == (shipment["arrives"] > shipment["promised"])
    assert judged[True]
    assert judged[False]


def test_a_lost_pallet_left_and_never_came(made: Made) -> None:
    lost = {anomaly["subject"] for anomaly in made.anomalies("lost_pallet")}
    assert lost <= {event["parentID"] for event in of_step(made.events, "packing")}
    assert not lost & pallets(of_step(made.events, "receiving"))
    assert not lost & {event["parentID"] for event in of_step(made.events, "unpacking")}


def test_a_damaged_pallet_is_received_so_and_destroyed(made: Made) -> None:
    damaged = {anomaly["subject"]: anomaly for anomaly in made.anomalies("damaged_pallet")}
    for pallet, anomaly in damaged.items():
        event = made.events[anomaly["event"]]
        assert (event["epcList"], event["disposition"]) == ([pallet], "damaged")
    destroyed = pallets(of_step(made.events, "destroying"))
    assert destroyed <= set(damaged)
    assert {pallet for pallet, anomaly in damaged.items() if anomaly["time"] < "2025-12-29"} <= destroyed
    assert not set(damaged) & {event["parentID"] for event in of_step(made.events, "unpacking")}


def test_a_short_delivery_is_less_than_was_sent_and_no_other_is(made: Made) -> None:
    sent = {advice(event): goods(event, ("quantityList",)) for event in of_step(made.events, "shipping")}
    less = set()
    for event in of_step(made.events, "receiving"):
        for (name, amount), (of, before) in zip(goods(event, ("quantityList",)), sent[advice(event)], strict=False):
            assert name == of
            assert amount <= before
            if amount < before:
                less.add(advice(event))
    assert less == {anomaly["subject"] for anomaly in made.anomalies("short_delivery")}


def test_receipts_nobody_scanned_are_entered_days_later_or_never(made: Made) -> None:
    first: dict[str, datetime] = {}
    for recorded, name in made.uploads:
        first.setdefault(name, recorded)
    missing = made.anomalies("missing_receipt")
    waited = [
        first[anomaly["event"]] - datetime.fromisoformat(anomaly["time"])
        for anomaly in missing
        if anomaly["event"] in first
    ]
    assert waited
    assert all(wait.days >= 3 for wait in waited)
    assert len(waited) < len(missing)


def test_what_is_uploaded_twice_is_the_same_event(made: Made) -> None:
    times = Counter(name for _, name in made.uploads)
    twice = {name for name, count in times.items() if count > 1}
    assert twice
    assert twice <= {anomaly["event"] for anomaly in made.anomalies("duplicate_upload")}
    assert len(made.uploads) == made.truth["eventsMade"]


def test_the_recalled_lot_is_held_wherever_it_is_and_sold_nowhere(made: Made) -> None:
    recalled = made.anomalies("recalled")
    (lot,) = {anomaly["subject"] for anomaly in recalled}
    held = [event for event in of_step(made.events, "holding") if event["disposition"] == "recalled"]
    assert {anomaly["event"] for anomaly in recalled} == {parse_event(event).hash for event in held}
    assert {name for event in held for name, _ in goods(event, ("quantityList",))} == {lot}
    assert {event["readPoint"]["id"] for event in held} <= set(made.truth["lots"][lot]["places"])
    begun = min(event["eventTime"] for event in held)
    after = [
        event["bizStep"]
        for event in made.events.values()
        if event["eventTime"] > begun and lot in dict(goods(event, ("quantityList", "childQuantityList")))
    ]
    assert set(after) <= {"holding", "unpacking"}


def test_a_lot_reached_the_places_where_it_was_unpacked(made: Made) -> None:
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for event in made.events.values():
        if event["bizStep"] in ("creating_class_instance", "unpacking"):
            for name, _ in goods(event, ("outputQuantityList", "childQuantityList")):
                seen[name].add(event["readPoint"]["id"])
    loose = {lot: set(record["places"]) for lot, record in made.truth["lots"].items() if lot in seen}
    assert len(loose) > 20
    assert loose == dict(seen)


def test_a_perfect_world() -> None:
    perfect = Made(SimulationConfig(events=1_500, days=60, seed=1, end=END, anomalies=Anomalies.none()))
    assert {anomaly["kind"] for anomaly in perfect.truth["anomalies"]} == {"recalled"}
    assert not any(shipment["late"] for shipment in perfect.truth["shipments"].values())
    assert perfect.truth["obstacles"] == []
    assert len({name for _, name in perfect.uploads}) == len(perfect.uploads)
