"""Which events count: a declaration of error takes its event's consequences back, whichever of the two came first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from readmodel import typed
from readmodel.bulk import Bulk, Row
from readmodel.columns import dump
from readmodel.consequences import Consequences, consequences
from readmodel.identifiers import clean
from readmodel.scan import Scan
from readmodel.tables import Event, EventAlias, EventNote
from readmodel.told import Named, Told, read_event


class Outcome(NamedTuple):
    """What a batch brings about, and what it takes back."""

    given: Consequences
    taken: Consequences


class Notes(NamedTuple):
    """What was said about events, as texts for their rows: declarations and reporters, None where there are none."""

    declared_by: str | None = None
    reporters: str | None = None


_NONE = Notes()


def notes_of_fresh(bulk: Bulk, scan: Scan) -> dict[str, Notes]:
    """What was said, earlier or now, about the batch's events."""
    found: dict[str, Notes] = {}
    if bulk.any(EventNote):
        sql = "SELECT e.hash, e.declarations, e.reporters FROM {values} JOIN event_note e ON e.hash = v.value"
        found = {digest: Notes(*map(_full, texts)) for digest, *texts in bulk.fetch(sql, list(scan.fresh))}
    for digest, note in scan.notes.items():
        if digest in scan.fresh:
            found[digest] = Notes(_list(note.declarations), _list(note.reporters))
    return found


def outcome(bulk: Bulk, scan: Scan, notes: dict[str, Notes]) -> Outcome:
    """What follows from the batch's events that count, and from what was said about older ones; keeps what was said."""
    said = [
        follows
        for digest, follows in zip(scan.fresh, scan.consequences, strict=True)
        if notes.get(digest, _NONE).declared_by is None
    ]
    given, taken = _turned(bulk, scan) if scan.notes else ([], [])
    rows = [(digest, dump(note.declarations), dump(note.reporters)) for digest, note in scan.notes.items()]
    bulk.upsert(EventNote, ("hash", "declarations", "reporters"), rows)
    bulk.upsert(EventAlias, ("identifier", "hash"), list(scan.aliases))
    return Outcome(_joined([*said, *given]), _joined(taken))


def _joined(parts: Iterable[Consequences]) -> Consequences:
    whole = Consequences([], [], [], [])
    for one in parts:
        for gathered, more in zip(whole, one, strict=True):
            gathered += more  # type: ignore[operator]
    return whole


_OLDER = (
    "SELECT e.id, e.hash, e.declared_by, e.declares, e.msp, p.uri, e.stored "
    "FROM {values} JOIN event e ON e.hash = v.value LEFT JOIN party p ON p.id = e.party_id"
)


def _turned(bulk: Bulk, scan: Scan) -> tuple[list[Consequences], list[Consequences]]:
    """Of older events: what counts again, and what counts no more."""
    given: list[Consequences] = []
    taken: list[Consequences] = []
    rows: list[Row] = []
    older = [digest for digest in scan.notes if digest not in scan.fresh]
    for identity, digest, declared_by, declares, msp, party, stored in bulk.fetch(_OLDER, older):
        note = scan.notes[digest]
        rows.append((identity, _list(note.declarations), _list(note.reporters)))
        if declares is not None or (declared_by is not None) == bool(note.declarations):
            continue
        told = _cleaned(read_event(orjson.loads(stored), stored.encode()))
        (taken if note.declarations else given).append(consequences(identity, digest, told, msp, party))
    bulk.update(Event, ("id", "declared_by", "reporters"), rows)
    return given, taken


def _cleaned(told: Told) -> Told:
    """With identifiers as the tables have them."""
    return told._replace(
        read_point=told.read_point and clean(told.read_point),
        location=told.location and clean(told.location),
        named=[Named(clean(item.thing), *item[1:]) for item in told.named],
    )


def _list(named: list[str]) -> str | None:
    return dump(named) if named else None


def _full(text: str) -> str | None:
    return _list(typed.texts({"list": orjson.loads(text)}, "list"))
