"""Releases and acceptances of quantities of lots, and the balances that follow from them."""

from __future__ import annotations

from dataclasses import replace

from chaincode import documents, handoffs
from chaincode.claims import claim_of
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.handoffs import Faults
from chaincode.lanes import Lane
from chaincode.lots.amounts import NOTHING, measure
from chaincode.lots.balances import Balances, Moved, Tally
from chaincode.lots.header import Lot
from chaincode.matching import Hop
from epcis import QuantityElement
from epcis.units import code_of


def hand_over(
    context: Context, fact: Fact, element: QuantityElement, lot: Lot | None, retracted_by: Fact | None
) -> None:
    """So much of a lot is shipped or received, or its shipping taken back."""
    amount = measure(fact, element)
    claim = replace(claim_of(context, fact, 1, element), quantity=amount.quantity, uom=code_of(amount.base))
    cause = retracted_by or fact
    lane = Lane(context, element.epc_class, claim.consignee, is_lot=True, of=lot.endorsed if lot is not None else None)
    before = _movements(lane.hops)
    if retracted_by is None:
        lane.add([claim])
    else:
        lane.remove(claim.event)
    balances = Balances(context, cause, element.epc_class, lot, amount.base)
    if claim.kind == "release" and claim.quantity is not None:
        sign = 1 if retracted_by is None else -1
        moved = Moved(-sign * claim.quantity, sign)
        balances.move((claim.sender or "", claim.place or ""), moved, asked=retracted_by is None)
    balances.apply(before, _movements(lane.hops))
    for other in documents.contradicted(context, claim, lane):
        _save(cause, other)
    _save(cause, lane)


def _save(fact: Fact, lane: Lane) -> None:
    lane.save(fact, lambda hops, number: _faults(lane, hops, number))


def _movements(hops: list[Hop]) -> Tally:
    """What handoffs add to balances beside what is shipped. Pure, so that what is received and then accepted is added once."""
    tally = Tally()
    for hop in hops:
        for claim in hop.voids[:1]:
            tally.add(claim.sender, hop.releases[0].place, hop.taken_back)
        for claim in hop.counted:
            tally.add(claim.consignee, claim.place, claim.quantity or NOTHING)
    return tally


def _faults(lane: Lane, hops: list[Hop], number: int) -> Faults:
    faults = handoffs.lot_faults(lane.item, hops[number]) | lane.contradictions.get(lane.identifier(number), {})
    if handoffs.was_damaged(hops[number]):
        consignee = handoffs.name(hops[number].acceptances[0].consignee)
        faults["damaged"] = f"some of {lane.item} was accepted damaged by {consignee}"
    return faults
