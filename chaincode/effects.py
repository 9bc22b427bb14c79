"""What an event does to the state, by its type and business step."""

from __future__ import annotations

from chaincode import containment, instance_handoffs, lots, parties, rules, things
from chaincode.context import Context
from chaincode.facts import KINDS, Fact

RELEASING = frozenset(step for step, kind in KINDS.items() if kind in ("release", "void"))
ACCEPTING = frozenset(step for step, kind in KINDS.items() if kind in ("receive", "accept"))
# steps after which a quantity is no more, whatever the action says
_USING_UP = frozenset({"consuming", "decommissioning", "destroying", "dispensing", "retail_selling"})
_ENDS = {"destroying": "destroyed", "consuming": "consumed"}


def apply(context: Context, fact: Fact) -> None:
    """Change the state as the event says. Raises Rejection."""
    _who_speaks(context, fact)
    if fact.event.error_declaration is not None:
        return  # it takes back a statement; what was built on it stands until it is corrected by events
    handler = _HANDLERS.get(fact.event.type)
    if handler is not None:
        handler(context, fact)


def _who_speaks(context: Context, fact: Fact) -> None:
    """The party behind the event: the sender of a release, the consignee of an acceptance, else whose place it is."""
    fact.party = parties.reporter(context, fact)
    if fact.step in RELEASING:
        fact.party = parties.sender(context, fact) or fact.party
        rules.party_is_own(context, fact.party, "sourceList")
    elif fact.step in ACCEPTING:
        fact.party = parties.consignee(context, fact) or fact.party
        rules.party_is_own(context, fact.party, "destinationList")


def _object(context: Context, fact: Fact) -> None:
    event = fact.event
    if event.action == "ADD" and fact.step not in KINDS:
        for uri in event.epc_list:
            things.commission(context, fact, uri)
        for element in event.quantity_list:
            lots.make(context, fact, element)
    elif event.action == "DELETE":
        for uri in event.epc_list:
            things.end(context, fact, uri, _ENDS.get(fact.step or "", "decommissioned"))
        for element in event.quantity_list:
            lots.use(context, fact, element)
    else:
        _observed(context, fact)


def _observed(context: Context, fact: Fact) -> None:
    event = fact.event
    if fact.step in KINDS:
        _hand_over(context, fact, list(event.epc_list))
        for element in event.quantity_list:
            lots.hand_over(context, fact, element)
    else:
        for uri in event.epc_list:
            things.observe(context, fact, uri)
        for element in event.quantity_list:
            (lots.use if fact.step in _USING_UP else lots.see)(context, fact, element)


def _hand_over(context: Context, fact: Fact, uris: list[str]) -> None:
    (instance_handoffs.release if fact.step in RELEASING else instance_handoffs.accept)(context, fact, uris)


def _aggregation(context: Context, fact: Fact) -> None:
    event = fact.event
    if event.parent_id is None:
        return
    children, loose = list(event.child_epcs), list(event.child_quantity_list)
    if event.action == "ADD":
        containment.pack(context, fact, event.parent_id, children, loose)
    elif event.action == "DELETE":
        containment.unpack(context, fact, event.parent_id, children, loose)
    elif fact.step in KINDS:
        _hand_over(context, fact, [event.parent_id])
    else:
        things.observe(context, fact, event.parent_id)


def _transformation(context: Context, fact: Fact) -> None:
    event = fact.event
    for uri in event.input_epc_list:
        things.end(context, fact, uri, "consumed")
    for element in event.input_quantity_list:
        lots.use(context, fact, element)
    for uri in event.output_epc_list:
        things.commission(context, fact, uri)
    for element in event.output_quantity_list:
        lots.make(context, fact, element)


def _transaction(context: Context, fact: Fact) -> None:
    """Things are tied to documents: nothing moves, but what has ended cannot be tied to anything."""
    _name_things(context, fact, [fact.event.parent_id, *fact.event.epc_list])
    for element in fact.event.quantity_list:
        lots.see(context, fact, element)


def _association(context: Context, fact: Fact) -> None:
    """Things are fixed to an asset or a place: custody does not change by that."""
    _name_things(context, fact, fact.event.child_epcs)


def _name_things(context: Context, fact: Fact, uris: list[str | None] | list[str]) -> None:
    for uri in uris:
        if uri is not None:
            things.known(context, fact, uri)


_HANDLERS = {
    "ObjectEvent": _object,
    "AggregationEvent": _aggregation,
    "TransformationEvent": _transformation,
    "TransactionEvent": _transaction,
    "AssociationEvent": _association,
}
