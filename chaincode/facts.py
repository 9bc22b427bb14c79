"""What an event says, as far as the contract cares, taken from it once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chaincode import keys
from chaincode.state import Record
from epcis import LOTLINE_NAMESPACE, Event, Problem, check, parse_value
from epcis.formats import utc_microseconds
from epcis.identity import hash_hex, identity
from epcis.prehash import digest_uri
from epcis.trails import named_classes

Kind = Literal["release", "receive", "accept", "void"]

# Shipping, receiving and accepting are CBV's words for goods that change hands. Receiving counts goods in; accepting
# confirms what was received (or stands for it where nobody reported receiving).
KINDS: dict[str, Kind] = {"shipping": "release", "receiving": "receive", "accepting": "accept", "void_shipping": "void"}


@dataclass(slots=True)
class Fact:
    """One event. ``time`` is UTC text whose order is time's order."""

    event: Event
    hash: str
    """Its name on the ledger (``identity``)."""
    hex: str
    """The hexadecimal digits of that."""
    moment: datetime
    time: str
    step: str | None
    disposition: str | None
    instances: list[str]
    """Every instance that it names, a parent first."""
    classes: list[str]
    """The class of every quantity that it names."""
    named_classes: list[str]
    """These and all else that it names and that is no instance (``epcis.trails``)."""
    locations: list[tuple[str, str]]
    """Where it was said to happen: field and place."""
    sources: dict[str, str]
    """By type."""
    destinations: dict[str, str]
    place: str | None
    """Where the things are: the business location, else the read point."""
    witness: str | None
    """The key of a thing's record that the ledger holds for certain once it holds this event; None if there is none."""
    stored: bytes
    """As it goes on the ledger."""
    problems: list[Problem]
    """What the standards' rules say of it."""
    party: str | None = None
    flags: set[str] = field(default_factory=set)

    @property
    def event_witness(self) -> str | None:
        """For an error declaration: the ``witness`` of the event that it declares wrong."""
        return _witness(self.event, self.instances, declared=True)

    def rename(self, name_hex: str) -> None:
        """Give it another name on the ledger."""
        self.hex, self.hash = name_hex, digest_uri(name_hex)

    def extension(self, name: str) -> Any:
        """A Lotline extension of the event."""
        return self.event.extension(LOTLINE_NAMESPACE, name)


def fact_of(event: Event) -> Fact:
    """An event's fact; ``party`` is for its effects to find out."""
    said = vars(event).get  # Pydantic's models take a detour for each attribute
    name, step, instances = identity(event), said("biz_step"), event.instances
    locations = [
        (field_name, location.id)
        for field_name, location in (
            ("readPoint", said("read_point_detail")),
            ("bizLocation", said("biz_location_detail")),
        )
        if location is not None
    ]
    return Fact(
        event=event,
        hash=name,
        hex=hash_hex(name),
        moment=event.event_time,
        time=utc_microseconds(event.event_time_text),
        step=step,
        disposition=said("disposition"),
        instances=instances,
        classes=event.classes,
        named_classes=named_classes(event),
        locations=locations,
        sources={entry.type: entry.source for entry in said("source_list", ())},
        destinations={entry.type: entry.destination for entry in said("destination_list", ())},
        place=locations[-1][1] if locations else None,
        witness=_witness(event, instances),
        stored=event.to_stored(),
        problems=check(event),
    )


def _witness(event: Event, instances: list[str], *, declared: bool = False) -> str | None:
    """The first of the things that an event is about: whatever it says of a thing never seen, that leaves its record."""
    if not instances or (event.error_declaration is not None and not declared):
        return None
    if event.type == "ObjectEvent" or (event.type == "AggregationEvent" and event.parent_id is not None):
        return keys.thing(instances[0])
    return None


def recorded(record: Record, name_hex: str) -> Fact:
    """The fact that an event's record on the ledger states; ``name_hex`` are the digits of its name there."""
    fact = fact_of(parse_value(record["event"]))
    fact.rename(name_hex)
    fact.party = record["party"]
    return fact


def same_content(event: Event, record: Record) -> bool:
    """Whether an event says what a record on the ledger says: the hash leaves out what may differ."""
    return event.content_digest == parse_value(record["event"]).content_digest
