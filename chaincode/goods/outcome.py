"""What follows from a history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chaincode.exceptions import Fault
from chaincode.goods import entries as e
from chaincode.goods.standing import Standing
from chaincode.history import Entry, Place
from chaincode.state import Record


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


@dataclass(slots=True)
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


def fault_of(detail: str, time: str, event: str, msp: str, party: str | None) -> Fault:
    """A fault that an event (short name) shows, of concern to a party (shortened)."""
    whom = e.lengthened(party)
    return Fault(detail, () if whom is None else (whom,), e.event_uri(event), time, msp)
