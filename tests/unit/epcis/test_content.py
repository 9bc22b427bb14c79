"""The digest of content tells apart what the hash of the standard cannot, and nothing else."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis import Event, parse_document, parse_event
from tests.unit.epcis import samples
from tests.unit.epcis.samples import EXAMPLE, STANDARD


def _event(raw: dict[str, Any], context: list[Any] | None = None) -> Event:
    return parse_document(samples.document(raw, context=context)).events[0]


def _shuffled(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict):
        members = [(name, _shuffled(member, dice)) for name, member in value.items()]
        dice.shuffle(members)
        return dict(members)
    if isinstance(value, list):
        elements = [_shuffled(element, dice) for element in value]
        dice.shuffle(elements)
        return elements
    return value


@pytest.mark.parametrize("kind", samples.EVENTS)
@given(seed=st.integers())
def test_order_and_white_space_do_not_matter(kind: str, seed: int) -> None:
    raw = samples.EVENTS[kind]
    text = json.dumps(samples.document(_shuffled(raw, random.Random(seed))), indent=seed % 4)
    assert parse_document(text).events[0].content_digest == _event(raw).content_digest


@given(raw=samples.object_events(form=0), seed=st.integers())
def test_what_is_the_same_event_has_the_same_digest_and_hash(raw: dict[str, Any], seed: int) -> None:
    event, other = _event(raw), _event(_shuffled(raw, random.Random(seed)))
    again = parse_event(event.to_stored())
    assert event.content_digest == other.content_digest == again.content_digest
    assert event.content_digest == parse_event(event.to_dict(form="urn")).content_digest
    assert event.hash == other.hash


@pytest.mark.parametrize(
    "same",
    [
        {"eventTime": "2024-03-04T10:00:30.12Z"},
        {"eventTime": "2024-03-04T04:30:30.1200-05:30"},
        {"eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"},
        {"recordTime": "2024-03-04T10:00:30Z"},
        {"errorDeclaration": {"declarationTime": "2024-03-05T10:00:30Z"}},
        {"rdfs:comment": "seen by hand"},
        {"ilmd": {**samples.OBJECT["ilmd"], "http://www.w3.org/2000/01/rdf-schema#comment": "ripe"}},
        {"bizStep": "https://ref.gs1.org/cbv/BizStep-commissioning"},
        {"epcList": ["https://id.gs1.org/00/340123453111111115", "https://shop.example.com/01/04012345111118/21/9876"]},
        {"quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 1.25e1, "uom": "KGM"}]},
    ],
)
def test_other_spellings_of_one_content(same: dict[str, Any]) -> None:
    assert _event({**samples.OBJECT, **same}).content_digest == _event(samples.OBJECT).content_digest


def test_names_of_prefixes_do_not_matter() -> None:
    renamed = json.loads(json.dumps(samples.OBJECT).replace('"example:', '"ex2:'))
    assert _event(renamed, [STANDARD, {"ex2": EXAMPLE}]).content_digest == _event(samples.OBJECT).content_digest
    written = {**samples.AGGREGATION, f"{EXAMPLE}x": "example:y"}
    assert _event(written).content_digest == _event({**samples.AGGREGATION, "example:x": f"{EXAMPLE}y"}).content_digest
    other = _event(samples.OBJECT, [STANDARD, {"example": "https://else.example.com/"}])
    assert other.content_digest != _event(samples.OBJECT).content_digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"example:batch": "007"}, {"example:batch": "7"}),
        ({"example:batch": 7}, {"example:batch": "7"}),
        ({"example:batch": " a"}, {"example:batch": "a"}),
        ({"example:a": "1{https://ns.example.com/epcis/}b=2"}, {"example:a": "1", "example:b": "2"}),
        ({"example:a": None}, {"example:a": "null"}),
        ({"example:a": True}, {"example:a": "true"}),
        ({"example:a": ["x"]}, {"example:a": "x"}),
        ({"example:list": ["b", ["a"]]}, {"example:list": ["a", ["b"]]}),
    ],
)
def test_events_of_one_hash_are_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = _event({**samples.AGGREGATION, **one}), _event({**samples.AGGREGATION, **other})
    assert first.content_digest != second.content_digest
    if "example:list" not in one:
        assert first.hash == second.hash


def test_the_lot_that_an_item_was_named_with_is_content() -> None:
    item = "https://id.gs1.org/01/04012345111118"
    events = [
        _event({**samples.OBJECT, "epcList": [f"{item}{path}"]}) for path in ("/21/S", "/10/L/21/S", "/10/M/21/S")
    ]
    assert len({event.hash for event in events}) == 1
    assert len({event.content_digest for event in events}) == 3


def test_deeply_nested_content() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = {"example:d": deep}
    event = _event({**samples.AGGREGATION, "example:deep": deep})
    assert event.content_digest == parse_event(event.to_stored()).content_digest
    assert event.hash


def test_an_empty_list_says_as_much_as_none() -> None:
    said = {
        "type": "ObjectEvent", "eventTime": "2025-03-01T01:00:00Z", "eventTimeZoneOffset": "+00:00", "action": "ADD",
        "quantityList": [{"epcClass": "https://id.gs1.org/01/09506000134352/10/L1", "quantity": 10}],
    }  # fmt: skip
    digests = {parse_event(one).content_digest for one in (said, {**said, "epcList": []}, {**said, "ilmd": {}})}
    assert len(digests) == 1
