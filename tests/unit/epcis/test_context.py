"""An event carries as much of its document's context as it uses."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from epcis import Event, InvalidDocument, parse_document, parse_event
from tests.unit.epcis import samples
from tests.unit.epcis.samples import EXAMPLE, STANDARD


def _event(raw: dict[str, Any], *entries: Any) -> Event:
    return parse_document(samples.document(raw, context=[STANDARD, *entries])).events[0]


def _stored_context(event: Event) -> list[Any]:
    found: list[Any] = orjson.loads(event.to_stored()).get("@context", [])
    return found


def test_terms_that_are_not_used_stay_behind() -> None:
    terms = {f"term{number}": {"@id": f"https://x.org/{number}", "@type": "@id"} for number in range(300)}
    event = _event({**samples.AGGREGATION, "example:x": {"term7": 1}}, {"example": EXAMPLE, **terms})
    assert _stored_context(event) == [{"term7": terms["term7"]}, {"example": EXAMPLE}]
    assert len(event.to_stored()) < len(_event(samples.AGGREGATION).to_stored()) + 200
    assert "@context" not in orjson.loads(_event(samples.AGGREGATION, terms).to_stored())


def test_what_a_used_term_needs_comes_with_it() -> None:
    terms = {
        "a": {"@id": "ex2:a", "@context": {"b": "c:b"}},
        "c": {"@id": "https://c.org/", "@prefix": True},
        "d": {"@id": "https://d.org/"},
    }
    event = _event({**samples.AGGREGATION, "example:x": "a"}, {"example": EXAMPLE, "ex2": "https://ex2.org/", **terms})
    kept, prefixes = _stored_context(event)
    assert kept == {"a": terms["a"], "c": terms["c"]}
    assert prefixes == {"example": EXAMPLE, "ex2": "https://ex2.org/"}


def test_a_term_used_as_a_prefix() -> None:
    term = {"@id": "https://p.org/", "@prefix": True}
    event = _event({**samples.AGGREGATION, "p:x": 1}, {"p": term, "q": term})
    assert _stored_context(event) == [{"p": term}]


def test_a_prefix_that_has_to_be_escaped() -> None:
    prefix = 'a"\\b'
    event = _event(
        {**samples.AGGREGATION, "example:x": f"{prefix}:y"}, {"example": EXAMPLE, prefix: "https://odd.org/"}
    )
    assert "https://odd.org/y" in event.prehash
    assert parse_event(event.to_stored()).hash == event.hash


def test_others_contexts_and_keywords_are_carried_and_bounded() -> None:
    entries = ["https://other.example.com/context.jsonld", {"@language": "en"}]
    assert _stored_context(_event(samples.AGGREGATION, *entries)) == entries
    for entry in ("https://other.example.com/" + "x" * 3000, {"@vocab": "https://v.org/" + "x" * 3000}):
        with pytest.raises(InvalidDocument) as caught:
            _event(samples.AGGREGATION, entry)
        assert caught.value.problems[0].code == "context"


def test_many_events_under_one_large_context_stay_small() -> None:
    context = {f"t{number}": {"@id": f"https://x.org/{'x' * 80}/{number}"} for number in range(200)}
    raw = {**samples.AGGREGATION, "childQuantityList": []}
    document = parse_document(samples.document(*[raw] * 50, context=[STANDARD, context]))
    sent = len(orjson.dumps(document.context)) + 50 * len(orjson.dumps(raw))
    assert sum(len(event.to_stored()) for event in document.events) < 1.5 * sent
