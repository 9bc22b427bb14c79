"""A digest of all that an event says.

The event hash of the standard takes ``"007"`` and ``"7"`` for the same, and cannot tell a text from the fields that it
looks like. Events of one hash are told apart by this digest, which is ours alone and leaves nothing out but what is said
of the event and not by it (``eventID``, ``recordTime``, ``errorDeclaration``, remarks: ``rdfs:comment``). It does not depend on key order, white
space, names of prefixes, the order of lists (JSON-LD lists are sets), EPC URN or Digital Link, nor on the form of times
and numbers.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from epcis.canonical import number_text
from epcis.context import Context
from epcis.formats import is_date_time, utc_microseconds
from epcis.identifiers import CANONICAL_BASE, Spelled, canonical_or_same

_NOT_CONTENT = frozenset({"eventID", "recordTime", "errorDeclaration", "@context"})
_REMARK = "http://www.w3.org/2000/01/rdf-schema#comment"
_STANDARD = frozenset(
    {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}
)
_TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})


def digest_of(event: dict[str, Any], context: Context) -> str:
    """The digest of an event's members, whose names are written in the namespaces of ``context``."""
    content = {name: value for name, value in event.items() if name not in _NOT_CONTENT}
    if event.get("type") in _STANDARD:  # an empty list says as much as none
        content = {name: value for name, value in content.items() if value not in ([], {})}
    return sha256(_text(content, context).encode()).hexdigest()


def _text(value: Any, context: Context) -> str:
    """A text that is equal for equal content and only then: JSON with sorted members, elements and plain numbers."""
    if isinstance(value, dict):
        members = []
        for name, member in value.items():
            if (known_as := _expanded(name, context)) != _REMARK:
                members.append(f"{_quoted(known_as)}:{_member(name, member, context)}")
        return f"{{{','.join(sorted(members))}}}"
    if isinstance(value, list):
        elements = []
        for element in value:
            elements.append(_text(element, context))  # noqa: PERF401 (a frame less a level)
        return f"[{','.join(sorted(elements))}]"
    if isinstance(value, str):
        return _quoted(_words(value, context))
    if value is None or isinstance(value, bool):
        return _quoted(value)
    return number_text(repr(value))


def _member(name: str, value: Any, context: Context) -> str:
    if name in _TIMES and isinstance(value, str) and is_date_time(value):
        return _quoted(utc_microseconds(value))
    return _text(value, context)


def _quoted(value: str | bool | None) -> str:
    return orjson.dumps(value).decode()


def _expanded(name: str, context: Context) -> str:
    expanded = context.expand(name)
    return name if expanded is None else expanded[0] + expanded[1]


def _words(text: str, context: Context) -> str:
    if isinstance(text, Spelled):
        return text.said
    if ":" not in text:
        return text
    if text.startswith(("urn:epc:", CANONICAL_BASE)):
        return canonical_or_same(text)
    return _expanded(text, context)
