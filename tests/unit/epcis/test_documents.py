"""Documents, and what is said about faulty ones."""

from __future__ import annotations

from typing import Any

import pytest

from epcis import InvalidDocument, Problem, parse_document, parse_event
from tests.unit.epcis import samples


def _problems(document: Any) -> list[Problem]:
    with pytest.raises(InvalidDocument) as caught:
        parse_document(document)
    return caught.value.problems


def test_document() -> None:
    header = {"epcisMasterData": {"vocabularyList": [{"type": "urn:epcglobal:epcis:vtype:BusinessLocation"}]}}
    document = parse_document({**samples.document(samples.OBJECT, samples.AGGREGATION), "epcisHeader": header})
    assert document.kind == "EPCISDocument"
    assert [event.type for event in document.events] == ["ObjectEvent", "AggregationEvent"]
    assert document.context == samples.CONTEXT
    assert document.header == header
    assert document.creation_date == "2024-05-01T00:00:00Z"


def test_query_document() -> None:
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": [samples.AGGREGATION]}}
    document = parse_document(
        {"@context": samples.STANDARD, "type": "EPCISQueryDocument", "epcisBody": {"queryResults": results}}
    )
    assert document.kind == "EPCISQueryDocument"
    assert document.context == [samples.STANDARD]
    assert len(document.events) == 1


def test_bare_event() -> None:
    document = parse_document({"@context": samples.CONTEXT, **samples.OBJECT})
    assert document.kind == "Event"
    assert document.events[0].hash == parse_document(samples.document(samples.OBJECT)).events[0].hash


def test_bare_event_needs_its_context() -> None:
    assert _problems(samples.OBJECT) == [
        Problem(None, "/@context", "missing", "an event that stands alone needs its '@context'")
    ]


def test_every_fault_is_told_with_event_and_field() -> None:
    bad_step = {**samples.OBJECT, "bizStep": "no such step"}
    not_an_event: Any = 5
    bad_list = {
        **samples.AGGREGATION,
        "childEPCs": ["urn:epc:id:sgtin:4012345.011111.1", "no uri"],
        "action": "MOVE",
    }
    document = samples.document(samples.OBJECT, bad_step, bad_list, {"type": "ObjectEvent"}, not_an_event)
    document["creationDate"] = "yesterday"
    found = {(problem.index, problem.field, problem.code) for problem in _problems(document)}
    assert found == {
        (None, "/creationDate", "date_time"),
        (1, "/epcisBody/eventList/1/bizStep", "vocabulary"),
        (2, "/epcisBody/eventList/2/childEPCs/1", "uri"),
        (2, "/epcisBody/eventList/2/action", "literal_error"),
        (3, "/epcisBody/eventList/3/eventTime", "missing"),
        (3, "/epcisBody/eventList/3/eventTimeZoneOffset", "missing"),
        (3, "/epcisBody/eventList/3/action", "missing"),
        (4, "/epcisBody/eventList/4/type", "type"),
    }


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"unknown": 1}, "/unknown", "uri"),
        ({"epcList": ["a:b", "a:b"]}, "/epcList", "unique_items"),
        ({"action": "OBSERVE"}, "/ilmd", "rule"),
        ({"eventTime": "2024-01-01T00:00:00"}, "/eventTime", "date_time"),
        ({"eventTimeZoneOffset": "+15:00"}, "/eventTimeZoneOffset", "string_pattern_mismatch"),
        ({"disposition": None}, "/disposition", "string_type"),
        ({"quantityList": [{"epcClass": "a:b", "quantity": "1"}]}, "/quantityList/0/quantity", "number"),
        ({"quantityList": [{"epcClass": "a:b", "x:y": 1}]}, "/quantityList/0/x:y", "extra_forbidden"),
        ({"persistentDisposition": {}}, "/persistentDisposition", "missing"),
        ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport", "too_short"),
        ({"ilmd": {"grade": 1}}, "/ilmd/grade", "uri"),
        ({"example/~x": 1}, "/example~1~0x", "uri"),
        ({"@context": [5]}, "/@context", "context"),
        ({"lotline:signature": "x"}, "/lotline:signature", "signature"),
    ],
)
def test_fault_and_where_it_is(change: dict[str, Any], field: str, code: str) -> None:
    problems = _problems(samples.document({**samples.OBJECT, **change}))
    assert len(problems) == 1
    assert (problems[0].index, problems[0].code) == (0, code)
    assert problems[0].field.removeprefix("/epcisBody/eventList/0") == field


@pytest.mark.parametrize(
    ("kind", "removed", "field"),
    [
        ("ObjectEvent", ["epcList", "quantityList", "sensorElementList"], "epcList"),
        ("AggregationEvent", ["childEPCs", "childQuantityList"], "childEPCs"),
        ("TransactionEvent", ["epcList"], "epcList"),
        ("TransformationEvent", ["inputEPCList", "inputQuantityList", "transformationID"], "inputEPCList"),
        ("AssociationEvent", ["childEPCs"], "childEPCs"),
    ],
)
def test_an_event_must_be_about_something(kind: str, removed: list[str], field: str) -> None:
    raw = {name: value for name, value in samples.EVENTS[kind].items() if name not in removed}
    with pytest.raises(InvalidDocument) as caught:
        parse_event(raw)
    assert [(problem.index, problem.field, problem.code) for problem in caught.value.problems] == [
        (None, f"/{field}", "rule")
    ]


@pytest.mark.parametrize("header", [{"x": 1}, {"epcisMasterData": {"vocabularyList": [{"type": "no uri"}]}}, [], None])
def test_faulty_header(header: Any) -> None:
    problems = _problems({**samples.document(samples.OBJECT), "epcisHeader": header})
    assert all(problem.field.startswith("/epcisHeader") and problem.index is None for problem in problems)


@pytest.mark.parametrize("body", [None, [], {}, {"eventList": {}}, {"eventList": None}])
def test_faulty_body(body: Any) -> None:
    document = {**samples.document(), "epcisBody": body}
    assert all(problem.field.startswith("/epcisBody") for problem in _problems(document))


def test_no_more_than_a_hundred_problems_are_told() -> None:
    problems = _problems(samples.document(*[{"type": "ObjectEvent"}] * 1000))
    assert len(problems) == 100


def test_the_error_says_what_is_wrong() -> None:
    with pytest.raises(InvalidDocument, match="/type: needs a 'type' that is a text"):
        parse_document({})
    with pytest.raises(InvalidDocument, match=r"and 2 more"):
        parse_document(samples.document({"type": "ObjectEvent"}))


def test_a_context_may_not_be_huge() -> None:
    context = [samples.STANDARD, {f"p{number}": "https://example.com/" for number in range(5000)}]
    problems = _problems(samples.document(samples.OBJECT, context=context))
    assert (problems[0].field, problems[0].code) == ("/@context", "context")


@pytest.mark.parametrize(
    ("context", "valid"),
    [
        ([{"a": 1}, {"a": True}], True),
        ([{"a": [0]}, {"a": [False]}], True),
        ([{"a": 1}, {"a": 1.0}], False),
        ([{"a": {"b": [1]}}, {"a": {"b": [1]}}], False),
        ([samples.STANDARD, samples.STANDARD], False),
        ([5], False),
        (["no uri"], False),
        (None, False),
        ({}, True),
        ([], True),
    ],
)
def test_contexts(context: Any, valid: bool) -> None:
    document = {**samples.document(), "@context": context}
    if valid:
        assert parse_document(document).events == []
    else:
        assert [problem.field for problem in _problems(document)] == ["/@context"]
