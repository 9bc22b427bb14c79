"""Capturing events: many groups in one transaction, a verdict for each event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from chaincode import (
    answers,
    batch_form,
    declarations,
    devices,
    effects,
    keys,
    master_data,
    rules,
    scans,
    trails,
)
from chaincode.answers import Verdict
from chaincode.context import Context
from chaincode.duplicates import is_captured
from chaincode.facts import Fact, fact_of
from chaincode.prefetch import prefetch
from chaincode.rejection import Malformed, Rejection
from chaincode.state import Record
from epcis import Event, InvalidDocument
from epcis.identity import declaration_hex
from epcis.prehash import digest_uri

Reader = Callable[[Any], Event]
ROLLBACK, PROCEED = "rollback", "proceed"


@dataclass
class Group:
    """A capture job: events that stand or fall together (rollback) or each by itself (proceed)."""

    id: str
    on_error: str
    events: list[Fact | Rejection]
    described: list[Record]
    """Master data that came with them."""


def capture(context: Context, batch: bytes) -> bytes:
    """Apply a batch (see ``batch_form``); returns ``{"groups": [answer]}`` (see ``answers``). Raises Malformed."""
    rules.has_role(context, rules.CAPTURE_ROLES, "capture events")
    groups = _read(batch)
    for group in groups:
        _name_declarations(context, group)
    prefetch(context, [event for group in groups for event in group.events if isinstance(event, Fact)])
    counter = 0
    answered = []
    for group in groups:
        answered.append(_capture_group(context, group, counter))
        counter += len(answered[-1]["events"])
    context.state.flush()
    return orjson.dumps({"groups": answered}, option=orjson.OPT_SORT_KEYS)


def _read(batch: bytes) -> list[Group]:
    document = batch_form.decode(batch)
    reader = batch_form.reader(document)
    return [_group(entry, reader) for entry in _list(document, "groups")]


def _list(document: Any, name: str) -> list[Any]:
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise Malformed(f"{batch_form.FORM}: {name!r} is not a list, or missing")
    return found


def _group(entry: Any, reader: Reader) -> Group:
    events = _list(entry, "events")
    if "id" not in entry:
        raise Malformed(f"{batch_form.FORM}: a group has no 'id'")
    on_error = entry.get("onError", ROLLBACK)
    if on_error not in (ROLLBACK, PROCEED):
        raise Malformed(f"onError is {ROLLBACK} or {PROCEED}, not {on_error!r}")
    events.reverse()
    parsed = [_parse(events.pop(), reader) for _ in range(len(events))]
    return Group(str(entry["id"]), on_error, parsed, master_data.read(entry.get("masterData")))


def _name_declarations(context: Context, group: Group) -> None:
    """Declarations of error have names of their own, by who declares."""
    for fact in group.events:
        if isinstance(fact, Fact) and fact.event.error_declaration is not None:
            fact.rename(declaration_hex(fact.event, context.msp))


def _parse(event: Any, reader: Reader) -> Fact | Rejection:
    try:
        return fact_of(reader(event))
    except InvalidDocument as error:
        problem = error.problems[0]
        return Rejection(problem.code, problem.message, problem.field)


def _capture_group(context: Context, group: Group, start: int) -> dict[str, Any]:
    context.state.begin()
    context.scans = []
    if group.described:
        master_data.write(context, group.described)
    # Each event is let go once it is applied: what the next ones make takes its place in the processor's cache.
    group.events.reverse()
    events: list[str] = []
    verdicts: list[Verdict] = []
    while group.events:
        fact = group.events.pop()
        verdict = _verdict(context, fact, start, len(events))
        events.append(fact.hex if isinstance(fact, Fact) else "")
        if verdict is not None:
            verdicts.append(verdict)
    committed = group.on_error == PROCEED or not any(verdict["verdict"] == "rejected" for verdict in verdicts)
    if committed:
        context.state.keep()
    else:
        context.state.drop()
        scans.settle(context, context.scans)  # refused or not, they were scanned
    return answers.answer(group.id, events, verdicts, committed=committed)


def _verdict(context: Context, fact: Fact | Rejection, start: int, n: int) -> Verdict | None:
    """Apply the ``n``-th event of a group that starts with the batch's ``start``-th. None if it is accepted."""
    if isinstance(fact, Rejection):
        return answers.rejected(n, fact)
    before = len(context.scans)
    if is_captured(context, fact):
        scans.settle(context, context.scans[before:])
        return answers.duplicate(n)
    context.state.begin()
    try:
        _apply(context, fact, start + n)
    except Rejection as rejection:
        context.state.drop()
        devices.note_refused(context, fact, before)
        scans.settle(context, context.scans[before:])
        return answers.rejected(n, rejection)
    context.state.keep()
    scans.settle(context, context.scans[before:])
    return None


def _apply(context: Context, fact: Fact, number: int) -> None:
    rules.is_well_formed(fact)
    rules.is_not_from_the_future(context, fact)
    rules.event_id_is_free(context, fact)
    device = devices.device_is_known(context, fact)
    devices.is_signed_where_demanded(context, fact)
    rules.places_are_own(context, fact)
    effects.who_speaks(context, fact)
    declares = _take_in(context, fact)
    record: Record = {
        "event": orjson.Fragment(fact.stored),
        "msp": context.msp,
        "party": fact.party,
        "v": 2,
    }
    if device is not None:
        record["device"] = device
        record["signature"] = fact.event.signature
    if declares is not None:
        record["declares"] = digest_uri(declares)
    elif fact.hash != fact.event.hash:
        record["hash"] = fact.event.hash
    if fact.flags:
        record["flags"] = sorted(fact.flags)
    trails.file_event(context, fact, record, number)
    if declares is None and (identifier := rules.given_id(fact)) is not None:
        context.state.put(keys.event_id(identifier), {"event": fact.hash})


def _take_in(context: Context, fact: Fact) -> str | None:
    """Bring the event into the set of statements; returns the name of the event that it declares to be in error, if it does."""
    if fact.event.error_declaration is not None:
        return declarations.declare(context, fact)
    awaited = declarations.awaiting(context, fact)
    if awaited is None or not declarations.receive(context, fact, awaited):
        effects.apply(context, fact)
    return None
