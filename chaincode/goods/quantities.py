"""What an event says of quantities: made, used up, seen, packed, handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from chaincode import lots
from chaincode.context import Context
from chaincode.facts import KINDS, Fact
from epcis import QuantityElement

# steps after which a quantity is no more, whatever the action says
_USING_UP = frozenset({"decommissioning", "destroying", "dispensing", "retail_selling"})


class _Doing(Protocol):
    def __call__(
        self, context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None
    ) -> None: ...


_Said = Iterator[tuple[_Doing, QuantityElement]]


def apply(context: Context, fact: Fact) -> None:
    """Change lots as the event says. Raises Rejection."""
    for do, element in _said(fact):
        do(context, fact, element)


def take_back(context: Context, declaration: Fact, fact: Fact) -> None:
    """Change lots as if the event had not been, which a declaration says was in error."""
    for do, element in _said(fact):
        do(context, fact, element, retracted_by=declaration)


def _said(fact: Fact) -> _Said:
    speak = _SPEAKERS.get(fact.event.type)
    return iter(()) if speak is None or not fact.classes else speak(fact)


def _object(fact: Fact) -> _Said:
    event = fact.event
    do: _Doing
    if event.action == "ADD" and fact.step not in KINDS:
        do = lots.make
    elif event.action == "DELETE":
        do = lots.use
    elif fact.step in KINDS:
        do = lots.hand_over
    else:
        do = lots.use if fact.step in _USING_UP else lots.see
    return ((do, element) for element in event.quantity_list)


def _aggregation(fact: Fact) -> _Said:
    parent, packing = fact.event.parent_id, {"ADD": lots.pack, "DELETE": lots.unpack}.get(fact.event.action or "")
    if parent is None or packing is None:
        return

    def do(context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None) -> None:
        packing(context, fact, parent, element, retracted_by=retracted_by)

    for element in fact.event.child_quantity_list:
        yield do, element


def _transformation(fact: Fact) -> _Said:
    for element in fact.event.input_quantity_list:
        yield lots.use, element
    for element in fact.event.output_quantity_list:
        yield lots.make, element


def _transaction(fact: Fact) -> _Said:
    return ((lots.see, element) for element in fact.event.quantity_list)


_SPEAKERS: dict[str, Callable[[Fact], _Said]] = {
    "ObjectEvent": _object,
    "AggregationEvent": _aggregation,
    "TransformationEvent": _transformation,
    "TransactionEvent": _transaction,
}
