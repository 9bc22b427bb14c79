"""History out of the read model: demand by product, place and unit, and transit time by lane; and what is odd about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select
from sqlmodel import col

from epcis.units import unit
from forecasting.findings import Finding, doubts, implausible, stray
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel
from forecasting.series import DAILY, MONTHLY, WEEKLY, Frequency, Series
from readmodel.queries.demand import Names, movements, names
from readmodel.tables import Event

_DENSE = 0.25
LONGEST = {"D": 730, "W": 260, "M": 120}
_SHORTEST = {"D": 60, "W": 30, "M": 1}
_YOUNG = 8
"""With fewer periods a series has no errors of its own: it is forecast by what the like of it did."""
Key = tuple[int, int | str, str]
"""Product; place, or a party's id below 0 where the place is not known, or a country; base unit."""


@dataclass(frozen=True)
class History:
    """Series of one kind and period, as a panel with one row for each."""

    series: list[Series]
    panel: Panel
    findings: list[Finding] = field(default_factory=list)


def newest(connection: Connection) -> datetime | None:
    """The newest event time on the ledger: what a forecast takes for now."""
    last: datetime | None = connection.execute(select(func.max(col(Event.event_time)))).scalar()
    return last


def demand(connection: Connection, as_of: datetime, wanted: Frequency | None = None) -> History | None:
    """Demand series, in order of their ids; None without any.

    Demand is what was sold; and what was received by parties that neither sell nor ship on. All series of a run have one period:
    the finest in which at least a half of them have demand in a quarter of the periods; so product, place and country totals add up.
    Quantities are in the base unit of their dimension; what does not convert is a series of its own.
    """
    rows = movements(connection, as_of.date())
    daily, parties = _daily(rows, connection)
    if not daily:
        return None
    known = names(connection, {key[0] for key in daily})
    end = pd.Timestamp(as_of).tz_convert("UTC").tz_localize(None).floor("D")
    frequency = wanted or _period(daily, end)
    return _history(daily, parties, known, frequency, end)


Daily = dict[Key, dict[int, float]]


def _daily(rows: Sequence[Any], connection: Connection) -> tuple[Daily, dict[Key, int]]:
    """Quantity by day of each series, and its party. Where nothing is sold, receipts are counted by country, if places have one."""
    selling = {row[3] for row in rows if row[0] == "sold"}
    onward = {row[3] for row in rows if row[0] == "shipped"} | selling
    countries = names(connection, set()).countries
    by_country = not selling and any(countries.values())
    found: defaultdict[Key, dict[int, float]] = defaultdict(dict)
    parties: dict[Key, int] = {}
    for flow, day, product, party, place, uom, quantity in rows:
        if flow == "shipped" or (flow == "received" and party in onward):
            continue
        where = (countries.get(place) if by_country else place) or -party
        if not where or not product:
            continue  # nobody's demand, of nobody knows what
        base = unit(uom or None)
        key = (product, where, base.base)
        series = found[key]
        series[day] = series.get(day, 0.0) + float(quantity) * float(base.factor)
        parties[key] = party
    return dict(found), parties


