"""Which shipments of the SCMS record would be late: judged year by year on what was not learnt from.

At the beginning of each month the model learns from everything whose outcome is known by then, as a run of `lotline
forecast` does, and judges every shipment released in the month with the features of its release day. The baseline is the late rate of the same lane in the last year, which
is what a planner's spreadsheet would say.

The record has no ship date. Here the release is the scheduled day less the usual days of the mode, never moved because of
what was delivered when; shipments that had arrived by then were not open and are left out.

Needs the record: LOTLINE_DATA names the folder that holds forecasting/scms_delivery_history_to_2013.csv.gz.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.report import report
from forecasting.late import FEATURES, Journey, LateModel, training_rows
from forecasting.metrics import Array, calibration
from lotline.scms.actors import Organisations, actors
from lotline.scms.dates import DAYS_ON_THE_WAY, DAYS_WHEN_MODE_UNKNOWN
from lotline.scms.lines import Line, read_lines

_HERE = Path(__file__).resolve()
RECORD = "forecasting/scms_delivery_history_to_2013.csv.gz"
YEARS = (2011, 2012, 2013)


def journey(line: Line) -> Journey | None:
    """A shipment line as the late model sees a handoff; None if it was there before it could be asked about."""
    usual = timedelta(days=DAYS_ON_THE_WAY.get(line.mode or "", DAYS_WHEN_MODE_UNKNOWN))
    day = line.scheduled - usual
    if line.ordered is not None:
        day = max(day, min(line.ordered, line.scheduled))
    released = datetime.combine(day, time(8), UTC)
    arrived = None if line.delivered is None else datetime.combine(line.delivered, time(12), UTC)
    if arrived is not None and arrived <= released:
        return None
    who = actors(line, Organisations())
    return Journey(
        id=line.id,
        released=released,
        promised=datetime.combine(line.scheduled, time(23, 59, 59), UTC),
        arrived=arrived,
        sender=who.sender.id,
        receiver=who.receiver.id,
        origin=who.sender_place.id,
        destination=who.receiver_place.id,
        country=line.country,
        quantity=float(line.quantity),
    )


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


def main() -> int:
    """0 also where the record is absent, saying so."""
    record = Path(os.environ.get("LOTLINE_DATA", _HERE.parents[2] / "shared" / "data")) / RECORD
    if not record.exists():
        print(f"no record at {record}: set LOTLINE_DATA")
        return 0
    lines = [line for line in read_lines(record) if isinstance(line, Line)]
    journeys = sorted(filter(None, map(journey, lines)), key=lambda one: (one.released, one.id))
    rows, outcomes, kept = training_rows(journeys, datetime(2100, 1, 1, tzinfo=UTC))
    found = []
    for year in YEARS:
        chances, test = judge_year(year, rows, outcomes, kept)
        judged = calibration(chances, outcomes[test])
        plain = calibration(np.clip(rows[test, FEATURES.index("recent lane")], 0, 1), outcomes[test])
        found.append((judged, plain))
        print(
            f"{year}: {judged['n']} shipments, {judged['late']:.1%} late: AUC {judged['auc']:.3f} "
            f"(lane's rate alone {plain['auc']:.3f}), Brier skill {judged['brierSkill']:+.3f} "
            f"({plain['brierSkill']:+.3f}), calibration error {judged['ece']:.3f}"
        )
    auc = float(np.mean([judged["auc"] for judged, _ in found]))
    alone = float(np.mean([plain["auc"] for _, plain in found]))
    report("late shipments 2011-2013, mean AUC", measured=auc, target=0.70, unit="AUC")
    report("... against the lane's late rate alone", measured=auc, target=alone, unit="AUC")
    return 0


if __name__ == "__main__":
    sys.exit(main())
