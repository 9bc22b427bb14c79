"""How long goods are on their way, and what stands in their way."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from simulation.config import SimulationConfig
from simulation.world import Site

_EARTH_KM = 6371.0
_ROAD_KM_A_DAY = 650.0
_LOADING_DAYS = 0.6


@dataclass(frozen=True)
class Obstacle:
    """Between two days, goods from some countries, or to some, take so many times as long."""

    name: str
    first_day: int
    last_day: int
    countries: frozenset[str]
    factor: float

    def meets(self, day: float, sender: Site, receiver: Site) -> bool:
        """Whether a transport that leaves on a day is held up."""
        return self.first_day <= day <= self.last_day and not self.countries.isdisjoint(
            (sender.country, receiver.country)
        )


def obstacles(config: SimulationConfig) -> tuple[Obstacle, ...]:
    """A port strike, a winter storm and a closed pass, somewhere in the simulated time."""
    stream = config.stream("obstacles")
    kinds = (
        ("port strike", frozenset({"CO", "GH"}), 1.6, 24),
        ("winter storm", frozenset({"PL", "CZ", "DK"}), 2.2, 9),
        ("pass closed", frozenset({"IT"}), 1.9, 16),
    )
    found = []
    for name, countries, factor, length in kinds:
        first = int(config.days * stream.uniform(0.2, 0.9))
        found.append(Obstacle(name, first, first + length, countries, factor))
    return (*found, Obstacle("fog at sea", config.days - 12, config.days, frozenset({"ES", "PT"}), 1.7))


def mean_days(sender: Site, receiver: Site) -> float:
    """Usual days by road: loading, and the great circle at a lorry's daily distance."""
    lat1, lon1, lat2, lon2 = map(radians, (sender.latitude, sender.longitude, receiver.latitude, receiver.longitude))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return _LOADING_DAYS + 2 * _EARTH_KM * asin(sqrt(half)) / _ROAD_KM_A_DAY


@dataclass(frozen=True)
class Trip:
    """When goods leave, were promised and arrive, and why they are late if they are."""

    leaves: datetime
    promised: datetime
    arrives: datetime
    reasons: tuple[str, ...]


class Roads:
    """Draws trips."""

    def __init__(self, config: SimulationConfig) -> None:
        self._stream = config.stream("transport")
        self._start = config.start
        self._delayed = config.anomalies.delayed_truck
        self.obstacles = obstacles(config) if self._delayed else ()

    def trip(self, leaves: datetime, sender: Site, receiver: Site, mean: float, spread: float) -> Trip:
        """A transport. It is promised for noon of the day that four of five reach it by."""
        reasons = []
        days = max(0.35 * mean, self._stream.gammavariate((mean / spread) ** 2, spread**2 / mean))
        if self._stream.random() < self._delayed:
            reasons.append("breakdown")
            days += self._stream.expovariate(1 / (0.5 * mean + 0.7))
        for obstacle in self.obstacles:
            if obstacle.meets((leaves - self._start).days, sender, receiver):
                reasons.append(obstacle.name)
                days *= obstacle.factor
        promised = (leaves + timedelta(days=mean + spread)).replace(hour=12, minute=0, second=0)
        arrives = _working_hour(leaves + timedelta(days=days), self._stream)
        if not self._delayed:
            arrives = min(arrives, promised)
        return Trip(leaves, promised, arrives, tuple(reasons))


def _working_hour(moment: datetime, stream: random.Random) -> datetime:
    """Docks open at six and close at sixteen."""
    if moment.hour >= 16:
        moment += timedelta(days=1)
    if 6 <= moment.hour < 16:
        return moment.replace(second=0, microsecond=0)
    return moment.replace(hour=6 + stream.randrange(4), minute=stream.randrange(60), second=0, microsecond=0)
