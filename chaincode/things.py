"""Instances: who holds them, where they are, what they are in.

A packed thing has no holder or place of its own: those of its outermost parent are its own. So moving a pallet is one
write, however much is on it.
"""

from __future__ import annotations

from typing import Any

from chaincode import keys, rules
from chaincode.context import Context, Fact, identify
from chaincode.exceptions import close_exception, open_exception
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis.identifiers import lot as lot_link

# of two statements about one moment, the later in this order stands
RELEASED, OBSERVED, ACCEPTED = 0, 1, 2
_DEEPEST = 32


def load(context: Context, uri: str) -> Record | None:
    """A thing's state, None if it was never seen."""
    return context.state.get(keys.thing(uri))


def save(context: Context, thing: Record) -> None:
    """Write a thing's state."""
    context.state.put(keys.thing(thing["id"]), thing)


def begin(context: Context, fact: Fact, uri: str, *, commissioned: bool, lot: str | None = None) -> Record:
    """A thing seen for the first time: it is held by whoever reports it, where they report it from."""
    if not commissioned:
        fact.flags.add("uncommissioned")
    thing: Record = {
        "id": uri,
        "msp": context.msp,
        "maker": context.msp,
        "holder": fact.party,
        "place": fact.place,
        "status": "active",
        "disposition": fact.disposition,
        "parent": None,
        "commissioned": commissioned,
        "lot": lot,
        "open": [],
        "handoffs": 0,
        "event": fact.hash,
        "time": fact.time,
        "rank": OBSERVED,
        "former": [context.msp],
        "ended": None,
        "questioned": False,
    }
    save(context, thing)
    return thing


def known(context: Context, fact: Fact, uri: str) -> Record:
    """A thing's state; one never seen is adopted. Raises Rejection after its end."""
    thing = load(context, uri)
    if thing is None:
        return begin(context, fact, uri, commissioned=False)
    rules.is_alive(uri, thing, fact)
    if not thing["commissioned"]:
        fact.flags.add("uncommissioned")
    return thing


def outermost(context: Context, thing: Record) -> Record:
    """The parent of the parent of … a thing; the thing itself if nothing holds it."""
    for _ in range(_DEEPEST):
        if thing["parent"] is None:
            return thing
        parent = load(context, thing["parent"])
        if parent is None:
            return thing
        thing = parent
    raise Rejection("too_deep", f"{thing['id']} is packed more than {_DEEPEST} deep")


def newer(thing: Record, fact: Fact, rank: int) -> bool:
    """Whether an event tells of a later moment than what is known of a thing."""
    return (fact.time, rank) >= (thing["time"], thing["rank"])


def update(context: Context, fact: Fact, thing: Record, rank: int, **changes: Any) -> Record:
    """Change a thing's state, unless the event tells of an earlier moment than what is known."""
    if not newer(thing, fact, rank):
        fact.flags.add("late")
        return thing
    disposition = fact.disposition if fact.disposition is not None else thing["disposition"]
    changed = {**thing, "disposition": disposition, "event": fact.hash, "time": fact.time, "rank": rank, **changes}
    save(context, changed)
    return changed


def require_custody(context: Context, fact: Fact, thing: Record) -> None:
    """Who handles a thing must hold it, or what it is in. Opens an exception where that is only flagged."""
    holder = outermost(context, thing)
    if rules.is_held(context, thing["id"], holder, fact):
        return
    fact.flags.add("not_held")
    detail = f"{context.msp} handled {thing['id']} ({fact.step or fact.event.type}), which {holder['msp']} holds"
    subject = f"{thing['id']}\n{context.msp}"
    between = (holder["holder"], fact.party)
    open_exception(context, fact, "custody", subject, detail, item=thing["id"], parties=between)
    if not thing["questioned"]:
        save(context, {**(load(context, thing["id"]) or thing), "questioned": True})


def explain_custody(context: Context, fact: Fact, thing: Record) -> None:
    """An organisation that now has a thing by its own acceptance had it when it handled it."""
    if thing["questioned"]:
        close_exception(context, fact, "custody", f"{thing['id']}\n{context.msp}")


def commission(context: Context, fact: Fact, uri: str) -> None:
    """A thing begins. One that others have seen already keeps its holder and place: its birth was only told late."""
    thing = load(context, uri)
    rules.is_not_commissioned_yet(context, uri, thing)
    lot = _lot_of(fact, uri)
    if thing is None:
        begin(context, fact, uri, commissioned=True, lot=lot)
    else:
        save(context, {**thing, "commissioned": True, "maker": context.msp, "lot": lot or thing["lot"]})


def _lot_of(fact: Fact, uri: str) -> str | None:
    """The lot that an item belongs to, from the event's instance/lot master data."""
    known_as = identify(uri)
    if known_as is None or known_as.gtin is None or not fact.event.ilmd:
        return None
    for name, value in fact.event.ilmd.items():
        if name.rpartition(":")[2].rpartition("/")[2] == "lotNumber" and isinstance(value, str):
            return identify_lot(known_as.gtin, value)
    return None


def identify_lot(gtin: str, lot: str) -> str | None:
    """The link of a lot; None for a lot number that GS1 does not allow."""
    try:
        return lot_link(gtin, lot)
    except ValueError:
        return None


def end(context: Context, fact: Fact, uri: str, status: str) -> None:
    """A thing's end."""
    thing = known(context, fact, uri)
    require_custody(context, fact, thing)
    if thing["status"] in rules.ENDED:
        return
    thing = load(context, uri) or thing
    if not newer(thing, fact, ACCEPTED):
        fact.flags.add("late")
        return
    root = outermost(context, thing)
    if thing["parent"] is not None:
        context.state.delete(keys.inside(thing["parent"], uri))
    there = {"parent": None, "holder": root["holder"], "msp": root["msp"], "place": root["place"]}
    update(context, fact, thing, ACCEPTED, status=status, ended=fact.time, **there)


def observe(context: Context, fact: Fact, uri: str) -> None:
    """A thing is seen. On its way anybody may see it; elsewhere only who holds it."""
    thing = known(context, fact, uri)
    holder = outermost(context, thing)
    if holder["status"] != "in_transit":
        require_custody(context, fact, thing)
        thing = load(context, uri) or thing
    if thing["parent"] is None and fact.place is not None and holder["status"] != "in_transit":
        update(context, fact, thing, OBSERVED, place=fact.place)
    else:
        update(context, fact, thing, OBSERVED)
