"""What follows from an event: who was in what, what was made of what, what moved, what is recalled. Pure, so that it can be taken back.

An event that is declared to be in error says nothing; its row stays, and what it had brought about is worked out once
more from the same words and taken away.
"""

from __future__ import annotations

from typing import NamedTuple

from chaincode.facts import KINDS
from chaincode.history import short_name
from readmodel.columns import in_base_unit
from readmodel.flows import EventFlow, event_flows
from readmodel.identifiers import clean
from readmodel.told import Named, Told

_MARK = 16
"""So many characters of an event's name tell it from every other: 96 bits."""
_RANKS = {"DELETE": 1, "ADD": 2, "release": 3, "receive": 4, "accept": 5, "OBSERVE": 7}
_END = 8
"""Of statements about one moment, the later in this order stands, as in the contract; of equal ones, the order of names."""
_MOVING = frozenset({"release", "receive", "accept"})
_SIDES = {
    "inputEPCList": "input",
    "inputQuantityList": "input",
    "outputEPCList": "output",
    "outputQuantityList": "output",
}


class PackingRow(NamedTuple):
    """A statement about a child and a parent; ``child`` None: all children; ``parent`` None: whatever it is in."""

    child: str | None
    parent: str | None
    time: int
    event: int
    n: int
    kind: str
    action: str
    mark: str
    quantity: int | None = None
    uom: str | None = None


class EdgeRow(NamedTuple):
    """An input or output of a making."""

    thing: str
    side: str
    key: str
    event: int
    n: int
    time: int
    quantity: int | None
    uom: str | None


class RecallRow(NamedTuple):
    """That a thing is recalled, or is no more."""

    thing: str
    time: int
    event: int
    recalled: bool


class Consequences(NamedTuple):
    """All that follows from one event."""

    packings: list[PackingRow]
    edges: list[EdgeRow]
    flows: list[EventFlow]
    recalls: list[RecallRow]


def consequences(event: int, digest: str, told: Told, msp: str | None, party: str | None) -> Consequences:
    """Of an event with its id, its name's digits, who said it and for whom. Identifiers in it are clean."""
    packings: list[PackingRow] = []
    edges: list[EdgeRow] = []
    recalls: list[RecallRow] = []
    if told.type in ("AggregationEvent", "AssociationEvent"):
        packings = _packing(event, digest, told)
    elif told.type == "TransformationEvent":
        packings = _of_each(event, digest, told, "inputEPCList", "DELETE", _END)
        edges = _edges(event, digest, told, msp)
    elif told.type == "ObjectEvent":
        packings = _object(event, digest, told)
    if told.recalled is not None:
        recalls = [
            RecallRow(thing, told.time, event, told.recalled) for thing in {item.thing: 0 for item in told.named}
        ]
    return Consequences(packings, edges, list(event_flows(told, party)), recalls)


def making_of(digest: str, told: Told, msp: str | None) -> str:
    """The making that a TransformationEvent tells of.

    Only one organisation's events are tied together: nobody can add inputs to what another one made.
    """
    return digest if told.tie is None else clean(f"{msp} {told.tie}")


def _mark(rank: int, digest: str) -> str:
    return f"{rank}{short_name(digest)[:_MARK]}"


def _object(event: int, digest: str, told: Told) -> list[PackingRow]:
    """What is no more is in nothing any more, though nobody unpacked it; nor is what is shipped or received by itself."""
    if told.action == "DELETE":
        return _of_each(event, digest, told, "epcList", "DELETE", _END)
    moving = KINDS.get(told.step or "")
    if moving in _MOVING:
        return _of_each(event, digest, told, "epcList", "MOVE", _RANKS[moving])
    return []


def _of_each(event: int, digest: str, told: Told, role: str, action: str, rank: int) -> list[PackingRow]:
    mark = _mark(rank, digest)
    return [
        PackingRow(item.thing, None, told.time, event, n, "aggregation", action, mark)
        for n, item in enumerate(told.named)
        if item.role == role
    ]


def _packing(event: int, digest: str, told: Told) -> list[PackingRow]:
    named, action = told.named, told.action or ""
    if not named or named[0].role != "parentID":
        return []  # an observation of things together that names no parent says nothing of containment
    parent, associated = named[0].thing, told.type == "AssociationEvent"
    mark = _mark(_RANKS[action], digest)
    rows: list[PackingRow] = []
    children = _children(named)
    for n, item in children:
        if item.thing == parent:
            continue  # nothing is in itself
        loose = "quantity" if item.role == "childQuantityList" else "aggregation"
        kind = "association" if associated else loose
        rows.append(PackingRow(item.thing, parent, told.time, event, n, kind, action, mark, item.quantity, item.uom))
    if not children and action == "DELETE":
        kind = "association" if associated else "aggregation"
        rows.append(PackingRow(None, parent, told.time, event, 0, kind, action, mark))
    moving = KINDS.get(told.step or "")
    if action == "OBSERVE" and moving in _MOVING and not associated:  # the parent is handed over, by itself
        rows.append(PackingRow(parent, None, told.time, event, 0, "aggregation", "MOVE", _mark(_RANKS[moving], digest)))
    return rows


def _children(named: list[Named]) -> list[tuple[int, Named]]:
    """The children with their places; what one event says of one class and unit is one statement."""
    found: dict[tuple[str, str, str | None], tuple[int, Named]] = {}
    for n, stated in enumerate(named):
        if stated.role not in ("childEPCs", "childQuantityList"):
            continue
        item = stated
        if stated.quantity is not None or stated.uom is not None:
            quantity, uom = in_base_unit(stated.quantity, stated.uom)
            item = stated._replace(quantity=quantity, uom=uom)
        key = (item.thing, item.role, item.uom)
        if key not in found:
            found[key] = (n, item)
        elif item.quantity is not None or found[key][1].quantity is not None:
            first, known = found[key]
            both = None if item.quantity is None or known.quantity is None else item.quantity + known.quantity
            found[key] = (first, known._replace(quantity=both))
    return list(found.values())


def _edges(event: int, digest: str, told: Told, msp: str | None) -> list[EdgeRow]:
    key = making_of(digest, told, msp)
    return [
        EdgeRow(item.thing, _SIDES[item.role], key, event, n, told.time, item.quantity, item.uom)
        for n, item in enumerate(told.named)
        if item.role in _SIDES
    ]
