"""Whether an event is on the ledger already, at the least cost.

Each read is a look-up on every peer that endorses, and another on every peer that commits. Most events are new, and
many are about something new: while the record of that thing is missing, the event cannot have been captured, and its
own key need not be read. Who captures it at the same time reads and writes the thing's key too, so one of both is void.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.context import Context
from chaincode.facts import Fact


def is_captured(context: Context, fact: Fact) -> bool:
    """Whether the event is on the ledger, or came earlier in this batch."""
    key = keys.event(fact.hex)
    if fact.witness is not None and context.state.committed(fact.witness) is None:
        return context.state.has_written(key)
    return context.state.get(key) is not None
