"""Claims: what each side says of a handoff. A release is the sender's, an acceptance the consignee's.

An item's claims are kept together; its handoffs are worked out from all of them each time one is added. So the order in
which claims reach the ledger cannot matter: the result is a function of the set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from chaincode import parties
from chaincode.context import Context, decimal, decimal_text
from chaincode.facts import KINDS, Fact, Kind
from chaincode.state import Record
from epcis import Event, QuantityElement

_RANK = {"release": 0, "receive": 1, "accept": 2, "void": 3}

# Documents that name a shipment, the most exact first.
DOCUMENTS = ("desadv", "bol", "po", "inv", "recadv")

_MOST_DOCUMENTS = 16
"""Of the documents an event names, so many are kept with each thing that it names."""

CLOCK_SKEW = timedelta(hours=24)
"""How much later than its acceptance a release may be dated and still be the same handoff: clocks and habits differ."""


@dataclass(slots=True)
class Claim:
    """One side's statement about one item; not to be changed. ``count`` is how many items the event named."""

    kind: Kind
    time: str
    event: str
    msp: str
    sender: str | None
    consignee: str | None
    place: str | None
    quantity: Decimal | None
    uom: str | None
    documents: tuple[tuple[str, str], ...]
    consignee_msp: str | None = None
    to_place: str | None = None
    promised: str | None = None
    damaged: bool = False
    count: int = 1

    @property
    def order(self) -> tuple[str, int, str]:
        """Claims are taken in the order of what they tell, never in that of their arrival."""
        return self.time, _RANK[self.kind], self.event

    def part(self, quantity: Decimal) -> Claim:
        """The same claim for some of its quantity."""
        return replace(self, quantity=quantity)

    def shares_document(self, other: Claim) -> bool:
        """Whether both name a same document."""
        return not set(self.documents).isdisjoint(other.documents)

    def contradicts(self, other: Claim) -> bool:
        """Whether both name documents of one kind, but different ones: then they are about different shipments."""
        if not self.documents or not other.documents or self.documents == other.documents:
            return False
        own, others = _by_kind(self.documents), _by_kind(other.documents)
        return any(own[kind].isdisjoint(others[kind]) for kind in own.keys() & others.keys())

    def fits_sender(self, other: Claim) -> bool:
        """Whether both may mean the same sender."""
        return self.sender is None or other.sender is None or self.sender == other.sender

    def to_record(self) -> Record:
        """As JSON; what is not said is left out."""
        record: Record = {"kind": self.kind, "time": self.time, "event": self.event, "msp": self.msp}
        for name, value in (
            ("from", self.sender),
            ("to", self.consignee),
            ("place", self.place),
            ("quantity", None if self.quantity is None else decimal_text(self.quantity)),
            ("uom", self.uom),
            ("documents", [list(document) for document in self.documents] or None),
            ("toMsp", self.consignee_msp),
            ("toPlace", self.to_place),
            ("promised", self.promised),
            ("damaged", self.damaged or None),
            ("count", self.count if self.count != 1 else None),
        ):
            if value is not None:
                record[name] = value
        return record

    @classmethod
    def from_record(cls, record: Record) -> Claim:
        """Back from JSON."""
        get = record.get
        quantity = get("quantity")
        return cls(
            record["kind"],
            record["time"],
            record["event"],
            record["msp"],
            get("from"),
            get("to"),
            get("place"),
            None if quantity is None else Decimal(quantity),
            get("uom"),
            tuple((kind, value) for kind, value in get("documents", ())),
            get("toMsp"),
            get("toPlace"),
            get("promised"),
            get("damaged", False),
            get("count", 1),
        )


def within_skew(earlier: str, later: str) -> bool:
    """Whether two times are so close that clocks may have told them in the wrong order."""
    return datetime.fromisoformat(later) - datetime.fromisoformat(earlier) <= CLOCK_SKEW


def documents_of(event: Event) -> tuple[tuple[str, str], ...]:
    """The documents an event names, the one that says best which shipment this is first."""
    given = {(entry.type, entry.biz_transaction) for entry in event.biz_transaction_list if entry.type in DOCUMENTS}
    return tuple(sorted(given, key=lambda one: (DOCUMENTS.index(one[0]), one[1])))[:_MOST_DOCUMENTS]


def claim_of(context: Context, fact: Fact, count: int, element: QuantityElement | None = None) -> Claim:
    """What an event claims about an item; ``fact.party`` is the side that speaks."""
    kind = KINDS[fact.step or ""]
    releasing = kind in ("release", "void")
    consignee = parties.consignee(context, fact) if releasing else fact.party
    promised = fact.extension("promisedAt") if kind == "release" else None
    return Claim(
        kind=kind,
        time=fact.time,
        event=fact.hash,
        msp=context.msp,
        sender=fact.party if releasing else parties.sender(context, fact),
        consignee=consignee,
        place=fact.place,
        quantity=decimal(element.quantity) if element is not None and element.quantity is not None else None,
        uom=element.uom if element is not None else None,
        documents=documents_of(fact.event),
        consignee_msp=_msp_of(context, consignee) if releasing else context.msp,
        to_place=fact.destinations.get("location") if releasing else None,
        promised=promised if isinstance(promised, str) else None,
        damaged=fact.disposition == "damaged" and not releasing,
        count=count,
    )


def _msp_of(context: Context, party: str | None) -> str | None:
    record = parties.party_record(context, party) if party is not None else None
    return record["msp"] if record is not None else None


def _by_kind(documents: tuple[tuple[str, str], ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, value in documents:
        found.setdefault(kind, set()).add(value)
    return found
