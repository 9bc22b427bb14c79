"""What was inside the things handed over, at the moment they were, down to what holds nothing more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from readmodel.bulk import Bulk, Row
from readmodel.flows import ONE


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

_INSIDE = (
    "SELECT c.parent_id, c.child_id, c.kind, c.from_time, c.to_time, c.quantity, c.uom, t.product_id "
    "FROM {values} JOIN containment c ON c.parent_id = v.value JOIN thing t ON t.id = c.child_id "
    "WHERE c.kind <> 'association' AND (c.to_time IS NULL OR c.to_time >= ?) "
    "AND (c.from_time IS NULL OR c.from_time <= ?)"
)


def contents_at(bulk: Bulk, hops: Sequence[Hop], product_of: Mapping[int, int | None]) -> list[Contents]:
    """The contents of each hop's item, counted where they end: a case with recorded bottles counts as
    bottles.

    Goes down one level of packing per query for all hops together.
    """
    contents: list[Contents] = [defaultdict(int) for _ in hops]
    times = [hop.moment for hop in hops if hop.moment is not None]
    if not times:
        return contents
    frontier = [(index, hop.item, product_of[hop.item]) for index, hop in enumerate(hops)]
    seen = {(index, item) for index, item, _ in frontier}
    while frontier:
        inside: dict[int, list[Row]] = defaultdict(list)
        for row in bulk.fetch(_INSIDE, {item for _, item, _ in frontier}, min(times), max(times)):
            inside[row[0]].append(row)
        deeper: list[tuple[int, int, int | None]] = []
        for index, item, product in frontier:
            rows = [row for row in inside.get(item, ()) if _holds(hops[index], row[3], row[4])]
            if not rows and product is not None:
                contents[index][(product, "")] += ONE
            for _, child, kind, _, _, quantity, uom, child_product in rows:
                if kind == "quantity":
                    if quantity is not None and child_product is not None:
                        contents[index][(child_product, uom or "")] += int(quantity)
                elif (index, child) not in seen:  # things packed in a circle are counted once
                    seen.add((index, child))
                    deeper.append((index, child, child_product))
        frontier = deeper
    return contents


def _holds(hop: Hop, start: int | None, end: int | None) -> bool:
    """Whether an interval counts: packed by the time it left, or not unpacked before it arrived."""
    moment = hop.moment
    if moment is None:
        return False
    if hop.released_at is not None:
        return (start is None or start <= moment) and (end is None or moment < end)
    return (start is None or start < moment) and (end is None or moment <= end)
