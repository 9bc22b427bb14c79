"""`lotline event-hash`: the CBV event hash of every event in a document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lotline.documents import load_document
from lotline.output import print_json, session

app = typer.Typer()
Version = Literal["CBV2.0", "CBV2.1"]


@app.command()
def event_hash(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="EPCIS JSON documents; `-` reads stdin.")],
    prehash: Annotated[bool, typer.Option("--prehash", help="Print the text that is hashed instead.")] = False,
    version: Annotated[Version, typer.Option(help="Whose rules to follow.")] = "CBV2.0",
) -> None:
    """Print one line an event: its event hash, or with --prehash the text it is the hash of.

    Two descriptions of one event have the same hash, whatever their key order, form of identifiers or
    time zone.
    """
    rows = [row for path in files for row in _rows(path, version, prehash)]
    if session(context).json:
        print_json(rows)
        return
    for row in rows:
        sys.stdout.write(f"{row['prehash' if prehash else 'hash']}\n")


def _rows(path: Path, version: Version, prehash: bool) -> list[dict[str, Any]]:
    document = load_document(path)
    texts = document.pre_hashes(version)
    hashes = document.event_hashes(version)
    rows: list[dict[str, Any]] = [
        {"file": str(path), "index": index, "hash": hashed} for index, hashed in enumerate(hashes)
    ]
    if prehash:
        for row, text in zip(rows, texts, strict=True):
            row["prehash"] = text
    return rows
