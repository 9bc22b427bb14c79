"""What the commands that register, describe and put right have in common: numbers as people write them, and one call of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, TypeVar

import typer

from epcis.identifiers import CANONICAL_BASE, read
from instance.settings import Settings
from lotline.delivery import delivering
from lotline.errors import CommandError, UsageError
from readmodel.queries.paging import MOST, Page

SPEAKER = Annotated[
    str | None,
    typer.Option("--organisation", "-o", metavar="MSP", help="For whom (default: the first organisation)."),
]
_WHAT = {"417": "a party (PGLN)", "414": "a place (GLN)", "01": "a product (GTIN)"}
_LENGTHS = {"417": (13,), "414": (13,), "01": (8, 12, 13, 14)}
_GTIN = 14
T = TypeVar("T")


def numbered(text: str, ai: str) -> str:
    """The canonical link of a party (417), place (414) or product (01). Its bare number is enough.

    >>> numbered("0614141000005", "417")
    'https://id.gs1.org/417/0614141000005'
    """
    said = text.strip().removeprefix(f"({ai})")
    if said.isdecimal() and len(said) in _LENGTHS[ai]:
        said = f"{CANONICAL_BASE}/{ai}/{said.zfill(_GTIN) if ai == '01' else said}"
    _, found, fault = read(said, bare=False)
    if found is None or found.ai != ai:
        why = "" if fault is None else f": {fault.message}"
        raise UsageError(f"{text!r} is not {_WHAT[ai]}{why}")
    if fault is not None:
        raise UsageError(f"{text!r} has a wrong check digit", hint="One of its digits was misread or mistyped.")
    return found.canonical


def submit(settings: Settings, msp_id: str, function: str, documents: Sequence[dict[str, Any]]) -> None:
    """Have an organisation's admin call the contract, until queries show it. Raises CommandError for a refusal."""

    async def call() -> None:
        async with delivering(settings) as delivery:
            (job,) = await delivery.visible([await delivery.command(msp_id, function, documents)])
        if job.failure is not None:
            raise CommandError(f"refused: {job.failure.message}")

    asyncio.run(call())


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def every(page: Callable[..., Page[T]]) -> Iterator[T]:
    """All items of a list that comes in pages."""
    token: str | None = None
    while True:
        found = page(per_page=MOST, token=token)
        yield from found.items
        token = found.next
        if token is None:
            return
