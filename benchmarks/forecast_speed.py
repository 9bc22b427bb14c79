"""What the recipe costs beside a loop of Prophet over the same series, in processor seconds of one interleaved run.

Both forecast from the same moments, Prophet as it comes (with its own intervals), on a sample of the series. Two ratios: for equal work
(a fit of everything for each moment), and for one forecast, for which the recipe back-tests itself at four earlier moments and Prophet does not.
The hours for 3,000 weekly series are reckoned from the sample: processor seconds a series, two cores, no waiting.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import demand_sets
from benchmarks.report import report
from forecasting.file import read
from forecasting.metrics import Array
from forecasting.panel import Panel, window
from forecasting.recipe import Plan, assemble, work

_SAMPLE = 10


@dataclass
class Cost:
    """Processor seconds, and the errors (MASE) of one forecast."""

    recipe: float = 0.0
    moments: int = 0
    prophet: float = 0.0
    fits: int = 0
    recipe_error: float = 0.0
    prophet_error: float = 0.0


def panels(folder: Path) -> dict[str, Panel]:
    """Sets of three periods."""
    found = {}
    sets: dict[str, tuple[pd.DataFrame, int, tuple[str, ...], str | None]] = {
        "monthly, 200 series": (demand_sets.consumer_goods(), 6, ("price", "discount"), None),
        "weekly, 200 series": (demand_sets.departments(20, 10), 8, ("is_holiday", "markdown"), "US"),
        "daily, 40 series": (demand_sets.shop_sales(40), 28, ("open", "promo", "school_holiday"), "DE"),
    }
    for name, (frame, horizon, known, country) in sets.items():
        path = folder / "set.parquet"
        frame.to_parquet(path)
        found[name] = read(path, horizon=horizon, regressors=known, country=country).panel
    return found


def measure(panel: Panel) -> Cost:
    """The recipe for one moment, and a Prophet for each series of a sample of it, in turns."""
    cost, plan = Cost(), Plan.of(panel, (panel.horizon,))
    parts = {name: plan.part(name) for name in plan.parts}
    cost.moments = len(plan.cuts)
    sample = np.linspace(0, len(panel.ids) - 1, _SAMPLE).astype(int).tolist()
    said: dict[int, Array] = {}
    results, units = {}, plan.units()
    for number, unit in enumerate(units):
        before = _cpu()
        results[unit.key], _ = work(parts[unit.part], unit)
        cost.recipe += _cpu() - before
        for row in sample[len(sample) * number // len(units) : len(sample) * (number + 1) // len(units)]:
            before = _cpu()
            said[row] = prophet(panel, row)
            cost.prophet += _cpu() - before
            cost.fits += 1
    before = _cpu()
    own = np.zeros((len(panel.ids), panel.horizon))
    for part in assemble(plan, results, panel.horizon):
        own[part.rows] = part.point
    cost.recipe += _cpu() - before
    end = panel.ends - panel.horizon
    actual = window(panel.y, end, panel.horizon)
    history = panel.history(end)
    lag = panel.frequency.lag
    scale = np.nanmean(np.abs(history[:, lag:] - history[:, :-lag]), axis=1)
    cost.recipe_error = float(np.mean([np.mean(np.abs(own[row] - actual[row])) / scale[row] for row in sample]))
    cost.prophet_error = float(np.mean([np.mean(np.abs(said[row] - actual[row])) / scale[row] for row in sample]))
    return cost


def prophet(panel: Panel, row: int) -> Array:
    """Prophet as it comes, with the regressors that are known ahead and the country's holidays."""
    from prophet import Prophet

    end = int(panel.ends[row]) - panel.horizon
    frame = pd.DataFrame({"ds": panel.dates[: end + panel.horizon], "y": np.nan})
    frame.loc[: end - 1, "y"] = panel.y[row, :end]
    model: Any = Prophet()
    if panel.country and panel.frequency.unit == "D":
        model.add_country_holidays(panel.country)
    for place, name in enumerate(panel.known_names):
        frame[name] = panel.known[row, : end + panel.horizon, place]
        model.add_regressor(name)
    with tempfile.TemporaryDirectory() as folder:
        model.fit(frame.iloc[:end], output_dir=folder)
    return np.asarray(model.predict(frame.iloc[end:])["yhat"])


def _cpu() -> float:
    return sum(os.times()[:4])  # children's too: Prophet's optimiser is a program of its own


def main() -> int:
    """Measure all sets."""
    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        for name, panel in panels(Path(folder)).items():
            cost = measure(panel)
            series = len(panel.ids)
            each, alone = cost.recipe / series, cost.prophet / cost.fits
            print(
                f"{name}: the recipe {1000 * each:.0f} ms a series at {cost.moments} moments, a Prophet {1000 * alone:.0f} ms; "
                f"MASE {cost.recipe_error:.3f} beside {cost.prophet_error:.3f}"
            )
            report(
                f"{name}: times faster than a loop of Prophet, equal work",
                measured=alone * cost.moments / each,
                target=10,
                unit="x",
            )
            report(f"{name}: times faster, one forecast", measured=alone / each, target=10, unit="x")
            if name.startswith("weekly"):
                moments = (
                    cost.moments + 2 * 2
                )  # two more moments 8 weeks apart bring four new ones: the others are shared
                minutes = 3000 * each * moments / cost.moments / 2 / 60
                report(
                    "3,000 weekly series back-tested from three moments on two cores",
                    measured=minutes,
                    target=15,
                    unit="min",
                    lower_is_better=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
