"""A long table, ``unique_id, ds, y`` and regressors, as a panel. What cannot be read is refused with its place; what can be mended is
mended and told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.calendars import known_country
from forecasting.columns import UnreadableError, columns, groups, inherited, static
from forecasting.findings import Finding, doubts, implausible, ordered, stray
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel
from forecasting.series import SEASONS, Frequency

_FEW = 4
_EMPTY = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A"]
_ZEROS_LEFT_OUT = 0.1


@dataclass(frozen=True)
class Table:
    """A panel, what was found in it, and the file's SHA-256."""

    panel: Panel
    findings: list[Finding]
    digest: str


def read(
    path: Path,
    *,
    horizon: int,
    season: int | None = None,
    regressors: Sequence[str] = (),
    past_regressors: Sequence[str] = (),
    country: str | None = None,
) -> Table:
    """Read CSV (also ``.gz``) or parquet. Raises UnreadableError."""
    if country is not None and not known_country(country):
        raise UnreadableError(f"no holidays are known of the country {country}: give a code like DE or US")
    frame = _load(path)
    findings: list[Finding] = []
    frame = _checked(frame, regressors, past_regressors, findings)
    frame, numbered = _dated(frame)
    frame = _numbers(frame, findings)
    frame = _once(frame, findings)
    code = "D" if numbered else _frequency(frame["ds"])
    frequency = _rhythm(code, horizon, season, numbered)
    panel = _panel(frame, frequency, regressors, past_regressors, country, not numbered, findings)
    return Table(panel, ordered(findings), hashlib.sha256(path.read_bytes()).hexdigest())


