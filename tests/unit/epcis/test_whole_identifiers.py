"""What an event says of its things is stored whole, and what they are is one canonical link."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis import Event, check, parse_document, parse_event
from tests.unit.epcis import samples

GTIN = "04012345111118"
BASE = f"https://id.gs1.org/01/{GTIN}"
WHOLE = f"{BASE}/22/2A/10/L7/21/S7"
ITEM = f"{BASE}/21/S7"


def _event(raw: dict[str, Any]) -> Event:
    return parse_document(samples.document(raw)).events[0]


def _codes(event: Event) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in check(event)]


def test_lot_and_serial_are_both_kept_and_the_thing_is_the_item() -> None:
    event = _event({**samples.OBJECT, "epcList": [WHOLE]})
    assert event.epc_list == event.instances == [ITEM]
    assert event.lots_named == {ITEM: f"{BASE}/10/L7"}
    assert event.hash == _event({**samples.OBJECT, "epcList": [ITEM]}).hash
    assert orjson.loads(event.to_stored())["epcList"] == [WHOLE]
    for written in (event.to_dict(), event.to_dict(form="urn"), json.loads(event.to_stored())):
        again = parse_event(written)
        assert again.epc_list == [ITEM]
        assert again.lots_named == event.lots_named
        assert again.hash == event.hash
        assert again.to_stored() == event.to_stored()
    assert _event({**samples.OBJECT, "epcList": [ITEM]}).lots_named == {}


@pytest.mark.parametrize("kind", ["AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"])
def test_wherever_an_item_is_named(kind: str) -> None:
    raw = samples.EVENTS[kind]
    for field in ("parentID", "epcList", "childEPCs", "inputEPCList", "outputEPCList"):
        if field in raw:
            event = _event({**raw, field: WHOLE if field == "parentID" else [WHOLE]})
            assert event.lots_named == {ITEM: f"{BASE}/10/L7"}
            assert WHOLE in event.to_stored().decode()
            assert ITEM in event.instances


def test_what_is_said_of_a_class_and_a_place_is_kept_too() -> None:
    place = "https://id.gs1.org/414/4012345000054/254/12"
    event = _event(
        {
            **samples.OBJECT,
            "quantityList": [{"epcClass": f"https://shop.example.com/01/{GTIN}?10=L7&17=271231", "quantity": 2}],
            "readPoint": {"id": f"{place}/7040/1XYZ"},
        }
    )
    assert event.classes == [f"{BASE}/10/L7"]
    assert event.read_point == place
    stored = orjson.loads(event.to_stored())
    assert stored["quantityList"][0]["epcClass"] == f"{BASE}/10/L7?17=271231"
    assert stored["readPoint"]["id"] == f"{place}/7040/1XYZ"


def test_one_thing_in_two_spellings_is_one_thing() -> None:
    both = [WHOLE, "urn:epc:id:sgtin:4012345.011111.S7"]
    for epcs in (both, both[::-1]):
        event = _event({**samples.OBJECT, "epcList": epcs})
        assert event.epc_list == event.instances == [ITEM]
        assert event.lots_named == {ITEM: f"{BASE}/10/L7"}
        assert event.prehash.count(f"epc={ITEM}") == 2  # as it was sent, so that others compute the same
        assert parse_event(event.to_stored()).hash == event.hash
        assert parse_event(event.to_stored()).to_stored() == event.to_stored()
        assert check(event) == []
    packed = _event({**samples.AGGREGATION, "childEPCs": [ITEM, ITEM, WHOLE]})
    assert packed.child_epcs == [ITEM]
    assert packed.hash != _event({**samples.AGGREGATION, "childEPCs": [ITEM]}).hash
    assert parse_event(packed.to_stored()).hash == packed.hash


def test_an_item_of_two_lots() -> None:
    event = _event({**samples.OBJECT, "epcList": [WHOLE, f"{BASE}/10/L8/21/S7"]})
    assert _codes(event) == [("/epcList/1", "two_lots")]


@pytest.mark.parametrize("field", ["epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID"])
@pytest.mark.parametrize(
    "uri",
    [
        BASE, f"{BASE}/10/L7", f"{BASE}/22/2A", "urn:epc:class:lgtin:4012345.012345.L1", "urn:epc:idpat:sgtin:4012345.012345.*",
        "https://id.gs1.org/8003/04012345000221", "https://id.gs1.org/253/4012345000092", "https://id.gs1.org/255/4012345999990",
        f"https://id.gs1.org/8006/{GTIN}0102/10/L", "https://id.gs1.org/8010/4012345AB",
    ],
)  # fmt: skip
def test_a_class_is_no_instance(field: str, uri: str) -> None:
    raw = next(raw for raw in samples.EVENTS.values() if field in raw)
    event = _event({**raw, field: uri if field == "parentID" else [uri]})
    place = "/parentID" if field == "parentID" else f"/{field}/0"
    assert (place, "class_in_epc_list") in _codes(event)


@pytest.mark.parametrize("quantity", [{}, {"quantity": 1}, {"quantity": 5, "uom": "KGM"}])
@pytest.mark.parametrize("uri", [ITEM, WHOLE, "https://id.gs1.org/00/340123451111111111", f"{BASE}/235/T"])
def test_an_instance_is_no_class(uri: str, quantity: dict[str, Any]) -> None:
    event = _event({**samples.OBJECT, "quantityList": [{"epcClass": uri, **quantity}]})
    assert _codes(event) == [("/quantityList/0/epcClass", "instance_in_quantity_list")]


def test_what_is_no_gs1_identifier_may_be_both() -> None:
    uri = "https://example.com/things/1"
    raw = {**samples.OBJECT, "epcList": [uri], "quantityList": [{"epcClass": uri}]}
    assert check(_event(raw)) == []


@pytest.mark.parametrize(
    "uri", [f"{BASE}/21/S7/10/L7", "urn:epc:id:sgtin:4012345.0111111.1", "https://id.gs1.org/01/1"]
)
def test_a_broken_key_is_refused_wherever_it_stands(uri: str) -> None:
    raw = {
        **samples.AGGREGATION,
        "parentID": uri,
        "childEPCs": [uri],
        "childQuantityList": [{"epcClass": uri}],
        "readPoint": {"id": uri},
        "bizLocation": {"id": uri},
        "bizTransactionList": [{"bizTransaction": uri}],
        "sourceList": [{"type": "owning_party", "source": uri}],
        "destinationList": [{"type": "owning_party", "destination": uri}],
    }
    fields = {field for field, code in _codes(_event(raw)) if code in ("qualifier_order", "broken_identifier")}
    assert fields == {
        "/parentID", "/childEPCs/0", "/childQuantityList/0/epcClass", "/readPoint/id", "/bizLocation/id",
        "/bizTransactionList/0/bizTransaction", "/sourceList/0/source", "/destinationList/0/destination",
    }  # fmt: skip


def test_what_looks_like_a_key_is_flagged() -> None:
    event = _event({**samples.OBJECT, "epcList": ["https://shop.example.com/01/1234567"]})
    (problem,) = check(event)
    assert (problem.code, problem.severity) == ("unrecognised_identifier", "warning")


@pytest.mark.parametrize("field", ["eventID", "bizStep", "disposition", "transformationID"])
def test_names_have_a_length(field: str) -> None:
    name = "urn:example:" + "x" * 600
    event = _event({**samples.TRANSFORMATION, field: name})
    assert _codes(event) == [(f"/{field}", "identifier_too_long")]
    assert len(check(event)[0].message) < 200


def test_events_have_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epcis.checks.MAX_EPCS", 5)
    epcs = [f"{BASE}/21/{number}" for number in range(6)]
    assert _codes(_event({**samples.OBJECT, "epcList": epcs[:4]})) == []
    assert _codes(_event({**samples.OBJECT, "epcList": epcs})) == [("", "too_many_epcs")]
    large = {**samples.OBJECT, "example:blob": "x" * 2**20}
    assert _codes(_event(large)) == [("", "event_too_large")]


def test_a_signature_has_a_size() -> None:
    raw = {**samples.OBJECT, "lotline:signature": {"device": "d" * 10_000}}
    with pytest.raises(Exception, match="at most 8192 bytes"):
        _event(raw)


@pytest.mark.parametrize("kind", ["example:Inspection", "https://example.com/Inspection"])
@pytest.mark.parametrize("shape", [5, None, "text", {}, [], [5], {"id": 5}, [{"epcClass": 5}], True])
def test_members_of_an_own_type_are_no_standard_fields(kind: str, shape: Any) -> None:
    """Whatever their names and shapes: whoever reads by fields never meets them."""
    names = (
        "readPoint", "bizLocation", "action", "bizStep", "disposition", "epcList", "quantityList", "parentID", "childEPCs",
        "bizTransactionList", "sourceList", "destinationList", "transformationID", "ilmd", "sensorElementList",
        "inputEPCList", "persistentDisposition", "childQuantityList",
    )  # fmt: skip
    base = {"type": kind, "eventTime": "2024-03-04T12:00:00Z", "eventTimeZoneOffset": "+00:00"}
    event = _event({**base, **dict.fromkeys(names, shape)})
    plain = _event(base)
    fields = {name: value for name, value in vars(event).items() if not name.startswith("_")}
    assert fields == {name: value for name, value in vars(plain).items() if not name.startswith("_")}
    assert event.instances == event.classes == []
    assert event.lots_named == {}
    assert event.read_point is event.biz_location is event.action is event.biz_step is event.parent_id is None
    assert not [*event.epc_list, *event.quantity_list, *event.source_list]
    assert check(event) == []
    for form in (event.to_dict(), event.to_dict(form="urn")):
        assert all(form[name] == shape for name in names)
    assert parse_event(event.to_stored()).hash == event.hash
    assert event.content_digest != plain.content_digest


@given(
    st.lists(
        st.sampled_from([ITEM, WHOLE, f"{BASE}/10/L7/21/S7", f"{BASE}/21/S8", "urn:epc:id:sgtin:4012345.011111.S8"]),
        max_size=5,
        unique=True,
    )
)
def test_any_mixture_of_spellings_is_stored_and_read_back(epcs: list[str]) -> None:
    event = _event({**samples.OBJECT, "epcList": epcs})
    assert event.epc_list == list(dict.fromkeys(event.epc_list))
    again = parse_event(event.to_stored())
    assert (again.epc_list, again.hash, again.to_stored()) == (event.epc_list, event.hash, event.to_stored())
    assert again.lots_named == event.lots_named
    assert again.content_digest == event.content_digest
    written = orjson.loads(event.to_stored())["epcList"]
    assert len(set(written)) == len(written) == len(epcs)
