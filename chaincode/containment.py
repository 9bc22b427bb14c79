"""Packing and unpacking.

What a thing is in is told by the last packing or unpacking of it by event time; one that is told late changes nothing.
"""

from __future__ import annotations

from chaincode import keys, lots, rules, things
from chaincode.claims import Claim
from chaincode.context import Context, identify
from chaincode.custody import holder_at, taken_out
from chaincode.exceptions import open_exception
from chaincode.facts import Fact
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis import QuantityElement

_SSCC = "00"


def pack(context: Context, fact: Fact, parent_uri: str, children: list[str], loose: list[QuantityElement]) -> None:
    """Put things and loose quantities into a parent. A logistic unit (SSCC) begins by being packed."""
    parent = things.handled(context, fact, _parent(context, fact, parent_uri))
    things.finish(context, fact, things.seen(context, fact, parent))
    for child in children:
        _pack_one(context, fact, parent_uri, child)
    for element in loose:
        lots.pack(context, fact, parent_uri, element)


def _parent(context: Context, fact: Fact, uri: str) -> Record:
    known_as = identify(uri)
    if things.load(context, uri) is None and known_as is not None and known_as.ai == _SSCC:
        return things.begin(context, fact, uri, commissioned=True)
    return things.known(context, fact, uri)


def _pack_one(context: Context, fact: Fact, parent_uri: str, uri: str) -> None:
    child = things.handled(context, fact, things.known(context, fact, uri))
    parent = things.load(context, parent_uri)
    assert parent is not None
    if _is_late(fact, child) or fact.time < parent.get("emptied", "") or "ended" in child:
        fact.flags.add("late")
        things.finish(context, fact, things.told(context, fact, child, things.OBSERVED))
        return
    _check_forest(context, parent, uri)
    if child["parent"] not in (None, parent_uri):
        _repack(context, fact, child, parent_uri)
    if child["parent"] != parent_uri:
        context.state.file(keys.inside(parent_uri, uri), {"since": fact.time, "event": fact.hash})
    inside = {"parent": parent_uri, "packed": fact.time, "holder": None, "place": None, "status": "active"}
    things.finish(context, fact, things.told(context, fact, {**child, **inside}, things.OBSERVED))


def _is_late(fact: Fact, child: Record) -> bool:
    return bool(fact.time < child.get("packed", ""))


def _check_forest(context: Context, parent: Record, child: str) -> None:
    """Nothing is in itself, however indirectly."""
    at: Record | None = parent
    while at is not None:
        if at["id"] == child:
            raise Rejection("cycle", f"{child} cannot be packed into {parent['id']}, which is in it", "childEPCs")
        at = things.load(context, at["parent"]) if at["parent"] is not None else None


def _repack(context: Context, fact: Fact, child: Record, into: str) -> None:
    """In another parent still: nobody reported that it was taken out."""
    rules.is_unpacked(context, child)
    fact.flags.add("repacked")
    detail = f"{child['id']} was packed into {into} while it was in {child['parent']}"
    subject = f"{child['id']}\n{fact.hash}"
    open_exception(context, fact, "aggregation", subject, detail, item=child["id"], parties=(fact.party,))
    context.state.delete(keys.inside(child["parent"], child["id"]))


def unpack(context: Context, fact: Fact, parent_uri: str, children: list[str], loose: list[QuantityElement]) -> None:
    """Take things out of a parent; all of them if none is named. Who unpacks has them in hand."""
    parent = things.handled(context, fact, things.known(context, fact, parent_uri))
    emptied: list[str] = []
    if not children and not loose:
        children, emptied = _contents(context, parent_uri), lots.inside(context, parent_uri)
        parent = {**parent, "emptied": max(fact.time, parent.get("emptied", ""))}
    things.finish(context, fact, things.seen(context, fact, parent))
    for child in children:
        _unpack_one(context, fact, parent, child)
    for element in loose:
        lots.unpack(context, fact, parent_uri, element)
    for lot in emptied:
        lots.emptied(context, fact, parent_uri, lot)


def _contents(context: Context, parent: str) -> list[str]:
    children = [attributes[1] for attributes, _ in context.state.under("IN", parent)]
    context.state.prefetch(key for uri in children for key in (keys.thing(uri), keys.claims(uri, "")))
    return children


def _unpack_one(context: Context, fact: Fact, parent: Record, uri: str) -> None:
    child = things.known(context, fact, uri)
    if child["parent"] not in (None, parent["id"]):
        fact.flags.add("not_packed")
    elif _is_late(fact, child):
        fact.flags.add("late")
    else:
        if child["parent"] is None:
            fact.flags.add("not_packed")
        else:
            context.state.delete(keys.inside(parent["id"], uri))
        hand = taken_out(child.get("unpacked", ()), _holding(context, fact, parent))
        out = {"parent": None, "packed": fact.time, "unpacked": hand}
        where = fact.place or parent["place"]
        child = things.told(context, fact, {**child, **out}, things.OBSERVED, place=where)
        things.refresh(context, fact, child, things.lane_of(context, child))


def _holding(context: Context, fact: Fact, parent: Record) -> Record:
    party = fact.party if fact.party is not None or parent["msp"] != context.msp else parent["holder"]
    return {"time": fact.time, "msp": context.msp, "party": party}


def take_out(context: Context, fact: Fact, child: Record, *, received: bool = False) -> Record:
    """A thing that is shipped or received by itself while it is still packed: nobody reported that it was taken out.

    Who held it with its parent held it until then. Raises Rejection under ``enforce``.
    """
    rules.is_unpacked(context, child)
    fact.flags.add("unpacked")
    top = things.outermost(context, child)
    holder = holder_at(things.holdings_of(context, top), fact.time)
    context.state.delete(keys.inside(child["parent"], child["id"]))
    if received:
        before = {"time": fact.time, "event": fact.hash, "parent": child["parent"], "packed": child.get("packed", "")}
        taken = {**top.get("taken", {}), child["id"]: {**before, "unpacked": child.get("unpacked", [])}}
        context.state.put(keys.thing(top["id"]), {**top, "taken": taken})
    hand = {"time": fact.time, "msp": holder.msp, "party": holder.party}
    return {**child, "parent": None, "packed": fact.time, "unpacked": taken_out(child.get("unpacked", ()), hand)}


def put_back(context: Context, fact: Fact, uri: str, taken: Record) -> list[Claim]:
    """Undo the taking out of a thing that was received by itself; returns the claims, which were its parent's.

    Nothing is undone if more was told of it since.
    """
    child = things.load(context, uri)
    if child is None or child["parent"] is not None or child.get("packed") != taken["time"]:
        return []
    lane = things.lane_of(context, child)
    claims = lane.remove(taken["event"])
    inside = {"parent": taken["parent"], "packed": taken["packed"], "unpacked": taken["unpacked"], "place": None}
    context.state.put(keys.inside(taken["parent"], uri), {"since": taken["packed"], "event": fact.hash})
    things.refresh(context, fact, {**child, **inside}, lane)
    return claims
