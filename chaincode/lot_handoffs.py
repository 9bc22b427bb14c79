"""Releases and acceptances of quantities of lots.

What is on its way to a consignee is found by product and consignee. Acceptances fill releases in the order of their
release; a part that is missing or too much stays open until a later event makes up for it.
"""

from __future__ import annotations

from decimal import Decimal

from chaincode import handoffs, keys, lots, parties
from chaincode.context import Context, Fact, decimal, product_of
from chaincode.state import Record
from epcis import QuantityElement

_DAMAGED = "damaged"
_NOBODY = ""


class Waiting:
    """The open handoffs of a product to a consignee, and those to nobody in particular."""

    def __init__(self, context: Context, product: str, consignee: str | None) -> None:
        self._context = context
        self._product = product
        self._consignee = consignee or _NOBODY
        self._own = self._read(self._consignee)
        self._others = self._read(_NOBODY) if self._consignee else None

    def _read(self, consignee: str) -> Record:
        return self._context.state.get(keys.waiting(self._product, consignee)) or {"count": 0, "open": []}

    def handoffs(self) -> list[Record]:
        """All of them, oldest release first."""
        identifiers = [*self._own["open"], *(self._others["open"] if self._others is not None else ())]
        return [handoffs.load(self._context, identifier) for identifier in identifiers]

    def new(self, item: str) -> Record:
        """A handoff of which nothing is known yet."""
        self._own = {**self._own, "count": self._own["count"] + 1}
        return handoffs.new(handoffs.identifier(f"{self._product}\n{self._consignee}", self._own["count"]), item, "lot")

    def settle(self, fact: Fact, changed: list[Record]) -> None:
        """Save what changed, and what still waits."""
        current = {handoff["id"]: handoff for handoff in [*self.handoffs(), *changed]}
        still_open = set(handoffs.settle(self._context, fact, [current[key] for key in sorted(current)]))
        if self._others is not None:
            elsewhere = [i for i in self._others["open"] if i in still_open and current[i]["to"] is None]
            if elsewhere != self._others["open"]:
                self._save(_NOBODY, {**self._others, "open": elsewhere})
            still_open -= set(elsewhere)
        self._save(self._consignee, {**self._own, "open": sorted(still_open)})

    def _save(self, consignee: str, record: Record) -> None:
        self._context.state.put(keys.waiting(self._product, consignee), record)


def release(context: Context, fact: Fact, element: QuantityElement) -> None:
    """So much of a lot is shipped."""
    quantity = decimal(element.quantity) if element.quantity is not None else Decimal(0)
    lots.move(context, fact, element, -quantity, fact.party, fact.place)
    waiting = Waiting(context, product_of(element.epc_class), parties.consignee(context, fact))
    handoff = _acceptance_for(fact, element, waiting.handoffs()) or waiting.new(element.epc_class)
    handoff = handoffs.released(context, fact, {**handoff, "uom": element.uom}, quantity)
    waiting.settle(fact, [handoff])


def _acceptance_for(fact: Fact, element: QuantityElement, waiting: list[Record]) -> Record | None:
    """An acceptance that no release explains yet, or a part of the same shipment."""
    document = handoffs.reference(fact.event)
    for handoff in waiting:
        if handoff["item"] != element.epc_class or not handoffs.agree(handoff["reference"], document):
            continue
        unexplained = handoffs.missing(handoff) < 0 and handoff["acceptedAt"] >= fact.time
        same_shipment = document is not None and handoff["reference"] == document
        if unexplained or same_shipment:
            return handoff
    return None


def accept(context: Context, fact: Fact, element: QuantityElement) -> None:
    """So much of a lot is received."""
    quantity = decimal(element.quantity) if element.quantity is not None else Decimal(0)
    lots.move(context, fact, element, quantity, fact.party, fact.place)
    waiting = Waiting(context, product_of(element.epc_class), fact.party)
    fitting = _fitting(fact, element, waiting.handoffs())
    changed = _share(context, fact, quantity, fitting) if fitting else []
    if not changed:
        changed = [_without_release(context, fact, element, waiting, quantity)]
    waiting.settle(fact, changed)
    if fact.disposition == _DAMAGED:
        handoffs.note_damage(context, fact, changed[-1])


def _fitting(fact: Fact, element: QuantityElement, waiting: list[Record]) -> list[Record]:
    document = handoffs.reference(fact.event)
    fitting = [
        handoff
        for handoff in waiting
        if handoff["item"] == element.epc_class
        and handoffs.is_released(handoff)
        and handoff["releasedAt"] <= fact.time
        and handoffs.agree(handoff["reference"], document)
    ]
    return sorted(fitting, key=lambda h: (h["reference"] != document, h["releasedAt"], h["id"]))


def _share(context: Context, fact: Fact, quantity: Decimal, fitting: list[Record]) -> list[Record]:
    """Fill releases one after the other; what is left over is too much of the last."""
    changed: list[Record] = []
    for handoff in fitting:
        last = handoff is fitting[-1]
        part = quantity if last else min(quantity, max(handoffs.missing(handoff), Decimal(0)))
        if part > 0 or (last and not changed):
            changed.append(handoffs.accepted(context, fact, handoff, part))
            quantity -= part
    return changed


def _without_release(
    context: Context, fact: Fact, element: QuantityElement, waiting: Waiting, quantity: Decimal
) -> Record:
    document = handoffs.reference(fact.event)
    for handoff in waiting.handoffs():
        same = handoff["item"] == element.epc_class and handoffs.agree(handoff["reference"], document)
        if same and not handoffs.is_released(handoff):
            return handoffs.accepted(context, fact, handoff, quantity)
    return handoffs.accepted(context, fact, {**waiting.new(element.epc_class), "uom": element.uom}, quantity)
