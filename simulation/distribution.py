"""From plants to distribution centres, and on to shops: pallets are packed, shipped, received and unpacked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from simulation import events
from simulation.engine import Engine
from simulation.recall import hold
from simulation.stock import Loose, whole
from simulation.transport import Trip, mean_days
from simulation.world import CARRIER, CENTRES, HUB, PLANTS, PRODUCTS, Product, Shop, Site

_PALLET_UNITS = 720
_PALLET_CASES = 24
_CENTRE_COVER, _SHOP_COVER = 26, 9
_FOUND_LATER = 0.9
"""Most receipts that nobody scanned are noticed and entered some weeks later."""
_DELIVERY_WEEKDAYS = ((0, 2, 4), (1, 3, 5))


@dataclass
class Pallet:
    """A logistic unit and what is on it, by product."""

    uri: str
    cases: dict[int, list[str]] = field(default_factory=dict)
    loose: dict[int, Loose] = field(default_factory=dict)

    def all_cases(self) -> list[str]:
        return [case for cases in self.cases.values() for case in cases]

    def all_loose(self) -> list[tuple[str, int | float]]:
        return whole([part for parts in self.loose.values() for part in parts])

    def is_empty(self) -> bool:
        return not self.all_cases() and not self.all_loose()


class Distribution:
    """Keeps centres and shops supplied."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sizes = {
            centre.number: sum(shop.size for shop in engine.shops if shop.centre is centre) for centre in CENTRES
        }

    def day(self, day: int) -> None:
        """In the evening lorries are loaded."""
        weekday = self._engine.morning(day).weekday()
        for plant in PLANTS:
            for centre in CENTRES:
                if weekday < 5 and self._sizes[centre.number]:
                    self._supply_centre(day, plant, centre)
        for number, shop in enumerate(self._engine.shops):
            if weekday in _DELIVERY_WEEKDAYS[number % 2]:
                self._supply_shop(day, shop)

    def _supply_centre(self, day: int, plant: Site, centre: Site) -> None:
        engine = self._engine
        pallets: list[Pallet] = []
        for product in PRODUCTS:
            target = self._expected(day, product, self._sizes[centre.number]) * _CENTRE_COVER
            missing = target - engine.store(centre).position(product.item)
            if product.plant is plant and missing > 0.3 * target:
                pallets += self._load(plant, product, int(missing))
        if pallets:
            self._send(day, plant, centre, pallets, spread=0.45)

    def _load(self, plant: Site, product: Product, units: int) -> list[Pallet]:
        """Full pallets of one product, the last one perhaps not full."""
        store = self._engine.store(plant)
        pallets: list[Pallet] = []
        size = _PALLET_CASES if product.cased else _PALLET_UNITS
        while units > 0 and len(pallets) < 6:
            pallet = Pallet(self._engine.pallet())
            if product.cased:
                pallet.cases[product.item] = store.take_cases(product.item, min(size, units))
            else:
                pallet.loose[product.item] = store.shelves[product.item].take(min(size, units))
            if pallet.is_empty():
                break
            pallets.append(pallet)
            units -= size
        return pallets

    def _supply_shop(self, day: int, shop: Shop) -> None:
        """One mixed pallet with what the shop will need."""
        engine = self._engine
        source, pallet = engine.store(shop.centre), Pallet(engine.pallet())
        for product in PRODUCTS:
            target = self._expected(day, product, shop.size) * _SHOP_COVER + 1
            missing = int(target - engine.store(shop.site).position(product.item) + 0.5)
            if missing <= 0.25 * target:
                continue
            if product.cased:
                pallet.cases[product.item] = source.take_cases(product.item, missing)
            else:
                pallet.loose[product.item] = source.shelves[product.item].take(missing)
        if not pallet.is_empty():
            self._send(day, shop.centre, shop.site, [pallet], spread=0.25)

    def _expected(self, day: int, product: Product, size: float) -> float:
        then = self._engine.morning(day + 5)
        return product.rate(day, then.timetuple().tm_yday, 0) * size

    def _send(self, day: int, sender: Site, receiver: Site, pallets: list[Pallet], spread: float) -> None:
        engine = self._engine
        say = engine.uploads.say
        packed = engine.morning(day) + timedelta(hours=17, minutes=engine.luck.randrange(40))
        for n, pallet in enumerate(pallets):
            moment = packed + timedelta(minutes=2 * n)
            event = events.pack(moment, sender, pallet.uri, pallet.all_cases(), pallet.all_loose())
            say(sender.msp, moment, event)
            self._expect(receiver, pallet, 1)
        trip = engine.roads.trip(packed + timedelta(hours=2), sender, receiver, mean_days(sender, receiver), spread)
        document = engine.document(sender)
        uris = [pallet.uri for pallet in pallets]
        released = events.ship(trip.leaves, sender, receiver, document, trip.promised, uris)
        say(sender.msp, trip.leaves, released, release=True)
        engine.truth.shipment(document, trip, sender.place, receiver.place)
        if sender.kind == "plant":
            seen = trip.leaves + (trip.arrives - trip.leaves) * 0.4
            say(CARRIER, seen, events.pass_through(seen, HUB, uris))
        engine.at(trip.arrives, lambda: self._arrive(sender, receiver, document, pallets, trip))

    def _expect(self, receiver: Site, pallet: Pallet, sign: int) -> None:
        coming = self._engine.store(receiver).coming
        for item, cases in pallet.cases.items():
            coming[item] += sign * len(cases)
        for item, loose in pallet.loose.items():
            coming[item] += sign * sum(quantity for _, quantity in loose)

    def _arrive(self, sender: Site, receiver: Site, document: str, pallets: list[Pallet], trip: Trip) -> None:
        engine, odds = self._engine, self._engine.config.anomalies
        here: list[Pallet] = []
        for pallet in pallets:
            if engine.happens(odds.lost_pallet):
                engine.truth.anomaly("lost_pallet", trip.arrives, subject=pallet.uri)
                self._expect(receiver, pallet, -1)
            elif engine.happens(odds.damaged_pallet):
                self._damaged(sender, receiver, document, pallet, trip)
            else:
                here.append(pallet)
        if not here:
            return
        event = events.receive(trip.arrives, sender, receiver, document, [pallet.uri for pallet in here])
        if not engine.happens(odds.missing_receipt):
            engine.uploads.say(receiver.msp, trip.arrives, event)
        else:
            engine.truth.anomaly("missing_receipt", trip.arrives, event, subject=document)
            if engine.happens(_FOUND_LATER):
                found = timedelta(days=engine.luck.uniform(3, 25))
                engine.uploads.say(receiver.msp, trip.arrives, event, later=found)
        for n, pallet in enumerate(here):
            moment = trip.arrives + timedelta(minutes=40 + 3 * n)
            engine.at(moment, partial(self._put_away, moment, receiver, pallet))

    def _put_away(self, moment: datetime, receiver: Site, pallet: Pallet) -> None:
        engine, store = self._engine, self._engine.store(receiver)
        event = events.unpack(moment, receiver, pallet.uri, pallet.all_cases(), pallet.all_loose())
        engine.uploads.say(receiver.msp, moment, event)
        self._expect(receiver, pallet, -1)
        for item, cases in pallet.cases.items():
            store.cases[item].extend(cases)
        for item, loose in pallet.loose.items():
            for lot, quantity in loose:
                engine.truth.reached(lot, receiver.place)
                if lot in engine.recalled:
                    hold(engine, moment, receiver, lot, quantity)
                else:
                    store.shelves[item].add(lot, quantity)

    def _damaged(self, sender: Site, receiver: Site, document: str, pallet: Pallet, trip: Trip) -> None:
        engine = self._engine
        event = events.receive(trip.arrives, sender, receiver, document, [pallet.uri], disposition="damaged")
        engine.uploads.say(receiver.msp, trip.arrives, event)
        engine.truth.anomaly("damaged_pallet", trip.arrives, event, subject=pallet.uri)
        self._expect(receiver, pallet, -1)
        later = trip.arrives + timedelta(days=1)
        engine.uploads.say(receiver.msp, later, events.destroy(later, receiver, pallet.uri))
