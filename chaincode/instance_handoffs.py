"""Releases and acceptances of instances."""

from __future__ import annotations

from collections.abc import Sequence

from chaincode import handoffs, keys, parties, things
from chaincode.containment import take_out
from chaincode.context import Context, Fact, hash_hex
from chaincode.rejection import Rejection
from chaincode.state import Record

_DAMAGED = "damaged"


def release(context: Context, fact: Fact, uris: list[str]) -> None:
    """Everything that is shipped, each with what is in it."""
    shipped = [_release_one(context, fact, uri) for uri in _tops(context, uris)]
    _note_left_behind(context, fact, shipped)


def accept(context: Context, fact: Fact, uris: list[str]) -> None:
    """Everything that is received, each with what is in it."""
    received = [_accept_one(context, fact, uri, set(uris)) for uri in _tops(context, uris)]
    siblings = [sibling for handoff in received if handoff for sibling in _siblings(context, handoff)]
    _note_left_behind(context, fact, [*received, *siblings])


def _tops(context: Context, uris: list[str]) -> list[str]:
    """Without those that are in others of the same list: they go where their parent goes."""
    listed = set(uris)
    return [uri for uri in uris if _above(context, uri).isdisjoint(listed)]


def _above(context: Context, uri: str) -> set[str]:
    above: set[str] = set()
    thing = things.load(context, uri)
    while thing is not None and thing["parent"] is not None and thing["parent"] not in above:
        above.add(thing["parent"])
        thing = things.load(context, thing["parent"])
    return above


def _open_of(context: Context, thing: Record) -> list[Record]:
    return [handoffs.load(context, identifier) for identifier in thing["open"]]


def _release_one(context: Context, fact: Fact, uri: str) -> Record:
    thing = things.known(context, fact, uri)
    waiting = _open_of(context, thing)
    consignee = parties.consignee(context, fact)
    match = _acceptance_for(fact, waiting, consignee) or _same_release(context, fact, waiting, consignee)
    if match is None or not handoffs.is_accepted(match):
        things.require_custody(context, fact, thing)
        thing = things.load(context, uri) or thing
    if thing["parent"] is not None and things.newer(thing, fact, things.RELEASED):
        thing = _out_of_parent(context, fact, thing)
    number = thing["handoffs"] + (match is None)
    handoff = match or handoffs.new(handoffs.identifier(uri, number), uri, "instance")
    handoff = handoffs.released(context, fact, handoff)
    thing = {**thing, "handoffs": number, "former": sorted({*thing["former"], context.msp})}
    _settle(context, fact, thing, waiting, handoff)
    thing = things.load(context, uri) or thing
    things.update(context, fact, thing, things.RELEASED, status="in_transit", place=None)
    return handoffs.load(context, handoff["id"])


def _acceptance_for(fact: Fact, waiting: list[Record], consignee: str | None) -> Record | None:
    document = handoffs.reference(fact.event)
    for handoff in waiting:
        fits = consignee is None or handoff["to"] in (None, consignee)
        in_time = handoff["acceptedAt"] is not None and handoff["acceptedAt"] >= fact.time
        if not handoffs.is_released(handoff) and fits and in_time and handoffs.agree(handoff["reference"], document):
            return handoff
    return None


def _same_release(context: Context, fact: Fact, waiting: list[Record], consignee: str | None) -> Record | None:
    """A release that was attested before, to the same consignee: said twice it is still one."""
    document = handoffs.reference(fact.event)
    for handoff in waiting:
        same = handoff["to"] == consignee and handoff["fromMsp"] == context.msp
        if same and not handoffs.is_accepted(handoff) and handoffs.agree(handoff["reference"], document):
            return handoff
    return None


def _out_of_parent(context: Context, fact: Fact, thing: Record) -> Record:
    """Shipped or received by itself while it is still packed: nobody reported that it was taken out."""
    if context.enforces:
        detail = f"{thing['id']} is in {thing['parent']}: unpack it first, or name the parent"
        raise Rejection("packed", detail, "epcList")
    fact.flags.add("unpacked")
    take_out(context, fact, thing["parent"], things.outermost(context, thing), thing["id"])
    return things.load(context, thing["id"]) or thing


