"""Accounts: what was said of one lot and consignee under one document.

A document says which shipment is meant, so what was released and what was accepted are sums, and neither order nor time matters.
Claims are kept by sender; acceptances that name none belong to the sender whose release is the first. What is left over on one
side stands in the lane, where claims without document, or with another kind of it, may answer it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from chaincode import keys
from chaincode.context import Context
from chaincode.history import Base, Entry, History, short_name
from chaincode.lots.amounts import NOTHING
from chaincode.lots.balances import Tally
from chaincode.lots.claims import (
    ACCEPT,
    MOST_NAMED,
    RANKS,
    RECEIVE,
    VOID,
    AccountName,
    Answer,
    Release,
    Said,
    number,
    number_text,
)
from chaincode.lots.sequence import Place
from chaincode.state import Record

RELEASE = "release"
KINDS = (RELEASE, RECEIVE, ACCEPT, VOID)
MOST_SENDERS = 8


@dataclass(frozen=True, slots=True)
class Side:
    """What one side said, added up. ``quantity`` is of those ``counted``; ``events`` are the first ones, with their times."""

    count: int = 0
    counted: int = 0
    quantity: Decimal = NOTHING
    damaged: int = 0
    events: tuple[tuple[str, str], ...] = ()
    first: tuple[Place, Said] | None = None
    promised: str | None = None

    @property
    def known(self) -> Decimal | None:
        """How much, None if nobody counted."""
        return self.quantity if self.counted else None

    def with_claim(self, entry: Entry) -> Side:
        """With another claim, which is later than all in it."""
        said, quantity = Said.from_record(entry[3]), number(entry[3]["q"])
        return self + Side(
            1,
            int(quantity is not None),
            quantity or NOTHING,
            int(said.damaged),
            ((entry[0], entry[2]),),
            ((entry[0], entry[1], entry[2]), said),
            said.promised,
        )

    def __add__(self, other: Side) -> Side:
        firsts = [one.first for one in (self, other) if one.first is not None]
        events = (*self.events, *other.events)
        if self.events and other.events and other.events[0] < self.events[-1]:
            events = tuple(sorted(events))
        return Side(
            self.count + other.count,
            self.counted + other.counted,
            self.quantity + other.quantity,
            self.damaged + other.damaged,
            events[:MOST_NAMED],
            min(firsts, key=lambda one: one[0]) if firsts else None,
            self.promised or other.promised,
        )

    def to_record(self) -> Record:
        """As JSON."""
        return {
            "n": [self.count, self.counted, self.damaged],
            "q": number_text(self.quantity),
            "events": [list(one) for one in self.events],
            "first": None if self.first is None else [*self.first[0], self.first[1].to_record()],
            "promised": self.promised,
        }

    @classmethod
    def from_record(cls, record: Record) -> Side:
        """Back from JSON."""
        first = record["first"]
        return cls(
            record["n"][0],
            record["n"][1],
            Decimal(record["q"]),
            record["n"][2],
            tuple((time, event) for time, event in record["events"]),
            None if first is None else ((first[0], first[1], first[2]), Said.from_record(first[3])),
            record["promised"],
        )


Sides = dict[str, Side]


def _sides(base: Base) -> Sides:
    found = {} if base is None else {kind: Side.from_record(record) for kind, record in base.items()}
    return {kind: found.get(kind, Side()) for kind in KINDS}


def _fold(base: Base, entries: Iterable[Entry]) -> Sides:
    sides = _sides(base)
    for entry in entries:
        sides[entry[3]["kind"]] = sides[entry[3]["kind"]].with_claim(entry)
    return sides


def _advance(base: Base, entries: list[Entry]) -> Base:
    return {kind: side.to_record() for kind, side in _fold(base, entries).items() if side.count}


@dataclass(frozen=True, slots=True)
class Group:
    """What one sender released under a document, and what answers that."""

    name: AccountName
    is_primary: bool
    """Whether acceptances that name no sender are counted here."""
    sides: Sides = field(default_factory=dict)

    @property
    def release(self) -> Side:
        """What was released."""
        return self.sides[RELEASE]

    @property
    def void(self) -> Side:
        """What was taken back."""
        return self.sides[VOID]

    @property
    def answers(self) -> Side:
        """What was received and accepted, each by its events."""
        return self.sides[RECEIVE] + self.sides[ACCEPT]

    @property
    def accepted(self) -> Decimal | None:
        """What arrived. What was received and then accepted is counted once."""
        known = [side.quantity for side in (self.sides[RECEIVE], self.sides[ACCEPT]) if side.counted]
        return max(known) if known else None

    @property
    def taken(self) -> Decimal:
        """What was released and taken back: of what has not been accepted."""
        if self.release.known is None or not self.void.count:
            return NOTHING
        free = max(NOTHING, self.release.quantity - (self.accepted or NOTHING))
        return free if self.void.counted < self.void.count else min(self.void.quantity, free)

    @property
    def is_contested(self) -> bool:
        """Whether more was taken back than can have been, as it was accepted."""
        if not self.void.count or self.release.known is None or not self.answers.count:
            return False
        wanted = self.release.quantity if self.void.counted < self.void.count else self.void.quantity
        return min(wanted, self.release.quantity) > self.taken

    @property
    def is_void(self) -> bool:
        """Whether all of the release was taken back."""
        if not self.release.count or self.answers.count or not self.void.count:
            return False
        return self.release.known is None or self.taken == self.release.quantity

    @property
    def net(self) -> Decimal | None:
        """Released and not accepted; negative where more arrived. None where a side did not count."""
        if self.release.known is None or (self.answers.count and self.accepted is None):
            return None
        return self.release.quantity - self.taken - (self.accepted or NOTHING)

    def leftover(self) -> Release | Answer | None:
        """What the lane is to know of it."""
        if self.is_void:
            return None
        if self.release.count:
            return self._two_sided() if self.answers.count else self._released(self.net)
        if self.answers.count:
            return self._answer(self.answers, RECEIVE, self.accepted)
        if self.void.count:
            return self._answer(self.void, VOID, self.void.known if self.void.counted == self.void.count else None)
        return None

    def _two_sided(self) -> Release | Answer | None:
        net = self.net
        if net is None or net == 0:
            return None
        return self._released(net) if net > 0 else self._answer(self.answers, RECEIVE, -net)

    def _released(self, quantity: Decimal | None) -> Release | None:
        assert self.release.first is not None
        place, said = self.release.first
        if quantity == 0:
            return None
        here = (place[0], RANKS[RELEASE], self.name.entry)
        return Release.new(here, said, quantity, exact=self.release.count == 1)

    def _answer(self, side: Side, kind: str, quantity: Decimal | None) -> Answer | None:
        assert side.first is not None
        place, said = side.first
        if quantity == 0:
            return None
        return Answer((place[0], RANKS[kind], self.name.entry), kind, said, quantity)

    def movements(self, tally: Tally, consignee: str) -> None:
        """What it adds to balances beside what was shipped and received."""
        shipped, accepted = self.release.first, self.sides[ACCEPT].first
        if self.taken and shipped is not None:
            tally.add(shipped[1].sender, shipped[1].at, self.taken)
        more = self.sides[ACCEPT].quantity - self.sides[RECEIVE].quantity
        if more > 0 and accepted is not None:
            tally.add(consignee, accepted[1].at, more)


class Account:
    """The account of a document, by sender."""

    def __init__(self, context: Context, uri: str, consignee: str, document: tuple[str, str], endorsed: Record) -> None:
        self._state = context.state
        self.document = document
        self._key = keys.account(uri, consignee, *document)
        self._name = f"{uri}\n{consignee}\n{document[0]}\n{document[1]}"
        record = self._state.get(self._key)
        self._endorsed = endorsed
        self._parts: dict[str, History] = {
            sender: self._part(sender, part) for sender, part in ((record or {}).get("parts", {})).items()
        }

    def _part(self, sender: str, record: Record | None) -> History:
        return History(self._state, "HA", f"{self._name}\n{sender}", record)

    def add(self, entry: Entry, sender: str | None) -> None:
        """Take a claim in. An event that names a lot twice means both together."""
        part = self._parts.setdefault(self._sender(sender), self._part(self._sender(sender), None))
        if part.add(entry):
            return
        (known,) = (one for one in part.entries if one[:3] == entry[:3])
        part.remove((entry[0], entry[1], entry[2]))
        quantities = [number(one[3]["q"]) for one in (known, entry)]
        counted = [one for one in quantities if one is not None]
        together = number_text(sum(counted, NOTHING)) if counted else None
        part.add([*entry[:3], {**known[3], "q": together}])

    def remove(self, time: str, rank: int, event: str) -> Entry | None:
        """Take a claim out, whomever it names; returns it as it was kept, None if it is not there."""
        for part in self._parts.values():
            part.reach(time)
            for entry in part.entries:
                if (entry[0], entry[1], entry[2]) == (time, rank, event):
                    part.remove((time, rank, event))
                    return entry
        return None

    def _sender(self, sender: str | None) -> str:
        """Where a sender's claims are kept: those of one too many, whom nobody who is honest has, with the last."""
        if sender is None or sender in self._parts or len(self._parts) < MOST_SENDERS:
            return sender or ""
        return max(self._parts)

    def groups(self) -> Iterator[Group]:
        """Each sender's, the first first."""
        folded = ((sender, _fold(part.base, part.entries)) for sender, part in self._parts.items())
        sides = {sender: found for sender, found in folded if any(side.count for side in found.values())}
        nameless = sides.pop("", None)
        primary = min(sides, key=lambda one: _first_place(sides[one]), default=None)
        if primary is not None and not sides[primary][RELEASE].count and nameless is not None:
            primary = None
        for sender in sorted(sides, key=lambda one: _first_place(sides[one])):
            found = sides[sender]
            if sender == primary and nameless is not None:
                found = {kind: found[kind] + nameless[kind] for kind in KINDS}
            yield Group(AccountName(*self.document, sender), sender == primary, found)
        if primary is None and nameless is not None:
            yield Group(AccountName(*self.document, ""), True, nameless)

    def keys(self) -> Iterator[str]:
        """The keys of its records."""
        yield self._key
        record = self._state.get(self._key) or {}
        for sender, part in record.get("parts", {}).items():
            for page in range(part.get("pages", 0)):
                yield keys.page("HA", f"{self._name}\n{sender}", page)

    def save(self) -> None:
        """Write what changed."""
        parts = {}
        for sender in sorted(self._parts):
            part = self._parts[sender].save(_advance, self._endorsed)
            if part["log"] or "base" in part:
                parts[sender] = part
        before = self._state.get(self._key)
        if not parts:
            if before is not None:
                self._state.delete(self._key)
            return
        record = {"v": 2, "parts": parts, **self._endorsed}
        if record != before:
            self._state.put(self._key, record)


def _first_place(sides: Sides) -> tuple[bool, Any]:
    """Senders who have released come first, by their first release; then those only named by others."""
    release = sides[RELEASE].first
    if release is not None:
        return False, release[0]
    firsts = [one.first[0] for one in sides.values() if one.first is not None]
    return True, min(firsts)


def claim_entry(time: str, event_hex: str, kind: str, said: Said, quantity: Decimal | None) -> Entry:
    """A claim as an account keeps it."""
    return [time, RANKS[kind], short_name(event_hex), {**said.to_record(), "kind": kind, "q": number_text(quantity)}]
