"""What really happened: for measuring forecasts, predictions and detections."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from epcis import parse_event
from simulation.events import Event, when
from simulation.transport import Obstacle, Trip


class Truth:
    """Collected while the simulation runs."""

    def __init__(self) -> None:
        self._demand: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
        self._shipments: dict[str, dict[str, Any]] = {}
        self._anomalies: list[dict[str, Any]] = []
        self._lots: dict[str, dict[str, Any]] = {}
        self._where: defaultdict[str, set[str]] = defaultdict(set)
        self.promotions: list[dict[str, Any]] = []
        self.obstacles: list[dict[str, Any]] = []

    def demand(self, day: str, product: str, shop: str, wanted: int, sold: int) -> None:
        """What customers wanted and got."""
        self._demand[f"{product} {shop}"][day] = [wanted, sold]

    def shipment(self, document: str, trip: Trip, sender: str, receiver: str) -> None:
        """A transport with its promise and its arrival."""
        self._shipments[document] = {
            "from": sender,
            "to": receiver,
            "released": when(trip.leaves),
            "promised": when(trip.promised),
            "arrives": when(trip.arrives),
            "late": trip.arrives > trip.promised,
            "reasons": list(trip.reasons),
        }

    def anomaly(self, kind: str, moment: datetime, event: Event | None = None, subject: str | None = None) -> None:
        """Something went wrong; the event that shows it, or what it happened to."""
        found = {"kind": kind, "time": when(moment), "subject": subject}
        self._anomalies.append(found | {"event": parse_event(event).hash if event is not None else None})

    def made(self, lot: str, product: str, materials: list[str], quantity: int) -> None:
        """A finished lot and the material lots in it."""
        self._lots[lot] = {"product": product, "materials": sorted(materials), "quantity": quantity}

    def reached(self, lot: str, place: str) -> None:
        """A lot has been at a place."""
        self._where[lot].add(place)

    def met(self, obstacles: tuple[Obstacle, ...]) -> None:
        """What stood in the way of transports."""
        self.obstacles = [
            {"name": o.name, "firstDay": o.first_day, "lastDay": o.last_day, "countries": sorted(o.countries)}
            for o in obstacles
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: days are dates, identifiers Digital Links, events their hashes."""
        lots = {lot: {**made, "places": sorted(self._where[lot])} for lot, made in self._lots.items()}
        return {
            "demand": {series: self._demand[series] for series in sorted(self._demand)},
            "shipments": self._shipments,
            "anomalies": self._anomalies,
            "lots": lots,
            "promotions": self.promotions,
            "obstacles": self.obstacles,
        }
