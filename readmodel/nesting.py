"""What was inside what, as the tables have it: inwards and outwards."""

from __future__ import annotations

from collections.abc import Collection

from readmodel.bulk import Bulk, Row

Range = tuple[int, int, int]
"""A thing, and the first and last moment in question."""

_PARENTS = (
    "SELECT c.parent_id, r.low, r.high, c.from_time, c.to_time FROM {ranges} JOIN containment c "
    "ON c.child_id = r.value AND c.kind = 'aggregation' AND c.scope = 0 AND c.start <= r.high AND c.start >= coalesce("
    "(SELECT max(e.start) FROM containment e WHERE e.child_id = r.value AND e.kind = 'aggregation' AND e.scope = 0 "
    "AND e.start < r.low), r.low) WHERE c.to_time IS NULL OR c.to_time >= r.low"
)


def inside(bulk: Bulk, ranges: Collection[Range], columns: str, join: str = "") -> list[Row]:
    """Columns of the intervals ``c`` in which parents held something between two times.

    Asked in two parts because an index finds "still inside" and "taken out since" each, but not either.
    """
    rows: list[Row] = []
    for end in ("c.to_time IS NULL", "c.to_time >= r.low"):
        rows.extend(
            bulk.fetch_ranges(
                f"SELECT {columns} FROM {{ranges}} "
                f"JOIN containment c ON c.parent_id = r.value AND {end} {join} WHERE c.start <= r.high",
                ranges,
            )
        )
    return rows


def outward(bulk: Bulk, ranges: Collection[Range]) -> set[Range]:
    """The things themselves, and all that held them meanwhile."""
    found = set(ranges)
    frontier = found
    while frontier:
        frontier = {
            (parent, low if start is None else max(low, start), high if end is None else min(high, end))
            for parent, low, high, start, end in bulk.fetch_ranges(_PARENTS, frontier)
        } - found
        found |= frontier
    return found


def inward(bulk: Bulk, moments: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """What was inside things at moments, at any depth; with the moments."""
    found: set[tuple[int, int]] = set()
    frontier = set(moments)
    while frontier:
        ranges = {(thing, time, time) for thing, time in frontier}
        rows = inside(bulk, ranges, "c.child_id, r.low", "AND c.kind = 'aggregation'")
        frontier = {(child, time) for child, time in rows} - found
        found |= frontier
    return found
