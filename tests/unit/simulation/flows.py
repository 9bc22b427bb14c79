"""What the simulation's events say of goods, read from the events alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from epcis import parse_event
from simulation import Simulation

Event = dict[str, Any]
Goods = list[tuple[str, float]]

_IN = {
    "commissioning": ("quantityList", "epcList"),
    "receiving": ("quantityList",),
    "creating_class_instance": ("outputQuantityList", "outputEPCList"),
    "unpacking": ("childQuantityList", "childEPCs"),
}
_OUT = {
    "shipping": ("quantityList",),
    "creating_class_instance": ("inputQuantityList",),
    "packing": ("childQuantityList", "childEPCs"),
    "retail_selling": ("quantityList", "epcList"),
    "holding": ("quantityList",),
}
"""Pallets are left out where they are moved whole: what is on them is in the packing and the unpacking."""


def told(run: Simulation) -> dict[str, Event]:
    """Every event once, by its hash, in the order of upload."""
    return {parse_event(event).hash: event for batch in run.batches() for event in batch.events}


def goods(event: Event, names: tuple[str, ...]) -> Goods:
    """Classes with their quantities, and instances as one each."""
    found: Goods = []
    for name in names:
        for entry in event.get(name, ()):
            found.append((entry, 1) if isinstance(entry, str) else (entry["epcClass"], entry["quantity"]))
    return found


def stocks(events: dict[str, Event]) -> Iterator[tuple[Event, str, float]]:
    """In the order in which things happened: each change with what the place then has of the lot or case."""
    stock: defaultdict[tuple[str, str], float] = defaultdict(float)
    for event in sorted(events.values(), key=lambda event: str(event["eventTime"])):
        step, place = event["bizStep"], event["readPoint"]["id"]
        changes = [(name, -amount) for name, amount in goods(event, _OUT.get(step, ()))]
        changes += goods(event, _IN.get(step, ()))
        for name, change in changes:
            stock[place, name] = round(stock[place, name] + change, 3)
            yield event, name, stock[place, name]


def of_step(events: dict[str, Event], step: str) -> list[Event]:
    """The events of one business step."""
    return [event for event in events.values() if event["bizStep"] == step]


def advice(event: Event) -> str:
    """The despatch advice that a shipment or a receipt names."""
    found: str = event["bizTransactionList"][0]["bizTransaction"]
    return found
