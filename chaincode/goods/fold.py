"""The fold over what was said of an instance. Pure: the same entries give the same result, however they arrived.

An entry is taken in by what was true before it. What is in a parent shares the parent's fate, so its handling is the parent's affair:
the fold asks for an entry in the parent's history (a guest), and where something in a parent is shipped or received by name,
it needs the parent's answer, which lies in its own entry: whether it went with its parent, and who held that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from chaincode.claims import Claim
from chaincode.context import identify
from chaincode.exceptions import Fault
from chaincode.goods import entries as e
from chaincode.goods.hops import Hop
from chaincode.goods.standing import ACCEPTED, FIRST, HAND, MADE, Standing, Touch
from chaincode.history import Entry, Place, place_of
from chaincode.state import Record

_RETURNED = "returned"


class Objection(NamedTuple):
    """Why an entry would be refused where custody is enforced; elsewhere its event gets the flag."""

    code: str
    flag: str
    detail: str
    msp: str | None = None
    party: str | None = None


Faults = dict[tuple[str, str], Fault]
"""By kind and subject."""
Stay = tuple[str, str]
"""Parent and when it began."""


@dataclass
class Outcome:
    """What follows from (the part that was folded of) a history."""

    standing: Standing
    handoffs: dict[str, Record] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)
    guests: dict[tuple[str, Place], Entry] = field(default_factory=dict)
    """Entries wanted in parents' histories."""
    stays: dict[Stay, str | None] = field(default_factory=dict)
    """When each ended."""
    answers: dict[Place, list[Any]] = field(default_factory=dict)
    """What guests are told: whether they went with this thing, and who held it."""
    counted: frozenset[str] = frozenset()
    """Releases (hash URIs) of which several things are known to have arrived together."""
    objections: dict[str, list[Objection]] = field(default_factory=dict)
    """By event."""
    idle: list[Place] = field(default_factory=list)
    """Entries of emptied parents that it was not in."""


