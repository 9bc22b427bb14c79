"""What is said of something in a thing counts for the thing: handled, shipped, received by name, taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaincode.goods import entries as e
from chaincode.goods.custody import adopt, ask, touch
from chaincode.goods.handing import accept
from chaincode.history import Entry, place_of

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def guest(fold: Fold, entry: Entry) -> None:
    """Something in it was handled."""
    adopt(fold, entry)
    touch(fold, entry, looked=bool(e.more_of(entry).get("looked")))


def answer_guest(fold: Fold, entry: Entry, *, stays: bool) -> None:
    """Tell whether what is in it stayed in it, and who held it."""
    fold.made.answers[place_of(entry)] = [stays, fold.at.msp, fold.at.party]


def guest_out(fold: Fold, entry: Entry) -> None:
    """Something is taken out of it: who held it is told."""
    if fold.at.parent is not None:
        _pass_up(fold, entry, e.GUEST_OUT)
    else:
        answer_guest(fold, entry, stays=False)


def guest_release(fold: Fold, entry: Entry) -> None:
    """Something in it was shipped by name, and it was not: that left it."""
    if fold.at.parent is not None:
        _pass_up(fold, entry, e.GUEST_RELEASE)
    else:
        answer_guest(fold, entry, stays=False)


def guest_acceptance(fold: Fold, entry: Entry) -> None:
    """Something in it was received by name: the whole was, if it was on its way or is there already."""
    at = fold.at
    if at.parent is not None:
        _pass_up(fold, entry, e.GUEST_ACCEPTANCE)
    elif at.hop is not None and at.hop.awaited and at.moving and at.hop.is_for(entry[4]):
        answer_guest(fold, entry, stays=True)
        accept(fold, e.claim_of(entry), entry)
    else:
        answer_guest(fold, entry, stays=at.msp == entry[4])


def _pass_up(fold: Fold, entry: Entry, kind: str) -> None:
    ask(fold, entry, kind)
    answer = e.more_of(entry).get("answer")
    if answer is not None:
        fold.made.answers[place_of(entry)] = answer
