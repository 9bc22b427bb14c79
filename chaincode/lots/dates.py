"""Dates of lots: what was shipped, received or sold past its date."""

from __future__ import annotations

import re
from typing import Any

from chaincode.facts import KINDS, Fact
from chaincode.lots.header import Lot

# GS1 Web Vocabulary: the first that is stated counts
_EXPIRIES = ("itemExpirationDate", "expirationDate", "expirationDateTime", "bestBeforeDate", "sellByDate")
_SOLD = ("retail_selling", "dispensing")
_DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?=T|$)")


def expiry(fact: Fact) -> str | None:
    """The last day on which goods are good, as the event that makes them says it; None if it does not."""
    stated = {_name(name): value for name, value in (fact.event.ilmd or {}).items()}
    days = (_day(stated.get(name)) for name in _EXPIRIES)
    return next((day for day in days if day is not None), None)


def _name(member: str) -> str:
    return re.split("[:/#]", member)[-1]


def _day(value: Any) -> str | None:
    text = value.get("@value") if isinstance(value, dict) else value
    match = _DAY.match(text) if isinstance(text, str) else None
    return match[0] if match is not None else None


def note_if_past(fact: Fact, lot: Lot | None) -> None:
    """Flag an event that ships, receives or sells goods after their last day."""
    if (
        (fact.step in _SOLD or fact.step in KINDS)
        and lot is not None
        and lot.expires is not None
        and fact.time[:10] > lot.expires
    ):
        fact.flags.add("past_date")
