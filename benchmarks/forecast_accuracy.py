"""The recipe on real series whose end it has not seen.

* M4 Weekly, all 359 series: the official hold-out of 13 weeks, the official MASE (scaled by the whole history's weekly changes).
* Online Retail II (UCI, 2009-2010): weekly units of the 200 products that sold best before the weeks held out, 8 weeks ahead, from
  two moments.

Everything is as in ``lotline forecast backtest``; what is interrupted goes on (``LOTLINE_BENCH_WORK`` names a folder for it).
Needs the data: LOTLINE_DATA names the folder that holds forecasting/.
"""

from __future__ import annotations

import csv
import gzip
import os
import resource
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import report
from forecasting import backtest, doing
from forecasting.metrics import Array
from forecasting.panel import Panel, panel_of
from forecasting.series import Frequency

_HERE = Path(__file__).resolve()
FOLDER = Path(os.environ.get("LOTLINE_DATA", _HERE.parents[2] / "shared" / "data")) / "forecasting"
M4_WEEKLY = Frequency("W-MON", 52, 13)
RETAIL = Frequency("W-MON", 52, 8)
_PRODUCTS = 200


def m4_weekly(every: int = 1) -> Panel:
    """History and hold-out of the series, ending together: their dates are not told."""
    train, test = (_rows(FOLDER / f"Weekly-{part}.csv.gz") for part in ("train", "test"))
    names = list(train)[::every]
    longest = max(len(train[name]) for name in names) + 13
    values = {name: np.concatenate([train[name], test[name]]) for name in names}
    padded = {name: np.concatenate([np.full(longest - len(y), np.nan), y]) for name, y in values.items()}
    return replace(panel_of(padded, "1970-01-05", M4_WEEKLY), calendar=False)


def _rows(file: Path) -> dict[str, Array]:
    with gzip.open(file, "rt", newline="") as text:
        lines = list(csv.reader(text))[1:]
    return {line[0]: np.array([float(value) for value in line[1:] if value]) for line in lines}


def online_retail() -> Panel:
    """Units a week of the best sellers; a week in which nothing was sold is 0 from the first sale on."""
    frame = pd.read_parquet(
        FOLDER / "online_retail_II_2009-2010.parquet", columns=["StockCode", "Quantity", "InvoiceDate"]
    )
    frame = frame[(frame["Quantity"] > 0) & frame["StockCode"].str.match(r"^\d{5}")]
    frame = frame.assign(week=frame["InvoiceDate"].dt.to_period("W-SUN").dt.start_time)
    last = frame["week"].max()  # under way
    held_out = last - pd.Timedelta(weeks=2 * RETAIL.horizon)
    best = frame[frame["week"] < held_out].groupby("StockCode")["Quantity"].sum().nlargest(_PRODUCTS).index
    weeks = frame[frame["StockCode"].isin(best) & (frame["week"] < last)]
    table = weeks.pivot_table(index="StockCode", columns="week", values="Quantity", aggfunc="sum")
    table = table.reindex(columns=pd.date_range(table.columns.min(), table.columns.max(), freq="W-MON"))
    values = table.to_numpy(dtype=float)
    for row in values:
        begun = int(np.argmax(~np.isnan(row)))
        row[begun:] = np.nan_to_num(row[begun:])
    panel = panel_of(dict(zip(table.index, values, strict=True)), table.columns[0], RETAIL)
    return replace(panel, country="GB")


def judge(name: str, panel: Panel, origins: int, work: Path) -> None:
    """Back-test one set and report on it."""
    digest = backtest.identity(panel, backtest.moments(panel.horizon, origins, panel.horizon))
    before = _cpu()
    with doing.file(work / f"{digest[:32]}.sqlite") as kept:
        found = backtest.backtest(
            panel,
            origins=origins,
            step=panel.horizon,
            processes=int(os.environ.get("LOTLINE_BENCH_CORES", "2")),
            kept=kept,
        )
    scores = found.scores
    said = {member: score for member, score in scores.items() if score["mase"] is not None}
    for member, score in sorted(said.items(), key=lambda entry: entry[1]["mase"] or 0.0):
        print(f"{name:14} {member:16} MASE {score['mase']:.3f}  WAPE {score['wape']:.2f} %  RMSSE {score['rmsse']:.3f}")
    own = scores[backtest.COMBINATION]
    print(
        f"{name}: 80 % intervals held {own['coverage80']:.1%}, 95 % {own['coverage95']:.1%}, P90 {own['coverageP90']:.1%}; "
        f"MSIS {own['msis']:.2f}; {found.series} series, {_cpu() - before:.0f} processor seconds; weights {found.weights}"
    )
    bar = min(scores[one]["mase"] or 9e9 for one in ("naive", "seasonal_naive"))
    report(
        f"{name}: MASE, against the better naive",
        measured=own["mase"] or 9e9,
        target=bar,
        unit="MASE",
        lower_is_better=True,
    )


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def main() -> int:
    """0 also where the data is absent, saying so."""
    if not (FOLDER / "Weekly-train.csv.gz").exists():
        print(f"no data at {FOLDER}: set LOTLINE_DATA")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(os.environ.get("LOTLINE_BENCH_WORK", folder))
        judge("Online Retail", online_retail(), 2, work)
        judge("M4 Weekly", m4_weekly(), 1, work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
