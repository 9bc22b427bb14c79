"""Transit times by lane, out of the journeys that the read model has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forecasting.history import LONGEST, History, complete, panel
from forecasting.metrics import Array
from forecasting.panel import Mask
from forecasting.series import WEEKLY, Series
from readmodel.queries.transit import Transit, transit_history

_LANE_JOURNEYS = 40


def journeys(connection: Connection, as_of: datetime) -> list[Transit]:
    """All handoffs that were released by then, arrived or not, by release."""
    return transit_history(connection, accepted_only=False, before=as_of)


def transit(rows: Iterable[Transit], as_of: datetime) -> History | None:
    """Mean transit days by lane and week of arrival, for every lane with 40 arrivals; a week without arrivals is unknown."""
    lanes: dict[tuple[str, str], list[Transit]] = {}
    for row in rows:
        ends = (row.from_place or row.from_party, row.to_place or row.to_party)
        if row.days is not None and row.accepted_at is not None and row.accepted_at < as_of and None not in ends:
            lanes.setdefault(ends, []).append(row)  # type: ignore[arg-type]
    busy = {ends: found for ends, found in sorted(lanes.items()) if len(found) >= _LANE_JOURNEYS}
    if not busy:
        return None
    end = pd.Timestamp(as_of).tz_convert("UTC").tz_localize(None).floor("D")
    arrived = [row.accepted_at for found in busy.values() for row in found]
    begin = pd.Timestamp(min(moment for moment in arrived if moment)).tz_convert("UTC").tz_localize(None)
    dates = complete(begin, end, WEEKLY)[-LONGEST["W"] :]
    if not len(dates):
        return None
    y = np.stack([_weekly(found, dates) for found in busy.values()])
    kept: Mask = np.asarray(~np.isnan(y).all(axis=1))
    series = [
        Series(
            f"transit|{ends[0]}|{ends[1]}", "transit", y[row], dates[0].tz_localize(UTC).to_pydatetime(), WEEKLY,
            place=ends[1], party=found[-1].from_party,
        )
        for row, (ends, found) in enumerate(busy.items())
        if kept[row]
    ]  # fmt: skip
    return History(series, panel(series, y[kept], dates, WEEKLY, None)) if series else None


def _weekly(rows: Sequence[Transit], dates: pd.DatetimeIndex) -> Array:
    moments = pd.DatetimeIndex([row.accepted_at for row in rows]).tz_convert("UTC").tz_localize(None)
    column = np.searchsorted(dates.to_numpy(), moments.to_numpy(), side="right") - 1
    over = np.array(moments < dates[-1] + pd.Timedelta(days=7), dtype=bool, ndmin=1)
    column = np.where(over, column, -1)
    total, count = np.zeros(len(dates)), np.zeros(len(dates))
    days = np.array([row.days or 0.0 for row in rows])
    np.add.at(total, column[column >= 0], days[column >= 0])
    np.add.at(count, column[column >= 0], 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
