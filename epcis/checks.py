"""What the standards demand of an event and GS1's JSON Schema cannot say.

A parsed event is valid by the schema; capture refuses one with errors found here. The rules:

- ``check_digit``, error: every GS1 key ends with its check digit (GS1 General Specifications, 7.9.1).
- ``parent_missing``, error: packing and unpacking name their container (EPCIS 2.0, 7.4.3).
- ``sensor_attribute_twice``, warning: an attribute of a reading stands in the sensor's metadata or in the
  report, not in both (EPCIS conformance requirements, TCR-53 step 29).
- ``sensor_time``, warning: no reading was taken after the event that reports it, and none ended before it
  began (EPCIS 2.0, M122).

The sensor rules only warn because five of GS1's own 47 examples break them.

TCR-54, which asks that an AssociationEvent names a parent and, unless it is a DELETE, a child, needs no rule
here: the JSON Schema says so already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any

from epcis.elements import SensorElement
from epcis.events import AggregationEvent, Event
from epcis.formats import parse_date_time
from epcis.identifiers import is_miswritten
from epcis.problems import Problem, pointer

_SHARED_ATTRIBUTES = {
    "time": "time",
    "deviceID": "device_id",
    "deviceMetadata": "device_metadata",
    "rawData": "raw_data",
    "dataProcessingMethod": "data_processing_method",
}
_Found = tuple[str, str, str]
"""(JSON pointer from the event, code, message)."""


def check(event: Event, index: int | None = None) -> list[Problem]:
    """Every rule of the standards that ``event`` breaks although the schema lets it pass.

    ``index`` is the event's place in its document. ``field`` of a problem is a JSON pointer from the event.
    """
    errors = [Problem(index, *found) for found in (*_check_digits(event), *_parent(event))]
    if not event.sensor_element_list:
        return errors
    warnings = [
        Problem(index, *found, severity="warning")
        for rule in (_sensor_attributes, _sensor_times)
        for found in rule(event)
    ]
    return errors + warnings


def _check_digits(event: Event) -> list[_Found]:
    return [(pointer(*place), "check_digit", f"wrong check digit in {uri}") for place, uri in _miswritten(event)]


_SINGLE = (("parentID", "parent_id"), ("transformationID", "transformation_id"))
_LOCATIONS = (("readPoint", "read_point_detail"), ("bizLocation", "biz_location_detail"))
_EPCS = (
    ("epcList", "epc_list"),
    ("childEPCs", "child_epcs"),
    ("inputEPCList", "input_epc_list"),
    ("outputEPCList", "output_epc_list"),
)
_Elements = tuple[str, str, str, Callable[[Any], str]]
"""Names of the list, of its field and of the member that identifies, and how to get it."""
_ELEMENTS: tuple[_Elements, ...] = (
    ("quantityList", "quantity_list", "epcClass", attrgetter("epc_class")),
    ("childQuantityList", "child_quantity_list", "epcClass", attrgetter("epc_class")),
    ("inputQuantityList", "input_quantity_list", "epcClass", attrgetter("epc_class")),
    ("outputQuantityList", "output_quantity_list", "epcClass", attrgetter("epc_class")),
    ("sourceList", "source_list", "source", attrgetter("source")),
    ("destinationList", "destination_list", "destination", attrgetter("destination")),
    ("bizTransactionList", "biz_transaction_list", "bizTransaction", attrgetter("biz_transaction")),
)


@cache
def _lists_of(kind: type[Event]) -> tuple[list[tuple[str, str]], list[_Elements]]:
    """Of ``_EPCS`` and ``_ELEMENTS`` what a type of event has."""
    known = kind.model_fields
    return [entry for entry in _EPCS if entry[1] in known], [entry for entry in _ELEMENTS if entry[1] in known]


def _miswritten(event: Event) -> list[tuple[tuple[str | int, ...], str]]:
    """(where, what) of every wrong identifier of things, places, parties and documents in an event."""
    said, (lists, element_lists) = vars(event), _lists_of(type(event))
    found: list[tuple[tuple[str | int, ...], str]] = []
    for name, field in _SINGLE:
        if (uri := said.get(field)) is not None and is_miswritten(uri):
            found.append(((name,), uri))
    for name, field in _LOCATIONS:
        if (location := said.get(field)) is not None and is_miswritten(location.id):
            found.append(((name, "id"), location.id))
    for name, field in lists:
        if epcs := said.get(field):
            found += [((name, i), epc) for i, epc in enumerate(epcs) if is_miswritten(epc)]
    for name, field, member, value in element_lists:
        if elements := said.get(field):
            uris = map(value, elements)
            found += [((name, i, member), uri) for i, uri in enumerate(uris) if is_miswritten(uri)]
    return found


def _parent(event: Event) -> Iterator[_Found]:
    if isinstance(event, AggregationEvent) and event.action != "OBSERVE" and event.parent_id is None:
        yield "/parentID", "parent_missing", f"an aggregation with action {event.action} must name its parent"


def _sensor_attributes(event: Event) -> Iterator[_Found]:
    for place, element in enumerate(event.sensor_element_list):
        if element.sensor_metadata is None:
            continue
        for report_place, report in enumerate(element.sensor_report):
            for name, attribute in _SHARED_ATTRIBUTES.items():
                if getattr(report, attribute) is not None and getattr(element.sensor_metadata, attribute) is not None:
                    field = pointer("sensorElementList", place, "sensorReport", report_place, name)
                    yield (
                        field,
                        "sensor_attribute_twice",
                        f"{name!r} is given in the sensor's metadata already",
                    )


def _sensor_times(event: Event) -> Iterator[_Found]:
    for place, element in enumerate(event.sensor_element_list):
        for field, time in _times(element):
            if parse_date_time(time) > event.event_time:
                yield (
                    pointer("sensorElementList", place) + field,
                    "sensor_time",
                    "later than the event that reports it",
                )
        metadata = element.sensor_metadata
        if metadata is None or metadata.start_time is None or metadata.end_time is None:
            continue
        if parse_date_time(metadata.start_time) > parse_date_time(metadata.end_time):
            field = pointer("sensorElementList", place, "sensorMetadata", "endTime")
            yield field, "sensor_time", "earlier than 'startTime'"


def _times(element: SensorElement) -> Iterator[tuple[str, str]]:
    if element.sensor_metadata is not None and element.sensor_metadata.time is not None:
        yield "/sensorMetadata/time", element.sensor_metadata.time
    for place, report in enumerate(element.sensor_report):
        if report.time is not None:
            yield pointer("sensorReport", place, "time"), report.time
