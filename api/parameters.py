"""Parameters that name things of the trade."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from epcis.identifiers import read


def named(text: str, bare: bool = False) -> str:
    """The canonical link of what a text names, or the text itself if it is no GS1 identifier; the one judgement of
    ``epcis.identifiers``. Raises a validation error for what is meant as one and is none."""
    uri, _, fault = read(text, bare)
    if fault is not None and fault.severity == "error":
        raise PydanticCustomError("invalid_identifier", "{words}", {"words": fault.message})
    return str(uri)


def _thing(text: str) -> str:
    return named(text, bare=True)


def _optional(text: str | None) -> str | None:
    return None if text is None else named(text)


_FORMS = "EPC URN, GS1 Digital Link or element string in brackets"
Identifier = Annotated[str | None, Query(max_length=500, description=_FORMS), AfterValidator(_optional)]
ThingId = Annotated[
    str,
    Path(alias="thingID", max_length=500, description=f"{_FORMS}, or a product's or pallet's number; percent-encoded"),
    AfterValidator(_thing),
]
Identified = Annotated[
    str, Path(alias="id", max_length=500, description=f"{_FORMS}, percent-encoded"), AfterValidator(named)
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
