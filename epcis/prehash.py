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

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from epcis import cbv
from epcis.canonical import Canonical, Version
from epcis.formats import utc_milliseconds

if TYPE_CHECKING:
    from epcis.elements import PersistentDisposition, QuantityElement, SensorElement, SensorMetadata, SensorReport
    from epcis.events import Event

Said = dict[str, Any]
"""What an event says, by its model's names."""

DEFAULT_VERSION = "CBV2.0"
VERSIONS = {
    "CBV2.0": Version("CBV2.0", "https://gs1.org/voc/", lists_in_place=False, certification=True),
    "CBV2.1": Version("CBV2.1", "https://ref.gs1.org/voc/", lists_in_place=True, certification=False),
}


def hash_uri(pre_hash: str, version: str = DEFAULT_VERSION) -> str:
    """The ``ni`` URI (RFC 6920) of the canonical text."""
    return digest_uri(sha256(pre_hash.encode()).hexdigest(), version)


def digest_uri(digits: str, version: str = DEFAULT_VERSION) -> str:
    """The ``ni`` URI of the hexadecimal digits of a SHA-256."""
    return f"ni:///sha-256;{digits}?ver={version}"


def pre_hash_of(event: Event, version: str = DEFAULT_VERSION, ignore: Iterable[str] = ()) -> str:
    """The canonical text of ``event``, without the extensions in ``ignore`` (as ``{namespace}name``)."""
    c = Canonical(event.context, VERSIONS[version])
    said = vars(event)  # Pydantic's models take a detour for each attribute
    lists = _lists(said, c)
    sensors = _sensors(event.sensor_element_list, c) if event.sensor_element_list else ""
    extensions = _extensions(event, c, frozenset(ignore))
    if c.version.lists_in_place:
        rest = [*lists, sensors, *sorted(extensions)]
    else:
        rest = [sensors, *sorted([*lists, *extensions])]
    return "".join([*_occasion(event, c), *_things(event, c), *_business(said, c), *rest])


def _occasion(event: Event, c: Canonical) -> list[str]:
    texts = [
        f"eventType={c.iri(event.type)}",
        f"eventTime={utc_milliseconds(event.event_time_text)}",
        f"eventTimeZoneOffset={event.event_time_zone_offset}",
    ]
    info = event.certification_info
    if info is not None and c.version.certification:
        uris = info if isinstance(info, list) else [info]
        texts += sorted([f"certificationInfo={c.identifier(uri)}" for uri in uris])
    return texts


def _things(event: Event, c: Canonical) -> list[str]:
    texts, said = [], vars(event)
    if "_repeated" in said:
        said = {**said, **event.repeated}  # what was sent twice is hashed twice
    if (parent := said.get("parent_id")) is not None:
        texts.append(f"parentID={c.identifier(parent)}")
    if epcs := said.get("epc_list"):
        texts.insert(0 if c.version.lists_in_place else len(texts), _epcs("epcList", epcs, c))
    for name, field, write in _things_of(type(event)):
        if listed := said.get(field):
            texts.append(write(name, listed, c))
    return texts


def _epcs(name: str, epcs: list[str], c: Canonical) -> str:
    return name + "".join(sorted([f"epc={c.identifier(epc)}" for epc in epcs]))


def _quantities(name: str, elements: list[QuantityElement], c: Canonical) -> str:
    return name + "".join(sorted([_quantity(element, c) for element in elements]))


def _quantity(element: QuantityElement, c: Canonical) -> str:
    amount = c.field("quantity", element.quantity) + c.field("uom", element.uom)
    return f"quantityElementepcClass={c.identifier(element.epc_class)}{amount}"


_Things = tuple[str, str, Callable[[str, list[Any], Canonical], str]]
_THINGS: tuple[_Things, ...] = (
    ("inputEPCList", "input_epc_list", _epcs),
    ("childEPCs", "child_epcs", _epcs),
    ("quantityList", "quantity_list", _quantities),
    ("childQuantityList", "child_quantity_list", _quantities),
    ("inputQuantityList", "input_quantity_list", _quantities),
    ("outputEPCList", "output_epc_list", _epcs),
    ("outputQuantityList", "output_quantity_list", _quantities),
)


@cache
def _things_of(kind: type[Event]) -> list[_Things]:
    """Of ``_THINGS`` what a type of event has."""
    return [entry for entry in _THINGS if entry[1] in kind.model_fields]


def _business(said: Said, c: Canonical) -> list[str]:
    texts = []
    if (action := said.get("action")) is not None:
        texts.append(f"action={action}")
    if (transformation := said.get("transformation_id")) is not None:
        texts.append(f"transformationID={c.identifier(transformation)}")
    if (step := said.get("biz_step")) is not None:
        texts.append(f"bizStep={c.word(cbv.BIZ_STEPS, step)}")
    if (disposition := said.get("disposition")) is not None:
        texts.append(f"disposition={c.word(cbv.DISPOSITIONS, disposition)}")
    if (persistent := said.get("persistent_disposition")) is not None:
        texts += _persistent(persistent, c)
    for name, field in (("readPoint", "read_point_detail"), ("bizLocation", "biz_location_detail")):
        if (location := said.get(field)) is not None:
            texts.append(f"{name}id={c.identifier(location.id)}{c.members(location.extensions)}")
    return texts


def _persistent(disposition: PersistentDisposition, c: Canonical) -> list[str]:
    texts = ["persistentDisposition"]
    for name, words in (("set", disposition.set), ("unset", disposition.unset)):
        texts += sorted([f"{name}={c.word(cbv.DISPOSITIONS, word)}" for word in words or ()])
    return texts


def _lists(said: Said, c: Canonical) -> list[str]:
    """Transactions, sources and destinations: each a list of (type, value)."""
    texts = []
    kinds = cbv.BIZ_TRANSACTION_TYPES
    if transactions := said.get("biz_transaction_list"):
        pairs = [
            ("" if t.type is None else f"type={c.word(kinds, t.type)}")
            + f"bizTransaction={c.identifier(t.biz_transaction)}"
            for t in transactions
        ]
        texts.append("bizTransactionList" + "".join(sorted(pairs)))
    kinds = cbv.SOURCE_DESTINATION_TYPES
    if sources := said.get("source_list"):
        pairs = [f"type={c.word(kinds, s.type)}source={c.identifier(s.source)}" for s in sources]
        texts.append("sourceList" + "".join(sorted(pairs)))
    if destinations := said.get("destination_list"):
        pairs = [f"type={c.word(kinds, d.type)}destination={c.identifier(d.destination)}" for d in destinations]
        texts.append("destinationList" + "".join(sorted(pairs)))
    return texts


def _extensions(event: Event, c: Canonical, ignore: frozenset[str]) -> list[str]:
    texts = ["ilmd" + c.members(event.ilmd)] if event.ilmd else []
    for name, value in event.extensions.items():
        if not ignore or c.name(name) not in ignore:
            texts += c.extension(name, value)
    return texts


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
