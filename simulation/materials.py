"""Raw materials: bought when a plant's stock runs low, sent by the kilogram."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulation import events, numbering
from simulation.engine import Engine
from simulation.stock import whole
from simulation.transport import Trip
from simulation.world import MATERIALS, PLANTS, PRODUCTS, Material, Site

_COVER_DAYS = 24
_CYCLE_DAYS = 14
_SHORT = (0.90, 0.98)


class Materials:
    """Orders materials for the plants."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._usage = {
            (plant.number, material.item): _daily_usage(engine, plant, material)
            for plant in PLANTS
            for material in MATERIALS
        }

    def day(self, day: int) -> None:
        """Order what will run low before more could come."""
        for plant in PLANTS:
            for material in MATERIALS:
                usage = self._usage[(plant.number, material.item)]
                level = usage * (material.days[0] * 1.5 + _COVER_DAYS)
                if usage and self._engine.store(plant).position(material.item) < level:
                    self._order(day, plant, material, round(usage * (_CYCLE_DAYS + material.days[0] * 0.3), -1) + 50)

    def _order(self, day: int, plant: Site, material: Material, kilograms: float) -> None:
        engine, supplier = self._engine, material.supplier
        lot = numbering.lot(material.gtin, engine.next_number(f"lot {material.item}"))
        made = engine.morning(day) + timedelta(hours=7, minutes=engine.luck.randrange(60))
        ilmd = {"cbvmda:lotNumber": lot.rpartition("/")[2], "cbvmda:countryOfOrigin": supplier.country}
        event = events.commission_lot(made, supplier, lot, kilograms, "KGM", ilmd)
        engine.uploads.say(supplier.msp, made, event)
        trip = engine.roads.trip(made + timedelta(hours=6), supplier, plant, *material.days)
        document = engine.document(supplier)
        sent = events.ship(trip.leaves, supplier, plant, document, trip.promised, quantities=whole([(lot, kilograms)]))
        engine.uploads.say(supplier.msp, trip.leaves, sent, release=True)
        engine.truth.shipment(document, trip, supplier.place, plant.place)
        engine.store(plant).coming[material.item] += kilograms
        engine.at(trip.arrives, lambda: self._arrive(plant, material, lot, kilograms, document, trip))

    def _arrive(self, plant: Site, material: Material, lot: str, kilograms: float, document: str, trip: Trip) -> None:
        engine = self._engine
        weighed = kilograms
        short = engine.happens(engine.config.anomalies.short_delivery)
        if short:
            weighed = round(kilograms * engine.luck.uniform(*_SHORT), 1)
        event = events.receive(trip.arrives, material.supplier, plant, document, quantities=whole([(lot, weighed)]))
        engine.uploads.say(plant.msp, trip.arrives, event)
        if short:
            engine.truth.anomaly("short_delivery", trip.arrives, event, subject=document)
        store = engine.store(plant)
        store.coming[material.item] -= kilograms
        store.shelves[material.item].add(lot, weighed)


def _daily_usage(engine: Engine, plant: Site, material: Material) -> float:
    """Kilograms a day that the shops' mean demand comes to."""
    size = sum(shop.size for shop in engine.shops)
    return sum(
        product.daily * size * amount
        for product in PRODUCTS
        if product.plant is plant
        for used, amount in product.recipe
        if used is material
    )


def opening_stock(engine: Engine) -> None:
    """A world that has been going for a while: each plant begins with weeks of material."""
    for plant in PLANTS:
        for material in MATERIALS:
            usage = _daily_usage(engine, plant, material)
            if usage:
                _begin_with(engine, plant, material, round(usage * (material.days[0] * 1.5 + _COVER_DAYS), -1) + 50)


def _begin_with(engine: Engine, plant: Site, material: Material, kilograms: float) -> None:
    lot = numbering.lot(material.gtin, engine.next_number(f"lot {material.item}"))
    supplier = material.supplier
    made: datetime = engine.config.start + timedelta(hours=1)
    ilmd = {"cbvmda:lotNumber": lot.rpartition("/")[2], "cbvmda:countryOfOrigin": supplier.country}
    goods = whole([(lot, kilograms)])
    document = engine.document(supplier)
    arrived = made + timedelta(hours=3)
    say = engine.uploads.say
    say(supplier.msp, made, events.commission_lot(made, supplier, lot, kilograms, "KGM", ilmd))
    left = made + timedelta(hours=1)
    say(supplier.msp, left, events.ship(left, supplier, plant, document, arrived, quantities=goods))
    say(plant.msp, arrived, events.receive(arrived, supplier, plant, document, quantities=goods))
    engine.store(plant).shelves[material.item].add(lot, kilograms)
