"""`lotline forecast`: one forecasting run over the read model."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

import readmodel
from forecasting import NothingToForecastError, RunSummary, run
from instance.creation import load_settings
from instance.settings import Settings
from lotline.errors import CommandError
from lotline.output import Session, session

app = typer.Typer()


@app.command("forecast")
def forecast_command(
    context: typer.Context,
    freq: Annotated[
        Literal["D", "W", "M"] | None, typer.Option(help="Days, weeks or months (default: as each series is dense).")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="As on that morning (default: the newest event)."),
    ] = None,
    max_series: Annotated[int, typer.Option(min=1, help="So many demand series, the largest first.")] = 120,
    budget: Annotated[float, typer.Option(min=1, help="Seconds for fitting models.")] = 60.0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
) -> None:
    """Forecast demand and transit times from the ledger's history, and say which handoffs will be late.

    Models compete on each series' past; the winner is shown beside the naive ones. Nothing but the read model is
    read, and the results are written there: see the dashboard, `lotline disruptions` and GET /forecasts.
    """
    here = session(context)
    settings = load_settings(here.home)
    moment = as_of.replace(tzinfo=UTC) if as_of else None
    summary = run_forecast(here, settings, freq, moment, max_series, budget, processes)
    here.answer(asdict(summary))
    if not here.json:
        _show(here, summary)


def run_forecast(
    here: Session,
    settings: Settings,
    freq: str | None = None,
    as_of: datetime | None = None,
    max_series: int = 120,
    budget: float = 60.0,
    processes: int = 2,
) -> RunSummary:
    """One run with a progress bar; `CommandError` when there is nothing to forecast."""
    engine = readmodel.open_engine(settings.readmodel_url)
    try:
        with here.progress() as bar:
            task = bar.add_task("models", total=None)

            def tell(stage: str, done: int, total: int) -> None:
                bar.update(task, description=stage, completed=done, total=total)

            return run(
                engine,
                freq=freq,
                as_of=as_of,
                max_series=max_series,
                processes=processes,
                budget_seconds=budget,
                progress=tell,
            )
    except NothingToForecastError as error:
        raise CommandError(str(error), hint="Capture events first, or run `lotline simulate`.") from error
    finally:
        engine.dispose()


def _show(here: Session, summary: RunSummary) -> None:
    here.text(f"run {summary.run_id}: {summary.forecast} series as of {summary.as_of} in {summary.seconds:.0f} s")
    here.text("models chosen: " + ", ".join(f"{model} {count}" for model, count in sorted(summary.models.items())))
    if summary.better_than_seasonal_naive is not None:
        here.text(f"error in the back-test: {summary.better_than_seasonal_naive:.0%} less than seasonal naive")
    if summary.coverage80 is not None and summary.coverage95 is not None:
        here.text(f"coverage of 80 % intervals {summary.coverage80:.0%}, of 95 % intervals {summary.coverage95:.0%}")
    if summary.late.get("auc") is not None:
        here.text(f"late handoffs: AUC {summary.late['auc']:.2f} on the newest quarter, {summary.risks} open handoffs")
    for kind, count in sorted(summary.disruptions.items()):
        here.text(f"{kind.replace('_', ' ')}: {count}")
    for skipped in summary.skipped:
        here.say(f"skipped {skipped}")
