"""What a site has, oldest first."""

from __future__ import annotations

from collections import defaultdict, deque

Loose = list[tuple[str, float]]


class Shelf:
    """Lots of one product or material, first in, first out."""

    def __init__(self) -> None:
        self._lots: deque[tuple[str, float]] = deque()
        self.total = 0.0

    def add(self, lot: str, quantity: float) -> None:
        """Put some of a lot behind what is there."""
        self._lots.append((lot, quantity))
        self.total = round(self.total + quantity, 3)

    def take(self, quantity: float) -> Loose:
        """Up to so much, of the oldest lots."""
        taken: dict[str, float] = {}
        wanted = min(quantity, self.total)
        while wanted > 1e-9 and self._lots:
            lot, there = self._lots.popleft()
            part = round(min(there, wanted), 3)
            taken[lot] = round(taken.get(lot, 0) + part, 3)
            wanted = round(wanted - part, 3)
            if there - part > 1e-9:
                self._lots.appendleft((lot, round(there - part, 3)))
        self.total = round(self.total - sum(taken.values()), 3)
        return list(taken.items())

    def remove(self, lot: str) -> float:
        """Take all there is of one lot."""
        taken = self.of(lot)
        self._lots = deque(part for part in self._lots if part[0] != lot)
        self.total = round(self.total - taken, 3)
        return taken

    def of(self, lot: str) -> float:
        """How much of one lot is there."""
        return round(sum(quantity for name, quantity in self._lots if name == lot), 3)


class Store:
    """A site's shelves, its cases, and what is on its way to it."""

    def __init__(self) -> None:
        self.shelves: defaultdict[int, Shelf] = defaultdict(Shelf)
        self.cases: defaultdict[int, deque[str]] = defaultdict(deque)
        self.coming: defaultdict[int, float] = defaultdict(float)

    def on_hand(self, item: int) -> float:
        """Units or cases of a product, or kilograms of a material."""
        return self.shelves[item].total + len(self.cases[item])

    def position(self, item: int) -> float:
        """On hand and on the way."""
        return self.on_hand(item) + self.coming[item]

    def take_cases(self, item: int, number: int) -> list[str]:
        """Up to so many of the oldest cases."""
        cases = self.cases[item]
        return [cases.popleft() for _ in range(min(number, len(cases)))]


def whole(loose: Loose) -> list[tuple[str, int | float]]:
    """Quantities as they are written: whole numbers without a fraction."""
    return [(lot, int(quantity) if quantity == int(quantity) else quantity) for lot, quantity in loose]
