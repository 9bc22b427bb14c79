"""Who holds a thing, who handles it, and what is asked of what it is in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chaincode.goods import entries as e
from chaincode.goods.outcome import Objection
from chaincode.goods.standing import FIRST, HAND, Touch
from chaincode.history import Entry, place_of

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def touch(fold: Fold, entry: Entry, *, looked: bool = False) -> None:
    """Somebody handles it: who did not hold it then is noted."""
    at, msp = fold.at, entry[4]
    if at.parent is not None:
        ask(fold, entry, e.GUEST, looked=looked)
        return
    held = at.msp == msp or (looked and at.moving)
    at.touches[msp] = Touch(entry[0], looked, held, at.msp, at.party, entry[2])
    if not held:
        fold.doubted = True
        object_to(fold, entry, "not_in_your_custody", "not_held", f"{fold.item} is held by {at.msp}")


def excuse(fold: Fold, time: str) -> None:
    """Who holds a thing at any instant of a moment held it at that moment: clocks are coarse."""
    at = fold.at
    for msp, touch in at.touches.items():
        if not touch.held and touch.time == time and (at.msp == msp or (touch.looked and at.moving)):
            at.touches[msp] = replace(touch, held=True)
            withdraw(fold, touch.event, "not_in_your_custody")


def object_to(fold: Fold, entry: Entry, code: str, flag: str, detail: str) -> None:
    """The entry would be refused where custody is enforced."""
    at = fold.at
    found = fold.made.objections.setdefault(entry[2], [])
    found.append(Objection(code, flag, detail, at.msp, e.lengthened(at.party)))


def withdraw(fold: Fold, event: str, code: str) -> None:
    """What was objected to is right after all."""
    left = [one for one in fold.made.objections.get(event, ()) if one.code != code]
    fold.made.objections[event] = left


def adopt(fold: Fold, entry: Entry) -> None:
    """Who speaks of a thing that nobody held holds it."""
    if fold.at.msp is None:
        hold(fold, entry[4], entry[5], FIRST)


def hold(fold: Fold, msp: str | None, party: str | None, why: str) -> None:
    """An organisation, as a party, has it from now on."""
    at = fold.at
    at.msp, at.party, at.why = msp, party, why
    if why == HAND:
        at.moving = False


def see_at(fold: Fold, entry: Entry) -> None:
    """It is where it was seen, unless it is in something."""
    if entry[6] is not None and fold.at.parent is None:
        fold.at.place = entry[6]


def ask(fold: Fold, entry: Entry, kind: str, *, looked: bool = False) -> None:
    """Want an entry in the parent's history."""
    at = fold.at
    assert at.parent is not None
    more: dict[str, Any] = {"looked": True} if looked else {}
    if kind != e.GUEST:
        more |= {key: value for key, value in e.more_of(entry).items() if key in _CLAIM}
    guest = e.make(kind, entry[0], entry[2], entry[4], e.lengthened(entry[5]), e.lengthened(entry[6]), more)
    if kind != e.GUEST:
        guest[1] = entry[1]
    fold.made.guests[(at.parent, place_of(guest))] = guest


def use_after_sale(fold: Fold, entry: Entry) -> None:
    """Remember its latest use after it was sold."""
    at = fold.at
    if at.sold is not None and entry[0] > at.sold[0]:
        at.misused = [entry[0], entry[2], entry[4]]


_CLAIM = frozenset({"from", "to", "documents", "toMsp", "toPlace", "promised", "damaged", "count"})
