"""One lot turns out to be bad: whoever has some of it, or gets some later, takes it off the shelves."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from simulation import events, numbering
from simulation.engine import Engine
from simulation.stock import whole
from simulation.world import CENTRES, PRODUCTS, Site

ITEM = 102


class Recall:
    """Happens once, at about sixty hundredths of the time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._day = int(engine.config.days * 0.6)

    def day(self, day: int) -> None:
        """At eleven the lot is found to be bad."""
        if day == self._day:
            moment = self._engine.morning(day) + timedelta(hours=11)
            self._engine.at(moment, partial(self._announce, moment))

    def _announce(self, moment: datetime) -> None:
        engine = self._engine
        product = next(product for product in PRODUCTS if product.item == ITEM)
        sites = (product.plant, *CENTRES, *(shop.site for shop in engine.shops))
        lots = [numbering.lot(product.gtin, number) for number in range(1, engine.lots_made(ITEM) + 1)]
        lot = max(lots, key=lambda name: sum(engine.store(site).shelves[ITEM].of(name) > 0 for site in sites))
        engine.recalled.add(lot)
        for n, site in enumerate(sites):
            left = engine.store(site).shelves[ITEM].remove(lot)
            if left:
                hold(engine, moment + timedelta(minutes=n), site, lot, left)


def hold(engine: Engine, moment: datetime, site: Site, lot: str, quantity: float) -> None:
    """A site says how much of a recalled lot it holds back; nobody sells or ships that."""
    event = events.hold(moment, site, whole([(lot, quantity)]))
    engine.uploads.say(site.msp, moment, event)
    engine.truth.anomaly("recalled", moment, event, subject=lot)
