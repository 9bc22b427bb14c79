"""Packing and unpacking."""

from __future__ import annotations

from chaincode import keys, lots, things
from chaincode.context import Context, Fact, decimal, decimal_text, identify
from chaincode.exceptions import open_exception
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis import QuantityElement

_SSCC = "00"


def pack(context: Context, fact: Fact, parent_uri: str, children: list[str], loose: list[QuantityElement]) -> None:
    """Put things and loose quantities into a parent. A logistic unit (SSCC) begins by being packed."""
    parent = _parent(context, fact, parent_uri)
    for child in children:
        _pack_one(context, fact, parent, child)
    for element in loose:
        _pack_loose(context, fact, parent, element)
    things.update(context, fact, things.load(context, parent_uri) or parent, things.OBSERVED)


def _parent(context: Context, fact: Fact, uri: str) -> Record:
    if things.load(context, uri) is None:
        known_as = identify(uri)
        is_logistic_unit = known_as is not None and known_as.ai == _SSCC
        return things.begin(context, fact, uri, commissioned=is_logistic_unit)
    parent = things.known(context, fact, uri)
    things.require_custody(context, fact, parent)
    return things.load(context, uri) or parent


def _pack_one(context: Context, fact: Fact, parent: Record, uri: str) -> None:
    child = things.known(context, fact, uri)
    things.require_custody(context, fact, child)
    child = things.load(context, uri) or child
    if child["parent"] == parent["id"] or not things.newer(child, fact, things.OBSERVED):
        return
    _check_forest(context, parent, uri)
    if child["parent"] is not None:
        _repack(context, fact, child, parent["id"])
    context.state.put(keys.inside(parent["id"], uri), {"since": fact.time, "event": fact.hash})
    things.update(context, fact, child, things.OBSERVED, parent=parent["id"], holder=None, place=None, status="active")


def _check_forest(context: Context, parent: Record, child: str) -> None:
    """Nothing is in itself, however indirectly."""
    at = parent
    while True:
        if at["id"] == child:
            raise Rejection("cycle", f"{child} cannot be packed into {parent['id']}, which is in it", "childEPCs")
        above = things.load(context, at["parent"]) if at["parent"] is not None else None
        if above is None:
            return
        at = above


def _repack(context: Context, fact: Fact, child: Record, into: str) -> None:
    """In another parent still: nobody reported that it was taken out."""
    if context.enforces:
        raise Rejection("already_packed", f"{child['id']} is still in {child['parent']}: unpack it first", "childEPCs")
    detail = f"{child['id']} was packed into {into} while it was in {child['parent']}"
    fact.flags.add("repacked")
    open_exception(
        context, fact, "aggregation", f"{child['id']}\n{fact.hash}", detail, item=child["id"], parties=(fact.party,)
    )
    context.state.delete(keys.inside(child["parent"], child["id"]))


def _pack_loose(context: Context, fact: Fact, parent: Record, element: QuantityElement) -> None:
    if element.quantity is None:
        return
    root = things.outermost(context, parent)
    lots.move(context, fact, element, -decimal(element.quantity), root["holder"], root["place"])
    _add_loose(context, fact, parent["id"], element, 1)


def _add_loose(context: Context, fact: Fact, parent: str, element: QuantityElement, sign: int) -> None:
    key = keys.loose(parent, element.epc_class)
    inside = context.state.get(key)
    before = decimal(inside["quantity"]) if inside is not None else decimal(0)
    after = before + sign * decimal(element.quantity)
    if after == 0:
        context.state.delete(key)
    else:
        context.state.put(key, {"quantity": decimal_text(after), "uom": element.uom})


def unpack(context: Context, fact: Fact, parent_uri: str, children: list[str], loose: list[QuantityElement]) -> None:
    """Take things out of a parent; all of them if none is named."""
    parent = things.known(context, fact, parent_uri)
    things.require_custody(context, fact, parent)
    root = _in_hand(context, fact, things.outermost(context, things.load(context, parent_uri) or parent))
    parent = things.load(context, parent_uri) or parent
    if not children and not loose:
        children = [attributes[1] for attributes, _ in context.state.under("IN", parent_uri)]
        loose = [
            QuantityElement.model_construct(
                epc_class=attributes[1], quantity=decimal(record["quantity"]), uom=record["uom"]
            )
            for attributes, record in context.state.under("IQ", parent_uri)
        ]
    for child in children:
        take_out(context, fact, parent_uri, root, child)
    for element in loose:
        _unpack_loose(context, fact, parent_uri, root, element)
    things.update(context, fact, parent, things.OBSERVED)


def _in_hand(context: Context, fact: Fact, root: Record) -> Record:
    """Who takes goods out of something has it, whether or not they said that they received it."""
    if root["msp"] == context.msp or not things.newer(root, fact, things.OBSERVED):
        return root
    former = sorted({*root["former"], context.msp})
    there = {"holder": fact.party, "place": fact.place, "status": "active", "former": former}
    return things.update(context, fact, root, things.OBSERVED, msp=context.msp, **there)


def take_out(context: Context, fact: Fact, parent: str, root: Record, uri: str) -> None:
    """One thing leaves a parent and is where its outermost parent is."""
    child = things.known(context, fact, uri)
    if child["parent"] != parent:
        fact.flags.add("not_packed")
        return
    if not things.newer(child, fact, things.OBSERVED):
        fact.flags.add("late")
        return
    context.state.delete(keys.inside(parent, uri))
    things.update(
        context,
        fact,
        child,
        things.OBSERVED,
        parent=None,
        holder=root["holder"],
        msp=root["msp"],
        former=sorted({*child["former"], *root["former"]}),
        place=fact.place or root["place"],
        status=root["status"] if root["status"] in ("active", "in_transit") else "active",
    )


def _unpack_loose(context: Context, fact: Fact, parent: str, root: Record, element: QuantityElement) -> None:
    if element.quantity is None:
        return
    _add_loose(context, fact, parent, element, -1)
    lots.move(context, fact, element, decimal(element.quantity), root["holder"], fact.place or root["place"])
