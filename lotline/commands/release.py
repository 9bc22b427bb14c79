"""`lotline release`: strike an organisation that has left out of those that must agree to a thing's changes."""

from __future__ import annotations

from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.errors import CommandError
from lotline.lookup import reading, resolve
from lotline.output import session
from lotline.registration import SPEAKER, submit
from readmodel.queries.things import thing

app = typer.Typer()


@app.command()
def release(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Digital Link, EPC URN, (01)…(10)…, or a lot or serial number."),
    ],
    leaving: Annotated[str, typer.Argument(metavar="MSP", help="Who shall have no say in it any more.")],
    organisation: SPEAKER = None,
) -> None:
    """Release a protected thing or lot from an organisation that has left. For administrators of the channel.

    On a network it needs a majority of their peers, where that organisation's peer is gone.
    """
    here = session(context)
    settings = load_settings(here.home)
    with reading(settings) as connection:
        found = thing(connection, resolve(connection, identifier), contents=0, events=0)
    if found is None:
        raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
    kind = "thing" if found.kind == "instance" else "lot"
    submit(settings, settings.msp_id(organisation), "release", [{kind: found.id, "organisation": leaving}])
    left = [msp for msp in found.endorsers if msp != leaving]
    here.answer({"id": found.id, "endorsers": left})
    here.text(f"changes of {found.id} need no agreement of {leaving} any more")
