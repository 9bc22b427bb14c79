"""The run: day by day, with what arrives in between."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from simulation import numbering
from simulation.config import SimulationConfig
from simulation.stock import Store
from simulation.transport import Roads
from simulation.truth import Truth
from simulation.upload import Uploads
from simulation.world import SHOPS, Shop, Site

_EVENTS_A_SHOP = 5.0
_EVENTS_BESIDES = 14.0
_FEWEST_SHOPS = 2


def number_of_shops(config: SimulationConfig) -> int:
    """As many shops as the wished number of events keeps busy."""
    wanted = (config.events / config.days - _EVENTS_BESIDES) / _EVENTS_A_SHOP
    return max(_FEWEST_SHOPS, min(len(SHOPS), round(wanted)))


class Engine:
    """Time, stores, roads and everything that is numbered. The parts of the supply chain act on it."""

    def __init__(self, config: SimulationConfig) -> None:
        self.config = config
        self.truth = Truth()
        self.uploads = Uploads(config, self.truth)
        self.roads = Roads(config)
        self.truth.met(self.roads.obstacles)
        self.shops: tuple[Shop, ...] = SHOPS[: number_of_shops(config)]
        self.stores: defaultdict[int, Store] = defaultdict(Store)
        self.recalled: set[str] = set()
        self.luck = config.stream("luck")
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._entries = 0

    def store(self, site: Site) -> Store:
        """What a site has."""
        return self.stores[site.number]

    def next_number(self, kind: str) -> int:
        """1, 2, 3 … for each kind of thing."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def lots_made(self, item: int) -> int:
        """How many lots of a product or material there are."""
        return self._numbers[f"lot {item}"]

    def document(self, sender: Site) -> str:
        """A new despatch advice of a sender."""
        return numbering.document(sender.party, "D", self.next_number(f"document {sender.company}"))

    def pallet(self) -> str:
        """A new logistic unit."""
        return numbering.pallet(self.next_number("pallet"))

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Do something later."""
        self._entries += 1
        heapq.heappush(self._agenda, (moment, self._entries, act))

    def do_until(self, moment: datetime) -> None:
        """Do what was due by then, in order."""
        while self._agenda and self._agenda[0][0] <= moment:
            heapq.heappop(self._agenda)[2]()

    def morning(self, day: int) -> datetime:
        """Midnight at the beginning of a day."""
        return self.config.start + timedelta(days=day)

    def happens(self, probability: float) -> bool:
        """Whether misfortune strikes."""
        return self.luck.random() < probability
