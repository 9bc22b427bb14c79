"""`lotline down`: stop the instance."""

from __future__ import annotations

import typer

from instance.creation import load_settings
from lotline.output import session
from lotline.supervisor import stop

app = typer.Typer()


@app.command()
def down(context: typer.Context) -> None:
    """Stop what `lotline up` runs and wait until it has ended. Nothing accepted is lost."""
    here = session(context)
    settings = load_settings(here.home)
    stopped = stop(settings.run_dir)
    here.answer({"home": str(settings.home), "stopped": stopped})
    here.text("stopped" if stopped else "nothing was running")
