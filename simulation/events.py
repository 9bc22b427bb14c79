"""EPCIS events as the simulated organisations say them: plain JSON, one function an act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from epcis import LOTLINE_NAMESPACE
from simulation.world import Site

Event = dict[str, Any]
Quantities = Sequence[tuple[str, int | float]]
"""Class and quantity."""

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"lotline": LOTLINE_NAMESPACE, "cbvmda": "urn:epcglobal:cbv:mda"},
]


def when(moment: datetime) -> str:
    """UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _event(kind: str, moment: datetime, step: str, disposition: str | None, site: Site) -> Event:
    event: Event = {
        "@context": CONTEXT,
        "type": kind,
        "eventTime": when(moment),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        "readPoint": {"id": site.place},
    }
    if disposition is not None:
        event["disposition"] = disposition
    return event


def amounts(quantities: Quantities, uom: str | None) -> list[dict[str, Any]]:
    """A quantity list."""
    unit = {} if uom is None else {"uom": uom}
    return [{"epcClass": lot, "quantity": quantity, **unit} for lot, quantity in quantities]


def commission_lot(moment: datetime, site: Site, lot: str, quantity: float, uom: str, ilmd: Event) -> Event:
    """So much of a lot begins."""
    event = _event("ObjectEvent", moment, "commissioning", "active", site)
    quantities = amounts([(lot, quantity)], uom)
    return event | {"action": "ADD", "quantityList": quantities, "bizLocation": {"id": site.place}, "ilmd": ilmd}


def transform(
    moment: datetime,
    site: Site,
    inputs: Quantities,
    outputs: Quantities,
    cases: Sequence[str],
    ilmd: Event,
) -> Event:
    """Materials become a product, by the lot or in cases."""
    event = _event("TransformationEvent", moment, "creating_class_instance", "active", site)
    event |= {"inputQuantityList": amounts(inputs, "KGM"), "bizLocation": {"id": site.place}, "ilmd": ilmd}
    return event | ({"outputEPCList": list(cases)} if cases else {"outputQuantityList": amounts(outputs, None)})


def pack(moment: datetime, site: Site, parent: str, cases: Sequence[str], loose: Quantities) -> Event:
    """Cases and loose goods are put on a pallet."""
    event = _event("AggregationEvent", moment, "packing", "in_progress", site)
    return event | _content("ADD", site, parent, cases, loose)


def unpack(moment: datetime, site: Site, parent: str, cases: Sequence[str], loose: Quantities) -> Event:
    """… and taken off it."""
    event = _event("AggregationEvent", moment, "unpacking", "in_progress", site)
    return event | _content("DELETE", site, parent, cases, loose)


def _content(action: str, site: Site, parent: str, cases: Sequence[str], loose: Quantities) -> Event:
    content: Event = {"action": action, "parentID": parent, "bizLocation": {"id": site.place}}
    if cases:
        content["childEPCs"] = list(cases)
    if loose:
        content["childQuantityList"] = amounts(loose, None)
    return content


def ship(
    moment: datetime,
    sender: Site,
    receiver: Site,
    document: str,
    promised: datetime,
    pallets: Sequence[str] = (),
    quantities: Quantities = (),
) -> Event:
    """The sender releases goods to a consignee."""
    event = _event("ObjectEvent", moment, "shipping", "in_transit", sender)
    event |= {
        "action": "OBSERVE",
        "bizTransactionList": [{"type": "desadv", "bizTransaction": document}],
        "sourceList": _side("source", sender),
        "destinationList": _side("destination", receiver),
        "lotline:promisedAt": when(promised),
    }
    return event | _goods(pallets, quantities)


def receive(
    moment: datetime,
    sender: Site,
    receiver: Site,
    document: str,
    pallets: Sequence[str] = (),
    quantities: Quantities = (),
    disposition: str = "in_progress",
) -> Event:
    """The consignee accepts goods."""
    event = _event("ObjectEvent", moment, "receiving", disposition, receiver)
    event |= {
        "action": "OBSERVE",
        "bizLocation": {"id": receiver.place},
        "bizTransactionList": [{"type": "desadv", "bizTransaction": document}],
        "sourceList": _side("source", sender),
        "destinationList": _side("destination", receiver),
    }
    return event | _goods(pallets, quantities)


def _side(name: str, site: Site) -> list[dict[str, str]]:
    return [{"type": "owning_party", name: site.party}, {"type": "location", name: site.place}]


def _goods(pallets: Sequence[str], quantities: Quantities) -> Event:
    goods: Event = {"epcList": list(pallets)} if pallets else {}
    return goods | ({"quantityList": amounts(quantities, "KGM")} if quantities else {})


def pass_through(moment: datetime, hub: Site, pallets: Sequence[str]) -> Event:
    """A carrier sees pallets on their way."""
    event = _event("ObjectEvent", moment, "transporting", "in_transit", hub)
    return event | {"action": "OBSERVE", "epcList": list(pallets)}


def sell(moment: datetime, shop: Site, quantities: Quantities) -> Event:
    """What a shop's tills sold."""
    event = _event("ObjectEvent", moment, "retail_selling", "retail_sold", shop)
    return event | {"action": "OBSERVE", "quantityList": amounts(quantities, None), "bizLocation": {"id": shop.place}}


def sell_cases(moment: datetime, shop: Site, cases: Sequence[str]) -> Event:
    """Cases sold whole: that is their end."""
    event = _event("ObjectEvent", moment, "retail_selling", "retail_sold", shop)
    return event | {"action": "DELETE", "epcList": list(cases), "bizLocation": {"id": shop.place}}


def destroy(moment: datetime, site: Site, pallet: str) -> Event:
    """A damaged pallet is destroyed."""
    event = _event("ObjectEvent", moment, "destroying", "destroyed", site)
    return event | {"action": "DELETE", "epcList": [pallet], "bizLocation": {"id": site.place}}


def hold(moment: datetime, site: Site, quantities: Quantities) -> Event:
    """A recalled lot is taken off the shelves."""
    event = _event("ObjectEvent", moment, "holding", "recalled", site)
    return event | {"action": "OBSERVE", "quantityList": amounts(quantities, None), "bizLocation": {"id": site.place}}