def _period(daily: Daily, end: pd.Timestamp) -> Frequency:
    last = (end - pd.Timestamp("1970-01-01")).days
    for frequency in (DAILY, WEEKLY):
        length = round(frequency.days)
        dense = []
        for days in daily.values():
            at = sorted(day for day, amount in days.items() if amount > 0)
            if not at or last - at[0] < _SHORTEST[frequency.unit] * length:
                continue
            dense.append(len({day // length for day in at}) / max((last - at[0]) // length, 1) >= _DENSE)
        if dense and sum(dense) * 2 >= len(dense):
            return frequency
    return MONTHLY


def _history(
    daily: Daily, parties: dict[Key, int], known: Names, frequency: Frequency, end: pd.Timestamp
) -> History | None:
    findings: list[Finding] = []
    first = min(min(days) for days in daily.values())
    begin = max(pd.Timestamp("1970-01-01") + pd.Timedelta(days=first), end - pd.Timedelta(days=40 * 366))
    dates = complete(begin, end, frequency)[-LONGEST[frequency.unit] :]
    if not len(dates):
        return None
    column = _columns(dates, first, end, frequency)
    ordered = sorted(daily, key=lambda key: _identity(key, known))
    y = np.full((len(ordered), len(dates)), np.nan)
    touched: defaultdict[int | str, Array] = defaultdict(lambda: np.zeros(len(dates)))
    for row, key in enumerate(ordered):
        _fill(y[row], touched[key[1]], daily[key], column, first)
    alone = {key: _identity(key, known) for key in ordered}
    series, kept = [], []
    for row, key in enumerate(ordered):
        if np.isnan(y[row]).all():
            findings.append(Finding("empty", alone[key], "nothing in a complete period that is looked at"))
            continue
        _clean(y[row], alone[key], frequency, findings)
        kept.append(row)
    y = y[kept]
    keys = [ordered[row] for row in kept]
    doubted = _doubts(y, keys, touched, [alone[key] for key in keys], findings)
    _unit_findings(keys, alone, findings)
    now = np.where(doubted < y.shape[1], np.nan, y)
    for row, key in enumerate(keys):
        series.append(_series(key, parties[key], known, now[row], dates, frequency, alone[key]))
        if int((~np.isnan(now[row])).sum()) < _YOUNG:
            findings.append(
                Finding(
                    "too_young", alone[key], "forecast by what the like of it did", int((~np.isnan(now[row])).sum())
                )
            )
    if not series:
        return None
    return History(series, panel(series, y, dates, frequency, doubted), findings)


def _identity(key: Key, known: Names) -> str:
    product, where, base = key
    return f"demand|{known.products.get(product, '')}|{_where(where, known)}" + (f"|{base}" if base else "")


def _where(where: int | str, known: Names) -> str:
    if isinstance(where, str):
        return where
    return known.places.get(where, "") if where > 0 else known.parties.get(-where, "")


def complete(begin: pd.Timestamp, end: pd.Timestamp, frequency: Frequency) -> pd.DatetimeIndex:
    """Beginnings of the periods that are over."""
    offset = pd.tseries.frequencies.to_offset(frequency.code)
    start = offset.rollback(begin.floor("D"))
    dates = pd.date_range(start, end, freq=frequency.code)
    return dates[:-1] if len(dates) and dates[-1] + offset > end else dates


def _columns(dates: pd.DatetimeIndex, first: int, end: pd.Timestamp, frequency: Frequency) -> Ints:
    """For each day from ``first`` on its column; -1 before the first period and in the one under way."""
    days = pd.date_range(pd.Timestamp("1970-01-01") + pd.Timedelta(days=first), end, freq="D")
    column = np.searchsorted(dates.to_numpy(), days.to_numpy(), side="right") - 1
    over = dates[-1] + pd.tseries.frequencies.to_offset(frequency.code)
    return np.where(days < over, column, -1)


def _fill(y: Array, touched: Array, days: dict[int, float], column: Ints, first: int) -> None:
    at = np.array([column[day - first] for day in days])
    amounts = np.array(list(days.values()))
    inside = at >= 0
    begun = int(at[inside].min()) if inside.any() else len(y)
    if np.any(~inside & (np.array(list(days)) - first < np.argmax(column >= 0))):
        begun = 0  # there was demand before the periods that are looked at
    y[begun:] = 0.0
    np.add.at(y, at[inside], amounts[inside])
    np.add.at(touched, at[inside], 1.0)


def _clean(y: Array, name: str, frequency: Frequency, findings: list[Finding]) -> None:
    begins = stray(y, frequency.days)
    if begins:
        findings.append(Finding("stray_old", name, "the history begins after them", int((y[:begins] > 0).sum())))
        y[:begins] = np.nan
    wild = implausible(y)
    if len(wild):
        findings.append(Finding("implausible", name, f"{y[wild[0]]:g} and the like taken for unknown", len(wild)))
        y[wild] = np.nan


def _doubts(
    y: Array, keys: list[Key], touched: dict[int | str, Array], named: list[str], findings: list[Finding]
) -> Ints:
    """Zeros that are none: of a series by itself, and of all series of a place of which nothing came at all."""
    doubted = doubts(y)
    places = sorted({key[1] for key in keys}, key=str)
    silent = dict(zip(places, doubts(np.stack([_since_first(touched[place]) for place in places])), strict=True))
    for row, key in enumerate(keys):
        where = silent[key[1]]
        both = np.minimum(doubted[row], np.where(y[row] == 0, where, np.iinfo(np.int64).max // 2))
        count = int((both < y.shape[1]).sum())
        if count:
            detail = "sold out, not reported or given up: taken for unknown from when it showed, not for a demand of 0"
            findings.append(Finding("zero_run", named[row], detail, count))
        doubted[row] = both
    return doubted


def _since_first(touched: Array) -> Array:
    seen = np.flatnonzero(touched)
    return np.where(np.arange(len(touched)) >= (seen[0] if len(seen) else 0), touched, np.nan)


def _unit_findings(keys: list[Key], alone: dict[Key, str], findings: list[Finding]) -> None:
    units: defaultdict[tuple[int, int | str], set[str]] = defaultdict(set)
    for product, where, base in keys:
        units[(product, where)].add(base)
    for key in keys:
        found = units[(key[0], key[1])]
        if len(found) > 1:
            listed = ", ".join(sorted(base or "pieces" for base in found))
            findings.append(Finding("units_mixed", alone[key], f"{listed}: a series each, never added", len(found)))


def _series(
    key: Key, party: int, known: Names, y: Array, dates: pd.DatetimeIndex, frequency: Frequency, name: str
) -> Series:
    product, where, base = key
    place = where if isinstance(where, int) and where > 0 else 0
    country = where if isinstance(where, str) else known.countries.get(place)
    return Series(
        name, "demand", y, dates[0].tz_localize(UTC).to_pydatetime(), frequency, product=known.products.get(product),
        party=known.parties.get(party), place=known.places.get(place), country=country, uom=base or None,
    )  # fmt: skip


def panel(series: list[Series], y: Array, dates: pd.DatetimeIndex, frequency: Frequency, doubted: Ints | None) -> Panel:
    """Series as a panel with one row for each, in groups by product, place and country; holidays of the country that nearly all have."""
    ahead = pd.date_range(dates[0], periods=len(dates) + frequency.horizon, freq=frequency.code)
    groups: dict[str, Ints] = {}
    for name in ("product", "place", "country"):
        values = [getattr(one, name) or "" for one in series]
        if 1 < len(set(values)) < len(series):
            groups[name] = np.unique(values, return_inverse=True)[1].astype(np.int64)
    countries = [one.country for one in series if one.country]
    country = max(sorted(set(countries)), key=countries.count) if countries else None
    common = country if country and countries.count(country) >= 0.9 * len(series) and len(country) == 2 else None
    return Panel(
        tuple(one.unique_id for one in series), y, ahead, frequency, np.empty((len(series), len(ahead), 0)), groups=groups,
        country=common, last=np.full(len(series), y.shape[1]), doubted=doubted,
    )  # fmt: skip