class Fold:
    """Folds entries about one thing, from a base on. ``confirmed``: an acceptance gives custody only where the sender has released."""

    def __init__(self, item: str, base: Record | None, *, confirmed: bool) -> None:
        self.item = item
        self._confirmed = confirmed
        self._at = Standing.from_record(base)
        self._made = Outcome(self._at)
        self._counted: set[str] = set()
        self._doubted = any(not touch.held for touch in self._at.touches.values())

    def run(self, said: Iterable[Entry]) -> None:
        """Take entries in, in their order."""
        for entry in said:
            self._step(entry)

    def outcome(self, *, more: bool = False) -> Outcome:
        """What follows from all that was taken in so far. ``more``: other entries will be taken in afterwards."""
        at, made = self._at, self._made
        found = made
        if more:
            found = Outcome(
                at.copy(),
                dict(made.handoffs),
                dict(made.faults),
                dict(made.guests),
                dict(made.stays),
                dict(made.answers),
                objections=made.objections,
            )
        found.counted = frozenset(self._counted)
        if at.parent is not None:
            found.stays[(at.parent, at.packed)] = None
        if at.missed is not None:
            _note_missed(found.faults, self.item, at.missed)
        if at.hop is not None:
            self._hand_over(found, at.hop, self._open_faults(at.hop))
        self._lasting_faults(found.faults)
        return found

    @property
    def standing(self) -> Standing:
        """What is true now; it changes as more is taken in."""
        return self._at

    @property
    def latest_hop(self) -> Hop | None:
        """The handoff that was spoken of last."""
        return self._at.hop

    def base(self) -> Record:
        """The state as JSON, for what follows to begin with."""
        return self._at.to_record()

    # --- one entry

    def _step(self, entry: Entry) -> None:
        at, time, kind = self._at, entry[0], entry[3]
        if at.missed is not None and at.missed[0] != time:
            _note_missed(self._made.faults, self.item, at.missed)
            at.missed = None
        if kind == e.OUT and self._is_swept_past(entry):
            self._made.idle.append(place_of(entry))
            return
        if at.first is None:
            at.first = [time, entry[2], entry[4], entry[5]]
        if at.ended is not None and not self._denies_the_end(entry):
            self._after_the_end(entry)
            return
        _HANDLERS[kind](self, entry)
        if at.lot is None and kind[0] != e.GUEST:  # whoever named it with its lot, unless its maker said so
            at.lot = e.lengthened(e.more_of(entry).get("lot"))
        if kind[0] != e.GUEST and kind != e.NAME:
            at.time, at.event = time, entry[2]
            disposition = e.more_of(entry).get("d")
            if disposition is not None:
                at.disposition = disposition
                if disposition == _RETURNED:
                    at.sold = None
        if self._doubted:
            self._excuse(time)

    def _is_swept_past(self, entry: Entry) -> bool:
        """Whether a parent was emptied that it was not in."""
        more = e.more_of(entry)
        return bool(more.get("swept")) and self._at.parent != e.lengthened(more["of"])

    def _denies_the_end(self, entry: Entry) -> bool:
        """Whether somebody who neither had nor made it said that it ended, and who did speaks of it as if it had not: so it goes on,
        and an exception names both."""
        at = self._at
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
            self._hold(msp, party, why)
        return True

    def _after_the_end(self, entry: Entry) -> None:
        at = self._at
        if entry[3] == e.BEGIN:
            at.maker = at.maker or entry[4]
            at.title = at.title or entry[4]
        elif entry[3][0] == e.GUEST and entry[3] != e.GUEST:
            self._answer(entry, stays=False)
        if entry[0] > at.ended[0]:  # type: ignore[index]
            at.misused = [entry[0], entry[2], entry[4]]
            at.time, at.event = entry[0], entry[2]

    def _begin(self, entry: Entry) -> None:
        at = self._at
        self._void_what_strangers_said(entry)
        at.maker = at.title = entry[4]
        at.lot = e.lengthened(e.more_of(entry).get("lot")) or at.lot
        if at.why in ("", FIRST):
            self._hold(entry[4], entry[5], MADE)
        at.touches[entry[4]] = Touch(entry[0], False, True)
        self._see_at(entry)

    def _void_what_strangers_said(self, entry: Entry) -> None:
        """Where custody is enforced, nobody can have packed or handed over what began later: or else a stranger who dates that
        early takes it from its maker."""
        at = self._at
        if not self._confirmed or at.first is None or at.first[2] == entry[4]:
            return
        if at.parent is not None:
            self._out(entry[0])
        if at.hop is not None:
            self._hand_over(self._made, at.hop, at.hop.faults(self.item))
        at.hop, at.prior, at.moving, at.why = None, None, False, FIRST

    def _named(self, entry: Entry) -> None:
        self._adopt(entry)

    def _adopt(self, entry: Entry) -> None:
        if self._at.msp is None:
            self._hold(entry[4], entry[5], FIRST)

    def _hold(self, msp: str | None, party: str | None, why: str) -> None:
        at = self._at
        at.msp, at.party, at.why = msp, party, why
        if why == HAND:
            at.moving = False

    def _see_at(self, entry: Entry) -> None:
        if entry[6] is not None and self._at.parent is None:
            self._at.place = entry[6]

    def _seen(self, entry: Entry) -> None:
        self._adopt(entry)
        self._touch(entry, looked=True)
        self._see_at(entry)
        if step := e.more_of(entry).get("sold"):
            self._at.sold = [entry[0], step]

    def _handled(self, entry: Entry) -> None:
        """As a parent: packed into, unpacked from."""
        more = e.more_of(entry)
        if more.get("label"):
            self._at.labelled = True
        self._adopt(entry)
        self._touch(entry)
        self._see_at(entry)

    # --- custody

    def _touch(self, entry: Entry, *, looked: bool = False) -> None:
        at, msp = self._at, entry[4]
        if at.parent is not None:
            self._ask(entry, e.GUEST, looked=looked)
            return
        held = at.msp == msp or (looked and at.moving)
        at.touches[msp] = Touch(entry[0], looked, held, at.msp, at.party, entry[2])
        if not held:
            self._doubted = True
            self._object(entry, "not_in_your_custody", "not_held", f"{self.item} is held by {at.msp}")

    def _excuse(self, time: str) -> None:
        """Who holds a thing at any instant of a moment held it at that moment: clocks are coarse."""
        at = self._at
        for msp, touch in at.touches.items():
            if not touch.held and touch.time == time and (at.msp == msp or (touch.looked and at.moving)):
                at.touches[msp] = replace(touch, held=True)
                self._withdraw(touch.event, "not_in_your_custody")

    def _object(self, entry: Entry, code: str, flag: str, detail: str) -> None:
        at = self._at
        found = self._made.objections.setdefault(entry[2], [])
        found.append(Objection(code, flag, detail, at.msp, e.lengthened(at.party)))

    def _withdraw(self, event: str, code: str) -> None:
        left = [one for one in self._made.objections.get(event, ()) if one.code != code]
        self._made.objections[event] = left

    # --- guests

    def _ask(self, entry: Entry, kind: str, *, looked: bool = False) -> None:
        """Want an entry in the parent's history."""
        at = self._at
        assert at.parent is not None
        more: dict[str, Any] = {"looked": True} if looked else {}
        if kind != e.GUEST:
            more |= {key: value for key, value in e.more_of(entry).items() if key in _CLAIM}
        guest = e.make(kind, entry[0], entry[2], entry[4], e.lengthened(entry[5]), e.lengthened(entry[6]), more)
        if kind != e.GUEST:
            guest[1] = entry[1]
        self._made.guests[(at.parent, place_of(guest))] = guest

    def _guest(self, entry: Entry) -> None:
        self._adopt(entry)
        self._touch(entry, looked=bool(e.more_of(entry).get("looked")))

    def _answer(self, entry: Entry, *, stays: bool) -> None:
        self._made.answers[place_of(entry)] = [stays, self._at.msp, self._at.party]

    def _guest_out(self, entry: Entry) -> None:
        """Something is taken out of it: who held it is told."""
        if self._at.parent is not None:
            self._pass_up(entry, e.GUEST_OUT)
        else:
            self._answer(entry, stays=False)

    def _guest_release(self, entry: Entry) -> None:
        """Something in it was shipped by name, and it was not: that left it."""
        if self._at.parent is not None:
            self._pass_up(entry, e.GUEST_RELEASE)
        else:
            self._answer(entry, stays=False)

    def _guest_acceptance(self, entry: Entry) -> None:
        """Something in it was received by name: the whole was, if it was on its way or is there already."""
        at = self._at
        if at.parent is not None:
            self._pass_up(entry, e.GUEST_ACCEPTANCE)
        elif at.hop is not None and at.hop.awaited and at.moving and at.hop.is_for(entry[4]):
            self._answer(entry, stays=True)
            self._accept(e.claim_of(entry), entry)
        else:
            self._answer(entry, stays=at.msp == entry[4])

    def _pass_up(self, entry: Entry, kind: str) -> None:
        self._ask(entry, kind)
        answer = e.more_of(entry).get("answer")
        if answer is not None:
            self._made.answers[place_of(entry)] = answer

    # --- packing

    def _packed(self, entry: Entry) -> None:
        at, into = self._at, e.lengthened(e.more_of(entry)["in"])
        assert into is not None
        self._adopt(entry)
        if at.missed is not None and at.missed[1] == into:  # packed and taken out at one moment
            self._withdraw(at.missed[2], "not_packed")
            at.missed = None
            self._hold(entry[4], entry[5], HAND)
            return
        self._touch(entry)
        self._use_after_sale(entry)
        if at.parent == into:
            return
        if at.parent is not None:
            detail = f"{self.item} was packed into {into} while it was in {at.parent}"
            self._made.faults[("aggregation", f"{self.item}\n{e.event_uri(entry[2])}")] = _fault(entry, detail)
            refusal = f"{self.item} is in {at.parent}: unpack it first, or name the parent"
            self._object(entry, "already_packed", "repacked", refusal)
            self._leave(entry[0])
        at.parent, at.packed, at.packed_by, at.place = into, entry[0], entry[2], None
        if at.left == into:
            at.left = None

    def _leave(self, time: str) -> None:
        """It is in its parent no more, and nobody said that it was taken out."""
        at = self._at
        assert at.parent is not None
        at.left = at.parent
        self._out(time)

    def _out(self, time: str) -> None:
        at = self._at
        assert at.parent is not None
        self._made.stays[(at.parent, at.packed)] = time
        at.parent, at.packed, at.packed_by = None, "", ""

    def _unpacked(self, entry: Entry) -> None:
        at, of = self._at, e.lengthened(e.more_of(entry)["of"])
        self._adopt(entry)
        if at.parent is not None and at.parent == of:
            if entry[5] is None:
                self._ask(entry, e.GUEST_OUT)
            self._out(entry[0])
            self._in_hand(entry)
            if e.more_of(entry).get("swept"):
                at.left = of  # and may be named again
        elif at.left == of:
            at.left = None
            self._see_at(entry)
        else:
            at.missed = [entry[0], of, entry[2], entry[4], entry[5]]
            self._object(entry, "not_packed", "not_packed", f"{self.item} is not in {of}")
            if at.parent is None:
                self._in_hand(entry)

    def _taken(self, entry: Entry) -> None:
        """Taken out of something, of which no more is known: as the first version's records have it."""
        self._in_hand(entry)

    def _in_hand(self, entry: Entry) -> None:
        """Who takes a thing out of another has it."""
        at, party = self._at, entry[5]
        if party is None and (answer := e.more_of(entry).get("answer")) is not None and answer[1] == entry[4]:
            party = answer[2]  # the party that held what it was in
        self._hold(entry[4], party, HAND)
        at.place = entry[6]
        at.touches[entry[4]] = Touch(entry[0], False, True)

    # --- handoffs

    def _claim(self, entry: Entry) -> None:
        """Shipped, received, accepted, or a shipment taken back."""
        at = self._at
        if at.parent is not None and entry[3] != e.VOID and self._goes_with_parent(entry):
            return
        claim = e.claim_of(entry)
        if claim.kind == "release":
            self._use_after_sale(entry)
            self._release(claim, entry)
        elif claim.kind == "void":
            self._adopt(entry)
            if at.hop is not None and at.hop.is_taken_back_by(claim.msp):
                at.hop.add(claim)
                at.moving = False
            at.place = None if at.parent is None else at.place
        else:
            self._accept(claim, entry)
            at.place = entry[6]

    def _goes_with_parent(self, entry: Entry) -> bool:
        """Whether what is in a parent went with it. If not, it has left; who had the parent had it until then."""
        at = self._at
        releasing = entry[3] == e.RELEASE
        self._ask(entry, e.GUEST_RELEASE if releasing else e.GUEST_ACCEPTANCE)
        stays, msp, party = e.more_of(entry).get("answer") or _NOT_ANSWERED
        if stays:
            return True
        refusal = f"{self.item} is in {at.parent}: unpack it first, or name the parent"
        self._object(entry, "already_packed", "unpacked", refusal)
        moving, hop = at.moving, at.hop
        self._leave(entry[0])
        if msp is not None:
            self._hold(msp, party, HAND)
        at.moving = moving and hop is not None and hop.awaited
        return False

    def _release(self, claim: Claim, entry: Entry) -> None:
        at, hop = self._at, self._at.hop
        if at.msp is None:
            self._hold(claim.msp, e.shortened(claim.sender), FIRST)
        holder = [at.msp, at.party]
        if hop is not None and hop.is_released_by(claim):
            fresh = hop.release is None
            if fresh and at.prior is not None and not hop.idle:
                holder = at.prior
            hop.add(claim)
            hop.idle = False
            if fresh:
                self._confirm(hop, holder)
        else:
            hop = self._next(Hop(known_as=e.more_of(entry).get("known_as")), by=claim)
            hop.add(claim)
            at.moving = True
        hop.short = hop.short or e.more_of(entry).get("counted", False)
        self._check_releaser(hop, claim, holder, entry)
        if at.moving:
            at.place = None

    def _confirm(self, hop: Hop, holder: list[str | None]) -> None:
        """An acceptance gets the release that it had been waiting for."""
        at, acceptance = self._at, hop.acceptance
        assert acceptance is not None
        if self._confirmed and at.why != ACCEPTED:
            at.prior = [at.msp, at.party]
            self._hold(acceptance.msp, e.shortened(acceptance.consignee), ACCEPTED)
        self._pass_title(hop, holder[0])

    def _check_releaser(self, hop: Hop, claim: Claim, holder: list[str | None], entry: Entry) -> None:
        if holder[0] == claim.msp:
            return
        if hop.release is claim:
            hop.robbed = holder[0]
        detail = f"{self.item} is held by {holder[0]}"
        found = self._made.objections.setdefault(entry[2], [])
        found.append(Objection("not_in_your_custody", "", detail, holder[0], e.lengthened(holder[1])))

    def _pass_title(self, hop: Hop, holder: str | None) -> None:
        """Title goes with what both sides attest, from who had it."""
        at, release, acceptance = self._at, hop.release, hop.acceptance
        if release is None or acceptance is None or hop.robbed is not None or hop.faults(self.item):
            return
        if release.msp == holder and at.title == release.msp:
            at.title = acceptance.msp

    def _accept(self, claim: Claim, entry: Entry) -> None:
        at, hop = self._at, self._at.hop
        if hop is not None and hop.is_answered_by(claim):
            first = hop.acceptance is None
            if first and not hop.is_for(claim.msp):
                self._object(entry, "not_in_your_custody", "", f"{self.item} was released to somebody else")
            hop.add(claim)
            if first:
                at.prior = [at.msp, at.party]
                if hop.robbed is None or not self._confirmed:
                    self._hold(claim.msp, e.shortened(claim.consignee), ACCEPTED)
                self._pass_title(hop, at.prior[0] if hop.robbed is None else None)
        else:
            hop = self._next(Hop(known_as=e.more_of(entry).get("known_as")), by=claim)
            hop.add(claim)
            hop.idle = at.msp == claim.msp
            if not hop.idle:
                at.prior = None if at.msp is None else [at.msp, at.party]
                if not self._confirmed or at.msp is None:
                    self._hold(claim.msp, e.shortened(claim.consignee), ACCEPTED)
        at.moving = False
        if hop.counted and hop.release is not None:
            self._counted.add(hop.release.event)

    def _next(self, hop: Hop, by: Claim) -> Hop:
        """The latest handoff is one of the past."""
        before = self._at.hop
        if before is not None:
            faults = before.faults(self.item)
            release = before.release
            if before.awaited and release is not None and by.kind == "release" and release.msp == by.msp:
                to = release.consignee or "an unnamed party"
                faults["undelivered"] = f"{self.item} was released to {to} and then again, without being accepted"
            self._hand_over(self._made, before, faults)
        self._at.hop = hop
        return hop

    def _hand_over(self, into: Outcome, hop: Hop, faults: dict[str, str]) -> None:
        if hop.idle:
            return
        identity = hop.identifier(self.item)
        into.handoffs[identity] = hop.record(self.item, faults)
        said = hop.acceptance or hop.release
        assert said is not None
        for kind, detail in faults.items():
            into.faults[(kind, identity)] = Fault(
                detail, tuple(hop.parties()), said.event, said.time, said.msp, identity
            )

    def _open_faults(self, hop: Hop) -> dict[str, str]:
        """What does not add up in the latest handoff."""
        at, faults = self._at, hop.faults(self.item)
        if hop.idle or hop.voided:
            return faults
        if hop.damaged and hop.acceptance is not None and at.disposition == "damaged" and at.ended is None:
            to = hop.acceptance.consignee or "an unnamed party"
            faults["damaged"] = f"{self.item} was accepted damaged by {to}"
        if hop.awaited and hop.short:
            faults["shortage"] = f"{self.item} was released with others that have arrived, and has not arrived itself"
        return faults

    # --- what ends

    def _ends(self, entry: Entry) -> None:
        at = self._at
        had = [at.msp, at.party, at.why]
        proper = entry[4] == at.maker or (at.msp == entry[4] and at.why != FIRST)
        self._adopt(entry)
        self._touch(entry)
        if at.parent is not None:
            self._leave(entry[0])
            self._hold(entry[4], entry[5], HAND)
            at.place = entry[6]
        self._see_at(entry)
        at.ended = [entry[0], e.more_of(entry)["as"], entry[4], proper, *had]

    def _use_after_sale(self, entry: Entry) -> None:
        at = self._at
        if at.sold is not None and entry[0] > at.sold[0]:
            at.misused = [entry[0], entry[2], entry[4]]

    def _lasting_faults(self, faults: Faults) -> None:
        """What does not add up as things are now."""
        at = self._at
        if at.maker is None and at.first is not None and is_product(self.item):
            time, event, msp, party = at.first
            whose = e.lengthened(party)
            parties = () if whose is None else (whose,)
            detail = f"{self.item} is in use; nobody reported its making"
            faults[("uncommissioned", self.item)] = Fault(detail, parties, e.event_uri(event), time, msp)
        for msp, touch in at.touches.items():
            if not touch.held:
                detail = f"{msp} handled {self.item}, which {touch.by} held"
                whose = e.lengthened(touch.whose)
                parties = () if whose is None else (whose,)
                subject = f"{self.item}\n{msp}"
                faults[("custody", subject)] = Fault(detail, parties, e.event_uri(touch.event), touch.time, msp)
        if at.misused is not None:
            time, event, msp = at.misused
            ended = at.ended or at.denied
            was = f"was sold at {at.sold[0]}" if at.sold is not None else ""
            if ended is not None:
                was = f"was {ended[1]} at {ended[0]} by {ended[2]}"
            if was:
                whose = e.lengthened(at.party)
                parties = () if whose is None else (whose,)
                detail = f"{self.item} {was}, and used at {time}"
                faults[("after_end", self.item)] = Fault(detail, parties, e.event_uri(event), time, msp)