def _load(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UnreadableError(f"there is no file {path}")
    try:
        if path.suffix in (".parquet", ".pq"):
            return pd.read_parquet(path)
        # a series may be called NA or null: only elsewhere does that mean that there is nothing
        empty = {str(name): _EMPTY for name in pd.read_csv(path, nrows=0).columns if name != "unique_id"}
        kept = {"dtype": {"unique_id": str}, "keep_default_na": False, "na_values": {**empty, "unique_id": [""]}}
        return pd.read_csv(path, low_memory=False, **kept)
    except (ValueError, OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UnreadableError(
            f"{path.name} cannot be read as {'parquet' if path.suffix != '.csv' else 'CSV'}: {error}"
        ) from error


def _checked(
    frame: pd.DataFrame, regressors: Sequence[str], past: Sequence[str], findings: list[Finding]
) -> pd.DataFrame:
    wanted = ["unique_id", "ds", "y", *regressors, *past]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        has = ", ".join(map(str, frame.columns))
        raise UnreadableError(f"column {', '.join(absent)} is missing; the file has {has}")
    if frame.empty:
        raise UnreadableError("the file has no rows")
    both = sorted(set(regressors) & set(past))
    if both:
        raise UnreadableError(f"{', '.join(both)}: either known ahead or not")
    ids = frame["unique_id"]
    if ids.isna().any():
        raise UnreadableError(f"row {int(np.argmax(ids.isna())) + 2} has no unique_id")
    frame = frame.assign(unique_id=ids.astype(str))
    others = [str(name) for name in frame.columns if name not in wanted and not static(frame, str(name))]
    if others:
        findings.append(Finding("ignored_column", "", f"{', '.join(others)}: not named as regressors", len(others)))
    return frame


def _dated(frame: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Dates in ``ds``; whether periods were only numbered."""
    ds = frame["ds"]
    if pd.api.types.is_integer_dtype(ds) and int(ds.abs().max()) < 100_000:
        return frame.assign(ds=pd.Timestamp("1970-01-01") + pd.to_timedelta(ds, unit="D")), True
    dates = pd.to_datetime(ds, errors="coerce", utc=True, format="mixed") if ds.dtype == object or pd.api.types.is_string_dtype(ds) else pd.to_datetime(ds, errors="coerce", utc=True)  # fmt: skip
    if dates.isna().any():
        row = int(np.argmax(dates.isna()))
        raise UnreadableError(f"row {row + 2}: ds is {ds.iloc[row]!r}, which is no date (write 2024-01-31)")
    return frame.assign(ds=dates.dt.tz_localize(None)), False


def _numbers(frame: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    y = pd.to_numeric(frame["y"], errors="coerce").astype(float)
    words = y.isna() & frame["y"].notna() & ~frame["y"].astype(str).str.lower().isin(("nan", "na", "null", ""))
    if words.any():
        row = int(np.argmax(words))
        raise UnreadableError(f"row {row + 2}: y is {frame['y'].iloc[row]!r}, which is no number")
    bad = ~np.isfinite(y.to_numpy())
    for name, count in frame.loc[bad].groupby("unique_id").size().items():
        findings.append(Finding("not_a_number", str(name), "taken for unknown", int(count)))
    return frame.assign(y=y.where(~bad))


def _once(frame: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """One row a series and period: equal ones count once, others are parts of one and add up."""
    again = frame.duplicated(["unique_id", "ds"], keep=False)
    if not again.any():
        return frame
    for name, count in frame.loc[again].groupby("unique_id").size().items():
        findings.append(Finding("duplicate", str(name), "equal rows count once, others add up", int(count)))
    frame = frame.drop_duplicates(["unique_id", "ds", "y"])
    rules: dict[str, Any] = {name: "first" for name in frame.columns if name not in ("unique_id", "ds", "y")}
    return frame.groupby(["unique_id", "ds"], as_index=False, sort=False).agg(
        {**rules, "y": lambda v: v.sum(min_count=1)}
    )


def _frequency(ds: pd.Series) -> str:
    """pandas' name of the period, from the dates of all series together."""
    dates = pd.DatetimeIndex(np.sort(ds.unique()))
    if len(dates) < 3:
        raise UnreadableError("there are fewer than three periods: nothing can be learned from them")
    steps = pd.Series(np.diff(dates.to_numpy()) / np.timedelta64(1, "h"))
    step = float(steps.mode().iloc[0])
    days = dates.dayofweek
    if step < 24:
        return "h"
    if step == 24:
        return "B" if not ((days >= 5).any()) and len(dates) > 20 else "D"
    if step == 168:
        return f"W-{('MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN')[int(pd.Series(days).mode().iloc[0])]}"
    first, end = bool((dates.day == 1).all()), bool(dates.is_month_end.all())
    for low, high, start, finish in ((27, 32, "MS", "ME"), (88, 93, "QS", "QE"), (364, 367, "YS", "YE")):
        if low * 24 <= step <= high * 24 and (first or end):
            quarter = f"-{dates[0].strftime('%b').upper()}" if start != "MS" else ""
            return (start if first else finish) + quarter
    raise UnreadableError(
        f"most dates are {step / 24:g} days apart: give hours, days, weeks on one weekday, or the first (or last) days of months, quarters or years"
    )


def _rhythm(code: str, horizon: int, season: int | None, numbered: bool) -> Frequency:
    usual, lag = SEASONS[code[0].upper()]
    if numbered and season is None:
        usual, lag = 1, 1
    if season is not None:
        usual = season
        lag = season if lag > 1 else 1
    return Frequency(code, usual, horizon, lag)


def _panel(
    frame: pd.DataFrame,
    frequency: Frequency,
    regressors: Sequence[str],
    past: Sequence[str],
    country: str | None,
    calendar: bool,
    findings: list[Finding],
) -> Panel:
    dates = pd.date_range(frame["ds"].min(), frame["ds"].max(), freq=frequency.code)
    places = dates.get_indexer(pd.DatetimeIndex(frame["ds"]))
    if (places < 0).any():
        row = int(np.argmax(places < 0))
        raise UnreadableError(
            f"series {frame['unique_id'].iloc[row]}: {frame['ds'].iloc[row]:%Y-%m-%d} lies between the periods ({frequency.code}) of most others"
        )
    ids = sorted(frame["unique_id"].unique())
    rows = pd.Index(ids).get_indexer(pd.Index(frame["unique_id"]))
    everywhere = (len(ids), len(dates))
    y, present = np.full(everywhere, np.nan), np.zeros(everywhere, dtype=bool)
    y[rows, places] = frame["y"].to_numpy(dtype=float)
    present[rows, places] = True
    last = len(dates) - np.argmax(present[:, ::-1], axis=1)
    y = inherited(frame, ids, _cleaned(ids, y, present, last, frequency, findings), findings)
    doubted = _doubted(ids, y, findings)
    filled = np.flatnonzero(~np.isnan(y).all(axis=1))
    if not len(filled):
        raise UnreadableError("no series has any value")
    names, known = columns(frame, regressors, rows, places, everywhere)
    past_names, unknown = columns(frame, past, rows, places, everywhere)
    ahead = np.full((len(ids), frequency.horizon, known.shape[2]), np.nan)
    panel = Panel(
        tuple(ids), y, pd.date_range(dates[0], periods=len(dates) + frequency.horizon, freq=frequency.code), frequency,
        np.concatenate([known, ahead], axis=1), names, unknown, past_names, groups(frame, ids, regressors, past), country,
        calendar, last, doubted,
    )  # fmt: skip
    return panel.take(filled) if len(filled) < len(ids) else panel


def _cleaned(
    ids: list[str], y: Array, present: Any, last: Ints, frequency: Frequency, findings: list[Finding]
) -> Array:
    y = y.copy()
    _zeros_left_out(ids, y, present, last, findings)
    for row, name in enumerate(ids):
        begins = stray(y[row], frequency.days)
        if begins:
            count = int((~np.isnan(y[row, :begins])).sum())
            findings.append(Finding("stray_old", name, "the history begins after them", count))
            y[row, :begins] = np.nan
        wild = implausible(y[row])
        if len(wild):
            findings.append(
                Finding("implausible", name, f"{y[row, wild[0]]:g} and the like taken for unknown", len(wild))
            )
            y[row, wild] = np.nan
        seen = int((~np.isnan(y[row])).sum())
        if seen == 0:
            findings.append(Finding("empty", name, "there is no forecast"))
        elif seen < _FEW:
            findings.append(Finding("too_young", name, "forecast by what the like of it did", seen))
    if len(np.unique(last)) > 1:
        early = int((last < last.max()).sum())
        findings.append(Finding("ends_differ", "", "each is forecast from its own end", early))
    return y


def _doubted(ids: list[str], y: Array, findings: list[Finding]) -> Ints:
    doubted = doubts(y)
    found = (doubted < y.shape[1]).sum(axis=1)
    for at in np.flatnonzero(found):
        detail = "sold out, not reported or given up: taken for unknown from when it showed, not for a demand of 0"
        findings.append(Finding("zero_run", ids[int(at)], detail, int(found[at])))
    return doubted


def _zeros_left_out(ids: list[str], y: Array, present: Any, last: Ints, findings: list[Finding]) -> None:
    """Periods without a row: unknown; but 0 where the whole table has no zero and many gaps, so that zeros were left out."""
    columns = np.arange(y.shape[1])
    first = np.argmax(present, axis=1)
    gap = ~present & (columns > first[:, None]) & (columns < last[:, None])
    if not gap.any():
        return
    inside = (columns >= first[:, None]) & (columns < last[:, None])
    omitted = not np.any(y == 0) and float(gap.sum() / inside.sum()) > _ZEROS_LEFT_OUT and float(np.nanmin(y)) > 0
    detail = "taken for 0: the table has no zero, so they were left out" if omitted else "taken for unknown, not for 0"
    findings += [
        Finding("missing_periods", ids[row], detail, int(gap[row].sum())) for row in np.flatnonzero(gap.any(axis=1))
    ]
    if omitted:
        y[gap] = 0.0


__all__ = ["Table", "UnreadableError", "read"]
