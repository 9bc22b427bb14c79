"""Bring containment intervals up to date with new statements about children and parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from readmodel.bulk import Bulk, Row
from readmodel.intervals import Fact, Interval, of_association, of_instance, of_quantity
from readmodel.tables import Containment, Packing

Group = tuple[str, int, int]
"""Kind, child, parent: the facts that are worked out together. Parent 0: all parents of the child."""

_WORK: dict[str, Callable[[Sequence[Fact]], list[Interval]]] = {
    "aggregation": of_instance,
    "quantity": of_quantity,
    "association": of_association,
}
_COLUMNS = (
    *("child_id", "parent_id", "kind", "n", "from_time", "to_time"),
    *("from_event_id", "to_event_id", "quantity", "uom"),
)
_FACT_COLUMNS = ("child_id", "parent_id", "event_time", "event_id", "n", "kind", "action", "quantity", "uom")
_FACT = ", ".join(f"p.{column}" for column in _FACT_COLUMNS)


def update_containment(bulk: Bulk, new: Sequence[Fact], first_event: int, first_thing: int) -> set[int]:
    """Keep the new facts and work out the intervals they touch; returns the parents whose contents changed.

    ``first_event`` and ``first_thing`` are the first ids of this batch: whatever is older may have a past to
    look up, the rest has none.
    """
    if not new:
        return set()
    bulk.insert(Packing, _FACT_COLUMNS, new)
    groups: dict[Group, list[Fact]] = defaultdict(list)
    for fact in new:
        if fact.child:
            groups[_group(fact)].append(fact)
    emptied = [fact for fact in new if not fact.child]
    old = _past(bulk, groups, {fact.parent for fact in emptied}, first_event, first_thing)
    for fact in old:
        groups[_group(fact)].append(fact)
    sweeps = _sweeps(bulk, groups, emptied, first_event, first_thing)
    return _write(bulk, groups, sweeps, first_event)


def _group(fact: Fact) -> Group:
    return (fact.kind, fact.child, 0 if fact.kind == "aggregation" else fact.parent)


def _past(
    bulk: Bulk, groups: Collection[Group], emptied: set[int], first_event: int, first_thing: int
) -> list[Fact]:
    """What older events said of the touched groups, and of every child a parent that was emptied ever had."""
    children = {child for kind, child, _ in groups if kind == "aggregation" and child < first_thing}
    parents = {parent for _, _, parent in groups if 0 < parent < first_thing}
    pairs = set(groups)
    old = emptied_parents = _facts(bulk, "p.parent_id = v.value AND p.child_id > 0", emptied, first_event)
    children.update(fact.child for fact in emptied_parents if fact.kind == "aggregation")
    pairs.update(map(_group, emptied_parents))
    by_child = _facts(bulk, "p.child_id = v.value AND p.kind = 'aggregation'", children, first_event)
    by_parent = _facts(bulk, "p.parent_id = v.value AND p.kind <> 'aggregation'", parents, first_event)
    found = dict.fromkeys(fact for fact in (*old, *by_child, *by_parent) if _group(fact) in pairs)
    return list(found)


def _sweeps(
    bulk: Bulk, groups: dict[Group, list[Fact]], emptied: Iterable[Fact], first_event: int, first_thing: int
) -> dict[int, list[Fact]]:
    """By parent, the DELETEs that named no child: each is said of every child the parent then had."""
    parents = {fact.parent for facts in groups.values() for fact in facts}
    sweeps: dict[int, list[Fact]] = defaultdict(list)
    known = {parent for parent in parents if parent < first_thing}
    older = _facts(bulk, "p.child_id = 0 AND p.parent_id = v.value", known, first_event)
    for fact in (*older, *emptied):
        sweeps[fact.parent].append(fact)
    return sweeps


def _facts(bulk: Bulk, condition: str, values: Collection[int], first_event: int) -> list[Fact]:
    sql = f"SELECT {_FACT} FROM {{values}} JOIN packing p ON {condition} WHERE p.event_id < ?"
    return [_fact(row) for row in bulk.fetch(sql, values, first_event)]


def _fact(row: Row) -> Fact:
    quantity = None if row[7] is None else int(row[7])  # PostgreSQL gives a Decimal
    return Fact(row[0], row[1], row[2], row[3], row[4], row[5], row[6], quantity, row[8])


def _write(
    bulk: Bulk, groups: dict[Group, list[Fact]], sweeps: dict[int, list[Fact]], first_event: int
) -> set[int]:
    before: dict[Row, Row] = {}
    after: dict[Row, Row] = {}
    for group, facts in groups.items():
        said = [*facts, *_sweeps_of(group[0], facts, sweeps)] if sweeps else facts
        _rows(group, said, after)
        past = [fact for fact in said if fact.event < first_event]
        if past:
            _rows(group, past, before)
    gone = [key for key in before if key not in after]
    changed = [(*key, *value) for key, value in after.items() if before.get(key) != value]
    bulk.delete(Containment, _COLUMNS[:4], gone)
    bulk.upsert(Containment, _COLUMNS, changed)
    return {row[1] for row in (*gone, *changed) if row[2] != "association"}


def _sweeps_of(kind: str, facts: Sequence[Fact], sweeps: dict[int, list[Fact]]) -> list[Fact]:
    associated = kind == "association"
    return [
        sweep
        for parent in {fact.parent for fact in facts}
        for sweep in sweeps.get(parent, ())
        if (sweep.kind == "association") == associated
    ]


def _rows(group: Group, facts: Sequence[Fact], into: dict[Row, Row]) -> None:
    kind, child, _ = group
    count: dict[int, int] = defaultdict(int)
    for interval in _WORK[kind](facts):
        n = count[interval.parent]
        count[interval.parent] = n + 1
        into[(child, interval.parent, kind, n)] = interval[1:]
