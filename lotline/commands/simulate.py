"""`lotline simulate`: a supply network's events, made and captured."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from instance.settings import Settings
from lotline.delivery import delivering
from lotline.errors import UsageError
from lotline.members import Port, instance_with
from lotline.output import Session, session
from lotline.playing import Played, play
from simulation import Anomalies, Simulation, SimulationConfig
from simulation import simulate as make

app = typer.Typer()
TRUTH_FILE = "simulation-truth.json"


@app.command("simulate")
def simulate_command(
    context: typer.Context,
    events: Annotated[int, typer.Option(help="About how many events.")] = 50_000,
    days: Annotated[int, typer.Option(help="How many days they cover.")] = 730,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 1,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The day after the last (today).")
    ] = None,
    perfect: Annotated[bool, typer.Option("--perfect", help="Nothing is late, lost, short or damaged.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write EPCIS documents there instead of capturing them.")
    ] = None,
    port: Port = None,
) -> None:
    """Simulate a supply network of five organisations and capture what each of them would report.

    A home without an instance gets one. What really happened, for comparison with what the ledger knows, is
    written to HOME/simulation-truth.json.
    """
    here = session(context)
    run = make(configuration(events, days, seed, end, perfect))
    if out is not None:
        count = run.write(out)
        here.answer({"directory": str(out), "events": count})
        here.text(f"{count} events in {out}")
        return
    settings = simulated_instance(here, run, port)
    _tell(here, settings, play_into(here, settings, run))


def configuration(
    events: int, days: int, seed: int, end: datetime | None = None, perfect: bool = False
) -> SimulationConfig:
    """What to simulate; `UsageError` for what can't be."""
    last = datetime.now(UTC).date() if end is None else end.date()
    anomalies = Anomalies.none() if perfect else Anomalies()
    try:
        return SimulationConfig(events=events, days=days, seed=seed, end=last, anomalies=anomalies)
    except ValueError as error:
        raise UsageError(str(error)) from None


def simulated_instance(here: Session, run: Simulation, port: int | None = None) -> Settings:
    """The instance of the simulation's organisations."""
    names = {msp_id: msp_id.removesuffix("MSP") for msp_id in run.msp_ids}
    return instance_with(here, names, hint="Use another --home for the simulation.", port=port)


def play_into(here: Session, settings: Settings, run: Simulation) -> Played:
    """Capture a simulation's events, wait until they can be queried, and keep the truth beside them."""
    played = asyncio.run(_play(here, settings, run))
    truth = settings.home / TRUTH_FILE
    truth.write_bytes(orjson.dumps(run.truth(), option=orjson.OPT_INDENT_2))
    return played


async def _play(here: Session, settings: Settings, run: Simulation) -> Played:
    async with delivering(settings) as delivery:
        with here.progress() as bars:
            task = bars.add_task("simulating and capturing", total=run.config.events)
            played = await play(settings, delivery, run, lambda events: bars.advance(task, events))
            bars.update(task, completed=played.counts.total, total=played.counts.total)
            await delivery.visible(delivery.handed_over)
    return played


def _tell(here: Session, settings: Settings, played: Played) -> None:
    truth = settings.home / TRUTH_FILE
    answer: dict[str, Any] = {
        **played.counts.as_dict(), "reasons": dict(played.reasons.most_common()), "truth": str(truth),
    }  # fmt: skip
    here.answer(answer)
    counts = played.counts
    here.text(f"{counts.accepted} events accepted, {counts.duplicate} there already, {counts.rejected} rejected")
    for reason, count in played.reasons.most_common():
        here.text(f"  {count} {reason}")
    here.text(f"what really happened: {truth}")
