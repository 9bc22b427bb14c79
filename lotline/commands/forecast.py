"""`lotline forecast`: one forecasting run over the read model."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

import readmodel
from forecasting.run import NothingToForecastError, RunSummary, run
from forecasting.workers import StuckError
from instance.creation import load_settings
from instance.settings import Settings
from lotline.commands.forecast_file import backtest_command
from lotline.errors import CommandError
from lotline.output import Session, session

app = typer.Typer(help="Forecast demand and transit times from the ledger's history, or back-test on a file.")
app.command("backtest")(backtest_command)


@app.callback(invoke_without_command=True)
def forecast_command(
    context: typer.Context,
    freq: Annotated[
        Literal["D", "W", "M"] | None, typer.Option(help="Days, weeks or months (default: as each series is dense).")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="As on that morning (default: the newest event)."),
    ] = None,
    max_series: Annotated[
        int | None, typer.Option(min=1, help="At most so many demand series, those with most history (default: all).")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes; changes nothing but the time.")] = 2,
) -> None:
    """Forecast demand and transit times from the ledger's history, and say which handoffs will be late.

    Several models are combined, by how they did on the past; their shares are shown. Nothing but the read model is
    read, and the results are written there: see the dashboard, `lotline disruptions` and GET /forecasts. A run that is
    interrupted goes on where it stopped.
    """
    if context.invoked_subcommand is not None:
        return
    here = session(context)
    settings = load_settings(here.home)
    moment = as_of.replace(tzinfo=UTC) if as_of else None
    summary = run_forecast(here, settings, freq, moment, max_series, processes)
    here.answer(asdict(summary))
    if not here.json:
        _show(here, summary)


def run_forecast(
    here: Session,
    settings: Settings,
    freq: str | None = None,
    as_of: datetime | None = None,
    max_series: int | None = None,
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
                progress=tell,
            )
    except NothingToForecastError as error:
        raise CommandError(str(error), hint="Capture events first, or run `lotline simulate`.") from error
    except StuckError as error:
        raise CommandError(str(error), hint="Give the same command again: what is done is kept.") from error
    finally:
        engine.dispose()


def _show(here: Session, summary: RunSummary) -> None:
    here.text(f"run {summary.run_id}: {summary.forecast} series and {summary.totals} totals as of {summary.as_of}")
    for kind, weights in sorted(summary.weights.items()):
        shares = sorted(weights.items(), key=lambda share: (-share[1], share[0]))
        here.text(f"{kind}: " + ", ".join(f"{name} {share:.0%}" for name, share in shares))
    if summary.better_than_seasonal_naive is not None:
        here.text(f"error on the newest periods: {summary.better_than_seasonal_naive:.0%} less than seasonal naive")
    if summary.coverage80 is not None and summary.coverage95 is not None:
        here.text(f"coverage of 80 % intervals {summary.coverage80:.0%}, of 95 % intervals {summary.coverage95:.0%}")
    if summary.late.get("auc") is not None:
        here.text(f"late handoffs: AUC {summary.late['auc']:.2f} on the newest quarter, {summary.risks} open handoffs")
    for kind, count in sorted(summary.disruptions.items()):
        here.text(f"{kind.replace('_', ' ')}: {count}")
    for kind, count in sorted(summary.findings.items()):
        here.say(f"{kind.replace('_', ' ')}: {count} series")
    for skipped in summary.skipped:
        here.say(f"skipped {skipped}")
