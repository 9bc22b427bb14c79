"""The canonical text and hash: what it looks like, what does not change it, and that everything else does."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis import Event, InvalidDocument, event_hash, parse_document, parse_event, pre_hash
from epcis.canonical import number_text
from tests.unit.epcis import samples
from tests.unit.epcis.samples import CONTEXT, EXAMPLE, STANDARD


def _event(raw: dict[str, Any], context: list[Any] | None = None) -> Event:
    return parse_document(samples.document(raw, context=context)).events[0]


def test_canonical_text_of_cbv_2_0() -> None:
    assert _event(samples.OBJECT).prehash == (
        "eventType=ObjectEventeventTime=2024-03-04T10:00:30.120ZeventTimeZoneOffset=+01:00"
        "certificationInfo=https://example.com/certificate/1"
        "epcListepc=https://id.gs1.org/00/340123453111111115epc=https://id.gs1.org/01/04012345111118/21/9876"
        "quantityListquantityElementepcClass=https://id.gs1.org/01/04012345123456/10/L1quantity=12.5uom=KGM"
        "action=ADDbizStep=https://ref.gs1.org/cbv/BizStep-commissioning"
        "disposition=https://ref.gs1.org/cbv/Disp-active"
        "persistentDispositionset=https://ref.gs1.org/cbv/Disp-completeness_verified"
        "unset=https://ref.gs1.org/cbv/Disp-completeness_inferred"
        "readPointid=https://id.gs1.org/414/4012345000115/254/987{https://ns.example.com/epcis/}door=7"
        "bizLocationid=https://id.gs1.org/414/4012345000115"
        "sensorElementListsensorElementsensorMetadatastartTime=2024-03-04T09:00:00.000Z"
        "deviceID=https://id.gs1.org/8004/4012345D1"
        "sensorReporttype=https://gs1.org/voc/AbsoluteHumiditybooleanValue=falseminValue=10maxValue=12"
        "sensorReporttype=https://gs1.org/voc/Temperaturetime=2024-03-04T09:30:00.000Zvalue=4.5uom=CEL"
        "{https://ns.example.com/epcis/}note=calibrated"
        "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:epcglobal:cbv:bt:4012345000009:1152"
        "destinationListtype=https://ref.gs1.org/cbv/SDT-locationdestination=https://id.gs1.org/414/4023333000017"
        "ilmd{https://ns.example.com/epcis/}grade=A{urn:epcglobal:cbv:mda:}lotNumber=L1"
        "sourceListtype=https://ref.gs1.org/cbv/SDT-owning_partysource=https://id.gs1.org/417/4012345000009"
        "{https://ns.example.com/epcis/}nested{https://ns.example.com/epcis/}flag=true"
        "{https://ns.example.com/epcis/}list=a{https://ns.example.com/epcis/}list=b"
        "{https://ns.example.com/epcis/}list{https://ns.example.com/epcis/}deep=1"
    )


def test_cbv_2_1_differs_where_it_should() -> None:
    event = _event(samples.OBJECT)
    text = pre_hash(event, version="CBV2.1")
    assert "certificationInfo" not in text
    order = [
        "bizLocation",
        "bizTransactionList",
        "sourceList",
        "destinationList",
        "sensorElementList",
        "ilmd",
    ]
    assert [text.index(name) for name in order] == sorted(text.index(name) for name in order)
    assert "type=https://ref.gs1.org/voc/Temperature" in text
    assert event_hash(event, version="CBV2.1").endswith("?ver=CBV2.1")
    both = pre_hash(_event(samples.TRANSACTION), version="CBV2.1")
    assert both.index("epcList") < both.index("parentID")


def test_unknown_version_is_refused() -> None:
    with pytest.raises(KeyError):
        event_hash(_event(samples.OBJECT), version="CBV9")


def test_hash_of_raw_and_parsed_event_are_one() -> None:
    raw = {"@context": CONTEXT, **samples.OBJECT}
    assert event_hash(raw) == event_hash(json.dumps(raw)) == _event(samples.OBJECT).hash


# -- what must not change the hash --


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
def test_order_and_whitespace_do_not_matter(kind: str, seed: int) -> None:
    raw = samples.EVENTS[kind]
    shuffled = json.dumps(samples.document(_shuffled(raw, random.Random(seed))), indent=seed % 5)
    assert parse_document(shuffled).events[0].hash == _event(raw).hash


@given(raw=samples.object_events(), seed=st.integers())
def test_order_does_not_matter_in_any_event(raw: dict[str, Any], seed: int) -> None:
    assert _event(_shuffled(raw, random.Random(seed))).hash == _event(raw).hash


@given(data=st.data(), seed=st.integers(0, 2**32))
def test_form_of_identifiers_does_not_matter(data: st.DataObject, seed: int) -> None:
    pairs = data.draw(st.lists(samples.items(), min_size=1, max_size=5, unique=True))
    base = {**samples.OBJECT, "epcList": []}
    forms = [_event({**base, "epcList": [pair[form] for pair in pairs]}).hash for form in (0, 1)]
    other_domain = [pair[1].replace("https://id.gs1.org", "http://shop.example.com/x") + "?a=b" for pair in pairs]
    assert len({*forms, _event({**base, "epcList": other_domain}).hash}) == 1


def test_name_of_prefix_does_not_matter() -> None:
    text = json.dumps(samples.OBJECT)
    renamed = json.loads(text.replace('"example:', '"ex2:'))
    assert _event(renamed, [STANDARD, {"ex2": EXAMPLE}]).hash == _event(samples.OBJECT).hash
    assert (
        _event(samples.OBJECT, [STANDARD, {"example": "https://else.example.com/"}]).hash != _event(samples.OBJECT).hash
    )


def test_prefix_in_a_value_is_written_out() -> None:
    raw = {**samples.AGGREGATION, "bizStep": "example:gift_wrapping"}
    renamed = {**samples.AGGREGATION, "bizStep": "other:gift_wrapping"}
    assert f"bizStep={EXAMPLE}gift_wrapping" in _event(raw).prehash
    assert _event(renamed, [STANDARD, {"other": EXAMPLE}]).hash == _event(raw).hash


@pytest.mark.parametrize(
    "time", ["2024-03-04T10:00:30.12Z", "2024-03-04T04:30:30.1200-05:30", "2024-03-04T10:00:30.120499z"]
)
def test_zone_and_precision_of_time_do_not_matter(time: str) -> None:
    assert _event({**samples.OBJECT, "eventTime": time}).hash == _event(samples.OBJECT).hash


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eventID", "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"),
        ("recordTime", "2024-03-04T10:00:30Z"),
        ("errorDeclaration", {"declarationTime": "2024-03-05T10:00:30Z", "reason": "did_not_occur"}),
        ("rdfs:comment", "seen by hand"),
        ("@context", STANDARD),
    ],
)
def test_what_is_left_out(field: str, value: Any) -> None:
    assert _event({**samples.OBJECT, field: value}).hash == _event(samples.OBJECT).hash


@pytest.mark.parametrize("same", ["cbv:BizStep-commissioning", "https://ref.gs1.org/cbv/BizStep-commissioning"])
def test_a_word_and_its_address_are_the_same(same: str) -> None:
    assert _event({**samples.OBJECT, "bizStep": same}).hash == _event(samples.OBJECT).hash


def test_ignored_fields() -> None:
    raw = {**samples.AGGREGATION, "example:hash": "x", "example:kept": "y"}
    declared = {**samples.document(raw), "example:ignoreFields": ["example:hash"]}
    document = parse_document(declared)
    assert document.ignore_fields == {f"{{{EXAMPLE}}}hash"}
    expected = {**samples.AGGREGATION, "example:kept": "y"}
    assert document.event_hashes() == [_event(expected).hash]
    # The event's own identity attests everything that was sent.
    assert document.events[0].hash == _event(raw).hash != _event(expected).hash
    assert event_hash(document.events[0], ignore=document.ignore_fields) == _event(expected).hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.0", "1"), ("452.0", "452"), ("+5", "5"), ("007", "7"), ("-0.0", "0"), (".5", "0.5"), ("1e3",
    "1000"), ("5E-7", "0.0000005"),
     ("0.30", "0.3"), ("-1.50", "-1.5"), ("123456789012345678901234567890", "123456789012345678901234567890"),
     ("1e999999", "1e999999"), ("", ""), (".", "."), ("1_000", "1_000"), ("nan", "nan"), ("inf", "inf"),
     ("1.2.3", "1.2.3"), ("٣", "٣")],
)  # fmt: skip
def test_numbers(text: str, expected: str) -> None:
    assert number_text(text) == expected


def test_long_numbers_keep_every_digit() -> None:
    a, b = ({**samples.AGGREGATION, "example:id": f"34012345311111111{digit}"} for digit in "45")
    assert _event(a).hash != _event(b).hash


def test_extension_lists_are_written_as_in_xml() -> None:
    raw = {
        **samples.AGGREGATION,
        "example:partList": ["b", "a"],
        "example:empty": {},
        "example:none": None,
        "example:no": [],
    }
    namespace = f"{{{EXAMPLE}}}"
    assert _event(raw).prehash.endswith(
        f"{namespace}empty{namespace}none=null{namespace}partList{namespace}part=a{namespace}part=b"
    )


# -- what must change it --

_UNHASHED = ("eventID", "recordTime", "errorDeclaration")


def _changes(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value + 0.001]
    return [
        f"{value}x", f"{value}1", value.replace("4012345", "4012346"), value.replace("2024", "2023"),
        value.replace(":00:", ":07:"),
        value.replace("11111", "22222"), "+02:00", "DELETE", "OBSERVE", "shipping", "recalled", "inv",
        "location", "owning_party",
        "Speed", "y", "GRM", "https://id.gs1.org/417/4000001000005", "urn:example:other",
    ]  # fmt: skip


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(member, (*path, key))
    else:
        yield path


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(member, dict | list):
            yield from _places(member, (*path, key))


def _holder(raw: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        raw = raw[key]
    return raw


@pytest.mark.parametrize("kind", samples.EVENTS)
def test_every_change_of_a_value_changes_the_hash(kind: str) -> None:
    original = samples.EVENTS[kind]
    before = _event(original).hash
    for path in _leaves(original):
        tried = 0
        for value in _changes(_holder(original, path)[path[-1]]):
            raw = samples.copy(original)
            holder = _holder(raw, path)
            if holder[path[-1]] == value:
                continue
            holder[path[-1]] = value
            try:
                after = _event(raw).hash
            except InvalidDocument:
                continue
            tried += 1
            assert after != before, (path, value)
        # Master data (ilmd) is only allowed with action ADD, so that one cannot be changed alone.
        assert tried or path in {("type",), ("action",)}, f"no valid change of {path} was found"


@pytest.mark.parametrize("kind", samples.EVENTS)
def test_removing_anything_changes_the_hash(kind: str) -> None:
    original = samples.EVENTS[kind]
    before = _event(original).hash
    removed = 0
    for path in _places(original):
        raw = samples.copy(original)
        del _holder(raw, path)[path[-1]]
        try:
            after = _event(raw).hash
        except InvalidDocument:
            continue
        removed += 1
        assert after != before, path
    assert removed


@given(raw=samples.object_events(), name=st.sampled_from(["example:new", "https://other.example.com/new"]))
def test_adding_an_extension_changes_the_hash(raw: dict[str, Any], name: str) -> None:
    assert _event({**raw, name: "x"}).hash != _event(raw).hash


@given(raw=samples.object_events())
def test_stored_form_has_the_same_hash_and_is_stable(raw: dict[str, Any]) -> None:
    raw = raw if raw["action"] == "ADD" else {**raw, "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"}
    event = _event(raw)
    again = parse_event(event.to_stored())
    assert again.hash == event.hash
    assert again.to_stored() == event.to_stored()
    assert parse_document(event.to_dict(form="urn")).events[0].hash == event.hash
