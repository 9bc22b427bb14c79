"""Both sides of handoffs as a lane keeps them: what was released, and what answers it.

A claim that names no document stands for itself. Those that name a document are added up in its account; what is left over there
stands in the lane in the account's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from chaincode.claims import CLOCK_SKEW
from chaincode.context import decimal_text
from chaincode.history import Entry
from chaincode.lots.amounts import NOTHING
from chaincode.lots.sequence import Place

Documents = tuple[tuple[str, str], ...]
"""Type and id, the one that says best which shipment this is first."""
MOST_NAMED = 64
"""So many events of one side are named in a handoff; more are counted."""

RECEIVE, ACCEPT, VOID = "receive", "accept", "void"
RANKS = {"release": 0, RECEIVE: 1, ACCEPT: 2, VOID: 3}

OPEN, WAITING, CAPPED, AHEAD = 1, 1, 2, 4
"""What pages note: of a release that it is open; of an answer that it waits for a release, that it would look at more if some went,
that it met a release dated later than itself."""

_PREFIX = "https://id.gs1.org/"


class AccountName(NamedTuple):
    """The account of a document (of one lot and consignee), or the part of it that one sender has a say in."""

    kind: str
    document: str
    sender: str = ""

    @property
    def entry(self) -> str:
        """The name of what is left over in it, where others have the short name of their event."""
        return "~" + "\t".join(self)

    @staticmethod
    def of(entry_name: str) -> AccountName | None:
        """The account whose leftover an entry is; None if it stands for itself."""
        return AccountName(*entry_name[1:].split("\t")) if entry_name.startswith("~") else None


def shortened(uri: str | None) -> str | None:
    """A URI without the beginning that nearly all have."""
    return uri[len(_PREFIX) :] if uri is not None and uri.startswith(_PREFIX) else uri


def lengthened(text: str | None) -> str | None:
    """Back from ``shortened``: what begins with a digit is a GS1 key."""
    return _PREFIX + text if text is not None and text[:1].isdigit() else text


def place_of(entry: Entry) -> Place:
    """Where an entry stands."""
    return entry[0], entry[1], entry[2]


def shifted(time: str, *, forward: bool) -> str:
    """A time's text by as much later, or earlier, as clocks may differ; beyond all times where the calendar ends."""
    moment = datetime.fromisoformat(time)
    try:
        moved = moment + CLOCK_SKEW if forward else moment - CLOCK_SKEW
    except OverflowError:
        return "9999" if forward else ""
    return moved.isoformat(timespec="microseconds")[:26] + "Z"


def number_text(quantity: Decimal | None) -> str | None:
    """A quantity as JSON."""
    return None if quantity is None else decimal_text(quantity)


def number(text: str | None) -> Decimal | None:
    """Back from JSON."""
    return None if text is None else Decimal(text)


@dataclass(frozen=True, slots=True)
class Said:
    """What a claim says beside its quantity."""

    msp: str
    sender: str | None = None
    at: str | None = None
    """The place."""
    documents: Documents = ()
    damaged: bool = False
    to_msp: str | None = None
    to_place: str | None = None
    promised: str | None = None

    def to_record(self) -> dict[str, Any]:
        """As JSON; what is not said is left out."""
        record: dict[str, Any] = {
            "msp": self.msp,
            "from": shortened(self.sender),
            "at": shortened(self.at),
            "docs": [list(one) for one in self.documents] or None,
            "damaged": self.damaged or None,
            "toMsp": self.to_msp,
            "toPlace": shortened(self.to_place),
            "promised": self.promised,
        }
        return {name: value for name, value in record.items() if value is not None}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Said:
        """Back from JSON."""
        get = record.get
        return cls(
            record["msp"],
            lengthened(get("from")),
            lengthened(get("at")),
            tuple((kind, value) for kind, value in get("docs", ())),
            get("damaged", False),
            get("toMsp"),
            lengthened(get("toPlace")),
            get("promised"),
        )

    def shares_document(self, other: Said) -> bool:
        """Whether both name a same document."""
        return not set(self.documents).isdisjoint(other.documents)

    def may_meet(self, other: Said) -> bool:
        """Whether both can be about one handoff: not with different senders, nor with different documents of one kind."""
        if self.sender is not None and other.sender is not None and self.sender != other.sender:
            return False
        if not self.documents or not other.documents:
            return True
        own, others = _by_kind(self.documents), _by_kind(other.documents)
        return not any(own[kind].isdisjoint(others[kind]) for kind in own.keys() & others.keys())


def _by_kind(documents: Documents) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, value in documents:
        found.setdefault(kind, set()).add(value)
    return found


