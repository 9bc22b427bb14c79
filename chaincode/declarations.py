"""Error declarations (EPCIS 2.0, 7.4.1.3): a statement that another one was in error.

It counts only of an event that is on the ledger, by the organisation that said it; the event then leaves the set of statements and
what followed from it is worked out anew. One that comes before its event waits for it, and an exception says so.
"""

from __future__ import annotations

from chaincode import effects, keys
from chaincode.context import Context
from chaincode.exceptions import Fault, close_exception, open_fault
from chaincode.facts import Fact, hash_hex, recorded, same_content, variant_hex
from chaincode.rejection import Rejection
from chaincode.rules import given_id
from chaincode.state import Record

_KIND = "declared_unknown"


def declare(context: Context, fact: Fact) -> str:
    """Take the declared event back. Returns the digits of its name on the ledger. Raises Rejection: it is not theirs."""
    found = _declared(context, fact)
    if found is None:
        _wait(context, fact)
        return hash_hex(fact.event.hash)
    name, record = found
    if record["msp"] != context.msp:
        detail = f"{record['msp']} said that event: only they can declare that it was in error"
        raise Rejection("not_your_event", detail, "errorDeclaration", organisations=(record["msp"],))
    about = about_event(context, name)
    if not about["declarations"]:
        effects.take_back(context, fact, recorded(record, name))
    context.state.put(keys.about(name), {**about, "declarations": [*about["declarations"], fact.hex]})
    return name


def about_event(context: Context, name_hex: str) -> Record:
    """What was said about an event so far."""
    blank: Record = {"v": 2, "declarations": [], "reporters": [], "ids": []}
    return context.state.get(keys.about(name_hex)) or blank


def _declared(context: Context, fact: Fact) -> tuple[str, Record] | None:
    """The event that is meant: the one with this content, else with this hash, else with this eventID."""
    plain = hash_hex(fact.event.hash)
    record = context.state.get(keys.event(plain))
    if record is not None and "event" in record:
        if not same_content(fact.event, record):
            other = variant_hex(fact.event)
            variant = context.state.get(keys.event(other))
            if variant is not None and "event" in variant:
                return other, variant
        return plain, record
    identifier = given_id(fact)
    known = context.state.get(keys.event_id(identifier)) if identifier is not None else None
    if known is not None:
        named = hash_hex(known["event"])
        record = context.state.get(keys.event(named))
        if record is not None and record.get("event", {}).get("type") == fact.event.type:
            return named, record
    return None


def _wait(context: Context, fact: Fact) -> None:
    """Leave word for the event, where it will be looked for."""
    plain = hash_hex(fact.event.hash)
    key = keys.event(plain)
    awaited = (context.state.get(key) or {}).get("awaited", {})
    mine = [*awaited.get(context.msp, ()), fact.hex]
    context.state.put(key, {"v": 2, "awaited": {**awaited, context.msp: mine}})
    if fact.event_witness is not None and context.state.get(fact.event_witness) is None:
        context.state.put(fact.event_witness, stub_of(fact.instances[0]))
    fact.flags.add("awaits_event")
    detail = f"{context.msp} declared an event in error that nobody has reported: {fact.event.hash}"
    fault = Fault(detail, () if fact.party is None else (fact.party,), fact.hash, fact.time, context.msp)
    item = fact.instances[0] if fact.instances else fact.classes[0] if fact.classes else None
    open_fault(context, _KIND, f"{plain}\n{context.msp}", fault, item=item)


def stub_of(uri: str) -> Record:
    """The record of a thing that nothing was said of yet: who looks for an event by what it names has to look further."""
    names = ("msp", "maker", "title", "holder", "place", "disposition", "parent", "lot")
    return {
        "v": 2,
        "id": uri,
        **dict.fromkeys(names),
        "status": "unknown",
        "commissioned": False,
        "open": [],
        "event": "",
        "time": "",
        "log": [],
    }


def awaiting(context: Context, fact: Fact) -> Record | None:
    """The word that was left for an event that is captured now."""
    record = context.state.get(keys.event(fact.hex)) if context.state.has_read(keys.event(fact.hex)) else None
    return None if record is None else record.get("awaited")


def receive(context: Context, fact: Fact, awaited: Record) -> bool:
    """The awaited event is here. Whether its own organisation has declared it in error before: then it never counts."""
    for msp in sorted(awaited):
        close_exception(context, fact, _KIND, f"{fact.hex}\n{msp}")
    mine = awaited.get(context.msp, [])
    if not mine:
        return False
    fact.flags.add("declared")
    context.state.put(keys.about(fact.hex), {**about_event(context, fact.hex), "declarations": mine})
    return True
