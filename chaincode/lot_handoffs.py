"""Releases and acceptances of quantities of lots, and the balances that follow from them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from chaincode import documents, handoffs, lots
from chaincode.claims import Claim, claim_of
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.handoffs import Faults
from chaincode.lanes import Lane
from chaincode.matching import Hop
from epcis import QuantityElement

Movements = dict[tuple[str, str], Decimal]
"""What was added, by holder and place."""


def hand_over(context: Context, fact: Fact, element: QuantityElement) -> None:
    """So much of a lot is shipped or received, or its shipping taken back."""
    lot = lots.see(context, fact, element)
    claim = claim_of(context, fact, 1, element)
    lane = Lane(context, element.epc_class, claim.consignee, is_lot=True, of=lot)
    before = _movements(lane.hops)
    lane.add([claim])
    _move(context, fact, element, before, _movements(lane.hops))
    for other in documents.contradicted(context, claim, lane):
        _save(fact, other)
    _save(fact, lane)


def _save(fact: Fact, lane: Lane) -> None:
    lane.save(fact, lambda hops, number: _faults(lane, hops, number))


def _movements(hops: list[Hop]) -> Movements:
    """What handoffs add to balances. Pure, so that what is received and then accepted is added once."""
    moved: Movements = defaultdict(Decimal)
    for hop in hops:
        for claim in hop.releases:
            moved[_whose(claim.sender, claim)] -= claim.quantity or 0
        for claim in hop.voids[:1]:
            moved[_whose(claim.sender, hop.releases[0])] += hop.taken_back
        for claim in hop.counted:
            moved[_whose(claim.consignee, claim)] += claim.quantity or 0
    return moved


def _whose(party: str | None, claim: Claim) -> tuple[str, str]:
    return party or "", claim.place or ""


def _move(context: Context, fact: Fact, element: QuantityElement, before: Movements, after: Movements) -> None:
    for holder, place in sorted(before.keys() | after.keys()):
        change = after.get((holder, place), Decimal(0)) - before.get((holder, place), Decimal(0))
        if change:
            lots.move(context, fact, element, change, holder or None, place or None)


def _faults(lane: Lane, hops: list[Hop], number: int) -> Faults:
    faults = handoffs.lot_faults(lane.item, hops[number]) | lane.contradictions.get(lane.identifier(number), {})
    if handoffs.was_damaged(hops[number]):
        consignee = handoffs.name(hops[number].acceptances[0].consignee)
        faults["damaged"] = f"some of {lane.item} was accepted damaged by {consignee}"
    return faults
