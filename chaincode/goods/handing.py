"""Shipped, received, accepted, or a shipment taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaincode.claims import Claim
from chaincode.exceptions import Fault
from chaincode.goods import entries as e
from chaincode.goods.custody import adopt, ask, hold, object_to, use_after_sale
from chaincode.goods.hops import Hop
from chaincode.goods.outcome import Objection, Outcome
from chaincode.goods.packing import leave
from chaincode.goods.standing import ACCEPTED, FIRST, HAND
from chaincode.history import Entry

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def claimed(fold: Fold, entry: Entry) -> None:
    """Shipped, received, accepted, or a shipment taken back."""
    at = fold.at
    if at.parent is not None and entry[3] != e.VOID and _goes_with_parent(fold, entry):
        return
    claim = e.claim_of(entry)
    if claim.kind == "release":
        use_after_sale(fold, entry)
        _release(fold, claim, entry)
    elif claim.kind == "void":
        adopt(fold, entry)
        if at.hop is not None and at.hop.is_taken_back_by(claim.msp):
            at.hop.add(claim)
            at.moving = False
        at.place = None if at.parent is None else at.place
    else:
        accept(fold, claim, entry)
        at.place = entry[6]


def _goes_with_parent(fold: Fold, entry: Entry) -> bool:
    """Whether what is in a parent went with it. If not, it has left; who had the parent had it until then."""
    at = fold.at
    releasing = entry[3] == e.RELEASE
    ask(fold, entry, e.GUEST_RELEASE if releasing else e.GUEST_ACCEPTANCE)
    stays, msp, party = e.more_of(entry).get("answer") or _NOT_ANSWERED
    if stays:
        return True
    refusal = f"{fold.item} is in {at.parent}: unpack it first, or name the parent"
    object_to(fold, entry, "already_packed", "unpacked", refusal)
    moving, hop = at.moving, at.hop
    leave(fold, entry[0])
    if msp is not None:
        hold(fold, msp, party, HAND)
    at.moving = moving and hop is not None and hop.awaited
    return False


def _release(fold: Fold, claim: Claim, entry: Entry) -> None:
    """Shipped: by who has it, or by somebody else."""
    at, hop = fold.at, fold.at.hop
    if at.msp is None:
        hold(fold, claim.msp, e.shortened(claim.sender), FIRST)
    holder = [at.msp, at.party]
    if hop is not None and hop.is_released_by(claim):
        fresh = hop.release is None
        if fresh and at.prior is not None and not hop.idle:
            holder = at.prior
        hop.add(claim)
        hop.idle = False
        if fresh:
            _confirm(fold, hop, holder)
    else:
        hop = _next_hop(fold, Hop(known_as=e.more_of(entry).get("known_as")), by=claim)
        hop.add(claim)
        at.moving = True
    hop.short = hop.short or e.more_of(entry).get("counted", False)
    _check_releaser(fold, hop, claim, holder, entry)
    if at.moving:
        at.place = None


def _confirm(fold: Fold, hop: Hop, holder: list[str | None]) -> None:
    """An acceptance gets the release that it had been waiting for."""
    at, acceptance = fold.at, hop.acceptance
    assert acceptance is not None
    if fold.confirmed and at.why != ACCEPTED:
        at.prior = [at.msp, at.party]
        hold(fold, acceptance.msp, e.shortened(acceptance.consignee), ACCEPTED)
    _pass_title(fold, hop, holder[0])


def _check_releaser(fold: Fold, hop: Hop, claim: Claim, holder: list[str | None], entry: Entry) -> None:
    if holder[0] == claim.msp:
        return
    if hop.release is claim:
        hop.robbed = holder[0]
    detail = f"{fold.item} is held by {holder[0]}"
    found = fold.made.objections.setdefault(entry[2], [])
    found.append(Objection("not_in_your_custody", "", detail, holder[0], e.lengthened(holder[1])))


def _pass_title(fold: Fold, hop: Hop, holder: str | None) -> None:
    """Title goes with what both sides attest, from who had it."""
    at, release, acceptance = fold.at, hop.release, hop.acceptance
    if release is None or acceptance is None or hop.robbed is not None or hop.faults(fold.item):
        return
    if release.msp == holder and at.title == release.msp:
        at.title = acceptance.msp


def accept(fold: Fold, claim: Claim, entry: Entry) -> None:
    """Received or accepted."""
    at, hop = fold.at, fold.at.hop
    if hop is not None and hop.is_answered_by(claim):
        first = hop.acceptance is None
        if first and not hop.is_for(claim.msp):
            object_to(fold, entry, "not_in_your_custody", "", f"{fold.item} was released to somebody else")
        hop.add(claim)
        if first:
            at.prior = [at.msp, at.party]
            if hop.robbed is None or not fold.confirmed:
                hold(fold, claim.msp, e.shortened(claim.consignee), ACCEPTED)
            _pass_title(fold, hop, at.prior[0] if hop.robbed is None else None)
    else:
        hop = _next_hop(fold, Hop(known_as=e.more_of(entry).get("known_as")), by=claim)
        hop.add(claim)
        hop.idle = at.msp == claim.msp
        if not hop.idle:
            at.prior = None if at.msp is None else [at.msp, at.party]
            if not fold.confirmed or at.msp is None:
                hold(fold, claim.msp, e.shortened(claim.consignee), ACCEPTED)
    at.moving = False
    if hop.counted and hop.release is not None:
        fold.arrived.add(hop.release.event)


def _next_hop(fold: Fold, hop: Hop, by: Claim) -> Hop:
    """The latest handoff is one of the past."""
    before = fold.at.hop
    if before is not None:
        faults = before.faults(fold.item)
        release = before.release
        if before.awaited and release is not None and by.kind == "release" and release.msp == by.msp:
            to = release.consignee or "an unnamed party"
            faults["undelivered"] = f"{fold.item} was released to {to} and then again, without being accepted"
        hand_over(fold, fold.made, before, faults)
    fold.at.hop = hop
    return hop


def hand_over(fold: Fold, into: Outcome, hop: Hop, faults: dict[str, str]) -> None:
    """A handoff is one of the past, with what did not add up in it."""
    if hop.idle:
        return
    identity = hop.identifier(fold.item)
    into.handoffs[identity] = hop.record(fold.item, faults)
    said = hop.acceptance or hop.release
    assert said is not None
    for kind, detail in faults.items():
        into.faults[(kind, identity)] = Fault(detail, tuple(hop.parties()), said.event, said.time, said.msp, identity)


def open_faults(fold: Fold, hop: Hop) -> dict[str, str]:
    """What does not add up in the latest handoff."""
    at, faults = fold.at, hop.faults(fold.item)
    if hop.idle or hop.voided:
        return faults
    if hop.damaged and hop.acceptance is not None and at.disposition == "damaged" and at.ended is None:
        to = hop.acceptance.consignee or "an unnamed party"
        faults["damaged"] = f"{fold.item} was accepted damaged by {to}"
    if hop.awaited and hop.short:
        faults["shortage"] = f"{fold.item} was released with others that have arrived, and has not arrived itself"
    return faults


# As if it went with its parent: so all that depends on the parent is asked at once, and not one after the other.
_NOT_ANSWERED = (True, None, None)
