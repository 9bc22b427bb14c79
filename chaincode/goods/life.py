"""A thing begins, is seen, and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaincode.goods import entries as e
from chaincode.goods.custody import adopt, hold, see_at, touch
from chaincode.goods.guests import answer_guest
from chaincode.goods.handing import hand_over
from chaincode.goods.packing import leave, take_out
from chaincode.goods.standing import FIRST, HAND, MADE, Touch
from chaincode.history import Entry

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def begun(fold: Fold, entry: Entry) -> None:
    """Somebody reports its making."""
    at = fold.at
    _void_what_strangers_said(fold, entry)
    at.maker = at.title = entry[4]
    at.lot = e.lengthened(e.more_of(entry).get("lot")) or at.lot
    if at.why in ("", FIRST):
        hold(fold, entry[4], entry[5], MADE)
    at.touches[entry[4]] = Touch(entry[0], False, True)
    see_at(fold, entry)


def _void_what_strangers_said(fold: Fold, entry: Entry) -> None:
    """Where custody is enforced, nobody can have packed or handed over what began later: or else a stranger who dates that
    early takes it from its maker."""
    at = fold.at
    if not fold.confirmed or at.first is None or at.first[2] == entry[4]:
        return
    if at.parent is not None:
        take_out(fold, entry[0])
    if at.hop is not None:
        hand_over(fold, fold.made, at.hop, at.hop.faults(fold.item))
    at.hop, at.prior, at.moving, at.why = None, None, False, FIRST


def seen(fold: Fold, entry: Entry) -> None:
    """Somebody looks at it, or sells it."""
    adopt(fold, entry)
    touch(fold, entry, looked=True)
    see_at(fold, entry)
    if step := e.more_of(entry).get("sold"):
        fold.at.sold = [entry[0], step]


def handled(fold: Fold, entry: Entry) -> None:
    """As a parent: packed into, unpacked from."""
    more = e.more_of(entry)
    if more.get("label"):
        fold.at.labelled = True
    adopt(fold, entry)
    touch(fold, entry)
    see_at(fold, entry)


def ended(fold: Fold, entry: Entry) -> None:
    """Somebody says that it is no more."""
    at = fold.at
    had = [at.msp, at.party, at.why]
    proper = entry[4] == at.maker or (at.msp == entry[4] and at.why != FIRST)
    adopt(fold, entry)
    touch(fold, entry)
    if at.parent is not None:
        leave(fold, entry[0])
        hold(fold, entry[4], entry[5], HAND)
        at.place = entry[6]
    see_at(fold, entry)
    at.ended = [entry[0], e.more_of(entry)["as"], entry[4], proper, *had]


def denies_the_end(fold: Fold, entry: Entry) -> bool:
    """Whether somebody who neither had nor made it said that it ended, and who did speaks of it as if it had not: so it goes on,
    and an exception names both."""
    at = fold.at
    assert at.ended is not None
    ender, proper, msp, party, why = at.ended[2:]
    if proper or entry[4] == ender or entry[3][0] == e.GUEST:
        return False
    begins = entry[3] == e.BEGIN or e.more_of(entry).get("label")
    if not begins and entry[4] not in (at.maker, msp):
        return False
    at.denied, at.ended = at.ended[:3], None
    at.misused = [entry[0], entry[2], entry[4]]
    if at.msp == ender:
        hold(fold, msp, party, why)
    return True


def after_the_end(fold: Fold, entry: Entry) -> None:
    """What is said of a thing that ended changes nothing but what does not add up."""
    at = fold.at
    if entry[3] == e.BEGIN:
        at.maker = at.maker or entry[4]
        at.title = at.title or entry[4]
    elif entry[3][0] == e.GUEST and entry[3] != e.GUEST:
        answer_guest(fold, entry, stays=False)
    if entry[0] > at.ended[0]:  # type: ignore[index]
        at.misused = [entry[0], entry[2], entry[4]]
        at.time, at.event = entry[0], entry[2]
