"""Whether an event names things, places, parties and documents as the standards have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from epcis.elements import ErrorDeclaration
from epcis.events import Event
from epcis.identifiers import CLASS, INSTANCE, LONGEST_IDENTIFIER, Fault, Spelled, Standing, said, standing

_Place = tuple[str | int, ...]
_Found = tuple[_Place, Fault]
_LOCATIONS = (("readPoint", "read_point_detail"), ("bizLocation", "biz_location_detail"))
_EPCS = (
    ("epcList", "epc_list"),
    ("childEPCs", "child_epcs"),
    ("inputEPCList", "input_epc_list"),
    ("outputEPCList", "output_epc_list"),
)
_Elements = tuple[str, str, str, Callable[[Any], str]]
"""Names of the list, of its field and of the member that identifies, and how to get it."""
_QUANTITIES: tuple[_Elements, ...] = (
    ("quantityList", "quantity_list", "epcClass", attrgetter("epc_class")),
    ("childQuantityList", "child_quantity_list", "epcClass", attrgetter("epc_class")),
    ("inputQuantityList", "input_quantity_list", "epcClass", attrgetter("epc_class")),
    ("outputQuantityList", "output_quantity_list", "epcClass", attrgetter("epc_class")),
)
_ELEMENTS: tuple[_Elements, ...] = (
    ("sourceList", "source_list", "source", attrgetter("source")),
    ("destinationList", "destination_list", "destination", attrgetter("destination")),
    ("bizTransactionList", "biz_transaction_list", "bizTransaction", attrgetter("biz_transaction")),
)
# Other names that databases index: JSON name, field.
_WORDS = (("type", "type"), ("eventID", "event_id"), ("bizStep", "biz_step"), ("disposition", "disposition"))
_A_CLASS = "names a kind of things where single ones belong: give its serial number, or a quantity of it"
_AN_INSTANCE = "names a single thing, and quantities are of kinds of things: name it in the list of EPCs"


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where a type of event has names: of all there might be, since events are asked many times a second."""

    words: list[tuple[str, str]]
    locations: list[tuple[str, str]]
    epcs: list[tuple[str, str]]
    quantities: list[_Elements]
    elements: list[_Elements]


@cache
def _shape_of(kind: type[Event]) -> _Shape:
    known = kind.model_fields
    words, locations, epcs = ([entry for entry in table if entry[1] in known] for table in (_WORDS, _LOCATIONS, _EPCS))
    quantities, elements = ([entry for entry in table if entry[1] in known] for table in (_QUANTITIES, _ELEMENTS))
    return _Shape(words, locations, epcs, quantities, elements)


def faults_of_names(event: Event) -> list[_Found]:
    """(where, what) of every name that is not as it must be."""
    shape, said_ = _shape_of(type(event)), vars(event)
    found: list[_Found] = []
    for name, field in shape.words:
        if (word := said_[field]) is not None and len(word) > LONGEST_IDENTIFIER:
            found.append(((name,), _too_long(word)))
    if said_["error_declaration"] is not None:
        found += _corrections(said_["error_declaration"])
    _singles(said_, shape, found)
    for name, field in shape.epcs:
        if epcs := said_[field]:
            found += _epcs(name, epcs)
    for entry in shape.quantities:
        if elements := said_[entry[1]]:
            found += _quantities(entry, elements)
    for entry in shape.elements:
        if elements := said_[entry[1]]:
            found += _elements(entry, elements)
    return [*found, *_lots(event)] if event.repeated else found


def _corrections(declaration: ErrorDeclaration) -> Iterator[_Found]:
    for place, identifier in enumerate(declaration.corrective_event_ids or ()):
        if len(identifier) > LONGEST_IDENTIFIER:
            yield ("errorDeclaration", "correctiveEventIDs", place), _too_long(identifier)


def _too_long(word: str) -> Fault:
    message = f"{word[:40]}… has {len(word)} characters; {LONGEST_IDENTIFIER} are allowed"
    return Fault("identifier_too_long", message)


def _singles(said_: dict[str, Any], shape: _Shape, found: list[_Found]) -> None:
    if (parent := said_.get("parent_id")) is not None and (stands := standing(parent)) is not INSTANCE:
        found += _wrong_in_epcs(("parentID",), parent, stands)
    if (tie := said_.get("transformation_id")) is not None and (fault := standing(tie).fault) is not None:
        found.append((("transformationID",), fault))
    for name, field in shape.locations:
        if (location := said_[field]) is not None and (fault := standing(location.id).fault) is not None:
            found.append(((name, "id"), fault))


def _epcs(name: str, epcs: list[str]) -> list[_Found]:
    odd = [(place, epc, stands) for place, epc in enumerate(epcs) if (stands := standing(epc)) is not INSTANCE]
    return [found for place, epc, stands in odd for found in _wrong_in_epcs((name, place), epc, stands)]


def _wrong_in_epcs(place: _Place, epc: str, stands: Standing) -> list[_Found]:
    if stands.fault is not None:
        return [(place, stands.fault)]
    return [(place, Fault("class_in_epc_list", f"{said(epc)} {_A_CLASS}"))] if stands.is_class else []


def _quantities(entry: _Elements, elements: list[Any]) -> Iterator[_Found]:
    name, _, member, value = entry
    for place, uri in enumerate(map(value, elements)):
        if (stands := standing(uri)) is CLASS:
            continue
        if stands.fault is not None:
            yield (name, place, member), stands.fault
        elif stands.is_instance:
            yield (name, place, member), Fault("instance_in_quantity_list", f"{said(uri)} {_AN_INSTANCE}")


def _elements(entry: _Elements, elements: list[Any]) -> list[_Found]:
    name, _, member, value = entry
    found: list[_Found] = []
    for place, element in enumerate(elements):
        if (fault := standing(value(element)).fault) is not None:
            found.append(((name, place, member), fault))
        if (kind := element.type) is not None and len(kind) > LONGEST_IDENTIFIER:
            found.append(((name, place, "type"), _too_long(kind)))
    return found


def _lots(event: Event) -> Iterator[_Found]:
    """A thing that is named twice is of the same lot both times."""
    lots = event.lots_named
    for field, listed in event.repeated.items():
        name = next(name for name, of in _EPCS if of == field)
        for place, uri in enumerate(listed):
            if isinstance(uri, Spelled) and uri.lot is not None and uri.lot != lots[str(uri)]:
                message = f"{uri!s} is said to be of two lots: {lots[str(uri)]} and {uri.lot}"
                yield (name, place), Fault("two_lots", message)
