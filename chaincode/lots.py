"""Lots and other classes: how much of them a holder has at a place. Quantities are decimal, never binary.

Balances always add up: what was commissioned, less what ended, is what all holders have plus what is on its way or
packed. So a balance may be negative where an event that explains it has not come yet; an exception says so until then.
"""

from __future__ import annotations

from decimal import Decimal

from chaincode import keys, rules
from chaincode.context import Context, decimal, decimal_text
from chaincode.endorsement import endorsed_as
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis import QuantityElement


def make(context: Context, fact: Fact, element: QuantityElement) -> None:
    """So much of a lot begins, at the maker's. More of it may begin later: a lot is not always made in one go."""
    uri = element.epc_class
    lot = context.state.get(keys.lot(uri))
    rules.lot_is_own(context, uri, lot)
    if lot is None or not lot["commissioned"]:
        created = lot["created"] if lot is not None else fact.time
        header: Record = {"id": uri, "msp": context.msp, "commissioned": True, "created": min(created, fact.time)}
        uom = lot["uom"] if lot is not None else element.uom
        context.state.put(keys.lot(uri), {**endorsed_as(lot), **header, "event": fact.hash, "uom": uom})
        if lot is not None:
            close_exception(context, fact, "uncommissioned", uri)
    if element.quantity is not None:
        move(context, fact, element, decimal(element.quantity), fact.party, fact.place)


def use(context: Context, fact: Fact, element: QuantityElement) -> None:
    """So much of a lot ends: sold, consumed, destroyed, transformed."""
    if element.quantity is not None:
        move(context, fact, element, -decimal(element.quantity), fact.party, fact.place)
    else:
        see(context, fact, element)


def see(context: Context, fact: Fact, element: QuantityElement) -> Record:
    """A lot is named; one never seen gets a header that says nobody reported its making.

    Raises Rejection where it is counted in another unit than before: kilograms and pieces do not add up.
    """
    uri = element.epc_class
    lot = context.state.get(keys.lot(uri))
    if lot is None:
        lot = {"id": uri, "msp": context.msp, "commissioned": False, "created": fact.time}
        lot |= {"event": fact.hash, "uom": element.uom}
        context.state.put(keys.lot(uri), lot)
        detail = f"{uri} is in use; nobody reported its making"
        open_exception(context, fact, "uncommissioned", uri, detail, item=uri, parties=(fact.party,))
    if not lot["commissioned"]:
        fact.flags.add("uncommissioned")
    if element.quantity is not None and lot["uom"] != element.uom:
        detail = f"{uri} is counted in {lot['uom'] or 'pieces'}, not {element.uom or 'pieces'}"
        raise Rejection("unit_differs", detail, "uom")
    return lot


def move(
    context: Context, fact: Fact, element: QuantityElement, change: Decimal, holder: str | None, place: str | None
) -> None:
    """Add to (or take from) a balance. Sums do not depend on the order in which they are added up."""
    uri = element.epc_class
    lot = see(context, fact, element)
    key = keys.balance(uri, holder or "", place or "")
    blank: Record = {"quantity": "0", "time": "", "event": "", "overdrawn": False}
    before = context.state.get(key) or _unclaimed(context, uri, holder, place) or blank
    amount = Decimal(before["quantity"]) + change
    if change < 0:
        rules.is_covered(context, lot, uri, amount)
    if amount < 0 or before["overdrawn"]:
        _note_overdraft(context, fact, uri, holder, place, amount, known=before["overdrawn"])
    time, event = max((before["time"], before["event"]), (fact.time, fact.hash))
    balance = {"class": uri, "holder": holder, "place": place, "quantity": decimal_text(amount), "uom": element.uom}
    context.state.put(key, {**endorsed_as(lot), **balance, "event": event, "time": time, "overdrawn": amount < 0})


def _unclaimed(context: Context, uri: str, holder: str | None, place: str | None) -> Record | None:
    """What lies at the place in nobody's name, from before anybody said whose the place is: now it has a holder."""
    if holder is None or place is None:
        return None
    key = keys.balance(uri, "", place)
    found = context.state.get(key)
    if found is None or found["overdrawn"]:
        return None
    context.state.delete(key)
    return found


def _note_overdraft(
    context: Context, fact: Fact, uri: str, holder: str | None, place: str | None, amount: Decimal, *, known: bool
) -> None:
    subject = f"{uri}\n{holder or ''}\n{place or ''}"
    if amount >= 0:
        close_exception(context, fact, "overdrawn", subject)
        return
    fact.flags.add("overdrawn")
    where = place or "an unnamed place"
    detail = f"{decimal_text(-amount)} more of {uri} left {where} than is known to have been there"
    open_exception(context, fact, "overdrawn", subject, detail, item=uri, parties=(holder,), known=known)
