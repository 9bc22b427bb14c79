"""Error declarations (EPCIS 2.0, 7.4.1.3): a statement that another one was in error.

It counts only of an event that is on the ledger, by the organisation that said it; the event then leaves the set of statements and
what followed from it is worked out anew. One that comes before its event waits for it, and an exception says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaincode import effects, keys
from chaincode.context import Context
from chaincode.exceptions import Fault, close_exception, open_fault
from chaincode.facts import Fact, recorded, same_content
from chaincode.rejection import Rejection
from chaincode.rules import given_id
from chaincode.state import Record
from chaincode.trails import stub_of
from epcis.identity import hash_hex, variant_hex

_KIND = "declared_unknown"
_MOST = 16
"""Declarations of one event that are kept."""


def declare(context: Context, fact: Fact) -> str:
    """Take the declared event back. Returns the digits of its name on the ledger. Raises Rejection: it is not theirs."""
    name, record = _declared(context, fact)
    if record is None:
        _wait(context, fact, name)
        return name
    if record["msp"] != context.msp:
        detail = f"{record['msp']} said that event: only they can declare that it was in error"
        raise Rejection("not_your_event", detail, "errorDeclaration", organisations=(record["msp"],))
    about = about_event(context, name)
    _check_number(about["declarations"], fact)
    if not about["declarations"]:
        effects.take_back(context, fact, recorded(record, name))
    context.state.put(keys.about(name), {**about, "declarations": [*about["declarations"], fact.hex]})
    return name


def _check_number(known: Sequence[object], fact: Fact) -> None:
    if len(known) >= _MOST:
        detail = f"{fact.event.hash} was declared in error {_MOST} times already: once is enough"
        raise Rejection("too_many_declarations", detail, "errorDeclaration")


def about_event(context: Context, name_hex: str) -> Record:
    """What was said about an event so far."""
    blank: Record = {"v": 2, "declarations": [], "reporters": [], "ids": []}
    return context.state.get(keys.about(name_hex)) or blank


def _declared(context: Context, fact: Fact) -> tuple[str, Record | None]:
    """The event that is meant, or where it will be looked for: the one with this content, else with this eventID."""
    event, state = fact.event, context.state
    plain = hash_hex(event.hash)
    record = _event(context, plain)
    if record is not None and same_content(event, record):
        return plain, record
    other = variant_hex(event.hash, event.content_digest)
    if record is not None and (variant := _event(context, other)) is not None:
        return other, variant
    identifier = given_id(fact)
    known = state.get(keys.event_id(identifier)) if identifier is not None else None
    if known is not None and "alias" not in known:
        named = hash_hex(known["event"])
        meant = _event(context, named)
        if meant is not None and meant["event"]["type"] == event.type:
            return named, meant
    return (plain if record is None else other), None


def _event(context: Context, name_hex: str) -> Record | None:
    record = context.state.get(keys.event(name_hex))
    return record if record is not None and "event" in record else None


def _wait(context: Context, fact: Fact, name_hex: str) -> None:
    """Leave word for the event, where it will be looked for."""
    key = keys.event(name_hex)
    awaited = (context.state.get(key) or {}).get("awaited", {})
    mine = awaited.get(context.msp, [])
    _check_number(mine, fact)
    digest = fact.event.content_digest
    context.state.put(key, {"v": 2, "awaited": {**awaited, context.msp: [*mine, [fact.hex, digest]]}})
    if fact.event_witness is not None and context.state.get(fact.event_witness) is None:
        context.state.put(fact.event_witness, stub_of(fact.instances[0]))
    fact.flags.add("awaits_event")
    detail = f"{context.msp} declared an event in error that nobody has reported: {fact.event.hash}"
    fault = Fault(detail, () if fact.party is None else (fact.party,), fact.hash, fact.time, context.msp)
    item = fact.instances[0] if fact.instances else fact.classes[0] if fact.classes else None
    open_fault(context, _KIND, _subject(fact, context.msp, digest), fault, item=item)


def _subject(fact: Fact, msp: str, digest: str) -> str:
    return f"{fact.event.hash}\n{msp}\n{digest}"


def awaiting(context: Context, fact: Fact) -> Record | None:
    """The word that was left for an event that is captured now."""
    record = context.state.get(keys.event(fact.hex)) if context.state.has_read(keys.event(fact.hex)) else None
    return None if record is None else record.get("awaited")


def receive(context: Context, fact: Fact, awaited: Record) -> bool:
    """An awaited event is here. Whether its own organisation has declared it in error before: then it never counts.

    What was declared with other content waits on, where an event with that content will be looked for.
    """
    digest = fact.event.content_digest
    others: dict[str, Record] = {}
    for msp, waiting in sorted(awaited.items()):
        if any(said == digest for _, said in waiting):
            close_exception(context, fact, _KIND, _subject(fact, msp, digest))
        for name, said in waiting:
            if said != digest:
                others.setdefault(said, {}).setdefault(msp, []).append([name, said])
    for said, waiting in sorted(others.items()):
        context.state.put(keys.event(variant_hex(fact.event.hash, said)), {"v": 2, "awaited": waiting})
    mine = [name for name, said in awaited.get(context.msp, ()) if said == digest]
    if not mine:
        return False
    fact.flags.add("declared")
    context.state.put(keys.about(fact.hex), {**about_event(context, fact.hex), "declarations": mine})
    return True
