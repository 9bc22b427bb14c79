"""What the global model knows of a period to come, as of a moment: never anything from that moment on.

A row is a triple (series ``i``, origin ``o``: the first column that is not known, target ``t`` >= o). Everything but the
calendar and the regressors known ahead is taken from columns before ``o``; pooled seasonality too, by construction.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.calendars import calendar
from forecasting.metrics import Array
from forecasting.panel import Ints, Panel

WINDOWS = {
    "H": (24, 168, 336),
    "D": (7, 14, 28, 91, 364),
    "B": (5, 10, 20, 65, 260),
    "W": (4, 8, 13, 26, 52),
    "M": (3, 6, 12),
    "Q": (2, 4, 8),
    "Y": (2, 4),
}
_SEASONS = {"H": (24, 168), "D": (7, 364), "B": (5, 260), "W": (52,), "M": (12,), "Q": (4,), "Y": ()}
_LAGS = 4
_KEYS = 64
_MOST_STATES = 60_000_000


@dataclass
class Rolling:
    """Means of the ``w`` columns before each origin, by cumulated sums; NaN where none of them is known."""

    total: Array
    count: Array

    @classmethod
    def of(cls, z: Array) -> Rolling:
        """Prepare a matrix (n, T)."""
        edge = np.zeros((len(z), 1))
        total = np.hstack([edge, np.cumsum(np.nan_to_num(z), axis=1)])
        return cls(total, np.hstack([edge, np.cumsum(~np.isnan(z), axis=1)]))

    def mean(self, i: Ints, o: Ints, w: int) -> Array:
        """For each pair the mean of columns o - w … o - 1."""
        begin, end = np.clip(o - w, 0, self.total.shape[1] - 1), np.clip(o, 0, self.total.shape[1] - 1)
        count = self.count[i, end] - self.count[i, begin]
        total = self.total[i, end] - self.total[i, begin]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def all_means(self, w: int) -> Array:
        """(n, T + 1) of the same."""
        n, edges = self.total.shape
        i, o = np.indices((n, edges))
        return self.mean(i.ravel(), o.ravel(), w).reshape(n, edges)


@dataclass
class Facts:
    """What rows are made from, prepared once a cut. ``z`` is (n, T), NaN where not known or closed."""

    panel: Panel
    z: Array
    level_window: int
    intermittent: bool

    def __post_init__(self) -> None:
        self.unit = self.panel.frequency.unit
        self.rolling = Rolling.of(self.z)
        self.squares = Rolling.of(self.z**2)
        self.zeros = Rolling.of(np.where(np.isnan(self.z), np.nan, (self.z <= 0).astype(float)))
        self.calendar, self.calendar_names = calendar(self.panel)
        self.seasonal = self._seasonal()
        self.pooled = {name: _pool(self.seasonal, codes) for name, codes in self._groups().items()}
        self.state, self.keys = self._states()
        self.begun = np.where(np.isnan(self.z).all(axis=1), self.z.shape[1], np.argmax(~np.isnan(self.z), axis=1))

    def _groups(self) -> Mapping[str, Ints]:
        return {"all": np.zeros(len(self.panel.ids), dtype=np.int64), **self.panel.groups}

    def _seasonal(self) -> Array:
        """How each value stands to the mean of the year (or four seasons) that ends with it."""
        span = max(WINDOWS[self.unit][-1], 4)
        means = self.rolling.all_means(span)[:, 1:]
        if self.intermittent:
            return np.asarray(self.z - means)
        return np.asarray(self.z - means)

    def _states(self) -> tuple[Any, Ints]:
        """By origin the discounted mean of values in the same circumstances: place in a short season, two-valued regressors."""
        panel, season = self.panel, self.panel.frequency.season
        keys = np.zeros((len(panel.ids), len(panel.dates)), dtype=np.int64)
        count = 1
        for one in range(panel.known.shape[2]):
            x = panel.known[:, :, one]
            values = np.unique(x[~np.isnan(x)])
            if len(values) == 2 and count * 2 <= 8:
                keys += count * (x == values[1])
                count *= 2
        if season <= 12 and count * season <= _KEYS:
            place = (
                panel.dates.dayofweek.to_numpy()
                if self.unit == "D" and panel.calendar
                else np.arange(len(panel.dates)) % season
            )
            keys = keys * season + place
            count *= season
        n, width = self.z.shape
        if count == 1 or n * (width + 1) * count > _MOST_STATES:
            return None, keys
        return _discounted(self.seasonal, keys, count), keys

    def names(self) -> list[str]:
        """Of the columns that ``rows`` gives."""
        probe = np.zeros(1, dtype=np.int64)
        return list(self._columns(probe, probe + self.z.shape[1], probe + self.z.shape[1]))

    def rows(self, i: Ints, o: Ints, t: Ints) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """(rows, features)."""
        return np.column_stack([one.astype(np.float32) for one in self._columns(i, o, t).values()])

    def level(self, i: Ints, o: Ints) -> Array:
        """What the target is reckoned from: the mean of the last periods, or of the last year where they are missing."""
        near = self.rolling.mean(i, o, self.level_window)
        return np.where(np.isnan(near), self.rolling.mean(i, o, self.z.shape[1]), near)

    def _columns(self, i: Ints, o: Ints, t: Ints) -> dict[str, Array]:
        base = np.zeros(len(i)) if self.intermittent else self.level(i, o)
        found: dict[str, Array] = {
            "ahead": (t - o + 1).astype(float),
            "age": np.minimum(o - self.begun[i], 1000).astype(float),
        }
        for lag in range(1, _LAGS):
            found[f"lag{lag}"] = _at(self.z, i, o - lag, o) - base
        for w in WINDOWS[self.unit]:
            found[f"mean{w}"] = self.rolling.mean(i, o, w) - base
            if self.intermittent:
                found[f"zeros{w}"] = self.zeros.mean(i, o, w)
        year = WINDOWS[self.unit][-1]
        mean = self.rolling.mean(i, o, year)
        found["spread"] = np.sqrt(np.maximum(self.squares.mean(i, o, year) - mean**2, 0))
        found["growth"] = mean - self.rolling.mean(i, o - year, year)
        found["level"] = mean
        self._seasons(found, i, o, t, base)
        for column, name in enumerate(self.calendar_names):
            found[name] = self.calendar[t, column]
        self._regressors(found, i, o, t)
        for name, codes in self.panel.groups.items():
            found[f"group_{name}"] = codes[i].astype(float)
        return found

    def _seasons(self, found: dict[str, Array], i: Ints, o: Ints, t: Ints, base: Array) -> None:
        for season in _SEASONS[self.unit]:
            back = -(-(t - o + 1) // season) * season
            depth = 4 if season <= 7 else 2
            values = [_at(self.seasonal, i, t - back - season * k, o) for k in range(depth)]
            found[f"season{season}"] = values[0]
            found[f"season{season}_value"] = _at(self.z, i, t - back, o) - base
            found[f"season{season}_mean"] = _mean(values)
            around = [_at(self.seasonal, i, t - back + d, o) for d in (-1, 0, 1)]
            if season > 7:
                found[f"season{season}_around"] = _mean(around)
            if season in (7, 5, 24) and self.unit in "HDB":
                continue
            for name, pooled in self.pooled.items():
                group = np.zeros(len(i), dtype=np.int64) if name == "all" else self.panel.groups[name][i]
                past = [_at(pooled, group, t - back - season * k, o) for k in range(2)]
                found[f"season{season}_{name}"] = _mean(past)

    def _regressors(self, found: dict[str, Array], i: Ints, o: Ints, t: Ints) -> None:
        known, last = self.panel.known, len(self.panel.dates) - 1
        for column, name in enumerate(self.panel.known_names):
            x = known[:, :, column]
            found[f"x_{name}"] = x[i, t]
            found[f"x_{name}_before"] = x[i, np.maximum(t - 1, 0)]
            found[f"x_{name}_after"] = np.where(t < last, x[i, np.minimum(t + 1, last)], np.nan)
            found[f"x_{name}_usual"] = x[i, t] - self._usual(column).mean(i, o, WINDOWS[self.unit][-1])
        for column, name in enumerate(self.panel.past_names):
            found[f"past_{name}"] = _at(self.panel.past[:, :, column], i, o - 1, o)
        if self.state is not None:
            found["same_circumstances"] = self.state[i, o, self.keys[i, t]].astype(float)
            closed = self.panel.closed
            if closed.any():
                found["closed_before"] = closed[i, np.maximum(t - 1, 0)].astype(float)
                found["closed_after"] = closed[i, np.minimum(t + 1, last)].astype(float)

    def _usual(self, column: int) -> Rolling:
        cache: dict[int, Rolling] = self.__dict__.setdefault("_usuals", {})
        if column not in cache:
            cache[column] = Rolling.of(self.panel.known[:, :, column])
        return cache[column]


def _at(matrix: Array, i: Ints, column: Ints, o: Ints) -> Array:
    """Values before the origin; NaN for others."""
    inside = (column >= 0) & (column < o) & (column < matrix.shape[1])
    return np.where(inside, matrix[i, np.clip(column, 0, matrix.shape[1] - 1)], np.nan)


def _mean(values: list[Array]) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(np.stack(values), axis=0))


def _pool(seasonal: Array, codes: Ints) -> Array:
    """(groups, T): the mean over the series of each group."""
    groups, width = int(codes.max(initial=0)) + 1, seasonal.shape[1]
    total, count = np.zeros((groups, width)), np.zeros((groups, width))
    np.add.at(total, codes, np.nan_to_num(seasonal))
    np.add.at(count, codes, ~np.isnan(seasonal))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _discounted(values: Array, keys: Ints, count: int, weight: float = 0.2) -> Array:
    """(n, T + 1, count): before each origin, by key, the exponentially weighted mean of the values that had it."""
    n, width = values.shape
    now = np.full((n, count), np.nan, dtype=np.float32)
    states = np.empty((n, width + 1, count), dtype=np.float32)
    rows = np.arange(n)
    for column in range(width):
        states[:, column] = now
        value, key = values[:, column], keys[:, column]
        old = now[rows, key]
        fresh = np.where(np.isnan(old), value, (1 - weight) * old + weight * value)
        now[rows, key] = np.where(np.isnan(value), old, fresh)
    states[:, width] = now
    return states
