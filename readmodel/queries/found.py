"""What a walk found: things and how they matter, transformations, links, handoffs."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, NamedTuple

from readmodel.bulk import FAR_OFF, LONG_AGO

Role = Literal["start", "material", "carrier", "lot", "transformation"]


class Link(NamedTuple):
    """From node to node; a transformation's node is minus its id. Times in microseconds, None: open."""

    source: int
    target: int
    kind: str
    start: int | None
    end: int | None


class Stay(NamedTuple):
    """A carrier, and from when to when it carried."""

    carrier: int
    low: int
    high: int


class Span(NamedTuple):
    """A time in which a lot was at a place, as far as it is traced."""

    lot: int
    place: int
    low: int
    high: int


class Walk:
    """What a walk found.

    Everything may be merely *possible*: one of several sources of goods that were mixed, or what came of such.
    """

    def __init__(self, upstream: bool, max_nodes: int) -> None:
        self.upstream = upstream
        self.roles: dict[int, tuple[Role, int]] = {}
        self.transformations: dict[int, tuple[int, bool]] = {}
        """Depth, and whether it is only possible, by transformation id."""
        self.links: dict[Link, bool] = {}
        self.truncated = False
        self.bounds: dict[int, int] = {}
        """Material: the latest (upstream) or earliest (downstream) moment that matters."""
        self.parts: set[int] = set()
        """Material of which only a part is traced: a lot some of which was on a pallet."""
        self.stays: dict[Stay, bool] = {}
        self.lots: dict[int, int] = {}
        """Lots of traced instances, with the bound; only how they were made matters."""
        self.origins: set[int] = set()
        """Lots asked about upstream: of them, too, only how they came to be matters."""
        self.handoffs: dict[int, bool] = {}
        """Handoffs of parts of lots; whether they are only possible."""
        self.spans: set[Span] = set()
        self.possible: dict[int, bool] = {}
        """Whether a thing is only possibly on the trace."""
        self.packing_events: set[int | None] = set()
        """Ids of the events by which what was followed was packed and unpacked."""
        self.flow_events: dict[int, set[int]] = defaultdict(set)
        """Events by which traced parts of a lot came and went, by lot."""
        self._max_nodes = max_nodes

    def ranges(self) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """The (thing, low, high) in which things' events belong to the trace; second, those of lots."""
        outlived = self.parts | self.origins
        whole = [self._range(thing, bound) for thing, bound in self.bounds.items() if thing not in outlived]
        kept = {thing for thing, _, _ in whole}
        whole.extend(stay for stay in self.stays if stay.carrier not in kept)
        born = [self._range(lot, bound) for lot, bound in self.lots.items() if lot not in kept]
        born.extend(self._range(lot, self.bounds[lot]) for lot in self.origins)
        return whole, born

    def _range(self, thing: int, bound: int) -> tuple[int, int, int]:
        return (thing, LONG_AGO, bound) if self.upstream else (thing, bound, FAR_OFF)

    def material(self, thing: int, bound: int, depth: int, role: Role = "material", *, possible: bool = False) -> bool:
        """Note a thing; True when it is new, matters for longer than was known, or is more than possible, and
        so must be followed."""
        known = self.bounds.get(thing)
        surer = self.possible.get(thing, False) and not possible
        nothing_new = known is not None and (bound <= known if self.upstream else bound >= known)
        if nothing_new and not surer:
            return False
        if not self._note(thing, role, depth, possible):
            return False
        if not nothing_new:
            self.bounds[thing] = bound
        return True

    def part(self, lot: int, depth: int, *, possible: bool) -> bool:
        """Note a lot of which some is traced; False when there is no more room for it."""
        if lot not in self.bounds:
            self.parts.add(lot)
        return self._note(lot, "material", depth, possible)

    def carrier(self, stay: Stay, depth: int, *, possible: bool = False) -> bool:
        """Note a carrier's stay; True when it is new, or more than possible."""
        if stay in self.stays and (possible or not self.stays[stay]):
            return False
        if not self._note(stay.carrier, "carrier", depth, possible):
            return False
        self.stays[stay] = possible
        return True

    def lot(self, lot: int, bound: int, depth: int, *, possible: bool = False) -> bool:
        """Note the lot of an instance; True when it must be followed."""
        if lot in self.bounds or self.lots.get(lot, LONG_AGO) >= bound:
            return False
        if not self._note(lot, "lot", depth, possible):
            return False
        self.lots[lot] = bound
        return True

    def transformation(self, transformation: int, depth: int, *, possible: bool = False) -> bool:
        """Note a transformation; True when it is new, or more than possible."""
        known = self.transformations.get(transformation)
        if known is not None:
            if possible or not known[1]:
                return False
            self.transformations[transformation] = (known[0], False)
            return True
        if self._full():
            return False
        self.transformations[transformation] = (depth, possible)
        return True

    def link(self, link: Link, *, possible: bool = False) -> None:
        """Note a link; it is certain once one way to it is."""
        if not possible:
            self.links[link] = False
        else:
            self.links.setdefault(link, True)

    def handoff(self, handoff: int, *, possible: bool = False) -> None:
        """Note a handoff of some of a lot."""
        self.handoffs[handoff] = possible and self.handoffs.get(handoff, True)

    def _note(self, thing: int, role: Role, depth: int, possible: bool) -> bool:
        known = self.roles.get(thing)
        if known is None:
            if self._full():
                return False
            self.roles[thing] = (role, depth)
        elif known[0] in ("carrier", "lot") and role == "material":
            self.roles[thing] = (role, known[1])
        if not possible:
            self.possible[thing] = False
        else:
            self.possible.setdefault(thing, True)
        return True

    def _full(self) -> bool:
        full = len(self.roles) + len(self.transformations) >= self._max_nodes
        self.truncated |= full
        return full
