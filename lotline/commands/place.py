"""`lotline place`: where goods are, by what name, and which party runs it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.lookup import reading
from lotline.output import session
from lotline.registration import SPEAKER, every, given, numbered, submit
from readmodel.queries.registry import places

app = typer.Typer(help="Register, list and reassign places.", no_args_is_help=True)
ID = Annotated[str, typer.Argument(metavar="GLN", help="Its number, Digital Link or EPC URN.")]


@app.command()
def add(
    context: typer.Context,
    identifier: ID,
    party: Annotated[str, typer.Option(metavar="PGLN", help="Who runs it; registered already.")],
    name: Annotated[str, typer.Option(help="What people call it.")],
    kind: Annotated[str | None, typer.Option(help="Such as warehouse.")] = None,
    address: Annotated[str | None, typer.Option(help="Street and town.")] = None,
    country: Annotated[str | None, typer.Option(help="Where it is, such as DE.")] = None,
    latitude: Annotated[float | None, typer.Option(min=-90, max=90, help="Degrees north.")] = None,
    longitude: Annotated[float | None, typer.Option(min=-180, max=180, help="Degrees east.")] = None,
    organisation: SPEAKER = None,
) -> None:
    """Register a place, or change what was registered. From then on others cannot speak from it."""
    here = session(context)
    settings = load_settings(here.home)
    uri, runs, msp_id = numbered(identifier, "414"), numbered(party, "417"), settings.msp_id(organisation)
    document = given(id=uri, party=runs, name=name, kind=kind, address=address, country=country)
    document |= given(latitude=latitude, longitude=longitude)
    submit(settings, msp_id, "registerPlace", [document])
    here.answer({**document, "msp": msp_id})
    here.text(f"{name} is {uri}, run by {runs}")


@app.command("list")
def list_(context: typer.Context) -> None:
    """List places: those that were registered, and those that were only mentioned, which belong to nobody."""
    here = session(context)
    with reading(load_settings(here.home)) as connection:
        found = list(every(partial(places, connection)))
    here.answer(
        [given(id=one.id, name=one.name, party=one.party, msp=one.msp, registered=one.registered) for one in found]
    )
    rows = [(one.id, one.name, one.kind, one.party, one.msp or "nobody's") for one in found]
    here.table("", ["place", "name", "kind", "party", "organisation"], rows)


@app.command()
def reassign(
    context: typer.Context,
    identifier: ID,
    to: Annotated[str, typer.Argument(metavar="MSP", help="Whose it is.")],
    organisation: SPEAKER = None,
) -> None:
    """Give a place to the organisation whose it is, which then registers it with its party. For administrators of the channel."""
    here = session(context)
    settings = load_settings(here.home)
    uri = numbered(identifier, "414")
    entry = {"id": uri, "msp": to, "kind": "place"}
    submit(settings, settings.msp_id(organisation), "reassign", [entry])
    here.answer(entry)
    here.text(f"{uri} belongs to {to}")
