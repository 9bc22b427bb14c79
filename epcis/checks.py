"""What the standards demand of an event and GS1's JSON Schema cannot say, and what keeps an event digestible.

A parsed event is valid by the schema; capture refuses one with errors found here. The rules:

- ``check_digit``, error: every GS1 key ends with its check digit (GS1 General Specifications, 7.9.1).
- ``broken_identifier``, ``unknown_qualifier``, ``qualifier_order``, ``qualifier_twice``, ``compressed_link``,
  ``tag_uri``, errors: what is certainly meant as a GS1 key is one (see ``epcis.identifiers.judge``).
- ``unrecognised_identifier``, warning: what looks like a GS1 key and is none.
- ``identifier_too_long``, error: no identifier, type or other name has more than 500 characters.
- ``class_in_epc_list``, error: lists of instances and a parent name instances (EPCIS 2.0, 7.3.3.2).
- ``instance_in_quantity_list``, error: quantities are of classes: of one thing there is one.
- ``two_lots``, error: an item is of one lot.
- ``quantity_range``, error: a quantity is below 10^12 and has at most 15 significant digits and 15 decimals, so that
  it is exact wherever it is kept.
- ``parent_missing``, error: packing and unpacking name their container (EPCIS 2.0, 7.4.3).
- ``too_many_epcs``, ``event_too_large``, errors: at most 5,000 instances and classes, at most 256 KiB in stored form.
- ``sensor_attribute_twice``, warning: an attribute of a reading stands in the sensor's metadata or in the
  report, not in both (EPCIS conformance requirements, TCR-53 step 29).
- ``sensor_time``, warning: no reading was taken after the event that reports it, and none ended before it
  began (EPCIS 2.0, M122).

The sensor rules only warn because five of GS1's own 47 examples break them.

TCR-54, which asks that an AssociationEvent names a parent and, unless it is a DELETE, a child, needs no rule
here: the JSON Schema says so already.
"""

from __future__ import annotations

from collections.abc import Iterator

from epcis.elements import SensorElement
from epcis.events import AggregationEvent, Event
from epcis.formats import parse_date_time
from epcis.naming import faults_of_names
from epcis.problems import Problem, pointer
from epcis.quantities import faults_of_quantities

MAX_EVENT_BYTES = 256 * 1024
"""Bytes of an event in its stored form. What one event costs, all who stand behind it wait for."""
MAX_EPCS = 5_000
"""Instances and classes that an event may name."""

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
    """Every rule that ``event`` breaks although the schema lets it pass.

    ``index`` is the event's place in its document. ``field`` of a problem is a JSON pointer from the event.
    """
    found = [
        Problem(index, pointer(*place), fault.code, fault.message, fault.severity)
        for place, fault in faults_of_names(event)
    ]
    for rule in (faults_of_quantities, _parent, _size):
        found += [Problem(index, *fault) for fault in rule(event)]
    if not event.sensor_element_list:
        return found
    return found + [
        Problem(index, *fault, severity="warning")
        for sensor_rule in (_sensor_attributes, _sensor_times)
        for fault in sensor_rule(event)
    ]


def things_named(event: Event) -> int:
    """How many instances and classes its lists have."""
    said = vars(event)
    return sum(len(said[field]) for field in (*event._instance_fields, *event._class_fields))


def _size(event: Event) -> list[_Found]:
    found: list[_Found] = []
    if (named := things_named(event)) > MAX_EPCS:
        found.append(("", "too_many_epcs", f"names {named} instances and classes; {MAX_EPCS} are allowed in one event"))
    if (size := len(event.to_stored())) > MAX_EVENT_BYTES:
        found.append(("", "event_too_large", f"takes {size} bytes; {MAX_EVENT_BYTES} are allowed"))
    return found


def _parent(event: Event) -> list[_Found]:
    if not isinstance(event, AggregationEvent) or event.action == "OBSERVE" or event.parent_id is not None:
        return []
    message = f"an aggregation with action {event.action} must name its parent"
    return [("/parentID", "parent_missing", message)]


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
