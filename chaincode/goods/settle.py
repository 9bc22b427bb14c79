"""Puts statements into the histories of things and writes what follows from them, for one event at a time.

A change to one thing may ask for an entry in its parent's history, and be answered from there (fold.py). So things are folded
anew until nobody asks for anything more: questions go from a moment to the same moment above, answers count from it on,
so there is an end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from chaincode import keys
from chaincode.context import Context
from chaincode.endorsement import endorsed_as
from chaincode.exceptions import Fault, close_exception, open_fault
from chaincode.facts import Fact
from chaincode.goods import entries as e
from chaincode.goods import shipments, sweeps
from chaincode.goods.outcome import Objection, Outcome
from chaincode.goods.timeline import Timeline
from chaincode.history import Entry, Place, place_of, short_name
from chaincode.rejection import Rejection

_DEEPEST = 32
_ROUNDS = 256
"""More is nothing that goods can do to one another."""


class Settling:
    """The things that one event touches."""

    def __init__(self, context: Context, fact: Fact) -> None:
        self.context = context
        self.fact = fact
        self.short = short_name(fact.hex)
        self._things: dict[str, Timeline] = {}
        self._waiting: dict[str, None] = {}
        self._touched: dict[str, None] = {}
        self._wanted: dict[str, dict[tuple[str, Place], Entry]] = {}
        self._since: dict[str, Place] = {}
        self.counted: dict[str, frozenset[str]] = {}
        """By thing, what was counted in its shipments' records already."""
        self.released: list[str] = []
        """What the event releases together."""

    def thing(self, uri: str) -> Timeline:
        """A thing's history."""
        found = self._things.get(uri)
        if found is None:
            found = self._things[uri] = Timeline(self.context, uri)
        return found

    def add(self, uri: str, entry: Entry) -> None:
        """Say something of a thing."""
        thing = self.thing(uri)
        if not thing.add(entry):
            return
        if not thing.is_last(entry):
            self.fact.flags.add("late")
        self._touch(uri)

    def remove(self, uri: str, place: Place) -> None:
        """Unsay something of a thing."""
        if self.thing(uri).remove(place):
            self._touch(uri)

    def _touch(self, uri: str) -> None:
        self._waiting[uri] = self._touched[uri] = None

    def stir(self, uri: str) -> None:
        """Have a thing looked at again."""
        self._touch(uri)

    def settle(self) -> None:
        """Fold, ask and answer until nothing changes any more, then write. Raises Rejection."""
        for _ in range(_ROUNDS):
            if not self._waiting and not shipments.count(self):
                break
            waiting, self._waiting = self._waiting, {}
            for uri in sorted(waiting):
                self._refold(uri)
        else:
            raise Rejection("too_deep", "these things are in one another in a way that nothing can be")
        touched = [(uri, self._things[uri]) for uri in self._touched]
        for _, thing in touched:
            if thing.new.idle:
                thing.forget(thing.new.idle)
        self._check_forest(touched)
        self._judge(touched)
        for _, thing in touched:
            self._write(thing)

    # --- asking and answering

    def _refold(self, uri: str) -> None:
        thing = self._things[uri]
        found = thing.refold()
        before = self._asked_before(uri, thing)
        self._wanted[uri] = found.guests
        self._since[uri] = thing.since
        if found.guests or before:
            self._ask(uri, before, found.guests)
        if found.answers:
            self._answer(thing, found)
        if found.stays:
            sweeps.sweep_new_stays(self, thing)

    def _asked_before(self, uri: str, thing: Timeline) -> dict[tuple[str, Place], Entry]:
        """What a thing asked when it was folded last; of pages that were fetched since, what they had asked."""
        before = self._wanted.get(uri)
        if before is None:
            return thing.old.guests
        if thing.since == self._since[uri]:
            return before
        return {**{key: guest for key, guest in thing.old.guests.items() if key[1] < self._since[uri]}, **before}

    def _ask(self, uri: str, before: dict[tuple[str, Place], Entry], after: dict[tuple[str, Place], Entry]) -> None:
        for key, guest in before.items():
            if key not in after:
                self._unask(uri, key[0], guest)
        for key, guest in after.items():
            if key not in before:
                self._ask_one(uri, key[0], guest)

    def _ask_one(self, uri: str, parent: str, guest: Entry) -> None:
        thing = self.thing(parent)
        known = thing.find(place_of(guest))
        if known is not None and known[3][0] != e.GUEST:  # the event names the parent as well: they go together
            if guest[3] != e.GUEST:
                self._tell(uri, place_of(guest), [True, None, None])
            return
        more = e.more_of(known) if known is not None else e.more_of(guest)
        deep = max(more.get("deep", 0), self._depth(uri, guest) + 1)
        if deep > _DEEPEST:  # strangers can pile up parents: nobody's word waits for what is so far out
            self.fact.flags.add("too_deep")
            if guest[3] != e.GUEST:
                self._tell(uri, place_of(guest), [False, None, None])
            return
        if guest[3] == e.GUEST:  # needs no answer: how many is enough
            entry = e.with_more(known or guest, n=more.get("n", 0) + 1, deep=deep)
        else:
            of = list(more.get("of", ()))
            at = bisect_left(of, uri)
            if of[at : at + 1] != [uri]:
                of.insert(at, uri)
            entry = e.with_more(known or guest, of=of, deep=deep)
        if known is None:
            thing.add(entry)
        else:
            thing.replace(entry)
            answer = thing.new.answers.get(place_of(guest)) or thing.old.answers.get(place_of(guest))
            if guest[3] != e.GUEST and answer is not None:
                self._tell(uri, place_of(guest), answer)
        self._touch(parent)

    def _depth(self, uri: str, guest: Entry) -> int:
        own = self._things[uri].find(place_of(guest))
        found: int = e.more_of(own).get("deep", 0) if own is not None and own[3][0] == e.GUEST else 0
        return found

    def _parent(self, uri: str) -> str | None:
        known = self._things.get(uri)
        if known is not None and uri in self._touched:
            return known.new.standing.parent
        record = self.context.state.get(keys.thing(uri))
        parent: str | None = None if record is None else record["parent"]
        return parent

    def _unask(self, uri: str, parent: str, guest: Entry) -> None:
        thing = self.thing(parent)
        known = thing.find(place_of(guest))
        if known is None or known[3][0] != e.GUEST or self._depth(uri, guest) >= _DEEPEST:
            return
        more = e.more_of(known)
        of = [one for one in more.get("of", ()) if one != uri]
        n = more.get("n", 0) - 1
        if of or n > 0:
            thing.replace(e.with_more(known, of=of or None, n=n if n > 0 else None))
            self._touch(parent)
        else:
            self.remove(parent, place_of(guest))

    def _answer(self, thing: Timeline, found: Outcome) -> None:
        for place, answer in found.answers.items():
            guest = thing.find(place)
            for child in e.more_of(guest).get("of", ()) if guest is not None else ():
                self._tell(child, place, answer)

    def _tell(self, uri: str, place: Place, answer: list[Any]) -> None:
        thing = self.thing(uri)
        own = thing.find(place)
        if own is not None and e.more_of(own).get("answer") != answer:
            thing.replace(e.with_more(own, answer=answer))
            self._touch(uri)

    # --- judging and writing

    def _check_forest(self, touched: list[tuple[str, Timeline]]) -> None:
        """Nothing is in itself, however indirectly."""
        for uri, thing in touched:
            parent = thing.new.standing.parent
            if parent is None or parent == thing.old.standing.parent:
                continue
            at = self._parent(uri)
            for _ in range(_DEEPEST * 2):
                if at is None:
                    break
                if at == uri:
                    raise Rejection("cycle", f"{uri} cannot be packed into {parent}, which is in it", "childEPCs")
                at = self._parent(at)

    def _judge(self, touched: list[tuple[str, Timeline]]) -> None:
        for uri, thing in touched:
            new = thing.new
            standing = new.standing
            if standing.maker is None and not standing.labelled and uri in self.fact.instances:
                self.fact.flags.add("uncommissioned")
            for objection in new.objections.get(self.short, ()):
                if objection.flag:
                    self.fact.flags.add(objection.flag)
                if self.context.enforces:
                    self._refuse(uri, objection)

    @staticmethod
    def _refuse(uri: str, objection: Objection) -> None:
        whom = () if objection.party is None else (objection.party,)
        organisations = () if objection.msp is None or whom else (objection.msp,)
        raise Rejection(objection.code, objection.detail, item=uri, parties=whom, organisations=organisations)

    def _write(self, thing: Timeline) -> None:
        old, new = thing.old, thing.new
        state = self.context.state
        state.put(keys.thing(thing.uri), thing.to_record())
        self._write_parent(thing.uri, old, new)
        if old.handoffs or new.handoffs:
            self._write_handoffs(thing, old, new)
        if old.faults or new.faults:
            self._write_faults(thing.uri, old.faults, new.faults)

    def _write_parent(self, uri: str, old: Outcome, new: Outcome) -> None:
        was, now = old.standing, new.standing
        if was.parent is not None and was.parent != now.parent:
            self.context.state.delete(keys.inside(was.parent, uri))
        if now.parent is not None and (now.parent, now.packed, now.packed_by) != (
            was.parent,
            was.packed,
            was.packed_by,
        ):
            inside = {"since": now.packed, "event": e.event_uri(now.packed_by)}
            self.context.state.file(keys.inside(now.parent, uri), inside)

    def _write_handoffs(self, thing: Timeline, old: Outcome, new: Outcome) -> None:
        state = self.context.state
        endorsed = endorsed_as(thing.record)
        for identity, handoff in new.handoffs.items():
            if old.handoffs.get(identity) != handoff:
                state.file(keys.handoff(identity), {**handoff, **endorsed})
        for identity in old.handoffs:
            if identity not in new.handoffs:
                state.delete(keys.handoff(identity))

    def _write_faults(self, uri: str, old: dict[tuple[str, str], Fault], new: dict[tuple[str, str], Fault]) -> None:
        for (kind, subject), fault in new.items():
            if old.get((kind, subject)) != fault:
                open_fault(self.context, kind, subject, fault, item=uri)
        for kind, subject in old:
            if (kind, subject) not in new:
                close_exception(self.context, self.fact, kind, subject)

    def counted_now(self) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
        """Things of which other releases count than did: what counted, what counts."""
        for uri in sorted(self._touched):
            thing = self._things[uri]
            was, now = self.counted.get(uri, thing.old.counted), thing.new.counted
            if was != now:
                yield uri, was, now


def say(context: Context, fact: Fact, said: Iterable[tuple[str, Entry]]) -> Settling:
    """Say all of an event; nothing is written before ``settle``."""
    settling = Settling(context, fact)
    for uri, entry in said:
        settling.add(uri, entry)
    return settling
