"""Goods are conserved: nothing is used, packed, sold or held where it is not, or before it is there."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation import SimulationConfig, simulate
from simulation.world import PRODUCTS
from tests.unit.simulation.flows import Event, goods, of_step, stocks, told

END = date(2026, 1, 1)


@pytest.fixture(scope="module")
def events() -> dict[str, Event]:
    return told(simulate(SimulationConfig(events=9_000, days=200, seed=2, end=END)))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(30, 90), st.integers(16, 40), st.integers(0, 2**32))
def test_no_place_gives_what_it_does_not_have(days: int, density: int, seed: int) -> None:
    run = simulate(SimulationConfig(events=days * density, days=days, seed=seed, end=END))
    assert [(event["bizStep"], event["eventTime"], name) for event, name, left in stocks(told(run)) if left < 0] == []


def test_a_pallet_gives_what_was_put_on_it(events: dict[str, Event]) -> None:
    content = ("childQuantityList", "childEPCs")
    packed = {event["parentID"]: goods(event, content) for event in of_step(events, "packing")}
    unpacked = {event["parentID"]: goods(event, content) for event in of_step(events, "unpacking")}
    assert len(packed) == len(of_step(events, "packing"))
    assert len(unpacked) > 0.8 * len(packed)
    assert {pallet: packed[pallet] for pallet in unpacked} == unpacked


def test_no_case_is_made_or_sold_twice(events: dict[str, Event]) -> None:
    made = Counter(
        case for event in of_step(events, "creating_class_instance") for case in event.get("outputEPCList", ())
    )
    sold = Counter(case for event in of_step(events, "retail_selling") for case in event.get("epcList", ()))
    assert sold
    assert set(sold) <= set(made)
    assert set(made.values()) == set(sold.values()) == {1}


def test_a_batch_takes_its_recipe(events: dict[str, Event]) -> None:
    """A bottle of passata is 0.95 kg of tomatoes, whatever lots they come from."""
    gtin = next(product.gtin for product in PRODUCTS if product.name.startswith("Tomato passata"))
    made = [
        event
        for event in of_step(events, "creating_class_instance")
        if any(f"/01/{gtin}/" in name for name, _ in goods(event, ("outputQuantityList",)))
    ]
    assert made
    for event in made:
        bottles = sum(amount for _, amount in goods(event, ("outputQuantityList",)))
        assert sum(amount for _, amount in goods(event, ("inputQuantityList",))) == pytest.approx(0.95 * bottles)
