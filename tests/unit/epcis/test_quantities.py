"""A quantity is what was sent, to the last digit, or it is refused: read as an API, and read as the contract."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaincode import batch_form
from epcis import Event, check, parse_document, parse_event
from tests.unit.epcis import samples

_MARK = "314159"
LISTS = {
    "quantityList": "ObjectEvent",
    "childQuantityList": "AggregationEvent",
    "inputQuantityList": "TransformationEvent",
    "outputQuantityList": "TransformationEvent",
}


def _text(token: str, name: str = "quantityList", key: str = '"quantity"') -> str:
    """A document of two events, the second with ``token`` as quantity."""
    element = {"epcClass": "https://id.gs1.org/01/04012345123456/10/L1", "quantity": int(_MARK)}
    raw = {**samples.EVENTS[LISTS[name]], name: [{**element, "quantity": 1}, element]}
    return json.dumps(samples.document(samples.OBJECT, raw)).replace(f'"quantity": {_MARK}', f"{key} : {token}")


def _by_every_door(text: str) -> list[Event]:
    second = _second_event(text)
    batch = f'{{"groups":[{{"id":"a","events":[]}},{{"id":"b","events":[{second}]}}]}}'.encode()
    decoded = batch_form.decode(batch_form.encode(batch))
    reader = batch_form.reader(decoded)
    return [
        parse_document(text).events[1],
        parse_event(second),
        reader(decoded["groups"][1]["events"][0]),
    ]


def _second_event(text: str) -> str:
    """The text of the second event as it stands in the document."""
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"eventList"')) + 1
    _, end = decoder.raw_decode(text, at)
    at = end + 2
    _, end = decoder.raw_decode(text, at)
    return text[at:end].replace("{", '{"@context": {"example": "https://ns.example.com/epcis/"}, ', 1)


def _codes(event: Event) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in check(event)]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("key", ['"quantity"', '"\\u0071uantity"', '"qu\\u0061ntity"'])
@pytest.mark.parametrize(
    "token",
    [
        "0.1000000000000000055", "1.2345678901234567", "123456789012.3456789", "999999999999.9999999", "1e308", "-1e308",
        "1000000000000", "1e12", "5e-324", "1e-16", "123456789012345678", "12345678901234567890123", "0.12345678901234567",
        "100000000000.00001",
    ],
)  # fmt: skip
def test_what_would_be_rounded_or_is_out_of_range(token: str, key: str, name: str) -> None:
    for event in _by_every_door(_text(token, name, key)):
        assert _codes(event) == [(f"/{name}/1/quantity", "quantity_range")]
        assert event.hash
        assert event.content_digest
        assert event.to_stored()
        assert event.to_dict()


@pytest.mark.parametrize(
    ("token", "exact"),
    [
        ("0.1", "0.1"), ("12.500", "12.5"), ("1e3", "1000"), ("2.5E-3", "0.0025"), ("999999999999", "999999999999"),
        ("123456789012.345", "123456789012.345"), ("0.000000000000001", "0.000000000000001"), ("1.00000000000000000000", "1"),
        ("-7", "-7"), ("-0.0", "0"), ("0.30000000000000000000000000000", "0.3"),
    ],
)  # fmt: skip
def test_what_is_exact(token: str, exact: str) -> None:
    for event in _by_every_door(_text(token)):
        assert check(event) == []
        assert event.quantity_list[1].amount == Decimal(exact)
        assert parse_event(event.to_stored()).quantity_list[1].amount == Decimal(exact)
    assert parse_event(samples.AGGREGATION).child_quantity_list[0].amount == 3


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_any_decimal_is_kept_or_refused(number: Decimal) -> None:
    for event in _by_every_door(_text(str(number).replace("E", "e"))):
        if not check(event):
            assert event.quantity_list[1].amount == number
            assert parse_event(event.to_stored()).quantity_list[1].amount == number
        else:
            assert _codes(event) == [("/quantityList/1/quantity", "quantity_range")]


def test_other_numbers_are_doubles_as_in_any_json() -> None:
    raw = {**samples.OBJECT, "example:quantity": {"quantity": 5}}
    text = json.dumps(samples.document(raw)).replace('"quantity": 5', '"quantity": 0.1000000000000000055')
    event = parse_document(text).events[0]
    assert check(event) == []
    assert event.extensions["example:quantity"] == {"quantity": 0.1}
    assert type(event.extensions["example:quantity"]["quantity"]) is float
    assert parse_event(event.to_stored()).hash == event.hash


@pytest.mark.parametrize(
    "events", ["5", "{}", "[5]", "[null]", '[{"quantityList":5}]', '[{"quantityList":[5,{"quantity":"x"}]}]']
)
def test_odd_shapes_beside_a_long_quantity(events: str) -> None:
    batch = f'{{"groups":[{{"events":{events}}},5],"x":{{"quantity":1.23456789012345678}}}}'.encode()
    assert batch_form.decode(batch) == orjson.loads(batch)


def test_a_class_without_a_quantity() -> None:
    raw: dict[str, Any] = {**samples.OBJECT, "quantityList": [{"epcClass": "https://id.gs1.org/01/04012345123456"}]}
    event = parse_event(raw, samples.CONTEXT)
    assert event.quantity_list[0].amount is None
    assert check(event) == []
