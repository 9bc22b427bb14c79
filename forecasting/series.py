"""The length of a period, and what kind of demand a series is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecasting.metrics import Array

_INTERVAL, _VARIATION = 1.32, 0.49


@dataclass(frozen=True)
class Frequency:
    """A period's length: pandas' name, periods in a season, how many to forecast, and the lag that scales MASE.

    The scale of weekly series is the change from week to week, as in M4.
    """

    code: str
    season: int
    horizon: int
    lag: int = 1

    @property
    def unit(self) -> str:
        """H, D, B, W, M, Q or Y."""
        return self.code[0].upper()

    @property
    def days(self) -> float:
        """The length of a period in days, about."""
        return {"H": 1 / 24, "D": 1.0, "B": 1.4, "W": 7.0, "M": 30.4, "Q": 91.3, "Y": 365.25}[self.unit]


DAILY = Frequency("D", 7, 28, 7)
WEEKLY = Frequency("W-MON", 52, 8, 1)
MONTHLY = Frequency("MS", 12, 6, 12)
FREQUENCIES = {"D": DAILY, "W": WEEKLY, "M": MONTHLY}
SEASONS = {"H": (24, 24), "D": (7, 7), "B": (5, 5), "W": (52, 1), "M": (12, 12), "Q": (4, 4), "Y": (1, 1)}
"""Season, and lag of the scale, by unit."""


@dataclass(frozen=True)
class Series:
    """What a series is about. ``kind`` is demand or transit; ``y`` has NaN where nothing is known."""

    unique_id: str
    kind: str
    y: Array
    start: Any
    frequency: Frequency
    product: str | None = None
    party: str | None = None
    place: str | None = None
    country: str | None = None
    uom: str | None = None
    level: str = "bottom"
    """bottom, or what it is the sum of: product, place, country, party, all."""

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The beginning of each period."""
        return pd.date_range(self.start, periods=len(self.y), freq=self.frequency.code)

    @property
    def ahead(self) -> pd.DatetimeIndex:
        """The beginnings of the periods to forecast."""
        dates = pd.date_range(self.start, periods=len(self.y) + self.frequency.horizon, freq=self.frequency.code)
        return dates[len(self.y) :]

    @property
    def demand_class(self) -> str:
        """smooth, intermittent, erratic or lumpy, by Syntetos, Boylan & Croston (2005)."""
        return demand_class(self.y[~np.isnan(self.y)])


def demand_class(y: Array) -> str:
    """By the mean interval between demands (1.32) and the squared variation of their sizes (0.49).

    What goes below zero (returns, balances) is no intermittent demand: it is ``smooth``.
    """
    if len(y) and float(np.min(y)) < 0:
        return "smooth"
    sizes = y[y > 0]
    if len(sizes) == 0:
        return "intermittent"
    interval = len(y) / len(sizes)
    mean = float(np.mean(sizes))
    variation = float(np.mean((sizes / mean - 1) ** 2))
    if interval < _INTERVAL:
        return "smooth" if variation < _VARIATION else "erratic"
    return "intermittent" if variation < _VARIATION else "lumpy"


REGULAR = ("smooth", "erratic")
"""Classes that have a demand in most periods."""
