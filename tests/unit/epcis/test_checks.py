from __future__ import annotations

from typing import Any

import pytest

from epcis import InvalidDocument, check, parse_event
from tests.unit.epcis import samples


def _found(raw: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(problem.field, problem.code, problem.severity) for problem in check(parse_event(raw))]


@pytest.mark.parametrize("raw", samples.EVENTS.values(), ids=samples.EVENTS)
def test_good_events_have_no_problems(raw: dict[str, Any]) -> None:
    assert _found(raw) == []


_GTIN = "https://id.gs1.org/01/04012345111119"
_GLN = "https://id.gs1.org/414/4012345000116"


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("ObjectEvent", {"epcList": ["a:b", f"{_GTIN}/21/1"]}, "/epcList/1"),
        ("ObjectEvent", {"epcList": ["http://shop.example.com/gtin/4012345111119/ser/1"]}, "/epcList/0"),
        ("ObjectEvent", {"quantityList": [{"epcClass": f"{_GTIN}/10/L"}]}, "/quantityList/0/epcClass"),
        ("ObjectEvent", {"readPoint": {"id": _GLN}}, "/readPoint/id"),
        ("ObjectEvent", {"bizLocation": {"id": _GLN}}, "/bizLocation/id"),
        ("ObjectEvent", {"sourceList": [{"type": "location", "source": _GLN}]}, "/sourceList/0/source"),
        ("ObjectEvent", {"destinationList": [{"type": "location", "destination": _GLN}]},
         "/destinationList/0/destination"),
        ("ObjectEvent", {"bizTransactionList": [{"bizTransaction": "https://id.gs1.org/253/4012345111119X"}]},
         "/bizTransactionList/0/bizTransaction"),
        ("AggregationEvent", {"parentID": "https://id.gs1.org/00/340123451111111112"}, "/parentID"),
        ("AggregationEvent", {"childEPCs": [f"{_GTIN}/21/1"]}, "/childEPCs/0"),
        ("AggregationEvent", {"childQuantityList": [{"epcClass": _GTIN}]}, "/childQuantityList/0/epcClass"),
        ("TransformationEvent", {"inputEPCList": [f"{_GTIN}/21/1"]}, "/inputEPCList/0"),
        ("TransformationEvent", {"outputEPCList": [f"{_GTIN}/21/1"]}, "/outputEPCList/0"),
        ("TransformationEvent", {"inputQuantityList": [{"epcClass": _GTIN}]},
        "/inputQuantityList/0/epcClass"),
        ("TransformationEvent", {"outputQuantityList": [{"epcClass": _GTIN}]},
        "/outputQuantityList/0/epcClass"),
        ("TransformationEvent", {"transformationID": "https://id.gs1.org/253/4012345555553X"},
        "/transformationID"),
    ],
)  # fmt: skip
def test_wrong_check_digit_is_found_everywhere(kind: str, change: dict[str, Any], field: str) -> None:
    assert _found({**samples.EVENTS[kind], **change}) == [(field, "check_digit", "error")]


@pytest.mark.parametrize(("action", "problems"), [("ADD", 1), ("DELETE", 1), ("OBSERVE", 0)])
def test_packing_names_its_container(action: str, problems: int) -> None:
    raw = {name: value for name, value in samples.AGGREGATION.items() if name != "parentID"}
    assert _found({**raw, "action": action}) == [("/parentID", "parent_missing", "error")] * problems


@pytest.mark.parametrize("action", ["ADD", "DELETE"])
def test_tcr_54_step_3_association_without_parent(action: str) -> None:
    raw = {name: value for name, value in samples.ASSOCIATION.items() if name != "parentID"}
    with pytest.raises(InvalidDocument):
        parse_event({**raw, "action": action})


@pytest.mark.parametrize("action", ["ADD", "OBSERVE"])
def test_tcr_54_step_4_association_without_child(action: str) -> None:
    with pytest.raises(InvalidDocument):
        parse_event({**samples.ASSOCIATION, "action": action, "childEPCs": [], "childQuantityList": []})


def _sensing(metadata: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    element = {"sensorMetadata": metadata, "sensorReport": [{"type": "Mass"}, {"type": "Mass", **report}]}
    return {**samples.OBJECT, "sensorElementList": [element]}


@pytest.mark.parametrize("name", ["time", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod"])
def test_tcr_53_step_29_attribute_in_metadata_and_report(name: str) -> None:
    value = "2024-03-04T09:00:00Z" if name == "time" else "https://example.com/x"
    field = f"/sensorElementList/0/sensorReport/1/{name}"
    assert _found(_sensing({name: value}, {name: value})) == [(field, "sensor_attribute_twice", "warning")]
    assert _found(_sensing({name: value}, {})) == []
    assert _found(_sensing({}, {name: value})) == []


def test_readings_are_not_later_than_their_event() -> None:
    later = "2024-03-04T11:00:30.121+01:00"
    metadata, report = "/sensorElementList/0/sensorMetadata/time", "/sensorElementList/0/sensorReport/1/time"
    assert _found(_sensing({"time": later}, {})) == [(metadata, "sensor_time", "warning")]
    assert _found(_sensing({}, {"time": later})) == [(report, "sensor_time", "warning")]
    assert _found(_sensing({"time": samples.OBJECT["eventTime"]}, {})) == []


def test_readings_do_not_end_before_they_begin() -> None:
    metadata = {"startTime": "2024-03-04T10:00:00+01:00", "endTime": "2024-03-04T08:59:59Z"}
    assert _found(_sensing(metadata, {})) == [("/sensorElementList/0/sensorMetadata/endTime", "sensor_time", "warning")]


def test_index_of_the_event_is_told() -> None:
    event = parse_event({**samples.AGGREGATION, "parentID": "https://id.gs1.org/00/340123451111111112"})
    assert [problem.index for problem in check(event, 7)] == [7]
