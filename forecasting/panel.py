"""Many series on one calendar, and moments in it from which to forecast.

Shapes: ``n`` series, ``T`` periods of history, ``H`` periods ahead, ``k`` regressors. What is not known is NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasting.metrics import Array
from forecasting.series import Frequency, demand_class

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Panel:
    """Series of one period's length.

    ``y`` is (n, T); ``dates`` has T + H periods; ``known`` is (n, T + H, k): regressors that are known ahead; ``past`` is
    (n, T, p): those that are not. ``groups`` has a code for each series by which it may be pooled (product, place …).
    ``calendar`` is False where periods are only numbered.
    """

    ids: tuple[str, ...]
    y: Array
    dates: pd.DatetimeIndex
    frequency: Frequency
    known: Array
    known_names: tuple[str, ...] = ()
    past: Array = field(default_factory=lambda: np.empty((0, 0, 0)))
    past_names: tuple[str, ...] = ()
    groups: Mapping[str, Ints] = field(default_factory=dict)
    country: str | None = None
    calendar: bool = True
    last: Ints | None = None
    """(n,): the column after the last that the source speaks of, where it is not that of the last value."""
    doubted: Ints | None = None
    """(n, T): the column at which it shows that a value is not what was wanted (sold out, not uploaded); T + H: never."""

    @property
    def horizon(self) -> int:
        """H."""
        return self.frequency.horizon

    @cached_property
    def ends(self) -> Ints:
        """For each series the column after its last value (0: it has none)."""
        if self.last is not None:
            return self.last
        seen = ~np.isnan(self.y)
        return np.where(seen.any(axis=1), self.y.shape[1] - np.argmax(seen[:, ::-1], axis=1), 0)

    @cached_property
    def closed(self) -> Mask:
        """(n, T + H): periods in which a known regressor says that nothing can be sold, as the whole history shows."""
        return self.closed_by(self.ends)

    def closed_by(self, cut: Ints) -> Mask:
        """The same, as the history before some columns shows.

        A regressor with two values closes where, in at least twenty periods of one value and in less than a half of all,
        the demand was 0 without exception, and elsewhere mostly not.
        """
        y = np.where(np.arange(self.y.shape[1]) < cut[:, None], self.y, np.nan)
        total = np.zeros((self.y.shape[0], len(self.dates)), dtype=bool)
        width = self.y.shape[1]
        for one in range(self.known.shape[2]):
            x = self.known[:, :, one]
            values = np.unique(x[~np.isnan(x)])
            if len(values) != 2:
                continue
            for value in values:
                at = (x == value)[:, :width] & ~np.isnan(y)
                other = (x != value)[:, :width] & ~np.isnan(y)
                if at.sum() < 20 or at.sum() > other.sum() or np.any(y[at] != 0):
                    continue
                if np.mean(y[other] != 0) > 0.5:
                    total |= x == value
        return total

    def take(self, rows: Sequence[int] | Ints) -> Panel:
        """Some of its series."""
        at = np.asarray(rows, dtype=np.int64)
        part = replace(
            self,
            ids=tuple(self.ids[int(i)] for i in at),
            y=self.y[at],
            known=self.known[at],
            past=self.past[at] if self.past.size else self.past,
            groups={name: codes[at] for name, codes in self.groups.items()},
            last=self.last[at] if self.last is not None else None,
            doubted=self.doubted[at] if self.doubted is not None else None,
        )
        # what closes is seen in the whole panel, never in a part of it
        part.__dict__["closed"] = self.closed[at]
        return part

    def history(self, cut: Ints) -> Array:
        """(n, T) as it was known at each series' cut: without what came later, and without what was in doubt by then."""
        seen = np.arange(self.y.shape[1]) < cut[:, None]
        if self.doubted is not None:
            seen &= self.doubted >= cut[:, None]
        return np.where(seen, self.y, np.nan)

    def as_closed_by(self, cut: Ints) -> Panel:
        """The same panel, in which is closed what the history before ``cut`` shows."""
        same = replace(self)
        same.__dict__["closed"] = self.closed_by(cut)
        return same

    def classes(self, cut: Ints) -> npt.NDArray[np.str_]:
        """The demand class of each series as it was at its cut."""
        history = np.where(self.closed[:, : self.y.shape[1]], np.nan, self.history(cut))
        return np.array([demand_class(row[~np.isnan(row)]) for row in history])


def window(matrix: Array, first: Ints, width: int) -> Array:
    """(n, width): from each row the columns that begin at ``first``; NaN beyond the edges."""
    columns = first[:, None] + np.arange(width)
    inside = (columns >= 0) & (columns < matrix.shape[1])
    taken = matrix[np.arange(len(first))[:, None], np.clip(columns, 0, max(matrix.shape[1] - 1, 0))]
    return np.where(inside, taken, np.nan)


def panel_of(values: Mapping[str, Array], start: Any, frequency: Frequency) -> Panel:
    """A panel of series without regressors that begin together."""
    width = max(len(one) for one in values.values())
    y = np.full((len(values), width), np.nan)
    for row, one in enumerate(values.values()):
        y[row, : len(one)] = one
    dates = pd.date_range(start, periods=width + frequency.horizon, freq=frequency.code)
    return Panel(tuple(values), y, dates, frequency, np.empty((len(values), len(dates), 0)))
