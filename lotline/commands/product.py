"""`lotline product`: what products are called, so that people read names instead of GTINs."""

from __future__ import annotations

from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.errors import CommandError, UsageError
from lotline.lookup import reading
from lotline.output import session
from lotline.registration import SPEAKER, given, numbered, submit
from readmodel.queries.master_data import master_data

app = typer.Typer(help="Say what products are called.", no_args_is_help=True)
ID = Annotated[str, typer.Argument(metavar="GTIN", help="Its number, Digital Link or EPC URN.")]


@app.command()
def add(
    context: typer.Context,
    identifier: ID,
    name: Annotated[str, typer.Option(help="What people call it.")],
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="URI=TEXT", help="What else is to be known; several times."),
    ] = None,
    organisation: SPEAKER = None,
) -> None:
    """Say what a product is called. Everybody may describe every product: words give no power over it."""
    here = session(context)
    settings = load_settings(here.home)
    uri, msp_id = numbered(identifier, "01"), settings.msp_id(organisation)
    document = given(id=uri, kind="product", name=name, attributes=_attributes(attribute or []))
    submit(settings, msp_id, "describe", [document])
    here.answer({**document, "msp": msp_id})
    here.text(f"{msp_id} calls {uri} {name}")


def _attributes(said: list[str]) -> dict[str, str] | None:
    pairs = [one.partition("=") for one in said]
    wrong = next((uri for uri, equals, value in pairs if not uri or not equals or not value), None)
    if wrong is not None:
        raise UsageError(f"an attribute is URI=TEXT, not {wrong!r}")
    return {uri: value for uri, _, value in pairs} or None


@app.command()
def show(context: typer.Context, identifier: ID) -> None:
    """Show what organisations say of a product."""
    here = session(context)
    uri = numbered(identifier, "01")
    with reading(load_settings(here.home)) as connection:
        found = master_data(connection, uri)
    if not found:
        raise CommandError(f"nobody has described {uri}", hint="`lotline product add` does.")
    here.answer([given(id=one.id, msp=one.msp, name=one.name, attributes=one.attributes) for one in found])
    rows = [
        (one.msp, one.name, "; ".join(f"{uri.rpartition('#')[2]}: {text}" for uri, text in one.attributes.items()))
        for one in found
    ]
    here.table(uri, ["organisation", "name", "what else"], rows)
