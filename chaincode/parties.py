"""Who speaks, from where, about whom: the parties and places of an event."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode import keys
from chaincode.context import Context, Fact, identify
from chaincode.state import Record
from epcis import Event

_HOLDING = ("possessing_party", "owning_party")
_LOCATION = "location"
_PLACE_AI, _EXTENSION_AI = "414", "254"


def base_place(uri: str) -> str:
    """A place without its extension: dock 5 of a warehouse belongs to the warehouse."""
    known = identify(uri)
    if known is not None and known.ai == _PLACE_AI and known.qualifier_ai == _EXTENSION_AI:
        return f"https://id.gs1.org/{_PLACE_AI}/{known.key}"
    return uri


def is_place(uri: str) -> bool:
    """Whether a location is a GLN; others (coordinates, vehicles' own URIs) belong to nobody."""
    known = identify(uri)
    return known is not None and known.ai == _PLACE_AI


def place_record(context: Context, uri: str) -> Record | None:
    """A place's entry in the registry, or that of the place it is part of."""
    return context.state.get(keys.place(uri)) or context.state.get(keys.place(base_place(uri)))


def locations(event: Event) -> Iterator[tuple[str, str]]:
    """Where it was said to happen: field and place."""
    if event.read_point is not None:
        yield "readPoint", event.read_point
    if event.biz_location is not None:
        yield "bizLocation", event.biz_location


def sources(event: Event) -> dict[str, str]:
    """The sources by type."""
    return {entry.type: entry.source for entry in event.source_list}


def destinations(event: Event) -> dict[str, str]:
    """The destinations by type."""
    return {entry.type: entry.destination for entry in event.destination_list}


def sender(context: Context, fact: Fact) -> str | None:
    """The party that an event names as sender, or that of the place it names."""
    return holding_party(context, sources(fact.event))


def consignee(context: Context, fact: Fact) -> str | None:
    """The party that an event names as consignee, or that of the place it names."""
    return holding_party(context, destinations(fact.event))


def holding_party(context: Context, by_type: dict[str, str]) -> str | None:
    """The party of sources or destinations by type: who possesses, who owns, or whose the location is."""
    for kind in _HOLDING:
        if kind in by_type:
            return by_type[kind]
    where = by_type.get(_LOCATION)
    record = place_record(context, where) if where is not None else None
    return record.get("party") if record is not None else None


def reporter(context: Context, event: Event) -> str | None:
    """The party that speaks: that of the place it speaks from, else the one in the submitter's certificate."""
    for _, uri in locations(event):
        record = place_record(context, uri)
        if record is not None and record.get("party") and record["msp"] == context.msp:
            party: str = record["party"]
            return party
    return context.party


def named(event: Event) -> Iterator[str]:
    """Every party an event names."""
    for by_type in (sources(event), destinations(event)):
        for kind in _HOLDING:
            if kind in by_type:
                yield by_type[kind]
