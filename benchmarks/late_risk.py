"""Which shipments of the SCMS record would be late: judged year by year on what was not learnt from.

At the beginning of each month the model learns from everything whose outcome is known by then, as a run of `lotline
forecast` does, and judges every shipment released in the month with the features of its release day. The baseline is
the late rate of the same lane in the last year, which is what a planner's spreadsheet would say.

The record has no ship date. Here the release is the scheduled day less the usual days of the mode, never moved because of
what was delivered when. By that estimate a quarter of the shipments had arrived before they left. The claim is made on
all shipments; the second figure leaves those out, which picks by outcome (all of them were in time) and flatters everybody.

The model was chosen on these years, so the interval of its difference to the baseline says no more than that of the AUC.

Needs the record: LOTLINE_DATA names the folder that holds forecasting/scms_delivery_history_to_2013.csv.gz.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import report
from forecasting.late import FEATURES, Journey, LateModel, training_rows
from forecasting.metrics import Array, auc, calibration
from sources.scms.actors import Organisations, actors
from sources.scms.dates import DAYS_ON_THE_WAY, DAYS_WHEN_MODE_UNKNOWN
from sources.scms.lines import Line, read_lines

_HERE = Path(__file__).resolve()
RECORD = "forecasting/scms_delivery_history_to_2013.csv.gz"
YEARS = (2011, 2012, 2013)
Positions = npt.NDArray[np.int_]


def journey(line: Line) -> Journey:
    """A shipment line as the late model sees a handoff."""
    usual = timedelta(days=DAYS_ON_THE_WAY.get(line.mode or "", DAYS_WHEN_MODE_UNKNOWN))
    day = line.scheduled - usual
    if line.ordered is not None:
        day = max(day, min(line.ordered, line.scheduled))
    who = actors(line, Organisations())
    return Journey(
        id=line.id,
        released=datetime.combine(day, time(8), UTC),
        promised=datetime.combine(line.scheduled, time(23, 59, 59), UTC),
        arrived=None if line.delivered is None else datetime.combine(line.delivered, time(12), UTC),
        sender=who.sender.id,
        receiver=who.receiver.id,
        origin=who.sender_place.id,
        destination=who.receiver_place.id,
        country=line.country,
        quantity=float(line.quantity),
    )


def was_open(one: Journey) -> bool:
    """Whether it had not arrived by its estimated release."""
    return one.arrived is None or one.arrived > one.released


def judge_year(year: int, rows: Array, outcomes: Array, kept: list[Journey]) -> tuple[Array, list[int]]:
    """Probabilities for the shipments released in a year, and which those are."""
    starts = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)] + [datetime(year + 1, 1, 1, tzinfo=UTC)]
    chances: list[Array] = []
    judged: list[int] = []
    for begin, end in pairwise(starts):
        past = [n for n, one in enumerate(kept) if one.known < begin]
        test = [n for n, one in enumerate(kept) if begin <= one.released < end]
        model = LateModel().fit(rows[past], outcomes[past], [kept[n].released for n in past])
        chances.append(model.predict(rows[test]))
        judged += test
    return np.concatenate(chances), judged


@dataclass(frozen=True)
class Year:
    """Probabilities, the lane's rates, outcomes, and which shipments belong together."""

    chances: Array
    rates: Array
    outcomes: Array
    shipments: list[Positions]
    """Lines to one destination released on one day share their fate."""


def years(journeys: list[Journey]) -> list[Year]:
    """The judged years, learnt from ``journeys`` alone."""
    rows, outcomes, kept = training_rows(journeys, datetime(2100, 1, 1, tzinfo=UTC))
    found = []
    for year in YEARS:
        chances, judged = judge_year(year, rows, outcomes, kept)
        together: defaultdict[tuple[str, datetime], list[int]] = defaultdict(list)
        for position, n in enumerate(judged):
            together[(kept[n].destination, kept[n].released)].append(position)
        rates = np.clip(rows[judged, FEATURES.index("recent lane")], 0, 1)
        found.append(Year(chances, rates, outcomes[judged], [np.array(one) for one in together.values()]))
    return found


def mean_auc(found: list[Year], picks: list[Positions] | None = None) -> tuple[float, float]:
    """Over the years: the model's, and the rate's."""
    chosen = picks or [np.arange(len(one.outcomes)) for one in found]
    pairs = [
        (auc(one.chances[p], one.outcomes[p]), auc(one.rates[p], one.outcomes[p]))
        for one, p in zip(found, chosen, strict=True)
    ]
    model, rate = np.mean(np.array(pairs, dtype=np.float64), axis=0)
    return float(model), float(rate)


def margin(found: list[Year], draws: int = 500) -> tuple[float, float]:
    """95 % interval of the model's AUC less the rate's, by drawing whole shipments again."""
    generator = np.random.default_rng(1)
    differences = []
    for _ in range(draws):
        picks = [
            np.concatenate([one.shipments[i] for i in generator.integers(0, len(one.shipments), len(one.shipments))])
            for one in found
        ]
        model, rate = mean_auc(found, picks)
        differences.append(model - rate)
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def tell(title: str, found: list[Year]) -> tuple[float, float]:
    """Print a population's years; its mean AUC, and the rate's."""
    print(f"{title}:")
    for year, one in zip(YEARS, found, strict=True):
        judged, plain = calibration(one.chances, one.outcomes), calibration(one.rates, one.outcomes)
        print(
            f"  {year}: {judged['n']} shipments, {judged['late']:.1%} late: AUC {judged['auc']:.3f} "
            f"(lane's rate alone {plain['auc']:.3f}), Brier {judged['brier']:.3f}, skill {judged['brierSkill']:+.3f} "
            f"({plain['brierSkill']:+.3f}), calibration error {judged['ece']:.3f}"
        )
    model, rate = mean_auc(found)
    low, high = margin(found)
    print(f"  mean AUC {model:.3f}, lane's rate alone {rate:.3f}; difference {low:+.3f} to {high:+.3f} (95 %)")
    return model, rate


def main() -> int:
    """0 also where the record is absent, saying so."""
    record = Path(os.environ.get("LOTLINE_DATA", _HERE.parents[2] / "shared" / "data")) / RECORD
    if not record.exists():
        print(f"no record at {record}: set LOTLINE_DATA")
        return 0
    journeys = [journey(line) for line in read_lines(record) if isinstance(line, Line)]
    model, rate = tell("all shipments", years(journeys))
    tell("without those that arrived before their estimated release", years([one for one in journeys if was_open(one)]))
    report("late shipments 2011-2013, mean AUC", measured=model, target=0.70, unit="AUC")
    report("... against the lane's late rate alone", measured=model, target=rate, unit="AUC")
    return 0


if __name__ == "__main__":
    sys.exit(main())
