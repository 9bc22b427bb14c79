"""What is true of an instance once everything up to a moment has been said: the state that its fold carries along."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from chaincode.goods.hops import Hop
from chaincode.state import Record

FIRST, MADE, HAND, ACCEPTED = "first", "made", "hand", "accepted"
"""Why an organisation holds a thing: the first to speak of it, its maker, who evidently has it in hand, who accepted it."""


@dataclass(slots=True)
class Touch:
    """An organisation's latest handling: when, whether it only looked, whether it held the thing then, who did."""

    time: str
    looked: bool
    held: bool
    by: str | None = None
    whose: str | None = None
    event: str = ""


@dataclass
class Standing:
    """Times are UTC text, events are short names.

    One is made for every thing that an event names, so what is as in the beginning is left to the class: a tenth of the time
    that the constructor takes.
    """

    maker: str | None = None
    """The organisation that reported its beginning."""
    labelled: bool = False
    """It is a logistic unit that began by being packed."""
    title: str | None = None
    """Who may decide over it: its maker, or who has it by handoffs that both sides attested."""
    msp: str | None = None
    party: str | None = None
    why: str = ""
    prior: list[str | None] | None = None
    """Organisation and party that held it before the latest acceptance."""
    moving: bool = False
    hop: Hop | None = None
    parent: str | None = None
    packed: str = ""
    packed_by: str = ""
    left: str | None = None
    """The parent that it left without being taken out."""
    missed: list[Any] | None = None
    """Time, parent, event, organisation, party: it was taken out at that moment of what it was not in."""
    place: str | None = None
    disposition: str | None = None
    lot: str | None = None
    sold: list[str] | None = None
    """Time and step."""
    ended: list[Any] | None = None
    """Time, status, organisation; whether it had or had made the thing; organisation, party that had it, and why."""
    denied: list[str] | None = None
    """An end that somebody else told of: time, status, organisation. Who had the thing spoke of it afterwards."""
    misused: list[str] | None = None
    """Time, event and organisation of its latest use after its end or its sale."""
    first: list[Any] | None = None
    """Time, event, organisation, party of what was said first."""
    time: str = ""
    event: str = ""
    touches: dict[str, Touch] = field(default_factory=dict)

    def copy(self) -> Standing:
        """One that can be changed by itself; touches are replaced, never changed in place."""
        made = Standing.__new__(Standing)
        made.__dict__.update(self.__dict__)
        made.touches = dict(self.touches)
        if self.hop is not None:
            made.hop = self.hop.copy()
        return made

    def to_record(self) -> Record:
        """As JSON; what is as in the beginning is left out."""
        record: Record = {name: value for name in _PLAIN if (value := getattr(self, name))}
        if self.hop is not None:
            record["hop"] = self.hop.to_record()
        if self.touches:
            record["touches"] = {
                msp: [touch.time, touch.looked, touch.held, touch.by, touch.whose, touch.event]
                for msp, touch in self.touches.items()
            }
        return record

    @classmethod
    def from_record(cls, record: Record | None) -> Standing:
        """Back from JSON; None is the beginning."""
        made = cls.__new__(cls)
        if record is None:
            made.touches = {}
            return made
        made.__dict__.update(record)
        made.hop = None if "hop" not in record else Hop.from_record(record["hop"])
        made.touches = {msp: Touch(*touch) for msp, touch in record.get("touches", {}).items()}
        return made


_NAMES = tuple(one.name for one in fields(Standing))
_PLAIN = tuple(name for name in _NAMES if name not in ("hop", "touches"))
