"""Handoffs of lots as the ledger shows them, worked out from what accounts and lanes hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from decimal import Decimal

from chaincode.context import decimal_text
from chaincode.handoffs import LOT, name
from chaincode.history import long_name
from chaincode.lots.account import Group, Side
from chaincode.lots.amounts import NOTHING
from chaincode.lots.claims import MOST_NAMED, VOID, AccountName, Answer, Release, Said, number_text
from chaincode.lots.faults import Faults, Shown
from chaincode.lots.sequence import Place
from chaincode.state import Record
from epcis.prehash import digest_uri


def anchor(account: AccountName, *, is_primary: bool) -> str:
    """What the id of an account's handoff ends with: the document's, whatever was told first."""
    named = account[:2] if is_primary else account
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a handoff: its first claim, and the events of all of its claims (short names, the first ones)."""

    place: Place
    said: Said
    events: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class View:
    """A handoff. ``released`` is less what was taken back."""

    consignee: str
    release: Party | None
    answer: Party | None
    released: Decimal | None = None
    accepted: Decimal | None = None
    voids: tuple[str, ...] = ()
    void_count: int = 0
    is_void: bool = False
    is_contested: bool = False
    damaged: bool = False
    promised: str | None = None
    reference: tuple[str, str] | None = None
    faults: Faults = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        """Whether its release was taken back, and something is said to have arrived all the same."""
        return self.release is not None and self.answer is not None and self.released == 0

    @property
    def missing(self) -> Decimal:
        """Released and not accepted; negative where more arrived, zero where a side did not count."""
        if self.released is None or self.accepted is None:
            return NOTHING
        return self.released - self.accepted

    def with_faults(self, item: str, contradictions: Faults) -> View:
        """With all that does not add up in it."""
        return replace(self, faults=_faults(self, item) | contradictions)

    @property
    def side(self) -> str | None:
        """Which side alone has spoken; None if both have, or it is void."""
        if self.is_void or (self.release is not None and self.answer is not None):
            return None
        return "released" if self.release is not None else "accepted"

    @property
    def status(self) -> str:
        """``released``, ``accepted``, ``complete``, ``disputed`` or ``void``."""
        if self.is_void:
            return "void"
        if self.answer is None:
            return "released"
        if self.release is None or self.gone:
            return "disputed" if self.faults.keys() & {"wrong_lot", "wrong_consignee"} else "accepted"
        return "disputed" if self.faults else "complete"

    @property
    def shown(self) -> Shown:
        """The statement that shows what does not add up."""
        side = self.answer or self.release
        assert side is not None
        return Shown(_uri(side.place[2] if not side.events else side.events[0]), side.place[0], side.said.msp)

    def parties(self) -> list[str | None]:
        """Whom it concerns."""
        named = [one.said.sender for one in (self.release, self.answer) if one is not None]
        return [*named, self.consignee or None]

    def to_record(self, identity: str, item: str, uom: str | None) -> Record:
        """As JSON (docs/contract.md)."""
        release, answer = self.release, self.answer
        said = release.said if release is not None else None
        got = answer.said if answer is not None else None
        record: Record = {
            "v": 2,
            "id": identity,
            "item": item,
            "kind": LOT,
            "status": self.status,
            "from": said.sender if said is not None else got.sender if got is not None else None,
            "to": self.consignee or None,
            "acceptedBy": (self.consignee or None) if got is not None else None,
            "fromPlace": said.at if said is not None else None,
            "toPlace": (got.at if got is not None else None) or (said.to_place if said is not None else None),
            "fromMsp": said.msp if said is not None else None,
            "toMsp": got.msp if got is not None else said.to_msp if said is not None else None,
            "reference": None if self.reference is None else {"type": self.reference[0], "id": self.reference[1]},
            "released": number_text(self.released),
            "accepted": number_text(self.accepted),
            "uom": uom,
            "releaseEvents": _uris(release.events if release is not None else ()),
            "acceptEvents": _uris(answer.events if answer is not None else ()),
            "voidEvents": _uris(self.voids),
            "releasedAt": release.place[0] if release is not None else None,
            "acceptedAt": answer.place[0] if answer is not None else None,
            "promisedAt": self.promised,
            "faults": sorted(self.faults),
        }
        counts = {
            "releaseCount": release.count if release is not None else 0,
            "acceptCount": answer.count if answer is not None else 0,
            "voidCount": self.void_count,
        }
        record |= {name: count for name, count in counts.items() if count > MOST_NAMED}
        if self.is_void:
            record |= dict.fromkeys(("released", "accepted", "releasedAt", "acceptedAt", "promisedAt"))
        return record


