"""Whether what is shipped or received leaves what it is in.

It does when the event names it by itself, and stays when the event names what it is in as well, at any level above it.
Which levels there are is a question of other things' stays, so a late word about a pallet may decide it anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from readmodel.bulk import Bulk
from readmodel.intervals import UNKNOWN, Fact
from readmodel.nesting import inward, outward

_NAMED = (
    "SELECT 1 FROM {rows} JOIN packing p ON p.child_id = r.thing AND p.kind = 'aggregation' AND p.scope = 0 "
    "AND p.event_time = r.time AND p.event_id = r.event AND p.action = 'MOVE'"
)
_STAYS = (
    "SELECT c.parent_id, c.start, c.mark, c.to_time, c.to_mark FROM {rows} JOIN containment c ON c.child_id = r.thing "
    "AND c.kind = 'aggregation' AND c.scope = 0 AND c.start <= r.time AND c.start >= coalesce((SELECT max(e.start) "
    "FROM containment e WHERE e.child_id = r.thing AND e.kind = 'aggregation' AND e.scope = 0 AND e.start < r.time), r.time)"
)
_MOVES_BETWEEN = (
    "SELECT DISTINCT p.event_time, p.event_id FROM {ranges} JOIN packing p ON p.child_id = r.value "
    "AND p.kind = 'aggregation' AND p.scope = 0 AND p.event_time BETWEEN r.low AND r.high WHERE p.action = 'MOVE'"
)
_MOVES_AT = (
    "SELECT DISTINCT p.child_id, p.event_time FROM {rows} JOIN packing p ON p.child_id = r.thing "
    "AND p.kind = 'aggregation' AND p.scope = 0 AND p.event_time = r.time WHERE p.action = 'MOVE'"
)


class Moves:
    """Answers for one batch. Facts are in the table already; stays are those worked out so far."""

    def __init__(self, bulk: Bulk, new: Iterable[Fact], first_thing: int) -> None:
        self._bulk = bulk
        self._first_thing = first_thing
        self._named: dict[int, set[int]] = defaultdict(set)
        self._parents: set[int] = set()
        for fact in new:
            self._parents.add(fact.parent)
            if fact.action == "MOVE":
                self._named[fact.event].add(fact.child)

    def leaves(self, fact: Fact, parent: int) -> bool:
        """Whether the fact's child leaves the parent it is in just before."""
        above: int | None = parent
        seen: set[int] = set()
        while above is not None and above not in seen:
            if self._is_named(above, fact):
                return False
            seen.add(above)
            above = self._parent_before(above, fact)
        return True

    def _is_named(self, thing: int, fact: Fact) -> bool:
        if fact.event in self._named:
            return thing in self._named[fact.event]
        row = (thing, fact.time, fact.event)
        return bool(self._bulk.fetch_rows(_NAMED, ("thing", "time", "event"), ("bigint",) * 3, [row]))

    def _parent_before(self, thing: int, fact: Fact) -> int | None:
        """What a thing was in just before an event, as far as was known then."""
        place = (fact.time, fact.mark)
        for parent, start, mark, end, end_mark in self._bulk.fetch_rows(
            _STAYS, ("thing", "time"), ("bigint",) * 2, [(thing, fact.time)]
        ):
            began = not mark.startswith(UNKNOWN) and (start, mark) < place
            if began and (end is None or (end, end_mark) >= place):
                found: int = parent
                return found
        return None

    def affected(self, differences: Collection[tuple[int, int, int, int]]) -> dict[int, tuple[int, int]]:
        """The things of which it is to be decided anew whether they left, and the first and last time of that: those inside a
        child that turns out to have been in another parent, when that or what holds it was shipped or received with them."""
        changed = [one for one in differences if one[0] < self._first_thing or one[0] in self._parents]
        if not changed:
            return {}
        above = outward(self._bulk, {(parent, low, high) for _, parent, low, high in changed})
        moments = {time for time, _ in self._bulk.fetch_ranges(_MOVES_BETWEEN, above)}
        roots = {(child, time) for child, _, low, high in changed for time in moments if low <= time <= high}
        within = inward(self._bulk, roots)
        found: dict[int, tuple[int, int]] = {}
        for child, time in self._bulk.fetch_rows(_MOVES_AT, ("thing", "time"), ("bigint",) * 2, list(within)):
            first, last = found.get(child, (time, time))
            found[child] = (min(time, first), max(time, last))
        return found
