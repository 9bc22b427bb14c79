"""`lotline demo`: the whole system on simulated data, from nothing to a dashboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from instance.creation import create_token
from instance.settings import Settings
from ledger.private import write_private
from lotline.commands.forecast import run_forecast
from lotline.commands.simulate import configuration, play_into, simulated_instance
from lotline.commands.up import dashboard_port, require_parts, run_instance
from lotline.members import Port
from lotline.output import Session, session
from simulation import SimulationConfig, simulate

app = typer.Typer()
STATE_FILE = "demo.json"
TOKEN_FILE = "demo.tokens"  # noqa: S105
_SERIES = 120
"""A demonstration is not to be waited for: so many series, those with most history."""
_TOKENS = (("scanner", "SupplierMSP"), ("analyst", "RetailerMSP"), ("auditor", "DistributorMSP"))


@app.command()
def demo(
    context: typer.Context,
    events: Annotated[int, typer.Option(help="About how many events to simulate.")] = 50_000,
    days: Annotated[int, typer.Option(help="How many days they cover.")] = 730,
    ui: Annotated[bool, typer.Option("--ui/--no-ui", help="With or without the dashboard.")] = True,
    ui_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the dashboard.")] = None,
    port: Port = None,
    start: Annotated[bool, typer.Option("--start/--no-start", help="Run the instance at the end.")] = True,
) -> None:
    """Show the whole system: simulate two years, forecast, then run worker, API and dashboard.

    The first run takes a minute or two; later runs find the home as it was and start at once. A run that was
    interrupted goes on where it stopped.
    """
    here = session(context)
    if start:
        require_parts(ui)
    done = _Progress(here.home, events, days)
    settings = simulated_instance(here, simulate(done.configuration), port)
    done.step("simulated", lambda: _simulate(here, settings, done.configuration))
    done.step("forecast", lambda: _forecast(here, settings))
    done.step("tokens", lambda: _make_tokens(settings))
    here.say(f"Tokens for the API, one a role: {settings.home / TOKEN_FILE}")
    here.say(f"What really happened in the simulation: {settings.home / 'simulation-truth.json'}")
    if start:
        run_instance(here, settings, ui=ui, ui_port=dashboard_port(settings, ui_port))
    else:
        here.answer({"home": str(settings.home), **done.state})


class _Progress:
    """What of the demonstration is done, kept in the home: its last day must not move between two runs."""

    def __init__(self, home: Path, events: int, days: int) -> None:
        self._path = home / STATE_FILE
        today = datetime.now(UTC).date().isoformat()
        self.state: dict[str, Any] = {"events": events, "days": days, "seed": 1, "end": today, "done": []}
        if self._path.exists():
            self.state = orjson.loads(self._path.read_bytes())
        end = datetime.fromisoformat(self.state["end"])
        self.configuration = configuration(self.state["events"], self.state["days"], self.state["seed"], end)

    def step(self, name: str, work: Callable[[], None]) -> None:
        """Do a step unless an earlier run did."""
        if name in self.state["done"]:
            return
        self._save()
        work()
        self.state["done"].append(name)
        self._save()

    def _save(self) -> None:
        self._path.write_bytes(orjson.dumps(self.state, option=orjson.OPT_INDENT_2))


def _simulate(here: Session, settings: Settings, configuration: SimulationConfig) -> None:
    here.say(f"simulating {configuration.days} days of a supply network, about {configuration.events:,} events")
    started = time.monotonic()
    counts = play_into(here, settings, simulate(configuration)).counts
    seconds = time.monotonic() - started
    here.say(f"{counts.accepted:,} events on the ledger in {seconds:.0f} s ({counts.total / seconds:,.0f}/s)")


def _forecast(here: Session, settings: Settings) -> None:
    here.say("forecasting demand and transit times, and which handoffs will be late")
    started = time.monotonic()
    run_forecast(here, settings, max_series=_SERIES)
    here.say(f"forecast in {time.monotonic() - started:.0f} s")


def _make_tokens(settings: Settings) -> None:
    lines = [f"admin {settings.admin_token_file.read_text(encoding='utf-8').strip()}"]
    lines += [f"{role} {create_token(settings, role, role, msp_id, 'demo')}" for role, msp_id in _TOKENS]  # type: ignore[arg-type]
    write_private(settings.home / TOKEN_FILE, "\n".join(lines) + "\n")