def _uri(short: str) -> str:
    return digest_uri(long_name(short))


def _uris(events: tuple[str, ...]) -> list[str]:
    return [_uri(event) for event in events]


def _faults(view: View, item: str) -> Faults:
    """What does not add up in one handoff."""
    if view.is_void or view.answer is None:
        return {}
    consignee = name(view.consignee)
    faults: Faults = {}
    if view.release is None or view.gone:
        faults["unannounced"] = f"{item} was accepted by {consignee}; nobody has released it to them"
    elif view.missing > 0:
        missing, released = decimal_text(view.missing), decimal_text(view.released or NOTHING)
        faults["shortage"] = f"{missing} of {released} of {item} are missing"
    elif view.missing < 0:
        extra, released = decimal_text(-view.missing), decimal_text(view.released or NOTHING)
        faults["overage"] = f"{extra} more of {item} arrived than the {released} released"
    if view.is_contested:
        faults["taken_back"] = f"{item} was taken back by its sender, and accepted by {consignee}"
    if view.damaged:
        faults["damaged"] = f"some of {item} was accepted damaged by {consignee}"
    return faults


def of_release(release: Release, consignee: str, answer: Party | None, voids: tuple[str, ...]) -> View:
    """The handoff of a release that stands for itself; ``answer``: those of what it met; ``voids``: the events that took it back."""
    released = None if release.quantity is None else release.quantity - release.taken
    return View(
        consignee,
        Party(release.place, release.said, (release.place[2],)),
        answer,
        released,
        release.got if release.counted else None,
        voids,
        release.void_count,
        is_void=answer is None and release.void_count > 0 and (released is None or released == 0),
        damaged=release.damaged > 0,
        promised=release.said.promised,
        reference=answer.said.documents[0] if answer is not None and answer.said.documents else None,
    )


def of_answer(answer: Answer, consignee: str) -> View | None:
    """The handoff of an answer that stands for itself and met nothing; None if it is part of another's."""
    if answer.fills or answer.kind == VOID or (answer.confirms and answer.counts == 0):
        return None
    accepted = None if answer.quantity is None else answer.counts
    party = Party(answer.place, answer.said, (answer.place[2],))
    return View(consignee, None, party, accepted=accepted, damaged=answer.said.damaged)


def of_group(
    group: Group, consignee: str, leftover: Release | Answer | None, more: Party | None, taken_back: tuple[str, ...]
) -> View | None:
    """An account's handoff. ``leftover``: how it fared in the lane; ``more`` and ``taken_back``: what answered it there, and the
    events that took it back. None: it is part of another's."""
    release = _party(group.release) if group.release.count else None
    answer = _party(group.answers) if group.answers.count else None
    accepted = group.accepted
    released = None if group.release.known is None else group.release.quantity - group.taken
    voids = [event for _, event in group.void.events]
    void_count, damaged = group.void.count, group.answers.damaged
    if release is None and (answer is None or (isinstance(leftover, Answer) and leftover.fills)):
        return None
    if isinstance(leftover, Release):
        released = None if released is None else released - leftover.taken
        if leftover.counted:
            accepted = (accepted or NOTHING) + leftover.got
        voids += taken_back
        void_count, damaged = void_count + leftover.void_count, damaged + leftover.damaged
        answer = _joined(answer, more)
    elif leftover is not None and leftover.fills and accepted is not None:
        accepted -= leftover.quantity or NOTHING
    emptied = void_count > 0 and (released is None or released == 0)
    return View(
        consignee,
        release,
        answer,
        released,
        accepted,
        tuple(voids[:MOST_NAMED]),
        void_count,
        is_void=release is not None and answer is None and emptied,
        is_contested=group.is_contested,
        damaged=damaged > 0,
        promised=group.release.promised,
        reference=(group.name.kind, group.name.document),
    )


def _party(side: Side) -> Party:
    assert side.first is not None
    return Party(*side.first, tuple(event for _, event in side.events), side.count)


def _joined(own: Party | None, more: Party | None) -> Party | None:
    if own is None or more is None:
        return own or more
    first = min(own, more, key=lambda one: one.place)
    events = tuple(dict.fromkeys((*own.events, *more.events)))[:MOST_NAMED]
    return replace(first, events=events, count=own.count + more.count)
