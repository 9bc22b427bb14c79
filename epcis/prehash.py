"""The canonical text of an event and its hash, by the Core Business Vocabulary (CBV 2.0 and 2.1).

The rules are those of the reference implementation that made the published examples. Where the text of
CBV 2.0 and that implementation differ, the implementation is followed: an identity is only worth what others
compute too.

- Fields come in a fixed order, ``name=value`` without separators; lists are sorted; extensions come as
  ``{namespace}name=value``, those inside a field at that field's end.
- Times are UTC with three decimals, rounded half up; numbers have no superfluous zeros.
- Identifiers are canonical Digital Links; vocabulary words and ``prefix:name`` values are written out.
- ``eventID``, ``recordTime``, ``errorDeclaration``, ``@context`` and ``rdfs:comment`` are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from epcis import cbv
from epcis.canonical import Canonical, Version
from epcis.formats import utc_milliseconds

if TYPE_CHECKING:
    from epcis.elements import Location, QuantityElement, SensorElement, SensorMetadata, SensorReport
    from epcis.events import Event

DEFAULT_VERSION = "CBV2.0"
VERSIONS = {
    "CBV2.0": Version("CBV2.0", "https://gs1.org/voc/", lists_in_place=False, certification=True),
    "CBV2.1": Version("CBV2.1", "https://ref.gs1.org/voc/", lists_in_place=True, certification=False),
}


def hash_uri(pre_hash: str, version: str = DEFAULT_VERSION) -> str:
    """The ``ni`` URI (RFC 6920) of the canonical text."""
    return f"ni:///sha-256;{sha256(pre_hash.encode()).hexdigest()}?ver={version}"


def pre_hash_of(event: Event, version: str = DEFAULT_VERSION, ignore: Iterable[str] = ()) -> str:
    """The canonical text of ``event``, without the extensions in ``ignore`` (as ``{namespace}name``)."""
    c = Canonical(event.context, VERSIONS[version])
    lists = list(_lists(event, c))
    sensors = _sensors(event.sensor_element_list, c) if event.sensor_element_list else ""
    extensions = _extensions(event, c, frozenset(ignore))
    if c.version.lists_in_place:
        rest = "".join([*lists, sensors, *sorted(extensions)])
    else:
        rest = "".join([sensors, *sorted([*lists, *extensions])])
    return "".join([*_occasion(event, c), *_things(event, c), *_business(event, c), rest])


def _occasion(event: Event, c: Canonical) -> Iterator[str]:
    yield f"eventType={c.iri(event.type)}"
    yield f"eventTime={utc_milliseconds(event.event_time_text)}"
    yield f"eventTimeZoneOffset={event.event_time_zone_offset}"
    info = event.certification_info
    if info is not None and c.version.certification:
        uris = info if isinstance(info, list) else [info]
        yield from sorted([f"certificationInfo={c.identifier(uri)}" for uri in uris])


def _things(event: Event, c: Canonical) -> Iterator[str]:
    if c.version.lists_in_place:
        yield from _epcs("epcList", event.epc_list, c)
    if event.parent_id is not None:
        yield f"parentID={c.identifier(event.parent_id)}"
    if not c.version.lists_in_place:
        yield from _epcs("epcList", event.epc_list, c)
    yield from _epcs("inputEPCList", event.input_epc_list, c)
    yield from _epcs("childEPCs", event.child_epcs, c)
    yield from _quantities("quantityList", event.quantity_list, c)
    yield from _quantities("childQuantityList", event.child_quantity_list, c)
    yield from _quantities("inputQuantityList", event.input_quantity_list, c)
    yield from _epcs("outputEPCList", event.output_epc_list, c)
    yield from _quantities("outputQuantityList", event.output_quantity_list, c)


def _business(event: Event, c: Canonical) -> Iterator[str]:
    if event.action is not None:
        yield f"action={event.action}"
    if event.transformation_id is not None:
        yield f"transformationID={c.identifier(event.transformation_id)}"
    if event.biz_step is not None:
        yield f"bizStep={c.word(cbv.BIZ_STEPS, event.biz_step)}"
    if event.disposition is not None:
        yield f"disposition={c.word(cbv.DISPOSITIONS, event.disposition)}"
    if event.persistent_disposition is not None:
        yield "persistentDisposition"
        for name in ("set", "unset"):
            words = getattr(event.persistent_disposition, name) or ()
            yield from sorted([f"{name}={c.word(cbv.DISPOSITIONS, word)}" for word in words])
    if event.read_point_detail is not None:
        yield _location("readPoint", event.read_point_detail, c)
    if event.biz_location_detail is not None:
        yield _location("bizLocation", event.biz_location_detail, c)


def _lists(event: Event, c: Canonical) -> Iterator[str]:
    """Transactions, sources and destinations: each a list of (type, value)."""
    if event.biz_transaction_list:
        kinds = cbv.BIZ_TRANSACTION_TYPES
        pairs = [
            ("" if t.type is None else f"type={c.word(kinds, t.type)}")
            + f"bizTransaction={c.identifier(t.biz_transaction)}"
            for t in event.biz_transaction_list
        ]
        yield "bizTransactionList" + "".join(sorted(pairs))
    kinds = cbv.SOURCE_DESTINATION_TYPES
    if event.source_list:
        pairs = [f"type={c.word(kinds, s.type)}source={c.identifier(s.source)}" for s in event.source_list]
        yield "sourceList" + "".join(sorted(pairs))
    if event.destination_list:
        pairs = [
            f"type={c.word(kinds, d.type)}destination={c.identifier(d.destination)}" for d in event.destination_list
        ]
        yield "destinationList" + "".join(sorted(pairs))


def _extensions(event: Event, c: Canonical, ignore: frozenset[str]) -> list[str]:
    texts = ["ilmd" + c.members(event.ilmd)] if event.ilmd else []
    for name, value in event.extensions.items():
        if not ignore or c.name(name) not in ignore:
            texts += c.extension(name, value)
    return texts


def _epcs(name: str, epcs: list[str], c: Canonical) -> Iterator[str]:
    if epcs:
        yield name
        yield from sorted([f"epc={c.identifier(epc)}" for epc in epcs])


def _quantities(name: str, elements: list[QuantityElement], c: Canonical) -> Iterator[str]:
    if elements:
        yield name
        yield from sorted([_quantity(element, c) for element in elements])


def _quantity(element: QuantityElement, c: Canonical) -> str:
    amount = c.field("quantity", element.quantity) + c.field("uom", element.uom)
    return f"quantityElementepcClass={c.identifier(element.epc_class)}{amount}"


def _location(name: str, location: Location, c: Canonical) -> str:
    return f"{name}id={c.identifier(location.id)}{c.members(location.extensions)}"


def _sensors(elements: list[SensorElement], c: Canonical) -> str:
    return "sensorElementList" + "".join(sorted([_sensor(element, c) for element in elements]))


def _sensor(element: SensorElement, c: Canonical) -> str:
    metadata = _metadata(element.sensor_metadata, c) if element.sensor_metadata is not None else ""
    reports = sorted([_report(report, c) for report in element.sensor_report])
    return "sensorElement" + metadata + "".join(reports) + c.members(element.extensions)


def _metadata(metadata: SensorMetadata, c: Canonical) -> str:
    text = "".join([
        _time("time", metadata.time),
        _time("startTime", metadata.start_time),
        _time("endTime", metadata.end_time),
        c.field("deviceID", metadata.device_id),
        c.field("deviceMetadata", metadata.device_metadata),
        c.field("rawData", metadata.raw_data),
        c.field("dataProcessingMethod", metadata.data_processing_method),
        c.field("bizRules", metadata.biz_rules),
        c.members(metadata.extensions),
    ])  # fmt: skip
    return "sensorMetadata" + text if text else ""


def _report(report: SensorReport, c: Canonical) -> str:
    exception, component = report.exception, report.component
    return "".join([
        f"sensorReporttype={c.web_word(cbv.MEASUREMENT_TYPES, report.type)}",
        f"exception={c.web_word(cbv.SENSOR_ALERT_TYPES, exception)}" if exception is not None else "",
        c.field("deviceID", report.device_id),
        c.field("deviceMetadata", report.device_metadata),
        c.field("rawData", report.raw_data),
        c.field("dataProcessingMethod", report.data_processing_method),
        c.field("bizRules", report.biz_rules),
        _time("time", report.time),
        c.field("microorganism", report.microorganism),
        c.field("chemicalSubstance", report.chemical_substance),
        c.field("value", report.value),
        f"component={c.word(cbv.COMPONENTS, component)}" if component is not None else "",
        c.field("stringValue", report.string_value),
        c.field("booleanValue", report.boolean_value),
        c.field("hexBinaryValue", report.hex_binary_value),
        c.field("uriValue", report.uri_value),
        c.field("minValue", report.min_value),
        c.field("maxValue", report.max_value),
        c.field("meanValue", report.mean_value),
        c.field("sDev", report.s_dev),
        c.field("percRank", report.perc_rank),
        c.field("percValue", report.perc_value),
        c.field("uom", report.uom),
        c.field("coordinateReferenceSystem", report.coordinate_reference_system),
        c.members(report.extensions),
    ])  # fmt: skip


def _time(name: str, text: str | None) -> str:
    return "" if text is None else f"{name}={utc_milliseconds(text)}"
