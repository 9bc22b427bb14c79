"""`lotline code`: what a scanner read, in words."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from epcis.identifiers import Code, UnreadableCode, read_code
from epcis.identifiers.carriers import name_of
from lotline.errors import UsageError
from lotline.output import Session, session

app = typer.Typer()


@app.command()
def code(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="As the scanner sends it.")],
    separators: Annotated[
        bool, typer.Option("--separators", help="The reader is known to pass on FNC1 (GS): nothing was lost.")
    ] = False,
) -> None:
    """Read a code: raw scanner output, an element string, a Digital Link, an EPC or a bare number. Needs no instance."""
    here = session(context)
    try:
        found = read_code(text, has_separators=separators)
    except UnreadableCode as error:
        raise UsageError(str(error)) from error
    here.answer(_plain(found))
    if not here.json:
        _show(here, found)


def _plain(found: Code) -> dict[str, Any]:
    return {
        "text": found.text,
        "symbology": found.symbology,
        "id": found.uri,
        "scheme": None if found.identifier is None else found.identifier.scheme,
        "elements": [{"ai": ai, "value": value} for ai, value in found.elements],
    }


def _show(here: Session, found: Code) -> None:
    if found.identifier is None:
        here.text(f"{found.text!r} is a bare text: a lot or serial number perhaps. `lotline thing` looks it up.")
        return
    here.text(str(found.uri))
    if found.symbology is not None:
        here.text(f"  read from {name_of(found.symbology)}")
    for ai, value in found.elements:
        here.text(f"  ({ai}) {value}")