# As if it went with its parent: so all that depends on the parent is asked at once, and not one after the other.
_NOT_ANSWERED = (True, None, None)
_CLAIM = frozenset({"from", "to", "documents", "toMsp", "toPlace", "promised", "damaged", "count"})
_HANDLERS: dict[str, Callable[[Fold, Entry], None]] = {
    e.BEGIN: Fold._begin,
    e.NAME: Fold._named,
    e.SEE: Fold._seen,
    e.HANDLE: Fold._handled,
    e.EMPTY: Fold._handled,
    e.GUEST: Fold._guest,
    e.GUEST_OUT: Fold._guest_out,
    e.GUEST_RELEASE: Fold._guest_release,
    e.GUEST_ACCEPTANCE: Fold._guest_acceptance,
    e.IN: Fold._packed,
    e.OUT: Fold._unpacked,
    e.TAKEN: Fold._taken,
    e.RELEASE: Fold._claim,
    e.RECEIVE: Fold._claim,
    e.ACCEPT: Fold._claim,
    e.VOID: Fold._claim,
    e.END: Fold._ends,
}


def is_product(uri: str) -> bool:
    """Whether a thing is of a product, which somebody makes; logistic units and assets only get a label."""
    known_as = identify(uri)
    return known_as is not None and known_as.gtin is not None


def _fault(entry: Entry, detail: str) -> Fault:
    party = e.lengthened(entry[5])
    return Fault(detail, () if party is None else (party,), e.event_uri(entry[2]), entry[0], entry[4])


def _note_missed(faults: Faults, item: str, missed: list[Any]) -> None:
    time, of, event, msp, party = missed
    detail = f"{item} was taken out of {of}, and nobody reported that it was in it"
    whom = e.lengthened(party)
    faults[("not_packed", f"{item}\n{e.event_uri(event)}")] = Fault(
        detail, () if whom is None else (whom,), e.event_uri(event), time, msp
    )
