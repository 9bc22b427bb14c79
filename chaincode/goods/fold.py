"""The fold over what was said of an instance. Pure: the same entries give the same result, however they arrived.

An entry is taken in by what was true before it. What is in a parent shares the parent's fate, so its handling is the parent's affair:
the fold asks for an entry in the parent's history (a guest), and where something in a parent is shipped or received by name,
it needs the parent's answer, which lies in its own entry: whether it went with its parent, and who held that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chaincode.goods import entries as e
from chaincode.goods.custody import adopt, excuse
from chaincode.goods.guests import guest, guest_acceptance, guest_out, guest_release
from chaincode.goods.handing import claimed, hand_over, open_faults
from chaincode.goods.lasting import lasting_faults, note_missed
from chaincode.goods.life import after_the_end, begun, denies_the_end, ended, handled, seen
from chaincode.goods.outcome import Outcome
from chaincode.goods.packing import packed, taken, unpacked
from chaincode.goods.standing import Standing
from chaincode.history import Entry, place_of
from chaincode.state import Record

_RETURNED = "returned"


class Fold:
    """Folds entries about one thing, from a base on. ``confirmed``: an acceptance gives custody only where the sender has released.

    ``at`` is what is true by now, ``made`` what followed on the way, ``arrived`` the releases of which several things arrived together,
    ``doubted`` whether somebody handled it who did not hold it.
    """

    def __init__(self, item: str, base: Record | None, *, confirmed: bool) -> None:
        self.item = item
        self.confirmed = confirmed
        self.at = Standing.from_record(base)
        self.made = Outcome(self.at)
        self.arrived: set[str] = set()
        touches = self.at.touches
        self.doubted = bool(touches) and any(not touch.held for touch in touches.values())

    def run(self, said: Iterable[Entry]) -> None:
        """Take entries in, in their order."""
        for entry in said:
            self._step(entry)

    def outcome(self, *, more: bool = False) -> Outcome:
        """What follows from all that was taken in so far. ``more``: other entries will be taken in afterwards."""
        at, made = self.at, self.made
        found = made
        if more:
            found = Outcome(
                at.copy(),
                made.handoffs.copy(),
                made.faults.copy(),
                made.guests.copy(),
                made.stays.copy(),
                made.answers.copy(),
                objections=made.objections,
            )
        if self.arrived:
            found.counted = frozenset(self.arrived)
        if at.parent is not None:
            found.stays[(at.parent, at.packed)] = None
        if at.missed is not None:
            note_missed(found.faults, self.item, at.missed)
        if at.hop is not None:
            hand_over(self, found, at.hop, open_faults(self, at.hop))
        lasting_faults(self, found.faults)
        return found

    def base(self) -> Record:
        """The state as JSON, for what follows to begin with."""
        return self.at.to_record()

    def _step(self, entry: Entry) -> None:
        at, time, kind = self.at, entry[0], entry[3]
        more = e.more_of(entry)
        if at.missed is not None and at.missed[0] != time:
            note_missed(self.made.faults, self.item, at.missed)
            at.missed = None
        if kind == e.OUT and more and self._is_swept_past(more):
            self.made.idle.append(place_of(entry))
            return
        if at.first is None:
            at.first = [time, entry[2], entry[4], entry[5]]
        if at.ended is not None and not denies_the_end(self, entry):
            after_the_end(self, entry)
            return
        _HANDLERS[kind](self, entry)
        if kind[0] != e.GUEST:
            if kind != e.NAME:
                at.time, at.event = time, entry[2]
            if more:
                self._note(kind, more)
        if self.doubted:
            excuse(self, time)

    def _note(self, kind: str, more: dict[str, Any]) -> None:
        """What a statement may say besides, whatever its kind."""
        at = self.at
        if at.lot is None and "lot" in more:  # whoever named it with its lot, unless its maker said so
            at.lot = e.lengthened(more["lot"])
        if kind != e.NAME and (disposition := more.get("d")) is not None:
            at.disposition = disposition
            if disposition == _RETURNED:
                at.sold = None

    def _is_swept_past(self, more: dict[str, Any]) -> bool:
        """Whether a parent was emptied that it was not in."""
        return bool(more.get("swept")) and self.at.parent != e.lengthened(more["of"])


_HANDLERS: dict[str, Callable[[Fold, Entry], None]] = {
    e.BEGIN: begun,
    e.NAME: adopt,
    e.SEE: seen,
    e.HANDLE: handled,
    e.EMPTY: handled,
    e.GUEST: guest,
    e.GUEST_OUT: guest_out,
    e.GUEST_RELEASE: guest_release,
    e.GUEST_ACCEPTANCE: guest_acceptance,
    e.IN: packed,
    e.OUT: unpacked,
    e.TAKEN: taken,
    e.RELEASE: claimed,
    e.RECEIVE: claimed,
    e.ACCEPT: claimed,
    e.VOID: claimed,
    e.END: ended,
}
