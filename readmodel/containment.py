"""Bring containment intervals up to date with new statements about children and parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from readmodel.bulk import FAR_OFF, LONG_AGO, Bulk, Row
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


def update_containment(
    bulk: Bulk, new: Sequence[Fact], first_event: int, first_thing: int
) -> set[tuple[int, int, int]]:
    """Keep the new facts and work out the intervals they touch.

    Returns the (parent, low, high) between which a parent's contents are now others than they were.
    ``first_event`` and ``first_thing`` are the first ids of this batch: whatever is older may have a past to
    look up, the rest has none.
    """
    if not new:
        return set()
    bulk.insert(Packing, _FACT_COLUMNS, new)
    groups: dict[Group, list[Fact]] = defaultdict(list)
    emptied: list[Fact] = []
    for fact in new:
        if fact.child:
            groups[_group(fact)].append(fact)
        else:
            emptied.append(fact)
    touched = {*groups, *_emptied(bulk, emptied, first_thing)}
    for fact in _past(bulk, touched, first_event, first_thing):
        groups[_group(fact)].append(fact)
    sweeps = _sweeps(bulk, groups, emptied, first_event, first_thing)
    return _write(bulk, groups, sweeps, first_event)


def _group(fact: Fact) -> Group:
    return (fact.kind, fact.child, 0 if fact.kind == "aggregation" else fact.parent)


def _emptied(bulk: Bulk, emptied: Sequence[Fact], first_thing: int) -> Iterator[Group]:
    """The groups of what was inside a parent when it was emptied."""
    ranges = {(fact.parent, fact.time, fact.time) for fact in emptied if fact.parent < first_thing}
    for parent, child, kind, *_ in inside(bulk, ranges, "c.parent_id, c.child_id, c.kind"):
        yield (kind, child, 0 if kind == "aggregation" else parent)


def inside(bulk: Bulk, ranges: Collection[tuple[int, int, int]], columns: str, join: str = "") -> list[Row]:
    """Columns of the intervals ``c`` in which parents held something between two times.

    Asked in two parts because an index finds "still inside" and "taken out since" each, but not either.
    """
    rows: list[Row] = []
    for end in ("c.to_time IS NULL", "c.to_time >= r.low"):
        rows.extend(
            bulk.fetch_ranges(
                f"SELECT {columns} FROM {{ranges}} "
                f"JOIN containment c ON c.parent_id = r.value AND {end} {join} "
                "WHERE (c.from_time IS NULL OR c.from_time <= r.high)",
                ranges,
            )
        )
    return rows


def _past(bulk: Bulk, touched: Collection[Group], first_event: int, first_thing: int) -> list[Fact]:
    """What older events said of the touched groups."""
    children = {child for kind, child, _ in touched if kind == "aggregation" and child < first_thing}
    parents = {parent for _, _, parent in touched if 0 < parent < first_thing}
    by_child = _facts(bulk, "p.child_id = v.value AND p.kind = 'aggregation'", children, first_event)
    by_parent = _facts(bulk, "p.parent_id = v.value AND p.kind <> 'aggregation'", parents, first_event)
    return [fact for fact in (*by_child, *by_parent) if fact.child and _group(fact) in touched]


def _sweeps(
    bulk: Bulk, groups: dict[Group, list[Fact]], emptied: Iterable[Fact], first_event: int, first_thing: int
) -> dict[int, list[Fact]]:
    """By parent, the DELETEs that named no child: each is said of every child the parent then had."""
    known = {fact.parent for facts in groups.values() for fact in facts if 0 < fact.parent < first_thing}
    sweeps: dict[int, list[Fact]] = defaultdict(list)
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
) -> set[tuple[int, int, int]]:
    before: dict[Row, Row] = {}
    after: dict[Row, Row] = {}
    for group, facts in groups.items():
        said = [*facts, *_sweeps_of(group[0], facts, sweeps)] if sweeps else facts
        _rows(group, said, after)
        past = [fact for fact in said if fact.event < first_event]
        if past:
            _rows(group, past, before)
    gone = [key for key in before if key not in after]
    changed = [key for key, value in after.items() if before.get(key) != value]
    bulk.delete(Containment, _COLUMNS[:4], gone)
    bulk.upsert(Containment, _COLUMNS, [(*key, *after[key]) for key in changed])
    return {
        (key[1], low, high)
        for key in (*gone, *changed)
        if key[2] != "association"
        for low, high in _difference(before.get(key), after.get(key))
    }


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


def _difference(before: Row | None, after: Row | None) -> Iterator[tuple[int, int]]:
    """When an interval, (start, end, …, quantity, unit), is not what it was."""
    spans = [_span(row) for row in (before, after) if row is not None]
    if before is None or after is None or before[4:] != after[4:]:
        yield from spans
        return
    starts, ends = zip(*spans, strict=True)
    if starts[0] != starts[1]:
        yield min(starts), max(starts)
    if ends[0] != ends[1]:
        yield min(ends), max(ends)


def _span(row: Row) -> tuple[int, int]:
    start, end = row[0], row[1]
    return (LONG_AGO if start is None else start, FAR_OFF if end is None else end)
