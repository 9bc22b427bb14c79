"""From the bytes of a request to canonical events: parsing and validation, and where that is done.

A small body is parsed on the event loop, at once. A large one would hold the interpreter for a second, so it goes
to another process of lower priority, and scanners do not notice it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

import epcis
from epcis.checks import things_named
from epcis.problems import MAX_PROBLEMS
from instance.processes import Processes
from relay.jobs import OnError

MAX_STORED_BYTES = 32 * 2**20
"""Bytes of a document's events in stored form. Each carries what it needs of the context, so they may be more than came."""
MAX_THINGS = 100_000
"""Instances and classes that all events of a document may name together."""

TOO_LARGE = "document_too_large"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that cannot be captured, whose document is captured without it (``proceed``)."""

    index: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Intake:
    """A valid body: its events as the contract takes them (one JSON list), and their hashes in the same
    order."""

    payload: bytes
    hashes: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    """With ``proceed``: the events that are left out, by their places in the document."""
    master_data: bytes = b""
    """What the document says of places, products and parties, as the contract takes it; empty if nothing."""

    @property
    def events(self) -> int:
        """How many events the document has, good and bad."""
        return len(self.hashes) + len(self.refused)


Reading = Intake | list[epcis.Problem]


def read(body: bytes, on_error: OnError = "rollback") -> Reading:
    """Parse and check a document or a bare event: what is to be captured, or every fault found.

    With ``proceed`` an event that is wrong does not keep the others out, unless there are none.
    """
    try:
        sifted = epcis.sift_document(body) if on_error == "proceed" else _whole(body)
    except epcis.InvalidDocument as error:
        return error.problems
    document = sifted.document
    if document.master_data_faults:
        return document.master_data_faults
    problems = [*sifted.problems, *_check(document, sifted.places, MAX_PROBLEMS if on_error == "rollback" else None)]
    bad = {problem.index for problem in problems}
    if problems and (on_error == "rollback" or len(bad.intersection(sifted.places)) == len(sifted.places)):
        return sorted(problems, key=lambda problem: problem.index or 0)[:MAX_PROBLEMS]
    good = [event for place, event in zip(sifted.places, document.events, strict=True) if place not in bad]
    named = sum(map(things_named, good))
    if named > MAX_THINGS:
        return [epcis.Problem(None, "", TOO_LARGE, f"names {named} things; {MAX_THINGS} are allowed")]
    payload = _payload(good)
    if payload is None:
        message = (
            f"takes more than the {MAX_STORED_BYTES} bytes that are allowed, with what each event needs of the context"
        )
        return [epcis.Problem(None, "", TOO_LARGE, message)]
    return Intake(payload, tuple(event.hash for event in good), _refusals(problems), _master_data(document))


def _payload(events: list[epcis.Event]) -> bytes | None:
    """All events as the contract takes them; None as soon as that is too much, before it is all in memory."""
    parts, size = [], 2
    for event in events:
        part = _for_contract(event)
        size += len(part) + 1
        if size > MAX_STORED_BYTES:
            return None
        parts.append(part)
    return b"[" + b",".join(parts) + b"]"


def _whole(body: bytes) -> epcis.Sifted:
    document = epcis.parse_document(body)
    return epcis.Sifted(document, list(range(len(document.events))), [])


def _refusals(problems: list[epcis.Problem]) -> tuple[Refusal, ...]:
    """The first fault of each event that is left out, in the order of the events."""
    first: dict[int, epcis.Problem] = {}
    for problem in problems:
        if problem.index is not None:
            first.setdefault(problem.index, problem)
    return tuple(Refusal(index, found.field, found.code, found.message) for index, found in sorted(first.items()))


def _master_data(document: epcis.Document) -> bytes:
    said = [element.to_dict() for element in document.master_data]
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS) if said else b""


_EVENT_LISTS = {
    "EPCISDocument": "/epcisBody/eventList/{}",
    "EPCISQueryDocument": "/epcisBody/queryResults/resultsBody/eventList/{}",
    "Event": "",
}


def _check(document: epcis.Document, places: list[int], most: int | None) -> list[epcis.Problem]:
    """What the schema can't say, such as check digits; warnings are not for turning an event away."""
    found: list[epcis.Problem] = []
    for index, event in zip(places, document.events, strict=True):
        where = _EVENT_LISTS[document.kind].format(index)
        errors = (problem for problem in epcis.check(event, index) if problem.severity == "error")
        found += [replace(problem, field=where + problem.field) for problem in errors]
        if most is not None and len(found) >= most:
            break
    return found


def _for_contract(event: epcis.Event) -> bytes:
    stored = event.to_stored()
    if event.signature is None:
        return stored
    return stored[:-1] + b',"lotline:signature":' + orjson.dumps(event.signature) + b"}"


class Reader:
    """`read`, here or in the other process, by size."""

    def __init__(self, inline_limit: int, seconds: float) -> None:
        self._inline_limit = inline_limit
        self._seconds = seconds
        self._elsewhere = Processes(1)

    async def read(self, body: bytes, on_error: OnError = "rollback") -> Reading:
        """What is in ``body``; raises `instance.processes.UnavailableError` when a large one can't be read now."""
        if len(body) <= self._inline_limit:
            return read(body, on_error)
        return await self._elsewhere.run(read, body, on_error, seconds=self._seconds)

    def close(self) -> None:
        self._elsewhere.close()
