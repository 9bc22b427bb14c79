"""`lotline configure`: the channel's rules, and which organisations administer it."""

from __future__ import annotations

from typing import Annotated

import typer

from instance.creation import CustodyPolicy, load_settings
from lotline.errors import UsageError
from lotline.output import session
from lotline.registration import SPEAKER, given, submit

app = typer.Typer()


@app.command()
def configure(
    context: typer.Context,
    administrators: Annotated[
        list[str] | None,
        typer.Option(
            "--administrator", metavar="MSP", help="All organisations that administer it from now on; several times."
        ),
    ] = None,
    custody_policy: Annotated[
        CustodyPolicy | None,
        typer.Option("--custody", help="Refuse what another organisation holds, or flag it."),
    ] = None,
    clock_tolerance: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How far in the future an event's time may be.")
    ] = None,
    organisation: SPEAKER = None,
) -> None:
    """Change the channel's configuration. For administrators of the channel.

    Name three administrators or more that the others trust: a majority of them can stand in for an organisation that has left.
    """
    here = session(context)
    settings = load_settings(here.home)
    wanted = given(admins=administrators or None, custodyPolicy=custody_policy, clockToleranceSeconds=clock_tolerance)
    if not wanted:
        raise UsageError("nothing to change", hint="See `lotline configure --help`.")
    submit(settings, settings.msp_id(organisation), "configure", [wanted])
    here.answer(wanted)
    here.text("the channel's configuration is changed")
