"""Parameters that name things of the trade."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator

from epcis.identifiers import canonical_or_same


def _canonical(text: str | None) -> str | None:
    return None if text is None else canonical_or_same(text)


Identifier = Annotated[
    str | None,
    Query(max_length=500, description="EPC URN or GS1 Digital Link"),
    AfterValidator(_canonical),
]

ThingId = Annotated[
    str,
    Path(alias="thingID", max_length=500, description="EPC URN or GS1 Digital Link, percent-encoded"),
    AfterValidator(canonical_or_same),
]

Identified = Annotated[
    str,
    Path(alias="id", max_length=500, description="EPC URN or GS1 Digital Link, percent-encoded"),
    AfterValidator(canonical_or_same),
]


def _written_out(text: object) -> object:
    """Pydantic takes bare numbers for seconds since 1970; nobody who writes one means that day."""
    if isinstance(text, str) and not _DAY.fullmatch(text):
        raise ValueError("not a day as YYYY-MM-DD")
    return text


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
AsOf = Annotated[
    date | None,
    BeforeValidator(_written_out),
    Query(alias="asOf", description="As of the end of that day, UTC; by default now", examples=["2013-05-31"]),
]
_FIRST = date(1990, 1, 1)  # nothing on a ledger is older, and no day before it can be counted back from


def moment_of(as_of: date | None) -> datetime:
    """The end of the day, or now."""
    return datetime.now(UTC) if as_of is None else datetime.combine(max(as_of, _FIRST), time.max, UTC)
