"""Events to test with, and Hypothesis strategies that make more of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

STANDARD = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
EXAMPLE = "https://ns.example.com/epcis/"
CONTEXT: list[Any] = [STANDARD, {"example": EXAMPLE}]


def document(*events: dict[str, Any], context: list[Any] | None = None) -> dict[str, Any]:
    return {
        "@context": context if context is not None else CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2024-05-01T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


OBJECT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2024-03-04T11:00:30.120+01:00",
    "eventTimeZoneOffset": "+01:00",
    "certificationInfo": ["https://example.com/certificate/1"],
    "epcList": ["urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/00/340123453111111115"],
    "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 12.5, "uom": "KGM"}],
    "action": "ADD",
    "bizStep": "commissioning",
    "disposition": "active",
    "persistentDisposition": {"set": ["completeness_verified"], "unset": ["completeness_inferred"]},
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987", "example:door": "7"},
    "bizLocation": {"id": "urn:epc:id:sgln:4012345.00011.0"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:1152"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00000"}],
    "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:4023333.00001.0"}],
    "sensorElementList": [
        {
            "sensorMetadata": {"startTime": "2024-03-04T09:00:00Z", "deviceID": "urn:epc:id:giai:4012345.D1"},
            "sensorReport": [
                {"type": "Temperature", "value": 4.5, "uom": "CEL", "time": "2024-03-04T09:30:00Z"},
                {"type": "AbsoluteHumidity", "minValue": 10, "maxValue": 12, "booleanValue": False},
            ],
            "example:note": "calibrated",
        }
    ],
    "ilmd": {"example:grade": "A", "cbvmda:lotNumber": "L1"},
    "example:nested": {"example:list": ["b", "a", {"example:deep": 1}], "example:flag": True},
}
AGGREGATION: dict[str, Any] = {
    "type": "AggregationEvent",
    "eventTime": "2024-03-04T12:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "parentID": "urn:epc:id:sscc:4012345.3111111111",
    "childEPCs": ["urn:epc:id:sgtin:4012345.011111.1", "urn:epc:id:sgtin:4012345.011111.2"],
    "childQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 3}],
    "action": "ADD",
    "bizStep": "packing",
}
TRANSACTION: dict[str, Any] = {
    "type": "TransactionEvent",
    "eventTime": "2024-03-04T12:00:00Z",
    "eventTimeZoneOffset": "-05:30",
    "parentID": "urn:epc:id:sscc:4012345.3111111111",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.1"],
    "bizTransactionList": [{"type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:9"}],
    "action": "OBSERVE",
}
TRANSFORMATION: dict[str, Any] = {
    "type": "TransformationEvent",
    "eventTime": "2024-03-04T12:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "inputEPCList": ["urn:epc:id:sgtin:4012345.011111.1"],
    "inputQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 10, "uom": "KGM"}],
    "outputEPCList": ["urn:epc:id:sgtin:4012345.077889.25"],
    "outputQuantityList": [{"epcClass": "urn:epc:idpat:sgtin:4012345.066666.*", "quantity": 220}],
    "transformationID": "urn:epc:id:gdti:4012345.55555.1234",
    "bizStep": "commissioning",
    "ilmd": {"example:batch": "X"},
}
ASSOCIATION: dict[str, Any] = {
    "type": "AssociationEvent",
    "eventTime": "2024-03-04T12:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "parentID": "urn:epc:id:grai:4012345.55555.987",
    "childEPCs": ["urn:epc:id:giai:4012345.D1"],
    "action": "ADD",
    "bizStep": "installing",
}
# Every attribute that sensor data can have.
SENSING: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2024-03-04T12:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
    "sensorElementList": [
        {
            "sensorMetadata": {
                "time": "2024-03-04T11:00:00Z",
                "startTime": "2024-03-04T09:00:00Z",
                "endTime": "2024-03-04T10:00:00Z",
                "deviceID": "urn:epc:id:giai:4012345.D1",
                "deviceMetadata": "https://example.com/device",
                "rawData": "https://example.com/raw",
                "dataProcessingMethod": "https://example.com/method",
                "bizRules": "https://example.com/rules",
                "example:room": "cold",
            },
            "sensorReport": [{"type": "Temperature"}],
        },
        {
            "sensorReport": [
                {
                    "type": "Mass",
                    "exception": "ALARM_CONDITION",
                    "deviceID": "urn:epc:id:giai:4012345.D2",
                    "deviceMetadata": "https://example.com/device2",
                    "rawData": "https://example.com/raw2",
                    "dataProcessingMethod": "https://example.com/method2",
                    "bizRules": "https://example.com/rules2",
                    "time": "2024-03-04T11:00:00Z",
                    "microorganism": "https://example.com/yeast",
                    "chemicalSubstance": "https://example.com/salt",
                    "coordinateReferenceSystem": "https://example.com/system",
                    "value": 1.5,
                    "component": "x",
                    "stringValue": "text",
                    "booleanValue": True,
                    "hexBinaryValue": "f0",
                    "uriValue": "https://example.com/value",
                    "minValue": 1,
                    "maxValue": 2,
                    "meanValue": 1.25,
                    "sDev": 0.5,
                    "percRank": 50,
                    "percValue": 12.75,
                    "uom": "KGM",
                    "example:pressed": False,
                }
            ],
        },
    ],
}
EVENTS = {sample["type"]: sample for sample in (OBJECT, AGGREGATION, TRANSACTION, TRANSFORMATION, ASSOCIATION)}
EVENTS["sensing"] = SENSING


# -- strategies --


def naive_check_digit(digits: str) -> str:
    """GS1's own recipe, step by step: from the right, every other digit counts three times."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += int(digit) * (3 if place % 2 == 0 else 1)
    return str((10 - total % 10) % 10)


