"""A sorted sequence of any length in pages: what is done in order touches its end, what is done late the page it belongs to.

It is a search tree. Its root lies in the record of whom it belongs to, and stays small; its other nodes are page records. Each node
knows of the ones below it which marks may be found there, so that what is open is found without looking through what is settled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chaincode import keys
from chaincode.history import Entry
from chaincode.state import Record, State

Place = tuple[Any, Any, Any]
"""Where an entry stands: its first three members."""
Mark = Callable[[Entry], int]
"""What is to be noted of an entry: bits."""

ROOT_ENTRIES, ROOT_PARTS, ROOT_SIZE = 4, 8, 1_500
ENTRIES, PARTS = 12, 24
"""At most so many in a node; the root lies in a record that everybody reads, and is smaller: also its entries have at most so many characters."""


@dataclass(slots=True)
class _Part:
    """A node below another: its first place as it was when it was made, its page's number, the marks that may be in it."""

    first: Place
    number: int
    marks: int
    node: _Node | None = None


@dataclass(slots=True)
class _Node:
    """Either entries or parts."""

    entries: list[Entry] | None
    parts: list[_Part]
    changed: bool = False


def place_of(entry: Entry) -> Place:
    """Where an entry stands."""
    return entry[0], entry[1], entry[2]


class Sequence:
    """Entries by place. One that was got must not be changed: put a new one."""

    def __init__(self, state: State, kind: str, name: str, root: Mapping[str, Any] | None, mark: Mark) -> None:
        self._state, self._kind, self._name, self._mark = state, kind, name, mark
        self._root = _node(root) if root is not None else _Node([], [])
        self._next: int = root.get("next", 0) if root is not None else 0
        self._gone: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._root.entries or self._root.parts)

    def get(self, place: Place) -> Entry | None:
        """The entry at a place."""
        leaf = self._path(place)[-1][0]
        assert leaf.entries is not None
        at = bisect_left(leaf.entries, place, key=place_of)
        found = leaf.entries[at] if at < len(leaf.entries) else None
        return found if found is not None and place_of(found) == place else None

    def put(self, entry: Entry) -> None:
        """Put an entry in its place, instead of the one that is there if there is one."""
        place, path = place_of(entry), self._path(place_of(entry))
        leaf = path[-1][0]
        assert leaf.entries is not None
        at = bisect_left(leaf.entries, place, key=place_of)
        if at < len(leaf.entries) and place_of(leaf.entries[at]) == place:
            if leaf.entries[at] == entry:
                return
            leaf.entries[at] = entry
        else:
            leaf.entries.insert(at, entry)
        leaf.changed = True
        marks = self._mark(entry)
        for node, index in path[:-1]:
            if marks & ~node.parts[index].marks:
                node.parts[index].marks |= marks
                node.changed = True
        self._split(path, at)

    def remove(self, place: Place) -> None:
        """Take an entry out if it is there."""
        path = self._path(place)
        leaf = path[-1][0]
        assert leaf.entries is not None
        at = bisect_left(leaf.entries, place, key=place_of)
        if at == len(leaf.entries) or place_of(leaf.entries[at]) != place:
            return
        del leaf.entries[at]
        leaf.changed = True
        below = leaf
        for node, index in reversed(path[:-1]):
            if below.entries or below.parts:
                return
            self._gone.append(node.parts.pop(index).number)
            node.changed, below = True, node
        if not self._root.parts and self._root.entries is None:
            self._root.entries = []

    def ascending(self, start: Place | None = None, marks: int = 0) -> Iterator[Entry]:
        """The entries from a place on (from the first, if none is given), only those with one of the marks if any is asked for."""
        yield from self._ascend(self._root, start, marks)

    def descending(self, end: Place) -> Iterator[Entry]:
        """The entries before a place, the last first."""
        yield from self._descend(self._root, end)

    def last(self) -> Entry | None:
        """The last entry."""
        node = self._root
        while node.parts:
            node = self._below(node.parts[-1])
        return node.entries[-1] if node.entries else None

    def pages(self) -> Iterator[str]:
        """The keys of its pages."""
        yield from self._pages(self._root)

    def save(self, endorsed: Mapping[str, Any]) -> Record:
        """Write the pages that changed; returns the root as JSON, empty if there is nothing in it."""
        for number in self._gone:
            self._state.delete(self._key(number))
        self._gone.clear()
        self._save(self._root, endorsed)
        if not self:
            return {}
        return {**_record(self._root), **({"next": self._next} if self._next else {})}

    # --- nodes

    def _key(self, number: int) -> str:
        return keys.page(self._kind, self._name, number)

    def _below(self, part: _Part) -> _Node:
        if part.node is None:
            page = self._state.get(self._key(part.number))
            assert page is not None
            part.node = _node(page)
        return part.node

    def _path(self, place: Place) -> list[tuple[_Node, int]]:
        """From the root to the leaf where a place belongs; with each node the part that leads on."""
        path, node = [], self._root
        while node.entries is None:
            index = max(0, bisect_right(node.parts, place, key=lambda part: part.first) - 1)
            path.append((node, index))
            node = self._below(node.parts[index])
        return [*path, (node, 0)]

    def _split(self, path: list[tuple[_Node, int]], at: int) -> None:
        """Halve what is too full; what was added at the end leaves the first part full."""
        for depth in range(len(path) - 1, -1, -1):
            node = path[depth][0]
            content: list[Any] = node.entries if node.entries is not None else node.parts
            is_root = depth == 0
            if not _is_too_full(node, is_root=is_root):
                return
            if is_root:
                lower = _Node(node.entries, node.parts, changed=True)
                node.entries, node.parts = None, [self._part(lower)]
                node.changed = True
                return
            cut = len(content) - 1 if at == len(content) - 1 else len(content) // 2
            parent, index = path[depth - 1]
            other = _Node(content[cut:], [], True) if node.entries is not None else _Node(None, content[cut:], True)
            del content[cut:]
            node.changed = parent.changed = True
            parent.parts[index].marks = self._marks(node)
            parent.parts.insert(index + 1, self._part(other))
            at = index + 1

    def _part(self, node: _Node) -> _Part:
        first = place_of(node.entries[0]) if node.entries else node.parts[0].first
        self._next += 1
        return _Part(first, self._next - 1, self._marks(node), node)

    def _marks(self, node: _Node) -> int:
        marks = 0
        if node.entries is not None:
            for entry in node.entries:
                marks |= self._mark(entry)
        else:
            for part in node.parts:
                marks |= part.marks
        return marks

    def _ascend(self, node: _Node, start: Place | None, marks: int) -> Iterator[Entry]:
        if node.entries is not None:
            at = 0 if start is None else bisect_left(node.entries, start, key=place_of)
            yield from [entry for entry in node.entries[at:] if not marks or self._mark(entry) & marks]
            return
        index = 0 if start is None else max(0, bisect_right(node.parts, start, key=lambda part: part.first) - 1)
        for part in node.parts[index:]:
            if not marks or part.marks & marks:
                below = self._below(part)
                yield from self._ascend(below, start, marks)
                self._tighten(node, part, below)
            start = None

    def _tighten(self, node: _Node, part: _Part, below: _Node) -> None:
        """What a part may hold is what it held at some time, until somebody looks."""
        marks = self._marks(below)
        if part.marks != marks:
            part.marks, node.changed = marks, True

    def _descend(self, node: _Node, end: Place) -> Iterator[Entry]:
        if node.entries is not None:
            yield from reversed(node.entries[: bisect_left(node.entries, end, key=place_of)])
            return
        for part in reversed(list(node.parts)):
            if part.first < end or part is node.parts[0]:
                yield from self._descend(self._below(part), end)

    def _pages(self, node: _Node) -> Iterator[str]:
        for part in node.parts:
            yield self._key(part.number)
            yield from self._pages(self._below(part))

    def _save(self, node: _Node, endorsed: Mapping[str, Any]) -> None:
        for part in node.parts:
            if part.node is None:
                continue
            self._save(part.node, endorsed)
            if part.node.changed:
                page = {"v": 2, **_record(part.node), **endorsed}
                if self._state.get(self._key(part.number)) != page:
                    self._state.put(self._key(part.number), page)
                part.node.changed = False


def _is_too_full(node: _Node, *, is_root: bool) -> bool:
    if node.entries is None:
        return len(node.parts) > (ROOT_PARTS if is_root else PARTS)
    if not is_root:
        return len(node.entries) > ENTRIES
    return len(node.entries) > ROOT_ENTRIES or sum(len(repr(entry)) for entry in node.entries) > ROOT_SIZE


def _node(record: Mapping[str, Any]) -> _Node:
    if "parts" in record:
        return _Node(None, [_Part((a, b, c), number, marks) for a, b, c, number, marks in record["parts"]])
    return _Node(list(record["log"]), [])


def _record(node: _Node) -> Record:
    if node.entries is not None:
        return {"log": list(node.entries)}
    return {"parts": [[*part.first, part.number, part.marks] for part in node.parts]}
