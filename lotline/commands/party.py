"""`lotline party`: who takes part, by what name, and for which organisation."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.lookup import reading
from lotline.output import session
from lotline.registration import SPEAKER, every, given, numbered, submit
from readmodel.queries.prefixes import prefixes
from readmodel.queries.registry import parties

app = typer.Typer(help="Register, list and reassign parties.", no_args_is_help=True)
ID = Annotated[str, typer.Argument(metavar="PGLN", help="Its number, Digital Link or EPC URN.")]


@app.command()
def add(
    context: typer.Context,
    identifier: ID,
    name: Annotated[str, typer.Option(help="What people call it.")],
    country: Annotated[str | None, typer.Option(help="Where it is, such as DE.")] = None,
    address: Annotated[str | None, typer.Option(help="Street and town.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as grower or shop.")] = None,
    organisation: SPEAKER = None,
) -> None:
    """Register a party, or change what was registered. From then on others cannot speak for it."""
    here = session(context)
    settings = load_settings(here.home)
    uri, msp_id = numbered(identifier, "417"), settings.msp_id(organisation)
    document = given(id=uri, name=name, country=country, address=address, kind=kind)
    submit(settings, msp_id, "registerParty", [document])
    here.answer({**document, "msp": msp_id})
    here.text(f"{name} is {uri}, and speaks through {msp_id}")


@app.command("list")
def list_(context: typer.Context) -> None:
    """List parties: those that were registered, and those that were only mentioned, which belong to nobody."""
    here = session(context)
    with reading(load_settings(here.home)) as connection:
        found = list(every(partial(parties, connection)))
    here.answer([given(id=one.id, name=one.name, msp=one.msp, registered=one.registered) for one in found])
    here.table("", ["party", "name", "organisation"], [(one.id, one.name, one.msp or "nobody's") for one in found])


@app.command()
def reassign(
    context: typer.Context,
    identifier: ID,
    to: Annotated[str, typer.Argument(metavar="MSP", help="Whose it is.")],
    organisation: SPEAKER = None,
) -> None:
    """Give a party, with its places, to the organisation whose it is. For administrators of the channel."""
    here = session(context)
    settings = load_settings(here.home)
    uri = numbered(identifier, "417")
    entry = {"id": uri, "msp": to, "kind": "party"}
    submit(settings, settings.msp_id(organisation), "reassign", [entry])
    here.answer(entry)
    here.text(f"{uri} and its places belong to {to}")


@app.command("prefixes")
def prefixes_(context: typer.Context) -> None:
    """List the company prefixes of parties and places, those that several organisations use first."""
    here = session(context)
    with reading(load_settings(here.home)) as connection:
        found = prefixes(connection)
    here.answer(
        [{"prefix": one.prefix, "organisations": one.organisations, "contested": one.contested} for one in found]
    )
    rows = [
        (one.prefix, ", ".join(f"{msp} ({count})" for msp, count in one.organisations.items()), one.contested or "")
        for one in found
    ]
    here.table("", ["prefix", "organisations (numbers registered)", "several"], rows)
