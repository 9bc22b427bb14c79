"""The canonical text of an event and its hash, by the Core Business Vocabulary (CBV 2.0, section 8.9; CBV 2.1).

The rules are those of the reference implementation that made the published examples. Where CBV 2.0's text and that
implementation differ, the implementation is followed: an identity is only worth what others compute as well.

- Fields come in a fixed order, ``name=value`` without separators; lists are sorted; extensions come as
  ``{namespace}name=value``, those inside a field at that field's end.
- Times are UTC with three decimals, rounded half up; numbers have no superfluous zeros.
- Identifiers are canonical Digital Links; vocabulary words and ``prefix:name`` values are written out.
- ``eventID``, ``recordTime``, ``errorDeclaration``, ``@context`` and ``rdfs:comment`` are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from epcis import cbv
from epcis.context import Context
from epcis.formats import utc_milliseconds
from epcis.identifiers import CANONICAL_BASE, canonical_or_same

if TYPE_CHECKING:
    from epcis.elements import Location, QuantityElement, SensorElement, SensorMetadata, SensorReport
    from epcis.events import Event

DEFAULT_VERSION = "CBV2.0"

_COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?")
# Beyond what a double can hold, a number is written as it came: nobody means it, and it would not fit in memory.
_LARGEST_EXPONENT = 400


@dataclass(frozen=True, slots=True)
class Version:
    """What differs between the versions of the algorithm."""

    name: str
    web_vocabulary: str
    lists_in_place: (
        bool  # transactions, sources and destinations before the sensors, not sorted among extensions
    )
    certification: bool


VERSIONS = {
    "CBV2.0": Version("CBV2.0", "https://gs1.org/voc/", lists_in_place=False, certification=True),
    "CBV2.1": Version("CBV2.1", "https://ref.gs1.org/voc/", lists_in_place=True, certification=False),
}


def hash_uri(pre_hash: str, version: str = DEFAULT_VERSION) -> str:
    """The ``ni`` URI (RFC 6920) of the canonical text."""
    return f"ni:///sha-256;{sha256(pre_hash.encode()).hexdigest()}?ver={version}"


def pre_hash_of(event: Event, version: str = DEFAULT_VERSION, ignore: Iterable[str] = ()) -> str:
    """The canonical text of ``event``. ``ignore``: extensions of the event to be left out, as ``{namespace}name``."""
    return _Writer(event.context, VERSIONS[version], frozenset(ignore)).event(event)


def number_text(text: str) -> str:
    """``text`` without superfluous sign, zeros and exponent if it is a decimal number, else as it is."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return text
    if match[4] is not None:
        if abs(int(match[4])) > _LARGEST_EXPONENT:
            return text
        return number_text(format(Decimal(text), "f"))
    whole = match[2].lstrip("0") or "0"
    fraction = (match[3] or "").rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if match[1] == "-" and number != "0" else number


