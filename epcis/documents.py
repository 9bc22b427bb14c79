"""EPCIS documents: reading them whole, with every fault found, and writing new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from epcis.context import GS1_ONLY, LOTLINE_NAMESPACE, STANDARD_CONTEXT, Context, common_prefixes
from epcis.envelope import check_context, check_envelope, event_list_path
from epcis.events import EVENT_TYPES, Event, ExtendedEvent
from epcis.master_data import MasterData, read_master_data
from epcis.prehash import DEFAULT_VERSION, hash_uri, pre_hash_of
from epcis.problems import MAX_PROBLEMS, InvalidDocument, Problem, pointer
from epcis.reading import read_json

Kind = Literal["EPCISDocument", "EPCISQueryDocument", "Event"]
_Path = tuple[str | int, ...]
_MAX_SIGNATURE_BYTES = 8192
_ENOUGH = 3


@dataclass(frozen=True)
class Document:
    """What was in a document: its events, and what came with them."""

    kind: Kind
    events: list[Event]
    context: list[Any]
    header: dict[str, Any] | None = None
    master_data: list[MasterData] = field(default_factory=list)
    """What the document says of places, products and parties beside its events."""
    master_data_faults: list[Problem] = field(default_factory=list)
    """What is wrong with that although the schema lets it pass, as ``check`` says of events."""
    creation_date: str | None = None
    ignore_fields: frozenset[str] = field(default_factory=frozenset)
    """Extensions (``{namespace}name``) that the document declares, by ``…:ignoreFields``, to be left out of
    its published event hashes. An event's own ``hash`` keeps them: no sender may choose what is attested."""

    def pre_hashes(self, version: str = DEFAULT_VERSION) -> list[str]:
        """The canonical text of every event, without the fields the document says to ignore."""
        return [pre_hash_of(event, version, self.ignore_fields) for event in self.events]

    def event_hashes(self, version: str = DEFAULT_VERSION) -> list[str]:
        """The hash of every event, without the fields the document says to ignore."""
        return [hash_uri(text, version) for text in self.pre_hashes(version)]


@dataclass(frozen=True)
class Sifted:
    """A document of which only some events are valid: ``document`` has those, ``places`` says where each of them stood,
    and ``problems`` what is wrong with the others (the first faults of each)."""

    document: Document
    places: list[int]
    problems: list[Problem]


def parse_document(data: bytes | str | dict[str, Any]) -> Document:
    """Reads an EPCISDocument, an EPCISQueryDocument or one bare event, judging it as GS1's JSON Schema does.

    Raises:
        InvalidDocument: with every fault found (at most 100).
    """
    sifted = _read(data, MAX_PROBLEMS)
    if sifted.problems:
        raise InvalidDocument(sifted.problems)
    return sifted.document


def sift_document(data: bytes | str | dict[str, Any]) -> Sifted:
    """As :func:`parse_document`, but what is wrong with one event is no reason to refuse the others.

    Raises:
        InvalidDocument: something is wrong around the events.
    """
    sifted = _read(data, None)
    if around := [problem for problem in sifted.problems if problem.index is None]:
        raise InvalidDocument(around)
    return sifted


def _read(data: bytes | str | dict[str, Any], most: int | None) -> Sifted:
    """A document's valid events, and the faults of the others: all, or as many as it takes to have ``most``."""
    raw = read_json(data, _raw_events)
    problems = check_envelope(raw)
    kind = raw.get("type") if isinstance(raw, dict) else None
    path = event_list_path(raw)
    if path is None and problems:
        raise InvalidDocument(problems)
    if path is None:
        return Sifted(Document("Event", [_bare_event(raw)], _as_list(raw["@context"])), [0], [])
    context = _context(raw.get("@context", []))
    master_data, faults = ([], []) if problems else read_master_data(raw, context)
    events = _events(_at(raw, path), context, path, problems, most)
    document = Document(
        kind="EPCISDocument" if kind == "EPCISDocument" else "EPCISQueryDocument",
        events=list(events.values()),
        context=_as_list(raw.get("@context", [])),
        header=raw.get("epcisHeader"),
        master_data=master_data,
        master_data_faults=faults,
        creation_date=raw.get("creationDate"),
        ignore_fields=frozenset() if problems else _ignored(raw, context),
    )
    return Sifted(document, list(events), problems)


def parse_event(obj: bytes | str | dict[str, Any], context: Sequence[Any] | None = None) -> Event:
    """Reads one event: a bare event document, an entry of an event list (with that document's ``@context``)
    or the stored form.

    Raises:
        InvalidDocument: with every fault found.
    """
    return parse_value(read_json(obj, _as_list), context)


def parse_value(value: Any, context: Sequence[Any] | None = None) -> Event:
    """As :func:`parse_event`, from a JSON value that was read just now and that nobody changes later: it is not copied.

    Raises:
        InvalidDocument: with every fault found.
    """
    problems: list[Problem] = []
    base = Context(list(context)) if context else GS1_ONLY
    event = _event(value, None, (), base, problems)
    if event is None or problems:
        raise InvalidDocument(problems)
    return event


