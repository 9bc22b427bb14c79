"""Into a parent and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaincode.goods import entries as e
from chaincode.goods.custody import adopt, ask, hold, object_to, see_at, touch, use_after_sale, withdraw
from chaincode.goods.outcome import fault_of
from chaincode.goods.standing import HAND, Touch
from chaincode.history import Entry

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def packed(fold: Fold, entry: Entry) -> None:
    """Packed into a parent."""
    at, into = fold.at, e.lengthened(e.more_of(entry)["in"])
    assert into is not None
    adopt(fold, entry)
    if at.missed is not None and at.missed[1] == into:  # packed and taken out at one moment
        withdraw(fold, at.missed[2], "not_packed")
        at.missed = None
        hold(fold, entry[4], entry[5], HAND)
        return
    touch(fold, entry)
    use_after_sale(fold, entry)
    if at.parent == into:
        return
    if at.parent is not None:
        detail = f"{fold.item} was packed into {into} while it was in {at.parent}"
        fold.made.faults[("aggregation", f"{fold.item}\n{e.event_uri(entry[2])}")] = fault_of(
            detail, entry[0], entry[2], entry[4], entry[5]
        )
        refusal = f"{fold.item} is in {at.parent}: unpack it first, or name the parent"
        object_to(fold, entry, "already_packed", "repacked", refusal)
        leave(fold, entry[0])
    at.parent, at.packed, at.packed_by, at.place = into, entry[0], entry[2], None
    if at.left == into:
        at.left = None


def leave(fold: Fold, time: str) -> None:
    """It is in its parent no more, and nobody said that it was taken out."""
    at = fold.at
    assert at.parent is not None
    at.left = at.parent
    take_out(fold, time)


def take_out(fold: Fold, time: str) -> None:
    """It is in its parent no more."""
    at = fold.at
    assert at.parent is not None
    fold.made.stays[(at.parent, at.packed)] = time
    at.parent, at.packed, at.packed_by = None, "", ""


def unpacked(fold: Fold, entry: Entry) -> None:
    """Taken out of a parent, whether it was in it or not."""
    at, of = fold.at, e.lengthened(e.more_of(entry)["of"])
    adopt(fold, entry)
    if at.parent is not None and at.parent == of:
        if entry[5] is None:
            ask(fold, entry, e.GUEST_OUT)
        take_out(fold, entry[0])
        take_in_hand(fold, entry)
        if e.more_of(entry).get("swept"):
            at.left = of  # and may be named again
    elif at.left == of:
        at.left = None
        see_at(fold, entry)
    else:
        at.missed = [entry[0], of, entry[2], entry[4], entry[5]]
        object_to(fold, entry, "not_packed", "not_packed", f"{fold.item} is not in {of}")
        if at.parent is None:
            take_in_hand(fold, entry)


def taken(fold: Fold, entry: Entry) -> None:
    """Taken out of something, of which no more is known: as the first version's records have it."""
    take_in_hand(fold, entry)


def take_in_hand(fold: Fold, entry: Entry) -> None:
    """Who takes a thing out of another has it."""
    at, party = fold.at, entry[5]
    if party is None and (answer := e.more_of(entry).get("answer")) is not None and answer[1] == entry[4]:
        party = answer[2]  # the party that held what it was in
    hold(fold, entry[4], party, HAND)
    at.place = entry[6]
    at.touches[entry[4]] = Touch(entry[0], False, True)
