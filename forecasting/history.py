"""History out of the read model: demand by product and place (or party, or country), transit time by lane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, func, select
from sqlmodel import col

from forecasting.series import DAILY, MONTHLY, WEEKLY, Frequency, Series
from readmodel.queries.flows import flows
from readmodel.queries.transit import Transit, transit_history
from readmodel.tables import Event

DEMAND = ("sold", "received")
"""What counts as demand: sales where there are any, else what is received by parties that ship nothing on."""
_FEWEST = {"D": 60, "W-MON": 30, "MS": 18}
_DENSE = 0.25
_LONGEST = {"D": 420, "W-MON": 160, "MS": 120}
_LANE_JOURNEYS = 40


def newest(engine: Engine) -> datetime | None:
    """The newest event time on the ledger: what a forecast takes for now."""
    with engine.connect() as connection:
        last: datetime | None = connection.execute(select(func.max(col(Event.event_time)))).scalar()
        return last


def demand(connection: Connection, as_of: datetime, wanted: Frequency | None = None) -> list[Series]:
    """Demand series, the largest first. Each has the finest period at which a quarter of all periods have demand."""
    frame = _demand_flows(connection, as_of)
    if frame.empty:
        return []
    by = "place" if frame["flow"].iloc[0] == "sold" or not frame["country"].notna().any() else "country"
    found = []
    for (product, where), rows in frame.dropna(subset=[by]).groupby(["product", by], sort=True):
        daily = rows.groupby("day")["quantity"].sum()
        series = _series(str(product), str(where), by, daily, as_of, wanted)
        if series is not None:
            found.append(series)
    return sorted(found, key=lambda series: (-float(series.y.sum()), series.unique_id))


def _demand_flows(connection: Connection, as_of: datetime) -> pd.DataFrame:
    for flow in DEMAND:
        rows = flows(connection, flow=(flow,), before=as_of.date())
        frame = pd.DataFrame(rows)
        if flow == "received" and not frame.empty:
            onward = {row.party for row in flows(connection, flow=("shipped",), before=as_of.date())}
            frame = frame[~frame["party"].isin(onward)]
        if not frame.empty:
            return frame
    return pd.DataFrame()


def _series(
    product: str, where: str, by: str, daily: pd.Series, as_of: datetime, wanted: Frequency | None
) -> Series | None:
    daily.index = pd.to_datetime(daily.index, utc=True)
    for frequency in (DAILY, WEEKLY, MONTHLY) if wanted is None else (wanted,):
        values = regular(daily, frequency, as_of)
        if len(values) >= _FEWEST[frequency.code] and float((values > 0).mean()) >= _DENSE:
            break
    else:
        if len(values) < _FEWEST[frequency.code]:
            return None
    kept = values.iloc[-_LONGEST[frequency.code] :]
    details = {by: where}
    return Series(
        f"demand|{product}|{where}",
        "demand",
        kept.to_numpy(dtype=np.float64),
        kept.index[0].to_pydatetime(),
        frequency,
        product=product,
        **details,  # type: ignore[arg-type]
    )


def regular(daily: pd.Series, frequency: Frequency, as_of: datetime) -> pd.Series:
    """Sums by period from the first demand to the last complete period; periods without demand are 0."""
    end = pd.Timestamp(as_of).floor("D")
    full = daily[daily.index < end].copy()
    if full.empty:
        return full
    full.loc[end - pd.Timedelta(days=1)] = full.get(end - pd.Timedelta(days=1), 0.0)
    label = {"label": "left", "closed": "left"}
    sums = full.sort_index().resample(frequency.code, **label).sum()
    following = sums.index[-1] + pd.tseries.frequencies.to_offset(frequency.code)
    return sums if following <= end else sums.iloc[:-1]


def journeys(connection: Connection, as_of: datetime) -> list[Transit]:
    """All handoffs that were released by then, arrived or not, by release."""
    return transit_history(connection, accepted_only=False, before=as_of)


def transit(rows: Iterable[Transit], as_of: datetime) -> list[Series]:
    """Mean transit days by lane and week, for lanes that are busy enough; a week without arrivals repeats the last."""
    lanes: dict[tuple[str, str], list[Transit]] = {}
    for row in rows:
        ends = (row.from_place or row.from_party, row.to_place or row.to_party)
        if row.days is not None and row.accepted_at is not None and row.accepted_at < as_of and None not in ends:
            lanes.setdefault(ends, []).append(row)  # type: ignore[arg-type]
    found = [
        _lane(ends, journeys, as_of) for ends, journeys in sorted(lanes.items()) if len(journeys) >= _LANE_JOURNEYS
    ]
    return [series for series in found if series is not None]


def _lane(ends: tuple[str, str], rows: Sequence[Transit], as_of: datetime) -> Series | None:
    days = pd.Series(
        [row.days for row in rows], index=pd.to_datetime([row.accepted_at for row in rows], utc=True), dtype=float
    )
    weekly = days.sort_index().resample(WEEKLY.code, label="left", closed="left").mean().ffill()
    weekly = weekly[weekly.index + pd.Timedelta(days=7) <= pd.Timestamp(as_of)].iloc[-_LONGEST[WEEKLY.code] :]
    if len(weekly) < _FEWEST[WEEKLY.code]:
        return None
    return Series(
        f"transit|{ends[0]}|{ends[1]}",
        "transit",
        weekly.to_numpy(dtype=np.float64),
        weekly.index[0].to_pydatetime(),
        WEEKLY,
        place=ends[1],
        party=rows[-1].from_party,
    )