_SERIAL = st.text("ABCxyz0189-._", min_size=1, max_size=20)


def _number(width: int) -> st.SearchStrategy[str]:
    return st.integers(0, 10**width - 1).map(lambda number: f"{number:0{width}d}")


@st.composite
def items(draw: st.DrawFn) -> tuple[str, str]:
    """(URN, Digital Link) of one item."""
    reference, serial = draw(_number(6)), draw(_SERIAL)
    digits = reference[0] + "4012345" + reference[1:]
    link = f"https://id.gs1.org/01/{digits}{naive_check_digit(digits)}/21/{serial}"
    return f"urn:epc:id:sgtin:4012345.{reference}.{serial}", link


@st.composite
def lots(draw: st.DrawFn) -> tuple[str, str]:
    reference, lot = draw(_number(6)), draw(_SERIAL)
    digits = reference[0] + "4012345" + reference[1:]
    link = f"https://id.gs1.org/01/{digits}{naive_check_digit(digits)}/10/{lot}"
    return f"urn:epc:class:lgtin:4012345.{reference}.{lot}", link


@st.composite
def places(draw: st.DrawFn) -> tuple[str, str]:
    reference = draw(_number(5))
    digits = "4012345" + reference
    return (
        f"urn:epc:id:sgln:4012345.{reference}.0",
        f"https://id.gs1.org/414/{digits}{naive_check_digit(digits)}",
    )


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters=":"), max_size=12)
_SCALARS = st.one_of(
    _TEXT, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
_NAMES = st.sampled_from(["example:a", "example:b", "example:c", "example:d"])
EXTENSIONS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def object_events(draw: st.DrawFn, form: int = 1) -> dict[str, Any]:
    """An ObjectEvent with identifiers as URNs (``form=0``) or Digital Links (1)."""
    event: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": draw(st.datetimes()).strftime("2024-%m-%dT%H:%M:%S.%f")[:23] + "Z",
        "eventTimeZoneOffset": draw(st.sampled_from(["+00:00", "-06:00", "+05:30"])),
        "action": draw(st.sampled_from(["OBSERVE", "DELETE", "ADD"])),
        "epcList": [pair[form] for pair in draw(st.lists(items(), max_size=4, unique=True))],
        "quantityList": [
            {"epcClass": pair[form], "quantity": draw(st.integers(1, 1000))}
            for pair in draw(st.lists(lots(), max_size=3, unique=True))
        ],
        "readPoint": {"id": draw(places())[form]},
    }
    event.update(draw(st.dictionaries(_NAMES, EXTENSIONS, max_size=3)))
    return event
