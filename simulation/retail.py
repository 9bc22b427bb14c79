"""Customers: demand with seasons, promotions and chance, and what the shops can sell of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp

from simulation import events
from simulation.engine import Engine
from simulation.stock import Loose, whole
from simulation.world import PRODUCTS, Product, Shop

_MOST_REPORTS = 12
_PROMOTIONS_A_YEAR = 3


@dataclass(frozen=True)
class Promotion:
    """A product sells better everywhere for some days."""

    item: int
    first_day: int
    last_day: int
    factor: float


def promotions(engine: Engine) -> list[Promotion]:
    """Some a year for each product, known to the shops before."""
    stream = engine.config.stream("promotions")
    years = engine.config.days / 365.25
    found = []
    for product in PRODUCTS:
        for _ in range(max(1, round(_PROMOTIONS_A_YEAR * years))):
            first = stream.randrange(engine.config.days)
            found.append(Promotion(product.item, first, first + 9, round(stream.uniform(1.4, 2.2), 2)))
    engine.truth.promotions = [
        {
            "product": next(p.gtin for p in PRODUCTS if p.item == promotion.item),
            "from": engine.morning(promotion.first_day).date().isoformat(),
            "to": engine.morning(promotion.last_day).date().isoformat(),
            "factor": promotion.factor,
        }
        for promotion in found
    ]
    return found


class Retail:
    """Sells every day. How finely tills report is what brings the number of events to what was asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._promotions = promotions(engine)
        self._customers = engine.config.stream("customers")
        self._moods: dict[tuple[int, int], float] = {}

    def day(self, day: int) -> None:
        """Evening: the tills report."""
        reports = self._reports(day)
        for number, shop in enumerate(self._engine.shops):
            mine = int(reports) + (self._engine.luck.random() < reports % 1)
            self._sell(day, number, shop, mine)

    def _reports(self, day: int) -> float:
        """Reports a shop and day that bring the count of events to the line to its target."""
        config, said = self._engine.config, self._engine.uploads.said
        behind = config.events * (day + 1) / config.days - said
        return min(_MOST_REPORTS, max(1.0, behind / len(self._engine.shops)))

    def _sell(self, day: int, number: int, shop: Shop, reports: int) -> None:
        store = self._engine.store(shop.site)
        closing = self._engine.morning(day) + timedelta(hours=20, minutes=self._engine.luck.randrange(30))
        sold: Loose = []
        cases: list[str] = []
        for product in PRODUCTS:
            wanted = self._wanted(day, number, shop, product)
            if product.cased:
                taken = store.take_cases(product.item, wanted)
                cases += taken
                got = len(taken)
            else:
                parts = store.shelves[product.item].take(wanted)
                sold += parts
                got = int(sum(quantity for _, quantity in parts))
            date = closing.date().isoformat()
            self._engine.truth.demand(date, product.gtin, shop.site.place, wanted, got)
        self._report(closing, shop, sold, cases, reports)

    def _report(self, closing: datetime, shop: Shop, sold: Loose, cases: list[str], reports: int) -> None:
        say = self._engine.uploads.say
        if cases:
            moment = closing + timedelta(minutes=1)
            say(shop.site.msp, moment, events.sell_cases(moment, shop.site, cases))
        for n in range(min(reports, len(sold))):
            moment = closing + timedelta(minutes=2 + n)
            say(shop.site.msp, moment, events.sell(moment, shop.site, whole(sold[n :: min(reports, len(sold))])))

    def _wanted(self, day: int, number: int, shop: Shop, product: Product) -> int:
        today = self._engine.morning(day)
        rate = product.rate(day, today.timetuple().tm_yday, today.weekday()) * shop.size
        for promotion in self._promotions:
            if promotion.item == product.item and promotion.first_day <= day <= promotion.last_day:
                rate *= promotion.factor
        return poisson(self._customers, rate * self._mood(number, product.item))

    def _mood(self, shop: int, item: int) -> float:
        """What the season does not explain: it wanders, and comes back to 1."""
        before = self._moods.get((shop, item), 1.0)
        now = 1 + 0.9 * (before - 1) + self._customers.gauss(0, 0.05)
        self._moods[(shop, item)] = min(1.6, max(0.5, now))
        return self._moods[(shop, item)]


def poisson(stream: random.Random, mean: float) -> int:
    """A Poisson number: Knuth's product of uniforms for small means, the normal limit for large ones."""
    if mean > 30:
        return max(0, round(stream.gauss(mean, mean**0.5)))
    limit, count, product = exp(-mean), 0, stream.random()
    while product > limit:
        count += 1
        product *= stream.random()
    return count
