"""Real documents: GS1's examples, the examples of the event hash, FSMA 204 events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from epcis import check, parse_document, parse_event, render_document
from tests.integration.epcis.documents import valid_documents
from tests.integration.epcis.schema import gs1_schema


@pytest.fixture(scope="module")
def documents(shared_data: Path) -> dict[str, Any]:
    return valid_documents(shared_data)


@pytest.fixture(scope="module")
def schema(shared_data: Path) -> jsonschema_rs.Draft7Validator:
    return gs1_schema(shared_data)


def test_all_are_there_and_valid(documents: dict[str, Any], schema: jsonschema_rs.Draft7Validator) -> None:
    assert sum(name.startswith("gs1/JSON") for name in documents) == 47
    assert sum(name.startswith("event-hash") for name in documents) == 23
    assert sum(name.startswith("fsma204") for name in documents) == 7
    for name, document in documents.items():
        assert schema.is_valid(document), name
        assert parse_document(document).events, name


def test_files_are_read_as_they_are(shared_data: Path) -> None:
    for path in sorted((shared_data / "epcis/gs1/JSON").rglob("*.jsonld")):
        assert parse_document(path.read_bytes()).events, path


def test_stored_and_read_back_they_are_the_same(
    documents: dict[str, Any], schema: jsonschema_rs.Draft7Validator
) -> None:
    for name, document in documents.items():
        for event in parse_document(document).events:
            again = parse_event(event.to_stored())
            assert again.hash == event.hash, name
            assert again.to_stored() == event.to_stored(), name
            for form in ("dl", "urn"):
                written = again.to_dict(form=form)
                assert schema.is_valid(written), name
                assert parse_document(written).events[0].hash == event.hash, name


def test_extensions_come_back_as_they_were(documents: dict[str, Any]) -> None:
    for name, document in documents.items():
        raw_events = _raw_events(document)
        for raw, event in zip(raw_events, parse_document(document).events, strict=True):
            written = parse_event(event.to_stored()).to_dict(with_context=False)
            assert written.keys() == raw.keys() - {"recordTime", "@context"}, name
            for member in ("ilmd", *event.extensions):
                assert written.get(member) == raw.get(member), name


def test_rendered_together_they_are_valid(documents: dict[str, Any], schema: jsonschema_rs.Draft7Validator) -> None:
    events = [event for document in documents.values() for event in parse_document(document).events]
    rendered = json.loads(json.dumps(render_document(events, datetime(2024, 5, 1, tzinfo=UTC))))
    assert schema.is_valid(rendered)
    assert [event.hash for event in parse_document(rendered).events] == [event.hash for event in events]


# A collection of every form that an identifier can have, in a list where classes have no place.
_WITH_CLASSES = "event-hash/examples/epclist_normalisation.jsonld"


def test_they_have_no_errors_but_some_of_gs1s_own_break_its_sensor_rules(documents: dict[str, Any]) -> None:
    warned = set()
    classes = documents[_WITH_CLASSES]
    (event,) = parse_document(classes).events
    assert [problem.code for problem in check(event)] == ["class_in_epc_list"] * 2
    for name, document in documents.items():
        if name == _WITH_CLASSES:
            continue
        for event in parse_document(document).events:
            problems = check(event)
            assert [problem for problem in problems if problem.severity == "error"] == [], name
            if problems and name.startswith("gs1"):
                warned.add(name)
    assert len(warned) == 5


def _raw_events(document: Any) -> list[Any]:
    body = document["epcisBody"]
    found: list[Any] = body["eventList"] if "eventList" in body else body["queryResults"]["resultsBody"]["eventList"]
    return found
