"""Whatever is sent: a document, or every reason why not. Never another exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis import Document, Event, InvalidDocument, check, event_hash, parse_document, parse_event
from tests.unit.epcis import samples

_VALID = json.dumps(samples.document(*samples.EVENTS.values())).encode()


def _attempt(data: Any) -> None:
    for parse in (parse_document, parse_event):
        refusal = None
        events: list[Event] = []
        try:
            result = parse(data)
            events = result.events if isinstance(result, Document) else [result]
        except InvalidDocument as error:
            refusal = error
        if refusal is not None:
            assert 1 <= len(refusal.problems) <= 100
            assert all(problem.message and problem.code for problem in refusal.problems)
        for event in events:
            assert parse_event(event.to_stored()).hash == event.hash
            assert event_hash(event, "CBV2.1")
            check(event)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"a": 1,}', "json"),
        (b"\xff\xfe{}", "json"),
        (b'{"a": "\xc3"}', "json"),
        ('{"a": "\ud800"}', "encoding"),
        (b'{"a": "\\ud800"}', "json"),
        (b'{"a": NaN}', "json"),
        (b'{"a": Infinity}', "json"),
        (b'{"a": 1e400}', "json"),
        (b'{"a": ' + b"9" * 500 + b"}", "json"),
        (b"[" * 2000, "json"),
        (b"[" * 300 + b"]" * 300, "too_deep"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "too_deep"),
        (b'{"type": "x", "type": "y"}', "repeated_name"),
        (b'{"a": {"b" : 1, "b" : 2}}', "repeated_name"),
        (b'{"a": 1, "a": 2, "b": "\\u003a"}', "repeated_name"),
        (b"[]", "type"),
        (b'"text"', "type"),
        (b"null", "type"),
        (b"{}", "missing"),
        ({"a": float("nan")}, "json"),
        ({"a": float("inf")}, "json"),
        ({"a": {1, 2}}, "json"),
        ({1: 2}, "json"),
        (5, "type"),
        (None, "type"),
    ],
)
def test_what_cannot_be_read(data: Any, code: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_document(data)
    assert caught.value.problems[0].code == code
    _attempt(data)


def test_deeply_nested_dictionary() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a:b": deep}
    _attempt(deep)


@pytest.mark.parametrize("levels", [201, 240, 253])
def test_deeper_than_what_has_to_fit_around_an_event(levels: int) -> None:
    """Nested objects cost the most: written, hashed and put into records and documents they must still fit."""
    deep: Any = "x"
    for _ in range(levels):
        deep = {"example:d": deep}
    raw = {**samples.AGGREGATION, "example:deep": deep}
    if levels <= 204:
        event = parse_document(samples.document(raw)).events[0]
        assert event.hash == parse_event(event.to_stored()).hash
        return
    for parse, data in ((parse_document, samples.document(raw)), (parse_event, raw)):
        with pytest.raises(InvalidDocument) as caught:
            parse(data)
        assert [problem.code for problem in caught.value.problems] == ["too_deep"]
        with pytest.raises(InvalidDocument):
            parse(json.dumps(data))


def test_nesting_within_the_limit_is_hashed_and_stored() -> None:
    deep: Any = "x"
    for level in range(200):
        deep = {"example:d": deep} if level % 2 else [deep]
    _attempt(samples.document({**samples.OBJECT, "example:deep": deep}))
    parse_document(samples.document({**samples.OBJECT, "example:deep": deep}))


def test_repeated_names_are_harmless_where_nothing_is_attested() -> None:
    """As in one of GS1's own examples; the last counts."""
    text = json.dumps({**samples.AGGREGATION, "eventID": "urn:uuid:1"})
    event = parse_event(text[:-1] + ', "eventID": "urn:uuid:2"}')
    assert event.event_id == "urn:uuid:2"


def test_a_colon_in_a_text_is_no_member() -> None:
    event = parse_event({**samples.AGGREGATION, "lotline:note": 'a ":" b : c'})
    assert event.extensions["lotline:note"] == 'a ":" b : c'
    escaped = json.dumps(samples.AGGREGATION)[:-1] + ', "lotline:note": "a\\u003ab"}'
    assert parse_event(escaped).extensions["lotline:note"] == "a:b"


def test_byte_order_mark_is_skipped() -> None:
    assert len(parse_document(b"\xef\xbb\xbf" + _VALID).events) == len(samples.EVENTS)


def test_the_callers_dictionary_is_not_touched() -> None:
    raw = samples.document({**samples.OBJECT, "@context": samples.STANDARD, "lotline:signature": {"device": "d"}})
    before = samples.copy(raw)
    event = parse_document(raw).events[0]
    event.extensions["example:nested"]["example:flag"] = "changed"
    assert raw == before


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": "' + b"x" * 5_000_000 + b'"}',
        b"[" + b"1," * 2_500_000 + b"1]",
        b'{"type":"ObjectEvent","@context":[' + b"{}," * 1_000_000 + b"{}]}",
        json.dumps(samples.document(*[{"type": "ObjectEvent"}] * 100_000)).encode(),
        json.dumps(samples.document({**samples.OBJECT, "epcList": ["x:" + "%zz" * 1_500_000]})).encode(),
        json.dumps(samples.document({**samples.OBJECT, "epcList": ["a:b"] * 700_000})).encode(),
    ],
    ids=["text", "list", "context", "events", "uri", "repetition"],
)
def test_megabytes_of_anything_are_answered(data: bytes) -> None:
    """Were it quadratic, it would not end before the tests' own deadline."""
    with pytest.raises(InvalidDocument):
        parse_document(data)


def test_ten_megabytes_of_one_extension_are_taken() -> None:
    event = parse_document(samples.document({**samples.OBJECT, "example:blob": "1" * 10_000_000})).events[0]
    assert parse_event(event.to_stored()).hash == event.hash


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes(data: bytes | str) -> None:
    _attempt(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
_MEMBERS = st.sampled_from(
    ["type", "@context", "eventTime", "epcList", "ilmd", "readPoint", "sensorElementList",
    "errorDeclaration", "a:b",
     "epcisBody", "eventList", "quantityList", "certificationInfo", "lotline:signature",
     "persistentDisposition"]
)  # fmt: skip


@given(st.sampled_from(list(samples.EVENTS.values())), st.dictionaries(_MEMBERS, _JSON, max_size=4))
def test_any_value_in_any_field(raw: dict[str, Any], changed: dict[str, Any]) -> None:
    _attempt({**raw, **changed})
    _attempt({**samples.document({**raw, **changed}), **changed})


@given(
    st.lists(
        st.tuples(st.integers(0, len(_VALID)), st.binary(max_size=4), st.integers(0, 6)),
        min_size=1,
        max_size=5,
    )
)
def test_damaged_documents(edits: list[tuple[int, bytes, int]]) -> None:
    data = _VALID
    for place, inserted, removed in edits:
        data = data[:place] + inserted + data[place + removed :]
    _attempt(data)
