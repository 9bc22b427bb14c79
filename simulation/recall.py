"""One lot turns out to be bad: whoever has some of it takes it off the shelves."""

from __future__ import annotations

from datetime import timedelta

from simulation import events, numbering
from simulation.engine import Engine
from simulation.stock import whole
from simulation.world import CENTRES, PRODUCTS

ITEM = 102


class Recall:
    """Happens once, at about sixty hundredths of the time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._day = int(engine.config.days * 0.6)

    def day(self, day: int) -> None:
        """Hold what is left of the lot, wherever it is."""
        if day != self._day:
            return
        engine = self._engine
        product = next(product for product in PRODUCTS if product.item == ITEM)
        sites = (product.plant, *CENTRES, *(shop.site for shop in engine.shops))
        lots = [numbering.lot(product.gtin, number) for number in range(1, engine.lots_made(ITEM) + 1)]
        lot = max(lots, key=lambda name: sum(engine.store(site).shelves[ITEM].of(name) > 0 for site in sites))
        moment = engine.morning(day) + timedelta(hours=11)
        for n, site in enumerate(sites):
            left = engine.store(site).shelves[ITEM].of(lot)
            if left:
                then = moment + timedelta(minutes=n)
                event = events.hold(then, site, whole([(lot, left)]))
                engine.uploads.say(site.msp, then, event)
                engine.truth.anomaly("recalled", then, event, subject=lot)