class _Writer:
    """Writes one event; holds what every value needs: its namespaces and the version's rules."""

    def __init__(self, context: Context, version: Version, ignore: frozenset[str]) -> None:
        self._context = context
        self._version = version
        self._ignore = ignore

    # -- the event ---------------------------------------------------------------------------------------------

    def event(self, event: Event) -> str:
        parts = [
            f"eventType={self._iri(event.type)}eventTime={utc_milliseconds(event.event_time_text)}"
            f"eventTimeZoneOffset={event.event_time_zone_offset}"
        ]
        if event.certification_info is not None and self._version.certification:
            info = event.certification_info
            parts += self._each("certificationInfo=", info if isinstance(info, list) else [info])
        parts += self._things(event)
        parts += self._business(event)
        lists = self._lists(event)
        sensors = self._sensors(event.sensor_element_list) if event.sensor_element_list else ""
        extensions = self._event_extensions(event)
        if self._version.lists_in_place:
            return "".join([*parts, *lists, sensors, *sorted(extensions)])
        return "".join([*parts, sensors, *sorted([*lists, *extensions])])

    def _things(self, event: Event) -> list[str]:
        parent = [f"parentID={self._identifier(event.parent_id)}"] if event.parent_id is not None else []
        epcs = self._epcs("epcList", event.epc_list)
        return [
            *(epcs + parent if self._version.lists_in_place else parent + epcs),
            *self._epcs("inputEPCList", event.input_epc_list),
            *self._epcs("childEPCs", event.child_epcs),
            *self._quantities("quantityList", event.quantity_list),
            *self._quantities("childQuantityList", event.child_quantity_list),
            *self._quantities("inputQuantityList", event.input_quantity_list),
            *self._epcs("outputEPCList", event.output_epc_list),
            *self._quantities("outputQuantityList", event.output_quantity_list),
        ]

    def _business(self, event: Event) -> list[str]:
        parts = []
        if event.action is not None:
            parts.append(f"action={event.action}")
        if event.transformation_id is not None:
            parts.append(f"transformationID={self._identifier(event.transformation_id)}")
        if event.biz_step is not None:
            parts.append(f"bizStep={self._word(cbv.BIZ_STEPS, event.biz_step)}")
        if event.disposition is not None:
            parts.append(f"disposition={self._word(cbv.DISPOSITIONS, event.disposition)}")
        if event.persistent_disposition is not None:
            parts.append("persistentDisposition")
            for name in ("set", "unset"):
                words = getattr(event.persistent_disposition, name) or ()
                parts += sorted(f"{name}={self._word(cbv.DISPOSITIONS, word)}" for word in words)
        if event.read_point_detail is not None:
            parts.append(self._location("readPoint", event.read_point_detail))
        if event.biz_location_detail is not None:
            parts.append(self._location("bizLocation", event.biz_location_detail))
        return parts

    def _lists(self, event: Event) -> list[str]:
        """Transactions, sources and destinations, each a list of (type, value)."""
        result = []
        if event.biz_transaction_list:
            pairs = [
                ("" if t.type is None else f"type={self._word(cbv.BIZ_TRANSACTION_TYPES, t.type)}")
                + f"bizTransaction={self._identifier(t.biz_transaction)}"
                for t in event.biz_transaction_list
            ]
            result.append("bizTransactionList" + "".join(sorted(pairs)))
        kinds = cbv.SOURCE_DESTINATION_TYPES
        if event.source_list:
            pairs = [
                f"type={self._word(kinds, s.type)}source={self._identifier(s.source)}"
                for s in event.source_list
            ]
            result.append("sourceList" + "".join(sorted(pairs)))
        if event.destination_list:
            pairs = [
                f"type={self._word(kinds, d.type)}destination={self._identifier(d.destination)}"
                for d in event.destination_list
            ]
            result.append("destinationList" + "".join(sorted(pairs)))
        return result

    def _event_extensions(self, event: Event) -> list[str]:
        result = ["ilmd" + self._members(event.ilmd)] if event.ilmd else []
        for name, value in event.extensions.items():
            if not self._ignore or self._name(name) not in self._ignore:
                result += self._extension(name, value)
        return result

    # -- parts of events ---------------------------------------------------------------------------------------

    def _epcs(self, name: str, epcs: list[str]) -> list[str]:
        return [name, *sorted([f"epc={self._identifier(epc)}" for epc in epcs])] if epcs else []

    def _quantities(self, name: str, elements: list[QuantityElement]) -> list[str]:
        return [name, *sorted([self._quantity(element) for element in elements])] if elements else []

    def _quantity(self, element: QuantityElement) -> str:
        text = f"quantityElementepcClass={self._identifier(element.epc_class)}"
        if element.quantity is not None:
            text += f"quantity={self._value(element.quantity)}"
        return text if element.uom is None else f"{text}uom={self._value(element.uom)}"

    def _location(self, name: str, location: Location) -> str:
        text = f"{name}id={self._identifier(location.id)}"
        return text + self._members(location.extensions) if location.extensions else text

    def _sensors(self, elements: list[SensorElement]) -> str:
        return "sensorElementList" + "".join(sorted([self._sensor(element) for element in elements]))

    def _sensor(self, element: SensorElement) -> str:
        metadata = self._metadata(element.sensor_metadata) if element.sensor_metadata is not None else ""
        reports = sorted([self._report(report) for report in element.sensor_report])
        return "sensorElement" + metadata + "".join(reports) + self._members(element.extensions)

    def _metadata(self, metadata: SensorMetadata) -> str:
        text = "".join([
            self._time("time", metadata.time),
            self._time("startTime", metadata.start_time),
            self._time("endTime", metadata.end_time),
            self._field("deviceID", metadata.device_id),
            self._field("deviceMetadata", metadata.device_metadata),
            self._field("rawData", metadata.raw_data),
            self._field("dataProcessingMethod", metadata.data_processing_method),
            self._field("bizRules", metadata.biz_rules),
            self._members(metadata.extensions),
        ])  # fmt: skip
        return "sensorMetadata" + text if text else ""

    def _report(self, report: SensorReport) -> str:
        return "".join([
            f"sensorReporttype={self._web_word(cbv.MEASUREMENT_TYPES, report.type)}",
            "" if report.exception is None
            else f"exception={self._web_word(cbv.SENSOR_ALERT_TYPES, report.exception)}",
            self._field("deviceID", report.device_id),
            self._field("deviceMetadata", report.device_metadata),
            self._field("rawData", report.raw_data),
            self._field("dataProcessingMethod", report.data_processing_method),
            self._field("bizRules", report.biz_rules),
            self._time("time", report.time),
            self._field("microorganism", report.microorganism),
            self._field("chemicalSubstance", report.chemical_substance),
            self._field("value", report.value),
            "" if report.component is None else f"component={self._word(cbv.COMPONENTS, report.component)}",
            self._field("stringValue", report.string_value),
            self._field("booleanValue", report.boolean_value),
            self._field("hexBinaryValue", report.hex_binary_value),
            self._field("uriValue", report.uri_value),
            self._field("minValue", report.min_value),
            self._field("maxValue", report.max_value),
            self._field("meanValue", report.mean_value),
            self._field("sDev", report.s_dev),
            self._field("percRank", report.perc_rank),
            self._field("percValue", report.perc_value),
            self._field("uom", report.uom),
            self._field("coordinateReferenceSystem", report.coordinate_reference_system),
            self._members(report.extensions),
        ])  # fmt: skip

    # -- extensions --------------------------------------------------------------------------------------------

    def _members(self, members: dict[str, Any]) -> str:
        if not members:
            return ""
        return "".join(
            sorted([text for name, value in members.items() for text in self._extension(name, value)])
        )

    def _extension(self, name: str, value: Any) -> list[str]:
        """One member as its texts: a list is one text for each of its elements."""
        return self._named(self._name(name), value)

    def _named(self, name: str, value: Any) -> list[str]:
        if name == _COMMENT:
            return []
        values = value if isinstance(value, list) else [value]
        if name.endswith("List") and values and isinstance(value, list | dict):
            # As in XML, where a list is one element that holds others named after it.
            children = [text for element in values for text in self._named(name[:-4], element)]
            return [name + "".join(sorted(children))]
        return [name + self._content(element) for element in values]

    def _content(self, value: Any) -> str:
        if isinstance(value, dict):
            return self._members(value)
        if isinstance(value, list):
            return "".join(sorted([self._content(element) for element in value]))
        text = self._value(value)
        return f"={text}" if text else ""

    def _name(self, name: str) -> str:
        expanded = self._context.expand(name)
        return name if expanded is None else f"{{{self._namespace(name, expanded[0])}}}{expanded[1]}"

    # -- values ------------------------------------------------------------------------------------------------

    def _namespace(self, name: str, namespace: str) -> str:
        return self._version.web_vocabulary if name.startswith("gs1:") else namespace

    def _field(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        text = self._value(value)
        return f"{name}={text}" if text else ""

    def _time(self, name: str, text: str | None) -> str:
        return "" if text is None else f"{name}={utc_milliseconds(text)}"

    def _each(self, name: str, uris: list[str]) -> list[str]:
        return sorted([name + self._identifier(uri) for uri in uris])

    def _word(self, vocabulary: cbv.Vocabulary, word: str) -> str:
        return vocabulary.iri(word) if word in vocabulary.words else self._value(word)

    def _web_word(self, vocabulary: cbv.Vocabulary, word: str) -> str:
        return self._version.web_vocabulary + word if word in vocabulary.words else self._value(word)

    def _iri(self, name: str) -> str:
        expanded = self._context.expand(name)
        return name if expanded is None else self._namespace(name, expanded[0]) + expanded[1]

    def _identifier(self, uri: str) -> str:
        return uri if uri.startswith(CANONICAL_BASE) else self._value(uri)

    def _value(self, value: Any) -> str:
        if isinstance(value, str):
            return self._text(value.strip())
        if isinstance(value, bool):
            return "true" if value else "false"
        return "null" if value is None else number_text(repr(value))

    def _text(self, text: str) -> str:
        if ":" in text:
            return canonical_or_same(cbv.from_urn(self._iri(text)))
        return number_text(text)
