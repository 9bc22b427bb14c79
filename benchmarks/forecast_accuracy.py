"""The forecasting contest on real series that it has not seen the end of, beside seasonal naive and Prophet alone.

* M4 Weekly (every sixth series): the official hold-out of 13 weeks, the official MASE (scaled by weekly changes).
* Online Retail II (UCI, 2009-2010): daily units of the 60 products that sold best
  in the history, the last 28 days held out.

The contest back-tests on the history, chooses for each series, and forecasts the hold-out; intervals are calibrated on the
back-tests alone. Needs the data: LOTLINE_DATA names the folder that holds forecasting/.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import report
from forecasting import contest, metrics
from forecasting.contest import Choice
from forecasting.metrics import Array
from forecasting.series import DAILY, Frequency, Series
from forecasting.workers import run_all

_HERE = Path(__file__).resolve()
FOLDER = Path(os.environ.get("LOTLINE_DATA", _HERE.parents[2] / "shared" / "data")) / "forecasting"
M4_WEEKLY = Frequency("W-MON", 52, 13)
_LONGEST = 312
_PRODUCTS = 60
Held = list[tuple[Series, Array]]
"""Series without their end, and the end."""


def m4_weekly() -> Held:
    """Every sixth series."""
    train, test = (_rows(FOLDER / f"Weekly-{part}.csv.gz") for part in ("train", "test"))
    start = datetime(2000, 1, 3, tzinfo=UTC)
    return [
        (Series(f"demand|{name}", "demand", train[name][-_LONGEST:], start, M4_WEEKLY), test[name])
        for name in list(train)[::6]
    ]


def _rows(file: Path) -> dict[str, Array]:
    with gzip.open(file, "rt", newline="") as text:
        lines = list(csv.reader(text))[1:]
    return {line[0]: np.array([float(value) for value in line[1:] if value]) for line in lines}


def online_retail() -> Held:
    """Units a day of the best sellers; days on which nothing was sold are 0."""
    frame = pd.read_parquet(
        FOLDER / "online_retail_II_2009-2010.parquet", columns=["StockCode", "Quantity", "InvoiceDate"]
    )
    frame = frame[(frame["Quantity"] > 0) & frame["StockCode"].str.match(r"^\d{5}")]
    # the best sellers of the history: what sells in the days held out is not known yet
    held_out = frame["InvoiceDate"].max().floor("D") - pd.Timedelta(days=DAILY.horizon)
    best = frame[frame["InvoiceDate"] < held_out].groupby("StockCode")["Quantity"].sum().nlargest(_PRODUCTS).index
    days = frame[frame["StockCode"].isin(best)].assign(day=lambda rows: rows["InvoiceDate"].dt.floor("D"))
    table = days.pivot_table(index="day", columns="StockCode", values="Quantity", aggfunc="sum").asfreq("D").fillna(0.0)
    # the file ends with a day under way
    table = table.iloc[:-1]
    start, cut = table.index[0].to_pydatetime().replace(tzinfo=UTC), len(table) - DAILY.horizon
    return [
        (Series(f"demand|{code}", "demand", table[code].to_numpy()[:cut], start, DAILY), table[code].to_numpy()[cut:])
        for code in table.columns
    ]


def compete(held: Held, processes: int) -> tuple[list[Choice], float]:
    """The contest's choices, Prophet included, and the seconds it took."""
    started = time.perf_counter()
    series = [one for one, _ in held]
    tasks = [*contest.tasks(series), *contest.tasks(series, "prophet")]
    entries = contest.collect(list(run_all(tasks, processes, 60.0)), {one.unique_id: one for one in series})
    return [contest.choose(one, entries.get(one.unique_id, {})) for one in series], time.perf_counter() - started


def errors(choices: Sequence[Choice], held: Held, model: str | None, step: int) -> list[float]:
    """MASE of each series by the chosen or a named model; ``step`` is the lag that scales."""
    found = []
    for choice, (series, actual) in zip(choices, held, strict=True):
        future = choice.entries[model or choice.chosen].future
        if future is not None:
            found.append(metrics.mase(actual, future[: len(actual)], metrics.seasonal_scale(series.y, step)))
    return found


def coverages(choices: Sequence[Choice], held: Held) -> tuple[float, float]:
    """Share of held-out values within the 80 % and the 95 % interval."""
    conformal, _ = next(iter(contest.calibrate(choices).values()))
    shares: list[list[float]] = [[], []]
    for choice, (_, actual) in zip(choices, held, strict=True):
        future = choice.entries[choice.chosen].future
        assert future is not None
        for share, level in zip(shares, (0.80, 0.95), strict=True):
            share.append(metrics.coverage(actual, *conformal.bounds(future, choice.scale, level)))
    return float(np.mean(shares[0])), float(np.mean(shares[1]))


def judge(name: str, held: Held, step: int) -> None:
    """Run one data set and report on it."""
    processes = os.cpu_count() or 2
    choices, seconds = compete(held, processes)
    chosen = float(np.mean(errors(choices, held, None, step)))
    naive = float(np.mean(errors(choices, held, "seasonal_naive", step)))
    last = float(np.mean(errors(choices, held, "naive", step)))
    prophet = float(np.mean(errors(choices, held, "prophet", step)))
    inside80, inside95 = coverages(choices, held)
    print(
        f"{name}: {len(held)} series, {seconds:.0f} s on {processes} processes; MASE {chosen:.3f}, naive {last:.3f}, "
        f"seasonal naive {naive:.3f}, Prophet alone {prophet:.3f}; intervals hold {inside80:.0%} and {inside95:.0%}"
    )
    report(
        f"{name}: MASE, against the better naive",
        measured=chosen,
        target=min(naive, last),
        unit="MASE",
        lower_is_better=True,
    )
    report(f"{name}: MASE, against Prophet alone", measured=chosen, target=prophet, unit="MASE", lower_is_better=True)


def main() -> int:
    """0 also where the data is absent, saying so."""
    if not (FOLDER / "Weekly-train.csv.gz").exists():
        print(f"no data at {FOLDER}: set LOTLINE_DATA")
        return 0
    judge("M4 Weekly", m4_weekly(), 1)
    judge("Online Retail", online_retail(), 7)
    return 0


if __name__ == "__main__":
    sys.exit(main())
