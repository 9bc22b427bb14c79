"""What an event does to the state, to the things it names and to the quantities of lots; and how that is taken back."""

from __future__ import annotations

from chaincode import lots, parties, rules
from chaincode.context import Context
from chaincode.facts import KINDS, Fact
from chaincode.goods import entries as e
from chaincode.goods import quantities, shipments, sweeps
from chaincode.goods.settle import Settling
from chaincode.goods.statements import statements
from chaincode.history import Entry, place_of

RELEASING = frozenset(step for step, kind in KINDS.items() if kind in ("release", "void"))
ACCEPTING = frozenset(step for step, kind in KINDS.items() if kind in ("receive", "accept"))


def who_speaks(context: Context, fact: Fact) -> None:
    """The party behind the event: the sender of a release, the consignee of an acceptance, else whose place it is."""
    fact.party = parties.reporter(context, fact)
    if fact.step in RELEASING:
        fact.party = parties.sender(context, fact) or fact.party
        rules.party_is_own(context, fact.party, "sourceList", fact)
    elif fact.step in ACCEPTING:
        fact.party = parties.consignee(context, fact) or fact.party
        rules.party_is_own(context, fact.party, "destinationList", fact)


def apply(context: Context, fact: Fact) -> None:
    """Add the event to the set of statements. Raises Rejection."""
    settling = Settling(context, fact)
    for uri, entry in statements(context, fact):
        _may_be_said(context, settling, uri, entry)
        settling.add(uri, entry)
        if entry[3] == e.EMPTY:
            for lot in sweeps.sweep(settling, uri, entry):
                lots.emptied(context, fact, uri, lot)
        elif entry[3] == e.RELEASE:
            settling.released.append(uri)
    shipments.note(settling)
    settling.settle()
    quantities.apply(context, fact)


def take_back(context: Context, declaration: Fact, fact: Fact) -> None:
    """Take an event out of the set of statements, which somebody's ``declaration`` says was in error."""
    settling = Settling(context, declaration)
    for uri, entry in list(statements(context, fact)):
        settling.remove(uri, place_of(entry))
        if entry[3] == e.EMPTY:
            for lot in sweeps.unsweep(settling, uri, entry):
                lots.emptied(context, fact, uri, lot, retracted_by=declaration)
    settling.settle()
    quantities.take_back(context, declaration, fact)


def _may_be_said(context: Context, settling: Settling, uri: str, entry: Entry) -> None:
    """What of a thing cannot be said any more. Raises Rejection."""
    thing = settling.thing(uri)
    if thing.record is None or thing.is_new:
        return
    ended = thing.record.get("ended")
    if ended is not None and len(ended) > 2 and not ended[3] and ended[2] != context.msp:
        return  # a stranger's word of its end stops nobody: an exception names both
    if entry[3] != e.BEGIN:
        rules.is_alive(uri, thing.record, settling.fact)
    elif thing.record["maker"] is not None:
        rules.is_not_commissioned_yet(context, uri, thing.record)
    if entry[3] == e.END:
        rules.has_not_ended(uri, thing.record)
