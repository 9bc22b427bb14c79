"""`lotline restore`: an instance made of a backup."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from instance.backup import Manifest, restore
from instance.settings import Settings, load_settings
from lotline.creation import beside_an_instance, require_no_instance
from lotline.errors import CommandError
from lotline.networks import network_of
from lotline.output import session
from relay.jobs import Depth, depth, open_inbox

app = typer.Typer()


@app.command("restore")
def restore_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `lotline backup DIR` made.")],
) -> None:
    """Make the home of this command (`--home`, new or empty) of a backup, once every file's SHA-256 is seen to be right.

    Says what is not in it: what was accepted after the backup began.
    """
    here = session(context)
    require_no_instance(here.home)
    manifest = restore(folder, here.home, beside_an_instance(here.home))
    settings = load_settings(here.home)
    waiting = _waiting(settings)
    told = list(_not_in_it(settings, manifest))
    here.answer(
        {
            "home": str(settings.home),
            **manifest.model_dump(mode="json", exclude={"files"}),
            "waiting": {"jobs": waiting.jobs, "events": waiting.events},
            "notes": told,
        }
    )
    here.text(
        f"instance at {settings.home}, as it was on {manifest.begun:%Y-%m-%d %H:%M:%S} UTC (Lotline {manifest.lotline})"
    )
    here.text(
        f"waiting     {waiting.events} events in {waiting.jobs} jobs: the next `lotline up` brings them to the ledger"
    )
    for note in told:
        here.say(note)


def _waiting(settings: Settings) -> Depth:
    with closing(open_inbox(settings.inbox_file)) as inbox:
        return depth(inbox)


def _not_in_it(settings: Settings, manifest: Manifest) -> list[str]:
    """What the person who restores has to know."""
    since = f"{manifest.begun:%Y-%m-%d %H:%M:%S} UTC"
    if manifest.ledger == "embedded":
        notes = [
            f"What was accepted after {since} may be missing: readers and their senders can send it again, twice does no harm."
        ]
    else:
        notes = [
            f"What was accepted after {since} and did not reach the network's ledger is missing: it can be sent again, twice does no harm."
        ]
    notes.append(f"Tokens are as they were: those revoked after {since} are valid again (`lotline token list`).")
    if settings.shared:
        notes.append(
            "What waits, and the tokens, were copied out of the database: `lotline inbox move` brings them into the one that"
            " `database_url` names. It takes nothing twice."
        )
    if manifest.read_model == "elsewhere":
        notes.append("The read model is in a database elsewhere: `lotline rebuild` makes it anew from this ledger.")
    elif manifest.read_model_block is None:
        notes.append("The read model is made anew from the ledger at the next `lotline up`.")
    try:
        network_of(settings)
    except CommandError as error:
        notes.append(
            f"Its network is not where it was ({error}): `network` in {settings.home / 'config.toml'} says where."
        )
    return notes
