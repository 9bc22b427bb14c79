"""Plants turn materials into lots and cases when the network's stock of a product runs low."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulation import events, numbering
from simulation.engine import Engine
from simulation.stock import Loose, whole
from simulation.world import CENTRES, PRODUCTS, Product

_COVER_DAYS = 30
STOPPED_ITEM, STOPPED_DAYS = 103, 30
"""In the last days the line of this product stands still: it will run out."""


class Production:
    """Decides each morning what to make."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._size = sum(shop.size for shop in engine.shops)

    def day(self, day: int) -> None:
        """One batch at most of each product a day."""
        for product in PRODUCTS:
            if product.item == STOPPED_ITEM and day >= self._engine.config.days - STOPPED_DAYS:
                continue
            if self._stock(product) < self._wanted(day, product):
                self._make(day, product)

    def _stock(self, product: Product) -> float:
        sites = (product.plant, *CENTRES)
        return sum(self._engine.store(site).position(product.item) for site in sites)

    def _wanted(self, day: int, product: Product) -> float:
        """Weeks of the demand that the season brings next."""
        then = self._engine.morning(day + _COVER_DAYS // 2)
        rate = product.rate(day, then.timetuple().tm_yday, 0)
        return rate * self._size * _COVER_DAYS

    def _make(self, day: int, product: Product) -> None:
        engine = self._engine
        store = engine.store(product.plant)
        share = min(1.0, *(store.on_hand(m.item) / (amount * self._batch(product)) for m, amount in product.recipe))
        units = int(self._batch(product) * share)
        if units < max(10, self._batch(product) // 5):
            return
        moment = engine.morning(day) + timedelta(hours=6, minutes=engine.luck.randrange(150))
        used: Loose = []
        for material, amount in product.recipe:
            used += store.shelves[material.item].take(round(units * amount, 3))
        self._finish(moment, product, units, used)

    def _batch(self, product: Product) -> int:
        """Batches grow with the network."""
        return max(24, int(product.batch * self._size / 11))

    def _finish(self, moment: datetime, product: Product, units: int, used: Loose) -> None:
        engine = self._engine
        number = engine.next_number(f"lot {product.item}")
        lot = numbering.lot(product.gtin, number)
        expiry = (moment + timedelta(days=product.shelf_days)).date().isoformat()
        ilmd = {"cbvmda:lotNumber": numbering.lot_number(number), "cbvmda:itemExpirationDate": expiry}
        first = engine.next_number(f"cases of {product.item}")
        cases = [numbering.case(product.gtin, first * 10_000 + n) for n in range(units)] if product.cased else []
        event = events.transform(moment, product.plant, whole(used), [(lot, units)], cases, ilmd)
        engine.uploads.say(product.plant.msp, moment, event)
        store = engine.store(product.plant)
        if cases:
            store.cases[product.item].extend(cases)
        else:
            store.shelves[product.item].add(lot, units)
        engine.truth.made(lot, product.gtin, [name for name, _ in used], units)
        engine.truth.reached(lot, product.plant.place)
