"""A series to forecast, and what kind of demand it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from forecasting.metrics import Array

_INTERVAL, _VARIATION = 1.32, 0.49


@dataclass(frozen=True)
class Frequency:
    """A period's length: pandas' name, periods in a season, and how many to forecast."""

    code: str
    season: int
    horizon: int


DAILY = Frequency("D", 7, 28)
WEEKLY = Frequency("W-MON", 52, 8)
MONTHLY = Frequency("MS", 12, 6)
FREQUENCIES = {"D": DAILY, "W": WEEKLY, "M": MONTHLY}


@dataclass(frozen=True)
class Series:
    """Values by period, oldest first, without gaps. ``kind`` is demand or transit."""

    unique_id: str
    kind: str
    y: Array
    start: datetime
    frequency: Frequency
    product: str | None = None
    party: str | None = None
    place: str | None = None
    country: str | None = None
    evidence: tuple[str, ...] = field(default=())

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The beginning of each period."""
        return pd.date_range(self.start, periods=len(self.y), freq=self.frequency.code)

    @property
    def ahead(self) -> pd.DatetimeIndex:
        """The beginnings of the periods to forecast."""
        return pd.date_range(self.dates[-1], periods=self.frequency.horizon + 1, freq=self.frequency.code)[1:]

    @property
    def demand_class(self) -> str:
        """smooth, intermittent, erratic or lumpy, by Syntetos, Boylan & Croston (2005)."""
        return demand_class(self.y)

    @property
    def season(self) -> int:
        """The season's length, 1 where the history is shorter than two of them."""
        return self.frequency.season if len(self.y) >= 2 * self.frequency.season else 1


def demand_class(y: Array) -> str:
    """By the mean interval between demands (1.32) and the squared variation of their sizes (0.49)."""
    sizes = y[y > 0]
    if len(sizes) == 0:
        return "intermittent"
    interval = len(y) / len(sizes)
    variation = float((np.std(sizes) / np.mean(sizes)) ** 2)
    if interval < _INTERVAL:
        return "smooth" if variation < _VARIATION else "erratic"
    return "intermittent" if variation < _VARIATION else "lumpy"
