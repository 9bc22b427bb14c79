"""`lotline backup`: a copy of the instance that belongs together."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from instance.backup import back_up
from instance.creation import load_settings
from instance.settings import Settings
from lotline.output import session
from relay.moving import copy_inbox
from relay.schema import open_inbox

app = typer.Typer()


def _copy_inbox(settings: Settings, file: Path) -> None:
    with closing(open_inbox(settings.inbox_place)) as source, closing(open_inbox(file)) as target:
        copy_inbox(source, target)


@app.command()
def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, outside of the home.")],
) -> None:
    """Copy the instance while it is at work: inbox, read model, tokens, identities, configuration, ledger.

    Everything accepted before it began is in it. `manifest.json` in DIR has versions, heights and the SHA-256 of each
    file. It holds keys and tokens: keep it as you keep the home.
    """
    here = session(context)
    settings = load_settings(here.home)
    manifest = back_up(settings, folder, copy_shared=partial(_copy_inbox, settings))
    size = sum(one.size for one in manifest.files.values())
    here.answer({"folder": str(folder), "bytes": size, **manifest.model_dump(mode="json", exclude={"files"})})
    here.text(f"{len(manifest.files)} files, {size / 1e6:,.1f} MB, in {folder}")
    if manifest.ledger_block is not None:
        here.text(f"ledger      up to block {manifest.ledger_block.number}, {manifest.ledger_block.hash}")
    else:
        here.text("ledger      on its network, whose peers hold a copy each: not in this backup")
    if manifest.read_model == "elsewhere":
        here.text("read model  in a database elsewhere, not in this backup: it is made anew from the ledger")
    elif manifest.read_model_block is not None:
        here.text(f"read model  up to block {manifest.read_model_block.number}")
    here.say(f"`lotline --home NEW restore {folder}` makes an instance of it.")