@dataclass(slots=True)
class Release:
    """So much is on its way. ``open`` of it nobody has answered yet; ``got`` is what answers say has come of it."""

    place: Place
    said: Said
    quantity: Decimal | None
    exact: bool = True
    """Whether it is one shipment, that an answer of just its size is likely to mean."""
    open: Decimal = NOTHING
    taken: Decimal = NOTHING
    got: Decimal = NOTHING
    counted: int = 0
    """How many of what it met counted."""
    answers: list[str] = field(default_factory=list)
    count: int = 0
    voids: list[str] = field(default_factory=list)
    void_count: int = 0
    first: Place | None = None
    """The first answer or taking back that met it; the last one, if it is known; the first answer alone."""
    last: Place | None = None
    answer: Place | None = None
    damaged: int = 0

    @classmethod
    def new(cls, place: Place, said: Said, quantity: Decimal | None, *, exact: bool = True) -> Release:
        """One that nobody has answered."""
        return cls(place, said, quantity, exact, open=quantity if quantity is not None else NOTHING)

    @property
    def is_open(self) -> bool:
        """Whether something is still expected of it."""
        if self.quantity is None:
            return self.count == 0 and self.void_count == 0
        return self.open > 0

    @property
    def untouched(self) -> bool:
        """Whether nothing has met it."""
        return self.first is None

    def to_entry(self) -> Entry:
        """As JSON; what is as it was in the beginning is left out."""
        blank = Release.new(self.place, self.said, self.quantity)
        record: dict[str, Any] = {**self.said.to_record(), "q": number_text(self.quantity)}
        if not self.exact:
            record["parts"] = True
        for name in ("open", "taken", "got"):
            if getattr(self, name) != getattr(blank, name):
                record[name] = decimal_text(getattr(self, name))
        for name in (
            "counted",
            "answers",
            "count",
            "voids",
            "void_count",
            "first",
            "last",
            "answer",
            "damaged_count",
        ):
            value = getattr(self, "damaged" if name == "damaged_count" else name)
            if value:
                record[name] = list(value) if isinstance(value, list | tuple) else value
        return [*self.place, record]

    @classmethod
    def from_entry(cls, entry: Entry) -> Release:
        """Back from JSON."""
        record = entry[3]
        get, quantity = record.get, number(record["q"])
        return cls(
            (entry[0], entry[1], entry[2]),
            Said.from_record(record),
            quantity,
            not get("parts", False),
            Decimal(get("open", record["q"] or "0")),
            Decimal(get("taken", "0")),
            Decimal(get("got", "0")),
            get("counted", 0),
            list(get("answers", ())),
            get("count", 0),
            list(get("voids", ())),
            get("void_count", 0),
            _place(get("first")),
            _place(get("last")),
            _place(get("answer")),
            get("damaged_count", 0),
        )


class Fill(NamedTuple):
    """An answer meets a release: ``amount`` of it (None: uncounted); ``was_open``: what was open of it before."""

    release: Place
    amount: Decimal | None
    was_open: Decimal


class Confirmed(NamedTuple):
    """An acceptance confirms ``amount`` of a receipt, and is named in a release that the receipt met."""

    receipt: Place
    amount: Decimal
    release: Place | None


@dataclass(slots=True)
class Answer:
    """What arrived, or was taken back: what of which release it answers, and the ``rest`` that nobody has announced."""

    place: Place
    kind: str
    said: Said
    quantity: Decimal | None
    fills: list[Fill] = field(default_factory=list)
    rest: Decimal = NOTHING
    confirms: list[Confirmed] = field(default_factory=list)
    """Of an acceptance: the receipts that it only confirms."""
    confirmed: Decimal = NOTHING
    """Of a receipt: how much of it was confirmed."""
    capped: bool = False
    """More releases were open than an answer looks at."""

    @property
    def is_waiting(self) -> bool:
        """Whether a release may still come that announces it."""
        if self.kind == VOID:
            return False
        return self.rest > 0 or (self.quantity is None and not self.fills and not self.confirms)

    @property
    def counts(self) -> Decimal:
        """What it adds to who answers."""
        if self.quantity is None or self.kind == VOID:
            return NOTHING
        return self.quantity - sum((one.amount for one in self.confirms), NOTHING)

    @property
    def marks(self) -> int:
        """What pages note of it."""
        ahead = any(fill.release > self.place for fill in self.fills)
        # a taking back looks at the last releases, however they stand: so one that goes concerns it too
        capped = self.capped or self.kind == VOID
        return (WAITING if self.is_waiting else 0) | (CAPPED if capped else 0) | (AHEAD if ahead else 0)

    def to_entry(self) -> Entry:
        """As JSON; what is as it was in the beginning is left out."""
        record: dict[str, Any] = {**self.said.to_record(), "kind": self.kind, "q": number_text(self.quantity)}
        if self.fills:
            record["fills"] = [
                [*one.release, number_text(one.amount), decimal_text(one.was_open)] for one in self.fills
            ]
        if self.confirms:
            record["confirms"] = [[*one.receipt, decimal_text(one.amount), one.release] for one in self.confirms]
        for name in ("rest", "confirmed"):
            if getattr(self, name):
                record[name] = decimal_text(getattr(self, name))
        if self.capped:
            record["capped"] = True
        if self.marks:
            record["marks"] = self.marks
        return [*self.place, record]

    @classmethod
    def from_entry(cls, entry: Entry) -> Answer:
        """Back from JSON."""
        record = entry[3]
        get = record.get
        return cls(
            (entry[0], entry[1], entry[2]),
            record["kind"],
            Said.from_record(record),
            number(record["q"]),
            [Fill((a, b, c), number(amount), Decimal(was)) for a, b, c, amount, was in get("fills", ())],
            Decimal(get("rest", "0")),
            [Confirmed((a, b, c), Decimal(amount), _place(at)) for a, b, c, amount, at in get("confirms", ())],
            Decimal(get("confirmed", "0")),
            get("capped", False),
        )


def _place(given: list[Any] | None) -> Place | None:
    return None if given is None else (given[0], given[1], given[2])
