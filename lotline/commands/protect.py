"""`lotline protect`: which organisations must agree to every change of a thing."""

from __future__ import annotations

from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.errors import CommandError
from lotline.lookup import reading, resolve
from lotline.output import session
from lotline.registration import submit
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

    Who has title to the thing (made the lot), or has a say in it already, may. A say can be passed on by who has it, and
    never taken off; administrators can `release` a thing from an organisation that has left.
    """
    here = session(context)
    settings = load_settings(here.home)
    msp_id = settings.msp_id(organisation)
    with reading(settings) as connection:
        found = thing(connection, resolve(connection, identifier), contents=0, events=0)
    if found is None:
        raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
    kind = "thing" if found.kind == "instance" else "lot"

    submit(settings, msp_id, "protect", [{kind: found.id, "organisations": agreeing}])
    named = sorted(set(agreeing))
    here.answer({"id": found.id, "endorsers": named})
    here.text(f"every change of {found.id} needs the agreement of {' and '.join(named)}")
