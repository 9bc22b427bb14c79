"""What one side alone has said under a document, and what of that contradicts one another.

A release and an acceptance left over under the same document are about the same goods: either the lot differs, or who got it.
Leftovers are kept by document and lot, and by document, consignee and product; the first ones there are looked at.
"""

from __future__ import annotations

from itertools import islice

from chaincode import keys
from chaincode.context import Context, product_of
from chaincode.facts import Fact
from chaincode.handoffs import name
from chaincode.history import Entry
from chaincode.lots.faults import Faults, Shown, update
from chaincode.lots.sequence import Sequence
from chaincode.lots.views import View
from chaincode.state import Record

LOOK = 64
_LOT, _PRODUCT = "lot", "product"
_Group = tuple[str, str, str, str]
"""Document type and id, what it is kept by, and the name of that."""
_DISPUTED = ("wrong_lot", "wrong_consignee")


class Leftovers:
    """The leftovers of the documents of handoffs that change."""

    def __init__(self, context: Context, cause: Fact) -> None:
        self._context, self._cause = context, cause
        self._changed: set[_Group] = set()

    def note(self, identity: str, item: str, consignee: str, view: View | None) -> None:
        """Bring what is kept of a handoff up to date; its record still says how it was."""
        before = self._context.state.get(keys.handoff(identity))
        was = _kept(before)
        now = None
        if view is not None and view.reference is not None and view.side is not None:
            now = (*view.reference, view.side)
        if was == now:
            return
        for kept, is_there in ((was, False), (now, True)):
            if kept is not None:
                kind, document, side = kept
                for group in groups_of(kind, document, item, consignee):
                    self._update(group, side, [item, consignee, identity], is_there=is_there)
                    self._changed.add(group)

    def know(self, document: tuple[str, str], item: str, consignee: str, identity: str, side: str) -> None:
        """A handoff that the first version kept as a leftover."""
        for group in groups_of(*document, item, consignee):
            self._update(group, side, [item, consignee, identity], is_there=True)
            self._changed.add(group)

    def _update(self, group: _Group, side: str, entry: Entry, *, is_there: bool) -> None:
        state, key = self._context.state, keys.leftovers(*group)
        record: Record = state.get(key) or {}
        sequence = self._sequence(group, side, record)
        if is_there:
            sequence.put(entry)
        else:
            sequence.remove((entry[0], entry[1], entry[2]))
        changed = {name: root for name, root in record.items() if name not in (side, "v")}
        if root := sequence.save({}):
            changed[side] = root
        if changed:
            state.put(key, {"v": 2, **changed})
        else:
            state.delete(key)

    def _sequence(self, group: _Group, side: str, record: Record) -> Sequence:
        return Sequence(self._context.state, "HD", "\n".join((*group, side)), record.get(side), lambda _: 0)

    def _first(self, group: _Group, side: str) -> list[Entry]:
        record = self._context.state.get(keys.leftovers(*group))
        return [] if record is None else list(islice(self._sequence(group, side, record).ascending(), LOOK))

    def faults_of(self, item: str, consignee: str, view: View) -> Faults:
        """What contradicts a handoff that was accepted only."""
        if view.reference is None or view.side != "accepted":
            return {}
        return self._contradicting(item, consignee, view.reference)

    def _contradicting(self, item: str, consignee: str, document: tuple[str, str]) -> Faults:
        by_lot, by_product = groups_of(*document, item, consignee)
        faults: Faults = {}
        for _, meant, _ in self._first(by_lot, "released"):
            if meant != consignee:
                whom, got = name(meant), name(consignee)
                faults["wrong_consignee"] = f"{item} was released to {whom}, and accepted by {got}, under {document[1]}"
                break
        for other, _, _ in self._first(by_product, "released"):
            if other != item:
                faults["wrong_lot"] = f"{other} was released, and {item} accepted, under {document[1]}"
                break
        return faults

    def patch(self, done: set[str]) -> None:
        """Bring the other handoffs up to date that what changed contradicts."""
        state, others = self._context.state, dict[str, tuple[str, str]]()
        for group in sorted(self._changed):
            others |= {identity: (item, consignee) for item, consignee, identity in self._first(group, "accepted")}
        for identity in sorted(others.keys() - done):
            item, consignee = others[identity]
            record = state.get(keys.handoff(identity))
            if record is None or record["reference"] is None:
                continue
            found = self._contradicting(item, consignee, (record["reference"]["type"], record["reference"]["id"]))
            was = [kind for kind in record["faults"] if kind in _DISPUTED]
            if was == sorted(found):
                continue
            shown = Shown(record["acceptEvents"][0], record["acceptedAt"], record["toMsp"])
            whom = [record["from"], record["to"], record["acceptedBy"]]
            update(self._context, self._cause, identity, item, shown, whom, was, found)
            faults = sorted({*record["faults"]} - {*_DISPUTED} | found.keys())
            status = "disputed" if found else "accepted"
            state.put(keys.handoff(identity), {**record, "faults": faults, "status": status})


def _kept(record: Record | None) -> tuple[str, str, str] | None:
    """Under which document, and on which side, a handoff's record says that it is a leftover."""
    if record is None or record["reference"] is None or record["status"] == "void":
        return None
    released, accepted = bool(record["releaseEvents"]), bool(record["acceptEvents"])
    if released == accepted:
        return None
    return record["reference"]["type"], record["reference"]["id"], "released" if released else "accepted"


def groups_of(kind: str, document: str, item: str, consignee: str) -> tuple[_Group, _Group]:
    """Where a handoff is kept: by its lot, and by consignee and product."""
    by_product = "\n".join((consignee, product_of(item)))
    return (kind, document, _LOT, item), (kind, document, _PRODUCT, by_product)