def _accept_one(context: Context, fact: Fact, uri: str, listed: set[str]) -> Record | None:
    unseen = things.load(context, uri) is None
    thing = things.known(context, fact, uri)
    waiting = _open_of(context, thing)
    match = _release_for(fact, waiting) or _same_acceptance(context, fact, waiting)
    if thing["parent"] is not None and things.newer(thing, fact, things.ACCEPTED):
        match = match or _from_parent(context, fact, thing)
        thing = _out_of_parent(context, fact, thing)
    if match is None and not unseen and _has_it_already(context, fact, thing):
        things.observe(context, fact, uri)
        return None
    known = match is not None and context.state.get(keys.handoff(match["id"])) is not None
    number = thing["handoffs"] + (not known)
    handoff = match or handoffs.new(handoffs.identifier(uri, number), uri, "instance")
    if not known:
        handoff = {**handoff, "id": handoffs.identifier(uri, number)}
    handoff = handoffs.accepted(context, fact, handoff)
    thing = {**thing, "handoffs": number, "former": sorted({*thing["former"], context.msp})}
    _settle(context, fact, thing, waiting, handoff)
    thing = things.load(context, uri) or thing
    things.explain_custody(context, fact, thing)
    things.update(
        context, fact, thing, things.ACCEPTED, msp=context.msp, holder=fact.party, place=fact.place, status="active"
    )
    if fact.disposition == _DAMAGED:
        handoffs.note_damage(context, fact, handoff)
    return handoffs.load(context, handoff["id"])


def _release_for(fact: Fact, waiting: list[Record]) -> Record | None:
    document = handoffs.reference(fact.event)
    fitting = [
        handoff
        for handoff in waiting
        if handoffs.is_released(handoff)
        and (fact.party is None or handoff["to"] in (None, fact.party))
        and handoff["releasedAt"] <= fact.time
        and handoffs.agree(handoff["reference"], document)
    ]
    return min(fitting, key=lambda handoff: (handoff["to"] is None, handoff["releasedAt"], handoff["id"]), default=None)


def _same_acceptance(context: Context, fact: Fact, waiting: list[Record]) -> Record | None:
    for handoff in waiting:
        if not handoffs.is_released(handoff) and handoff["to"] == fact.party and handoff["toMsp"] == context.msp:
            return handoff
    return None


def _has_it_already(context: Context, fact: Fact, thing: Record) -> bool:
    """Accepted again after it was received: nothing changes hands."""
    mine = thing["msp"] == context.msp and thing["holder"] == fact.party
    return bool(mine and thing["status"] != "in_transit")


def _from_parent(context: Context, fact: Fact, thing: Record) -> Record | None:
    """A case scanned off a pallet that was released to us was released with it."""
    root = things.outermost(context, thing)
    release = _release_for(fact, _open_of(context, root))
    if release is None:
        return None
    fresh: Record = {"acceptEvents": [], "acceptedAt": None, "faults": [], "short": False}
    return {**release, "id": "", "item": thing["id"], **fresh}


def _settle(context: Context, fact: Fact, thing: Record, waiting: list[Record], handoff: Record) -> None:
    others = [other for other in waiting if other["id"] != handoff["id"]]
    still_open = handoffs.settle(context, fact, [*others, handoff])
    things.save(context, {**thing, "open": sorted(still_open)})


def _siblings(context: Context, handoff: Record) -> list[Record]:
    """The handoffs that were opened by the same release."""
    found = []
    for hash_uri in handoff["releaseEvents"]:
        for uri in _items(context, hash_uri):
            thing = things.load(context, uri)
            open_ones = _open_of(context, thing) if thing is not None and uri != handoff["item"] else []
            found += [other for other in open_ones if hash_uri in other["releaseEvents"]]
    return found


def _items(context: Context, hash_uri: str) -> list[str]:
    """What a captured event lists."""
    if hash_uri in context.captured:
        return list(context.captured[hash_uri].epc_list)
    record = context.state.get(keys.event(hash_hex(hash_uri)))
    return list(record["event"].get("epcList", ())) if record is not None else []


def _note_left_behind(context: Context, fact: Fact, together: Sequence[Record | None]) -> None:
    """Of what was released together, some has arrived: the rest is short until it does."""
    latest = {handoff["id"]: handoffs.load(context, handoff["id"]) for handoff in together if handoff is not None}
    arrived = {e for handoff in latest.values() if handoffs.is_accepted(handoff) for e in handoff["releaseEvents"]}
    for identifier in sorted(latest):
        handoff = latest[identifier]
        short = not handoffs.is_accepted(handoff) and not arrived.isdisjoint(handoff["releaseEvents"])
        if short and not handoff["short"]:
            thing = things.load(context, handoff["item"])
            assert thing is not None
            others = [other for other in _open_of(context, thing) if other["id"] != identifier]
            handoffs.settle(context, fact, [*others, {**handoff, "short": True}])


__all__ = ["accept", "release"]
