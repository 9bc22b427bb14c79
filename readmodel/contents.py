"""What was inside the things handed over, at the moment they were, down to what holds nothing more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from readmodel.bulk import Bulk, Row
from readmodel.flows import ONE
from readmodel.nesting import inside


class Hop(NamedTuple):
    """The part of a handoff that makes flows. Times in microseconds, quantities as the ledger's decimals."""

    id: int
    item: int
    kind: str
    from_party: int | None
    to_party: int | None
    from_place: int | None
    to_place: int | None
    released: str | None
    accepted: str | None
    uom: str | None
    released_at: int | None
    accepted_at: int | None

    @property
    def moment(self) -> int | None:
        """When its contents count: as it left or, if nobody said when that was, as it arrived."""
        return self.released_at if self.released_at is not None else self.accepted_at


Contents = dict[tuple[int, str], int]
"""Millionths by product and unit."""

_COLUMNS = "c.parent_id, r.low, c.child_id, c.kind, c.from_time, c.to_time, c.quantity, c.uom, t.product_id"
_WITH_PRODUCT = "JOIN thing t ON t.id = c.child_id AND c.kind <> 'association'"


def contents_at(bulk: Bulk, hops: Sequence[Hop], product_of: Mapping[int, int | None]) -> list[Contents]:
    """The contents of each hop's item, counted where packing ends: a case with recorded bottles is bottles.

    Goes down one level of packing at a time for all hops together.
    """
    contents: list[Contents] = [defaultdict(int) for _ in hops]
    frontier = [(n, hop.item, product_of[hop.item]) for n, hop in enumerate(hops) if hop.moment is not None]
    seen = {(n, item) for n, item, _ in frontier}
    while frontier:
        held = _held(bulk, hops, frontier)
        deeper: list[tuple[int, int, int | None]] = []
        for n, item, product in frontier:
            rows = held.get((n, item), ())
            if not rows and product is not None:
                contents[n][(product, "")] += ONE
            for child, kind, quantity, uom, child_product in rows:
                if kind == "quantity" and quantity is not None and child_product is not None:
                    contents[n][(child_product, uom or "")] += int(quantity)
                if kind == "aggregation" and (n, child) not in seen:  # a circle of packing is walked once
                    seen.add((n, child))
                    deeper.append((n, child, child_product))
        frontier = deeper
    return contents


def _held(
    bulk: Bulk, hops: Sequence[Hop], frontier: Sequence[tuple[int, int, int | None]]
) -> dict[tuple[int, int], list[Row]]:
    """By hop and item: what was directly inside."""
    moments = {(item, hops[n].moment or 0) for n, item, _ in frontier}
    found: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for item, moment, child, kind, start, end, *rest in inside(
        bulk, {(item, moment, moment) for item, moment in moments}, _COLUMNS, _WITH_PRODUCT
    ):
        found[(item, moment)].append((start, end, (child, kind, *rest)))
    return {
        (n, item): [
            row for start, end, row in found.get((item, hops[n].moment or 0), ()) if _holds(hops[n], start, end)
        ]
        for n, item, _ in frontier
    }


def _holds(hop: Hop, start: int | None, end: int | None) -> bool:
    """Whether an interval counts: packed by the time it left, or not unpacked before it arrived."""
    moment = hop.moment
    if moment is None:
        return False
    if hop.released_at is not None:
        return (start is None or start <= moment) and (end is None or moment < end)
    return (start is None or start < moment) and (end is None or moment <= end)
