"""Which events count as goods coming or going. docs/read-model.md has the same rules in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from readmodel.columns import in_base_unit
from readmodel.identifiers import describe
from readmodel.told import Told

MICROS_PER_DAY = 86_400_000_000
ONE = 1_000_000
"""One piece, in millionths."""

_SOLD = frozenset({"retail_selling", "dispensing"})


class EventFlow(NamedTuple):
    """A product that came or went by one event, by name. ``quantity`` in millionths."""

    product: str
    flow: str
    day: int
    party: str | None
    place: str | None
    uom: str
    quantity: int


def event_flows(told: Told, party: str | None) -> Iterable[EventFlow]:
    """The flows of an event that is no handoff: making, selling, using up, taking out of the world."""
    if told.type == "TransformationEvent":
        flow_of = {"inputEPCList": "consumed", "inputQuantityList": "consumed"}
        flow_of |= {"outputEPCList": "produced", "outputQuantityList": "produced"}
    elif told.type == "ObjectEvent" and (flow := _object_flow(told)) is not None:
        flow_of = {"epcList": flow, "quantityList": flow}
    else:
        return
    place = told.location or told.read_point
    for item in told.named:
        flow = flow_of.get(item.role)
        listed_class = item.role.endswith("uantityList")
        if flow is None or (listed_class and item.quantity is None):
            continue
        product = describe(item.thing, is_class=listed_class).product
        if product is not None:
            quantity, uom = in_base_unit(ONE if item.quantity is None else item.quantity, item.uom)
            yield EventFlow(product, flow, day_of(told.time), party, place, uom or "", quantity or 0)


def _object_flow(told: Told) -> str | None:
    """Only ObjectEvents: a TransactionEvent ties the same goods to a document and would count them twice."""
    if told.action == "ADD":
        return "produced"
    if told.step in _SOLD:
        return "sold"
    if told.action == "DELETE":
        return "removed"
    return None


def day_of(micros: int) -> int:
    """The UTC day of a time in microseconds, as days since 1970-01-01."""
    return micros // MICROS_PER_DAY
