"""What statements about quantities do to the state, and how that is taken back."""

from __future__ import annotations

from dataclasses import replace

from chaincode.claims import claim_of
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.lots import dates, emptying, header
from chaincode.lots.amounts import Amount, exactly, measure
from chaincode.lots.balances import Account, Balances, Moved
from chaincode.lots.handoffs import Handoffs
from chaincode.lots.header import Lot
from chaincode.lots.loose import Emptied, Loose
from epcis import QuantityElement


@exactly
def make(context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None) -> None:
    """So much of a lot begins, at the maker's. More of it may begin later: a lot is not always made in one go."""
    amount, uri = measure(fact, element), element.epc_class
    lot = header.made(context, fact, uri, amount, dates.expiry(fact), retracted_by)
    _move(context, fact, uri, lot, amount, 1, retracted_by)


@exactly
def use(context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None) -> None:
    """So much of a lot ends: sold, consumed, destroyed, transformed."""
    amount, uri = measure(fact, element), element.epc_class
    lot = header.mentioned(context, fact, uri, amount, retracted_by)
    dates.note_if_past(fact, lot)
    _move(context, fact, uri, lot, amount, -1, retracted_by)


@exactly
def see(context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None) -> None:
    """A lot is named. Raises Rejection where it is counted in what it cannot be converted from."""
    header.mentioned(context, fact, element.epc_class, measure(fact, element), retracted_by)


def _move(
    context: Context, fact: Fact, uri: str, lot: Lot | None, amount: Amount, sign: int, retracted_by: Fact | None
) -> None:
    """What an event by itself adds to a balance, or takes from it."""
    if amount.quantity is None:
        return
    back = -1 if retracted_by is not None else 1
    moved = Moved(amount.quantity * sign * back, back)
    balances = Balances(context, retracted_by or fact, uri, lot, amount.base)
    balances.move(_account(fact), moved, asked=retracted_by is None)


def _account(fact: Fact) -> Account:
    return fact.party or "", fact.place or ""


@exactly
def hand_over(context: Context, fact: Fact, element: QuantityElement, *, retracted_by: Fact | None = None) -> None:
    """So much of a lot is shipped or received, or its shipping taken back."""
    amount, uri = measure(fact, element), element.epc_class
    lot = header.mentioned(context, fact, uri, amount, retracted_by)
    dates.note_if_past(fact, lot)
    claim = replace(claim_of(context, fact, 1, element), quantity=amount.quantity)
    cause, base = retracted_by or fact, amount.base
    if retracted_by is None:
        Handoffs(context, cause, uri, claim.consignee or "", lot, base).say(claim, fact.hex)
        return
    # who a place belongs to may have been registered since: then nobody was known to be the consignee
    for consignee in dict.fromkeys((claim.consignee or "", "")):
        if Handoffs(context, cause, uri, consignee, lot, base).unsay(claim, fact.hex):
            return


@exactly
def pack(
    context: Context, fact: Fact, parent: str, element: QuantityElement, *, retracted_by: Fact | None = None
) -> None:
    """So much of a lot goes into a parent. A quantity that nobody states is only seen."""
    amount, uri = measure(fact, element), element.epc_class
    lot = header.mentioned(context, fact, uri, amount, retracted_by)
    if amount.quantity is None:
        return
    _move(context, fact, uri, lot, amount, -1, retracted_by)
    inside = Loose(context, retracted_by or fact, parent, uri, lot, amount.base)
    inside.packed(fact, amount.quantity, retracted=retracted_by is not None)
    if retracted_by is None:
        _empty_later(context, fact, parent, inside)


def _empty_later(context: Context, fact: Fact, parent: str, inside: Loose) -> None:
    """What turns out to have been in a parent when it was unpacked whole was taken out then."""
    later = emptying.first_emptied_after(context, parent, fact.time)
    if later is not None:
        inside.emptied(later)


@exactly
def unpack(
    context: Context, fact: Fact, parent: str, element: QuantityElement, *, retracted_by: Fact | None = None
) -> None:
    """So much of a lot is taken out of a parent: as much as is in there at most. Raises Rejection under ``enforce``."""
    amount, uri = measure(fact, element), element.epc_class
    lot = header.mentioned(context, fact, uri, amount, retracted_by)
    if amount.quantity is not None:
        inside = Loose(context, retracted_by or fact, parent, uri, lot, amount.base)
        inside.unpacked(fact, amount.quantity, retracted=retracted_by is not None)
        if retracted_by is not None:
            _empty_later(context, fact, parent, inside)


@exactly
def emptied(context: Context, fact: Fact, parent: str, uri: str, *, retracted_by: Fact | None = None) -> None:
    """A parent was unpacked whole: whatever of a lot was in it is out."""
    lot = header.load(context, uri)
    inside = Loose(context, retracted_by or fact, parent, uri, lot, "")
    taken = Emptied(fact.time, fact.hash, fact.party, fact.place)
    inside.emptied(taken, retracted=retracted_by is not None)
    if retracted_by is not None:
        _empty_later(context, fact, parent, inside)


def inside(context: Context, parent: str) -> list[str]:
    """Every lot that was ever said to be loose in a parent. A range read, for the rare event that says nothing of what it
    unpacks."""
    found = {attributes[1] for kind in ("IL", "IQ") for attributes, _ in context.state.under(kind, parent)}
    return sorted(found)