def event_hash(
    event: Event | bytes | str | dict[str, Any], version: str = DEFAULT_VERSION, ignore: Iterable[str] = ()
) -> str:
    """The CBV event hash of one event; ``ignore`` as in :func:`pre_hash`."""
    return hash_uri(pre_hash(event, version, ignore), version)


def pre_hash(
    event: Event | bytes | str | dict[str, Any], version: str = DEFAULT_VERSION, ignore: Iterable[str] = ()
) -> str:
    """The canonical text of one event, without the extensions in ``ignore`` (as ``{namespace}name``)."""
    return pre_hash_of(event if isinstance(event, Event) else parse_event(event), version, ignore)


def render_document(events: Iterable[Event], created: datetime) -> dict[str, Any]:
    """An EPCISDocument of ``events``, valid by GS1's JSON Schema.

    Its ``@context`` declares the prefixes that all its events can share; an event that needs another meaning
    of one, or somebody else's context, carries its own. ``created`` is aware.
    """
    rendered = [(event.context, event.to_dict(with_context=False)) for event in events]
    written = [(context, orjson.dumps(event)) for context, event in rendered]
    shared = common_prefixes(written)
    listed = []
    for (context, event), (_, text) in zip(rendered, written, strict=True):
        own = context.needed_by(text, shared)
        listed.append({"@context": own, **event} if own else event)
    return {
        "@context": [STANDARD_CONTEXT, *([shared] if shared else [])],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created.isoformat(),
        "epcisBody": {"eventList": listed},
    }


def _bare_event(raw: dict[str, Any]) -> Event:
    problems: list[Problem] = []
    event = _event(raw, None, (), GS1_ONLY, problems)
    if event is None or problems:
        raise InvalidDocument(problems)
    return event


def _events(
    raw_events: list[Any], context: Context, path: _Path, problems: list[Problem], most: int | None
) -> dict[int, Event]:
    """The valid events by their places. Without ``most``, of each of the others the first faults are enough."""
    events = {}
    for index, raw in enumerate(raw_events):
        found: list[Problem] = []
        event = _event(raw, index, (*path, index), context, found)
        if event is not None and not found:
            events[index] = event
        problems += found if most is not None else found[:_ENOUGH]
        if most is not None and len(problems) >= most:
            break
    return events


def _event(raw: Any, index: int | None, path: _Path, context: Context, problems: list[Problem]) -> Event | None:
    """The event, or None after its faults were added to ``problems``."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str):
        message = "an event is an object" if kind is None and not isinstance(raw, dict) else "must be a text"
        problems.append(Problem(index, pointer(*path, "type"), "type", message))
        return None
    if "@context" in raw:
        found = check_context(raw["@context"])
        if found is not None:
            problems.append(Problem(index, pointer(*path, "@context"), "context", found))
            return None
        context = context.extended(raw["@context"])
        raw = {name: value for name, value in raw.items() if name != "@context"}
    try:
        event = EVENT_TYPES.get(kind, ExtendedEvent).model_validate(raw)
    except ValidationError as error:
        problems += _problems(error, index, path)
        return None
    if context is not GS1_ONLY:
        event._within(context)
    if event.extensions:
        _take_signature(event, index, path, problems)
    return event


def _take_signature(event: Event, index: int | None, path: _Path, problems: list[Problem]) -> None:
    for name in [name for name in event.extensions if name.endswith("signature")]:
        if event.context.expand(name) == (LOTLINE_NAMESPACE, "signature"):
            value = event.extensions.pop(name)
            if isinstance(value, dict) and len(orjson.dumps(value)) <= _MAX_SIGNATURE_BYTES:
                event._signed(value)
            else:
                message = f"must be an object of at most {_MAX_SIGNATURE_BYTES} bytes"
                problems.append(Problem(index, pointer(*path, name), "signature", message))


def _problems(error: ValidationError, index: int | None, path: _Path) -> list[Problem]:
    found = []
    for fault in error.errors(include_url=False, include_input=False):
        # Pydantic marks the fault of a member's name by a last part of its own.
        location = (*path, *(part for part in fault["loc"] if part != "[key]"))
        if fault["type"] == "rule":
            location = (*location, fault["ctx"]["field"])
        found.append(Problem(index, pointer(*location), fault["type"], fault["msg"]))
    return found


def _ignored(raw: dict[str, Any], context: Context) -> frozenset[str]:
    results = raw["epcisBody"].get("queryResults")
    names: set[str] = set()
    for holder in (raw, results if isinstance(results, dict) else {}):
        for key, value in holder.items():
            expanded = context.expand(key)
            if expanded is not None and expanded[1] == "ignoreFields":
                names.update(name for name in _as_list(value) if isinstance(name, str))
    expansions = {name: context.expand(name) for name in names}
    return frozenset(f"{{{pair[0]}}}{pair[1]}" if pair else name for name, pair in expansions.items())


def _context(entries: Any) -> Context:
    return Context(entries) if check_context(entries) is None else GS1_ONLY


def _raw_events(raw: Any) -> list[Any]:
    path = event_list_path(raw)
    events: list[Any] = [raw] if path is None else _at(raw, path)
    return events


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _at(raw: Any, path: _Path) -> Any:
    for part in path:
        raw = raw[part]
    return raw
