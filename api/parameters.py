"""Parameters that name things of the trade."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

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
