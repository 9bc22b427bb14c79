"""Who speaks, from where, about whom: the parties and places of an event."""

from __future__ import annotations

from chaincode import keys
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.registered import is_registered
from chaincode.state import Record
from epcis.identifiers import LONGEST_KEY, identify
from epcis.remembering import remember

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


@remember(1 << 12, LONGEST_KEY)
def place_keys(uri: str) -> tuple[str, ...]:
    """The key of a place's entry in the registry, and that of the place it is part of, if it is."""
    return tuple(dict.fromkeys((keys.place(uri), keys.place(base_place(uri)))))


def place_record(context: Context, uri: str) -> Record | None:
    """A place's entry in the registry, or that of the place it is part of. None: nobody has registered it."""
    for key in place_keys(uri):
        if is_registered(record := context.state.get(key)):
            return record
    return None


def party_record(context: Context, uri: str) -> Record | None:
    """A party's entry in the registry. None: nobody has registered it."""
    record = context.state.get(keys.party(uri))
    return record if is_registered(record) else None


def sender(context: Context, fact: Fact) -> str | None:
    """The party that an event names as sender, or that of the place it names."""
    return holding_party(context, fact.sources)


def consignee(context: Context, fact: Fact) -> str | None:
    """The party that an event names as consignee, or that of the place it names."""
    return holding_party(context, fact.destinations)


def holding_party(context: Context, by_type: dict[str, str]) -> str | None:
    """The party of sources or destinations by type: who possesses, who owns, or whose the location is."""
    for kind in _HOLDING:
        if kind in by_type:
            return by_type[kind]
    where = by_type.get(_LOCATION)
    record = place_record(context, where) if where is not None else None
    return record.get("party") if record is not None else None


def reporter(context: Context, fact: Fact) -> str | None:
    """The party that speaks: that of the place it speaks from, else the one in the submitter's certificate."""
    for _, uri in fact.locations:
        record = place_record(context, uri)
        if record is not None and record.get("party") and record["msp"] == context.msp:
            party: str = record["party"]
            return party
    return context.party


def named(fact: Fact) -> list[str]:
    """Every party an event names."""
    return [by_type[kind] for by_type in (fact.sources, fact.destinations) for kind in _HOLDING if kind in by_type]
