"""`lotline forecast backtest`: the recipe on a table of one's own, scored on its own past."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lotline.errors import CommandError, UsageError
from lotline.output import Session, session

_SHOWN_FINDINGS = 20
_BARS = ("naive", "seasonal_naive")


def backtest_command(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV (.csv, .csv.gz) or parquet: unique_id, ds, y and more.")
    ],
    horizon: Annotated[int, typer.Option(min=1, max=1000, help="Periods ahead.")],
    origins: Annotated[int, typer.Option(min=1, max=100, help="From so many moments of the past.")] = 3,
    step: Annotated[int | None, typer.Option(min=1, help="Periods between two moments (default: the horizon).")] = None,
    regressors: Annotated[
        list[str] | None,
        typer.Option(help="Columns that are known ahead (promotions, prices, closures), with commas or again."),
    ] = None,
    past_regressors: Annotated[
        list[str] | None, typer.Option(help="Columns that are known only when the period is over.")
    ] = None,
    season: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Periods in a season (default: by the dates).")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Whose public holidays count, for example DE.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write every forecast there (.csv, .csv.gz or .parquet).")] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes; changes nothing but the time.")] = 2,
) -> None:
    """Score the recipe and each of its members on the past of a table.

    Columns named by --regressors are known ahead: their values in the periods forecast are taken from the file. What is interrupted goes on
    where it stopped when the same command is given again.
    """
    from forecasting import backtest, doing
    from forecasting.file import UnreadableError, read
    from forecasting.recipe import RECIPE
    from forecasting.workers import StuckError

    here = session(context)
    if out is not None and not out.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {out.resolve().parent} to write {out.name} to")
    try:
        table = read(
            file, horizon=horizon, season=season, regressors=_names(regressors), past_regressors=_names(past_regressors),
            country=country,
        )  # fmt: skip
    except UnreadableError as error:
        raise CommandError(f"{file.name}: {error}", hint="docs/forecasting.md says what a file has to hold.") from error
    wanted = step or horizon
    digest = backtest.identity(table.panel, backtest.moments(horizon, origins, wanted))
    try:
        with doing.file(_work_folder() / f"{digest[:32]}.sqlite") as kept, here.progress() as bar:
            task = bar.add_task("models", total=None)
            found = backtest.backtest(
                table.panel, origins=origins, step=wanted, processes=processes, kept=kept,
                tell=lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total),
            )  # fmt: skip
    except ValueError as error:
        raise CommandError(f"{file.name}: {error}", hint="Give fewer origins or a smaller step.") from error
    except StuckError as error:
        raise CommandError(str(error), hint="Give the same command again: what is done is kept.") from error
    if out is not None:
        backtest.write(found.rows, out)
    here.answer(
        {
            "file": file.name, "fileDigest": table.digest, "workDigest": digest, "recipe": RECIPE,
            "frequency": table.panel.frequency.code, "season": table.panel.frequency.season,
            "maseLag": table.panel.frequency.lag, "horizon": horizon, "origins": origins, "step": wanted,
            "series": found.series, "regressors": list(table.panel.known_names),
            "pastRegressors": list(table.panel.past_names), "groups": sorted(table.panel.groups), "country": country,
            "combination": found.scores[backtest.COMBINATION],
            "members": {name: score for name, score in found.scores.items() if name != backtest.COMBINATION},
            "byOrigin": found.by_origin, "weights": found.weights, "failures": dict(sorted(found.failures.items())),
            "findings": [one.row() for one in table.findings],
        }
    )  # fmt: skip
    if not here.json:
        _show(here, file, found, table)


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for entry in given or () for name in entry.split(",") if name.strip())


def _work_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("lotline")) / "backtests"


def _show(here: Session, file: Path, found: Any, table: Any) -> None:
    frequency = table.panel.frequency
    here.text(f"{file.name}: {found.series} series, period {frequency.code}, season {frequency.season}")
    if table.panel.known_names:
        here.text(f"known ahead, taken from the file: {', '.join(table.panel.known_names)}")
    order = sorted(
        found.scores, key=lambda name: (name != "combination", name in _BARS, found.scores[name]["mase"] or 9e9)
    )
    newest: dict[str, float] = next(iter(found.weights.values()), {}) if len(found.weights) == 1 else {}
    here.table(
        "",
        ["", "#MASE", "#WAPE %", "#RMSE", "#RMSSE", "#bias %", "#weight"],
        [
            (
                name,
                *(_figure(found.scores[name].get(key)) for key in ("mase", "wape", "rmse", "rmsse", "bias")),
                _figure(newest.get(name)),
            )
            for name in order
        ],
    )
    for part, weights in found.weights.items() if len(found.weights) > 1 else ():
        shares = ", ".join(f"{name} {value:.2f}" for name, value in weights.items() if name != "series")
        here.text(f"weights of {int(weights['series'])} {part} series: {shares}")
    best = found.scores["combination"]
    here.text(
        f"80 % intervals held {_share(best['coverage80'])}, 95 % intervals {_share(best['coverage95'])}, P90 {_share(best['coverageP90'])}; "
        f"MSIS {_figure(best['msis'])}, pinball {_figure(best['pinball'])}"
    )
    for one in table.findings[:_SHOWN_FINDINGS]:
        here.say(f"{one.kind.replace('_', ' ')} ({one.count}): {one.subject + ': ' if one.subject else ''}{one.detail}")
    if len(table.findings) > _SHOWN_FINDINGS:
        here.say(f"and {len(table.findings) - _SHOWN_FINDINGS} findings more: --json has them all")
    if found.failures:
        here.say(f"{len(found.failures)} fits gave nothing: --json says which and why")


def _figure(value: Any) -> str:
    return "" if value is None else f"{value:.3f}"


def _share(value: Any) -> str:
    return "–" if value is None else f"{value:.1%}"
