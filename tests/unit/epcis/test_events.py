"""Events as Python objects, and written out again."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from epcis import (
    STANDARD_CONTEXT,
    AggregationEvent,
    Event,
    ExtendedEvent,
    ObjectEvent,
    event_hash,
    parse_document,
    parse_event,
    render_document,
)
from tests.unit.epcis import samples
from tests.unit.epcis.samples import CONTEXT, EXAMPLE, STANDARD


def _event(raw: dict[str, Any], context: list[Any] | None = None) -> Event:
    return parse_document(samples.document(raw, context=context)).events[0]


def test_fields_of_an_object_event() -> None:
    event = _event(samples.OBJECT)
    assert isinstance(event, ObjectEvent)
    assert event.event_time == datetime(2024, 3, 4, 10, 0, 30, 120_000, tzinfo=UTC)
    assert event.event_time.utcoffset() == timedelta(hours=1)
    assert event.epc_list == [
        "https://id.gs1.org/01/04012345111118/21/9876",
        "https://id.gs1.org/00/340123453111111115",
    ]
    assert event.read_point == "https://id.gs1.org/414/4012345000115/254/987"
    assert event.biz_location == "https://id.gs1.org/414/4012345000115"
    assert event.quantity_list[0].epc_class == "https://id.gs1.org/01/04012345123456/10/L1"
    assert (event.quantity_list[0].quantity, event.quantity_list[0].uom) == (12.5, "KGM")
    assert event.source_list[0].source == "https://id.gs1.org/417/4012345000009"
    assert event.biz_transaction_list[0].biz_transaction == "urn:epcglobal:cbv:bt:4012345000009:1152"
    assert event.persistent_disposition is not None
    assert event.persistent_disposition.set == ["completeness_verified"]
    assert event.sensor_element_list[0].sensor_report[0].value == 4.5
    assert event.extensions["example:nested"]["example:flag"] is True
    assert event.extension(EXAMPLE, "nested") == event.extensions["example:nested"]
    assert event.extension(EXAMPLE, "absent") is None


@pytest.mark.parametrize("kind", [*samples.EVENTS, "example:Custom"])
def test_any_event_answers_for_any_field(kind: str) -> None:
    raw = samples.EVENTS.get(kind, {**samples.ASSOCIATION, "type": kind})
    event = _event(raw)
    lists = ["epc_list", "child_epcs", "input_epc_list", "output_epc_list", "quantity_list",
    "child_quantity_list",
             "input_quantity_list", "output_quantity_list", "biz_transaction_list", "source_list",
             "destination_list",
             "sensor_element_list"]  # fmt: skip
    for name in lists:
        assert list(getattr(event, name)) is not None
    for name in ["action", "biz_step", "disposition", "read_point", "biz_location", "parent_id",
    "transformation_id",
                 "ilmd", "persistent_disposition", "event_id", "error_declaration",
                 "certification_info"]:  # fmt: skip
        getattr(event, name)


def test_user_defined_event_keeps_its_members() -> None:
    raw = {**samples.ASSOCIATION, "type": "example:Custom", "anything": {"goes": [1, None]}}
    event = _event(raw)
    assert isinstance(event, ExtendedEvent)
    assert event.to_dict()["anything"] == {"goes": [1, None]}
    assert f"eventType={EXAMPLE}Custom" in event.prehash
    assert _event({**raw, "anything": {"goes": [2, None]}}).hash != event.hash


def test_an_event_cannot_be_changed() -> None:
    event = _event(samples.OBJECT)
    with pytest.raises(ValidationError):
        event.biz_step = "shipping"  # type: ignore[misc]


def test_written_out_it_is_what_was_sent() -> None:
    written = _event(samples.OBJECT).to_dict(form="urn", with_context=False)
    expected = samples.copy(samples.OBJECT)
    expected["epcList"][1] = "urn:epc:id:sscc:4012345.3311111111"
    written["epcList"][1] = "urn:epc:id:sscc:4012345.3311111111"
    assert written == expected


def test_form_of_digital_links() -> None:
    written = _event(samples.AGGREGATION).to_dict()
    assert written["parentID"] == "https://id.gs1.org/00/340123451111111111"
    assert written["childEPCs"][0] == "https://id.gs1.org/01/04012345111118/21/1"
    assert written["@context"] == [STANDARD_CONTEXT]


def test_context_is_what_the_event_needs() -> None:
    context = [
        STANDARD,
        "https://other.example.com/context.jsonld",
        {"example": EXAMPLE, "unused": "https://x.org/"},
    ]
    event = _event(samples.OBJECT, context)
    needed = ["https://other.example.com/context.jsonld", {"example": EXAMPLE}]
    assert event.to_dict()["@context"] == [STANDARD_CONTEXT, *needed]
    assert orjson.loads(event.to_stored())["@context"] == needed
    assert "@context" not in orjson.loads(_event(samples.AGGREGATION, context[:1]).to_stored())


def test_no_context_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    event = _event(samples.OBJECT, [STANDARD, "http://169.254.169.254/context.jsonld", CONTEXT[1]])
    assert event.hash == _event(samples.OBJECT).hash


def test_namespace_of_lotline_is_known_without_declaration() -> None:
    event = _event({**samples.AGGREGATION, "lotline:promisedAt": "2024-05-01T00:00:00Z"}, [STANDARD])
    assert event.extension("https://ns.lotline.org/epcis/", "promisedAt") == "2024-05-01T00:00:00Z"
    assert "{https://ns.lotline.org/epcis/}promisedAt=" in event.prehash
    assert {"lotline": "https://ns.lotline.org/epcis/"} in event.to_dict()["@context"]


@pytest.mark.parametrize("kind", samples.EVENTS)
def test_stored_form(kind: str) -> None:
    raw = {**samples.EVENTS[kind], "eventID": "urn:uuid:1", "recordTime": "2024-05-01T00:00:00Z"}
    event = _event(raw)
    stored = event.to_stored()
    value = orjson.loads(stored)
    assert stored == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    assert "recordTime" not in value
    assert value["eventID"] == "urn:uuid:1"
    again = parse_event(stored)
    assert type(again) is type(event)
    assert again.hash == event.hash
    assert again.to_stored() == stored
    assert parse_event(value).hash == event.hash


def test_stored_words_are_bare() -> None:
    raw = {**samples.AGGREGATION, "bizStep": "https://ref.gs1.org/cbv/BizStep-packing"}
    assert orjson.loads(_event(raw).to_stored())["bizStep"] == "packing"


def test_two_forms_of_one_identifier_stay_valid() -> None:
    forms = ["urn:epc:id:sgtin:4012345.011111.1", "https://id.gs1.org/01/04012345111118/21/1"]
    for epcs in (forms, forms[::-1]):
        event = _event({**samples.OBJECT, "epcList": epcs})
        assert event.prehash.count("epc=https://id.gs1.org/01/04012345111118/21/1") == 2
        assert parse_event(event.to_stored()).hash == event.hash
        assert parse_document(event.to_dict(form="urn")).events[0].hash == event.hash


def test_addresses_of_documents_keep_their_domain() -> None:
    link = "https://orders.example.com/01/04012345111118"
    event = _event({**samples.TRANSACTION, "bizTransactionList": [{"bizTransaction": link}]})
    assert event.biz_transaction_list[0].biz_transaction == link


def test_signature_is_taken_off() -> None:
    signature = {"device": "d1", "alg": "Ed25519", "value": "AAAA"}
    event = _event({**samples.AGGREGATION, "lotline:signature": signature})
    assert event.signature == signature
    assert event.hash == _event(samples.AGGREGATION).hash
    assert event.to_stored() == _event(samples.AGGREGATION).to_stored()
    assert not event.extensions
    renamed = _event(
        {**samples.AGGREGATION, "l:signature": signature}, [STANDARD, {"l": "https://ns.lotline.org/epcis/"}]
    )
    assert renamed.signature == signature
    foreign = _event({**samples.AGGREGATION, "example:signature": signature})
    assert foreign.signature is None
    assert foreign.extensions == {"example:signature": signature}


def test_own_context_of_an_event() -> None:
    raw = {**samples.AGGREGATION, "@context": {"own": "https://own.example.com/"}, "own:x": 1, "example:y": 2}
    event = _event(raw)
    assert "{https://own.example.com/}x=1" in event.prehash
    assert f"{{{EXAMPLE}}}y=2" in event.prehash
    assert parse_event(event.to_stored()).hash == event.hash


def test_event_of_a_list_with_the_context_of_its_document() -> None:
    raw = {**samples.AGGREGATION, "example:x": 1}
    assert parse_event(raw, CONTEXT).hash == _event(raw).hash


def test_rendered_document_is_read_back() -> None:
    clashing = _event({**samples.AGGREGATION, "example:x": 1}, [STANDARD, {"example": "https://other.example.com/"}])
    events = [*(_event(raw) for raw in samples.EVENTS.values()), clashing]
    rendered = render_document(events, created=datetime(2024, 5, 1, tzinfo=UTC))
    again = parse_document(rendered)
    assert again.kind == "EPCISDocument"
    assert again.creation_date == "2024-05-01T00:00:00+00:00"
    assert [event.hash for event in again.events] == [event.hash for event in events]
    assert [event_hash(event) for event in again.events] == again.event_hashes()


def test_a_model_can_be_used_by_itself() -> None:
    event = AggregationEvent.model_validate(samples.AGGREGATION)
    assert event.hash == _event(samples.AGGREGATION).hash
