"""Bring containment intervals up to date with statements about children and parents that came or went.

A child's stays are worked out anew from just before the first statement that changed until they are again what they were.
So a statement costs what it overturns, however long the history before it, and the result is that of working out
everything from the beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from readmodel.bulk import FAR_OFF, LONG_AGO, Bulk, Row
from readmodel.intervals import FOLDS, Fact, Fold, Interval, State, in_order
from readmodel.moves import Moves
from readmodel.nesting import Range, inside
from readmodel.tables import Containment, Packing

Group = tuple[int, str, int]
"""Child, kind, scope: statements that are worked out together."""
KEY = ("child_id", "kind", "scope", "start", "parent_id", "mark")
_VALUES = ("from_time", "to_time", "to_mark", "from_event_id", "to_event_id", "quantity", "uom")
_COLUMNS = (*KEY, *_VALUES)
_FACT_KEY = ("child_id", "kind", "scope", "event_time", "event_id", "n")
_FACT_COLUMNS = (*_FACT_KEY, "parent_id", "mark", "action", "quantity", "uom")
_GROUPS = ("child", "kind", "scope", "low", "high")
_GROUP_TYPES = ("bigint", "text", "bigint", "bigint", "bigint")
_SAME_GROUP = "{a}.child_id = r.child AND {a}.kind = r.kind AND {a}.scope = r.scope"
_FIRST_WINDOW = 8


class Changes(NamedTuple):
    """The first and the last moment at which something new is said, or said no more, in a group."""

    low: int
    high: int


class Stays(NamedTuple):
    """Rows of a group, by key, before and after."""

    before: dict[Row, Row]
    after: dict[Row, Row]


def update_containment(bulk: Bulk, new: Sequence[Fact], gone: Sequence[Fact], first_thing: int) -> set[Range]:
    """Keep the new facts, drop those that are gone, and work out the intervals they touch.

    Returns the (parent, low, high) between which a parent's contents are now others than they were.
    ``first_thing`` is the first id of this batch's things: whatever is older may have a past to look up.
    """
    if not new and not gone:
        return set()
    bulk.insert(Packing, _FACT_COLUMNS, [_fact_row(fact) for fact in new])
    bulk.delete(Packing, _FACT_KEY, [_fact_row(fact)[:6] for fact in gone])
    moves = Moves(bulk, new, first_thing)
    changed = _changed(bulk, [*new, *gone], first_thing)
    differences = _work_out(bulk, changed, Fresh(first_thing, new), moves)
    repacked: set[Range] = set()
    while differences:
        repacked |= {(parent, low, high) for _, parent, low, high in differences}
        # What was inside something that turns out to have been elsewhere may have left it, or may not.
        affected = moves.affected(differences).items()
        again = {(child, "aggregation", 0): Changes(*span) for child, span in affected}
        differences = _work_out(bulk, again, Fresh(FAR_OFF, ()), moves)
    return repacked


def _fact_row(fact: Fact) -> Row:
    child, parent, time, event, n, kind, action, quantity, uom, mark = fact
    return (child, kind, _scope(fact), time, event, n, parent, mark, action, quantity, uom)


def _scope(fact: Fact) -> int:
    return 0 if fact.kind == "aggregation" and fact.child else fact.parent


def _changed(bulk: Bulk, facts: Iterable[Fact], first_thing: int) -> dict[Group, Changes]:
    changed: dict[Group, Changes] = {}
    emptied: dict[tuple[int, bool], set[int]] = defaultdict(set)
    for fact in facts:
        if fact.child:
            _widen(changed, (fact.child, fact.kind, _scope(fact)), fact.time)
        else:
            emptied[(fact.parent, fact.kind == "association")].add(fact.time)
    ranges = {(parent, time, time) for (parent, _), times in emptied.items() for time in times if parent < first_thing}
    for parent, time, child, kind, scope in inside(bulk, ranges, "c.parent_id, r.low, c.child_id, c.kind, c.scope"):
        if time in emptied.get((parent, kind == "association"), ()):
            _widen(changed, (child, kind, scope), time)
    return changed


def _widen(changed: dict[Group, Changes], group: Group, time: int) -> None:
    known = changed.get(group)
    changed[group] = Changes(time, time) if known is None else Changes(min(known.low, time), max(known.high, time))


class Fresh:
    """What a batch is the first to name: all that is said of it is at hand."""

    def __init__(self, first_thing: int, new: Iterable[Fact]) -> None:
        self._first_thing = first_thing
        self._said: dict[Group, list[Fact]] = defaultdict(list)
        for fact in new:
            if self.has(fact.child or fact.parent):
                self._said[(fact.child, fact.kind, _scope(fact))].append(fact)

    def has(self, thing: int) -> bool:
        """Whether nothing was said of it before."""
        return thing >= self._first_thing

    def said(self, group: Group) -> list[Fact]:
        """What is said of it."""
        return self._said.get(group, [])


# --- working out


class Task(NamedTuple):
    """A group to be worked out: from what state on, what is said from then on, and the stays that may change."""

    group: Group
    low: int
    high: int
    begun: State
    kept: list[Interval]
    said: list[Fact]
    end: int | None
    """Nothing later is at hand; None: there is nothing later."""

    @property
    def parents(self) -> set[int]:
        """The parents it may be in."""
        current = self.begun.current
        return {fact.parent for fact in self.said if fact.parent} | (set() if current is None else {current.parent})


def _work_out(bulk: Bulk, changed: dict[Group, Changes], fresh: Fresh, moves: Moves) -> list[tuple[int, int, int, int]]:
    """Work the groups out anew and write them; returns (child, parent, low, high) of what differs."""
    before: dict[Row, Row] = {}
    after: dict[Row, Row] = {}
    tasks = [
        Task(group, LONG_AGO, FAR_OFF, State(), [], fresh.said(group), None) for group in changed if fresh.has(group[0])
    ]
    left = {group: change for group, change in changed.items() if not fresh.has(group[0])}
    width = _FIRST_WINDOW
    while tasks or left:
        tasks += _tasks(bulk, left, width)
        left, width = {}, 8 * (width + 1)
        sweeps = _sweeps(bulk, tasks, fresh)
        for task in tasks:
            stays = _fold(task, sweeps, moves)
            if stays is None:
                left[task.group] = changed[task.group]
            else:
                before |= stays.before
                after |= stays.after
        tasks = []
    return _write(bulk, before, after)


def _tasks(bulk: Bulk, groups: dict[Group, Changes], width: int) -> list[Task]:
    ends = _ends(bulk, groups, width)
    spans = {group: (change.low, ends[group]) for group, change in groups.items()}
    stored, said = _stored(bulk, spans), _facts(bulk, spans)
    return [
        Task(
            group,
            change.low,
            change.high,
            *_base(stored.get(group, ()), change.low),
            said.get(group, []),
            ends[group] if ends[group] < FAR_OFF else None,
        )
        for group, change in groups.items()
    ]


def _fold(task: Task, sweeps: dict[Group, list[Fact]], moves: Moves) -> Stays | None:
    """Fold what is said, up to where nothing differs any more; None if there is more to be fetched before that."""
    group, kept = task.group, task.kept
    fold = FOLDS[group[1]](task.begun, moves.leaves)
    facts = in_order([*task.said, *_of_parents(task, sweeps)])
    for n, fact in enumerate(facts):
        fold.step(fact)
        is_boundary = n + 1 == len(facts) or facts[n + 1].time > fact.time
        if is_boundary and fact.time >= task.high and _agrees(fold, task, fact.time):
            past = [one for one in kept if _extent(one)[1] <= fact.time]
            return Stays(_rows(group, past), _rows(group, fold.done))
    if task.end is not None:
        return None
    current = fold.state.current
    return Stays(_rows(group, kept), _rows(group, fold.done if current is None else [*fold.done, current]))


def _base(stored: Sequence[Interval], low: int) -> tuple[State, list[Interval]]:
    """The state before a time, and the stored stays that may change from then on."""
    earlier = [one for one in stored if one.start is None or one.start < low]
    kept = [one for one in stored if not (one.start is None or one.start < low)]
    if not earlier:
        return State(), kept
    last = max(earlier, key=_extent)
    if last.end is not None and last.end < low:
        return State(None, last.end), kept
    if not last.is_known:
        return State(None, last.start), [last, *kept]
    return State(last._replace(end=None, end_event=None, end_mark=None), None), [last, *kept]


def _extent(stay: Interval) -> tuple[int, int]:
    return (LONG_AGO if stay.start is None else stay.start, FAR_OFF if stay.end is None else stay.end)


def _agrees(fold: Fold, task: Task, time: int) -> bool:
    """Whether what stands after a time is what stood there: then so is all that follows."""
    current = fold.state.current
    standing = [one for one in task.kept if one.is_known and _extent(one)[0] <= time < _extent(one)[1]]
    if current is not None:
        return any(one._replace(end=None, end_event=None, end_mark=None) == current for one in standing)
    if standing:
        return False
    ended = [_extent(one)[1] for one in task.kept if _extent(one)[1] <= time]
    return fold.state.free == (max(ended) if ended else task.begun.free)


def _rows(group: Group, stays: Iterable[Interval]) -> dict[Row, Row]:
    rows: dict[Row, Row] = {}
    for parent, start, end, start_event, end_event, quantity, uom, mark, end_mark in stays:
        key = (*group, LONG_AGO if start is None else start, parent, mark)
        rows[key] = (start, end, end_mark, start_event, end_event, quantity, uom)
    return rows


def _of_parents(task: Task, sweeps: dict[Group, list[Fact]]) -> list[Fact]:
    """The DELETEs that name no child, of the parents in question: each is said of every child the parent then had."""
    if not sweeps:
        return []
    end = FAR_OFF if task.end is None else task.end
    return [
        sweep
        for parent in task.parents
        for sweep in sweeps.get(_sweeping(task, parent), ())
        if task.low <= sweep.time <= end
    ]


def _sweeping(task: Task, parent: int) -> Group:
    return (0, "association" if task.group[1] == "association" else "aggregation", parent)


# --- the tables


def _ends(bulk: Bulk, groups: dict[Group, Changes], width: int) -> dict[Group, int]:
    """For each group the time at which so many stays have begun after its last change; far off where there are fewer."""
    sql = (
        "SELECT r.child, r.kind, r.scope, (SELECT c.start FROM containment c WHERE "
        + _SAME_GROUP.format(a="c")
        + f" AND c.start > r.low ORDER BY c.start LIMIT 1 OFFSET {width}) FROM {{rows}}"
    )
    rows = [(*group, change.high, change.high) for group, change in groups.items()]
    found = bulk.fetch_rows(sql, _GROUPS, _GROUP_TYPES, rows)
    return {(child, kind, scope): FAR_OFF if end is None else end for child, kind, scope, end in found}


def _stored(bulk: Bulk, groups: dict[Group, tuple[int, int]]) -> dict[Group, list[Interval]]:
    """Stays that began between two times, and the last that began before."""
    same = _SAME_GROUP.format(a="c")
    sql = (
        f"SELECT {', '.join('c.' + column for column in _COLUMNS)} FROM {{rows}} JOIN containment c ON {same} "
        "AND c.start <= r.high AND c.start >= coalesce((SELECT max(c.start) FROM containment c "
        f"WHERE {same} AND c.start < r.low), r.low)"
    )
    found: dict[Group, list[Interval]] = defaultdict(list)
    rows = [(*group, low, high) for group, (low, high) in groups.items()]
    for row in bulk.fetch_rows(sql, _GROUPS, _GROUP_TYPES, rows):
        found[(row[0], row[1], row[2])].append(_interval(row))
    return found


def _interval(row: Row) -> Interval:
    _, _, _, _, parent, mark, start, end, end_mark, start_event, end_event, quantity, uom = row
    amount = None if quantity is None else int(quantity)  # PostgreSQL gives a Decimal
    return Interval(parent, start, end, start_event, end_event, amount, uom, mark, end_mark)


def _facts(bulk: Bulk, groups: dict[Group, tuple[int, int]]) -> dict[Group, list[Fact]]:
    """What is said in groups between two times."""
    sql = (
        f"SELECT {', '.join('p.' + column for column in _FACT_COLUMNS)} FROM {{rows}} JOIN packing p "
        f"ON {_SAME_GROUP.format(a='p')} AND p.event_time BETWEEN r.low AND r.high"
    )
    found: dict[Group, list[Fact]] = defaultdict(list)
    rows = [(*group, low, high) for group, (low, high) in groups.items()]
    for child, kind, scope, time, event, n, parent, mark, action, quantity, uom in bulk.fetch_rows(
        sql, _GROUPS, _GROUP_TYPES, rows
    ):
        amount = None if quantity is None else int(quantity)
        fact = Fact(child, parent, time, event, n, kind, action, amount, uom, mark)
        found[(child, kind, scope)].append(fact)
    return found


def _sweeps(bulk: Bulk, tasks: Iterable[Task], fresh: Fresh) -> dict[Group, list[Fact]]:
    """By parent, the DELETEs that named no child."""
    spans: dict[Group, tuple[int, int]] = {}
    found: dict[Group, list[Fact]] = {}
    for task in tasks:
        end = FAR_OFF if task.end is None else task.end
        for parent in task.parents:
            group = _sweeping(task, parent)
            if not fresh.has(parent):
                low, high = spans.get(group, (task.low, end))
                spans[group] = (min(low, task.low), max(high, end))
            elif said := fresh.said(group):
                found[group] = said
    return {**found, **_facts(bulk, spans)}


def _write(bulk: Bulk, before: dict[Row, Row], after: dict[Row, Row]) -> list[tuple[int, int, int, int]]:
    gone = [key for key in before if key not in after]
    changed = [key for key, value in after.items() if before.get(key) != value]
    bulk.delete(Containment, KEY, gone)
    bulk.upsert(Containment, _COLUMNS, [(*key, *after[key]) for key in changed])
    return [
        (key[0], key[4], low, high)
        for key in (*gone, *changed)
        if key[1] != "association"
        for low, high in _difference(before.get(key), after.get(key))
    ]


def _difference(before: Row | None, after: Row | None) -> Iterable[tuple[int, int]]:
    """When a stay, (start, end, …, quantity, unit), is not what it was."""
    spans = [_bounds(row) for row in (before, after) if row is not None]
    if before is None or after is None or before[5:] != after[5:]:
        yield from spans
        return
    starts, ends = zip(*spans, strict=True)
    if starts[0] != starts[1]:
        yield min(starts), max(starts)
    if (
        ends[0] != ends[1] or before[2] != after[2]
    ):  # another event of the same time counts too: it may come before a third
        yield min(ends), max(ends)


def _bounds(row: Row) -> tuple[int, int]:
    return (LONG_AGO if row[0] is None else row[0], FAR_OFF if row[1] is None else row[1])
