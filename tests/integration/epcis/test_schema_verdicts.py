"""Ours and GS1's JSON Schema must agree on every document, however it is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from epcis import InvalidDocument, check, parse_document, parse_event
from tests.integration.epcis.documents import valid_documents
from tests.integration.epcis.mutations import mutations
from tests.integration.epcis.schema import gs1_schema


def _is_valid(document: Any) -> bool:
    try:
        parse_document(document if isinstance(document, dict) else json.dumps(document))
    except InvalidDocument:
        return False
    return True


@pytest.mark.slow
def test_same_verdict_on_every_mutation(shared_data: Path) -> None:
    schema = gs1_schema(shared_data)
    verdicts = {True: 0, False: 0}
    for name, document in valid_documents(shared_data).items():
        before = json.dumps(document)
        for what, damaged in mutations(document):
            verdict = schema.is_valid(damaged)
            assert _is_valid(damaged) == verdict, (name, what)
            verdicts[verdict] += 1
        assert json.dumps(document) == before, "a mutation was not undone"
    assert verdicts[True] > 50_000
    assert verdicts[False] > 200_000


def test_mutations_that_are_valid_survive_storage(shared_data: Path) -> None:
    survived = 0
    for number, (name, document) in enumerate(valid_documents(shared_data).items()):
        for place, (what, damaged) in enumerate(mutations(document)):
            if (place + number) % 31 or not isinstance(damaged, dict):
                continue
            try:
                events = parse_document(damaged).events
            except InvalidDocument:
                continue
            for event in events:
                again = parse_event(event.to_stored())
                assert again.hash == event.hash, (name, what)
                assert again.to_stored() == event.to_stored(), (name, what)
                assert parse_document(event.to_dict(form="urn")).events[0].hash == event.hash, (name, what)
                check(event)
                survived += 1
    assert survived > 2_000
