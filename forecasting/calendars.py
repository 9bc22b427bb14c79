"""What is known of a period before it comes: its place in the year and the week, and its public holidays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from forecasting.metrics import Array
from forecasting.panel import Panel


def holidays_of(country: str | None, years: tuple[int, ...]) -> frozenset[pd.Timestamp]:
    """Public holidays of a country (ISO 3166-1 alpha-2) in some years; none where the country is not known."""
    if country is None or not years:
        return frozenset()
    return _holidays(country, years)


@lru_cache(maxsize=64)
def _holidays(country: str, years: tuple[int, ...]) -> frozenset[pd.Timestamp]:
    import holidays

    try:
        found = holidays.country_holidays(country, years=years)
    except NotImplementedError:
        return frozenset()
    return frozenset(pd.Timestamp(day) for day in found)


def known_country(country: str) -> bool:
    """Whether holidays of a country are known."""
    import holidays

    return country in holidays.list_supported_countries()


def calendar(panel: Panel) -> tuple[Array, tuple[str, ...]]:
    """(T + H, c) features of each period, and their names."""
    dates = panel.dates.tz_localize(None)
    if not panel.calendar:
        return np.empty((len(dates), 0)), ()
    columns: dict[str, Array] = {}
    unit = panel.frequency.unit
    if unit in "HDBWMQ":
        columns["month"] = dates.month.to_numpy(dtype=float)
    if unit == "H":
        columns["hour"] = dates.hour.to_numpy(dtype=float)
    if unit in "HDB":
        columns["weekday"] = dates.dayofweek.to_numpy(dtype=float)
        columns["day"] = dates.day.to_numpy(dtype=float)
        columns["day_of_year"] = dates.dayofyear.to_numpy(dtype=float)
        columns["days_to_month_end"] = (dates.days_in_month - dates.day).to_numpy(dtype=float)
    if unit == "W":
        columns["week"] = dates.isocalendar().week.to_numpy(dtype=float)
        columns["day"] = dates.day.to_numpy(dtype=float)
    if unit == "M":
        columns["days"] = dates.days_in_month.to_numpy(dtype=float)
    columns.update(holiday_columns(panel))
    return np.column_stack(list(columns.values())), tuple(columns)


def holiday_columns(panel: Panel) -> dict[str, Array]:
    """Holidays in each period; for days also how far the next and the last one is (at most 15)."""
    dates = panel.dates.tz_localize(None).normalize()
    # the length of a period is that of the last but one: of weeks, months and days alike
    following = dates[1:].append(dates[-1:] + (dates[-1:] - dates[-2:-1])) if len(dates) > 1 else dates
    years = tuple(range(dates[0].year - 1, following[-1].year + 2)) if panel.country else ()
    days = np.array(sorted(day.to_datetime64() for day in holidays_of(panel.country, years)), dtype="datetime64[ns]")
    if not len(days) or panel.frequency.unit not in "DBWM":
        return {}
    begin, end = dates.to_numpy().astype("datetime64[ns]"), following.to_numpy().astype("datetime64[ns]")
    if panel.frequency.code.startswith("W-"):
        # a weekly date may name the first or the last day of its week: take the days on both sides that belong to it by name
        begin, end = begin - np.timedelta64(0, "D"), begin + np.timedelta64(7, "D")
    count = (np.searchsorted(days, end) - np.searchsorted(days, begin)).astype(float)
    if panel.frequency.unit not in "DB":
        return {"holidays": count}
    after = np.searchsorted(days, begin)
    ahead = (days[np.minimum(after, len(days) - 1)] - begin) / np.timedelta64(1, "D")
    since = (begin - days[np.maximum(np.searchsorted(days, begin, side="right") - 1, 0)]) / np.timedelta64(1, "D")
    return {"holiday": count, "to_holiday": np.clip(ahead, 0, 15), "since_holiday": np.clip(since, 0, 15)}
