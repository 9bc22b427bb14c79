"""What to simulate."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta

_EVENTS_A_DAY = (16, 90)
"""What the smallest network cannot do without, and what the largest has to tell."""


@dataclass(frozen=True)
class Anomalies:
    """How often things go wrong: probabilities, each of the thing named.

    Where no truck is ever delayed, every transport keeps its promise.
    """

    delayed_truck: float = 0.07
    lost_pallet: float = 0.002
    damaged_pallet: float = 0.01
    short_delivery: float = 0.03
    missing_receipt: float = 0.006
    late_upload: float = 0.04
    duplicate_upload: float = 0.004

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is a probability, from 0 to 1: {value} asked for")

    @classmethod
    def none(cls) -> Anomalies:
        """A world in which nothing goes wrong."""
        return cls(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class SimulationConfig:
    """The same configuration gives the same events, byte for byte.

    ``events`` is how many events to make, about (±10 %); ``end`` the day after the last one: the simulation has no
    clock of its own.
    """

    events: int = 50_000
    days: int = 730
    seed: int = 1
    end: date = date(2026, 1, 1)
    anomalies: Anomalies = field(default_factory=Anomalies)

    def __post_init__(self) -> None:
        if self.days < 30:
            raise ValueError(f"a simulation takes at least 30 days, so that goods arrive: {self.days} asked for")
        least, most = (self.days * a_day for a_day in _EVENTS_A_DAY)
        if not least <= self.events <= most:
            raise ValueError(f"{self.days} days make {least} to {most} events: {self.events} asked for")

    @property
    def start(self) -> datetime:
        """Midnight of the first day, UTC."""
        return datetime.combine(self.end - timedelta(days=self.days), time(), UTC)

    def stream(self, purpose: str) -> random.Random:
        """Random numbers of their own for each purpose: a change in one part does not reshuffle the others."""
        return random.Random(f"{self.seed}/{purpose}")
