"""`lotline signin`: a link to the dashboard that signs in once."""

from __future__ import annotations

import typer

from instance.creation import load_settings
from lotline.errors import UnavailableError
from lotline.output import session
from lotline.services import UI_HOST
from lotline.signing_in import LATER_SECONDS, new_link
from lotline.supervisor import is_up, running

app = typer.Typer()


@app.command()
def signin(context: typer.Context) -> None:
    """Print a link that opens the dashboard of this running instance once, within ten minutes, without a token."""
    here = session(context)
    settings = load_settings(here.home)
    services = running(settings.run_dir).get("services") if is_up(settings.run_dir) else None
    dashboard = services.get("dashboard") if isinstance(services, dict) else None
    if not dashboard:
        raise UnavailableError(f"no dashboard runs on {UI_HOST} for this home", hint="`lotline up` starts it.")
    link = new_link(settings, str(dashboard["url"]), LATER_SECONDS)
    here.answer({"url": link})
    here.text(link)
