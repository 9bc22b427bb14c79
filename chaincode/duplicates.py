"""Whether an event is on the ledger already, at the least cost.

Each read is a look-up on every peer that endorses, and another on every peer that commits. Most events are new, and
most new events say that something begins: while the record of that thing is missing, the event cannot have been
captured, and its own key need not be read. Who captures it at the same time reads the thing's key too, so one of
both is void.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.claims import KINDS
from chaincode.context import Context, Fact
from epcis import Event


def witness(event: Event) -> str | None:
    """The key of a record that the ledger holds for certain once it holds this event; None if there is none."""
    if event.error_declaration is not None or event.action != "ADD":
        return None
    if event.type == "ObjectEvent" and event.biz_step not in KINDS and event.epc_list:
        return keys.thing(event.epc_list[0])
    if event.type == "AggregationEvent" and event.parent_id is not None:
        return keys.thing(event.parent_id)
    return None


def is_captured(context: Context, fact: Fact) -> bool:
    """Whether the event is on the ledger, or came earlier in this batch."""
    key = keys.event(fact.hex)
    proof = witness(fact.event)
    if proof is not None and context.state.committed(proof) is None:
        return context.state.has_written(key)
    return context.state.get(key) is not None
