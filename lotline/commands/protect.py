"""`lotline protect`: which organisations must agree to every change of a thing."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from api.instance import load_settings
from lotline.delivery import delivering
from lotline.errors import CommandError
from lotline.lookup import reading, resolve
from lotline.output import session
from readmodel.queries.things import thing

app = typer.Typer()


@app.command()
def protect(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Digital Link, EPC URN, (01)…(10)…, or a lot or serial number."),
    ],
    agreeing: Annotated[
        list[str], typer.Argument(metavar="MSP", help="All organisations that must agree from now on.")
    ],
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", "-o", metavar="MSP", help="Who demands it (default: the first)."),
    ] = None,
) -> None:
    """Demand that a peer of each of these organisations agrees to every change of a thing or lot.

    Who holds the thing (made the lot), or has a say in it already, may. A say can be passed on by who has it, and never
    taken off.
    """
    here = session(context)
    settings = load_settings(here.home)
    msp_id = settings.msp_id(organisation)
    with reading(settings) as connection:
        found = thing(connection, resolve(connection, identifier), contents=0, events=0)
    if found is None:
        raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
    kind = "thing" if found.kind == "instance" else "lot"

    async def demand() -> None:
        async with delivering(settings) as delivery:
            wanted = [{kind: found.id, "organisations": agreeing}]
            (job,) = await delivery.visible([await delivery.command(msp_id, "protect", wanted)])
        if job.failure is not None:
            raise CommandError(f"refused: {job.failure.message}")

    asyncio.run(demand())
    named = sorted(set(agreeing))
    here.answer({"id": found.id, "endorsers": named})
    here.text(f"every change of {found.id} needs the agreement of {' and '.join(named)}")
