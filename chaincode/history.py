"""What was said of one thing, in order of time: the latest part in the thing's own record, older parts in pages.

State is a left fold over a history. Each part begins with the state folded so far (its base), so a statement that comes
in order costs one step, and one that comes late costs what it overturns; nothing is ever forgotten.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaincode import keys
from chaincode.state import Record, State
from epcis.remembering import remember
from epcis.short import lengthened, shortened

Entry = list[Any]
"""One statement as JSON. Its first three members are its place: time (UTC text), rank among statements of one moment, and the
short name of the event that said it."""
Place = tuple[str, int, str]
Base = Record | None
"""The state before a part of the history as JSON; None before anything was said."""
Advance = Callable[[Base, list[Entry]], Base]
"""Folds entries onto a base."""

MOST, PAGE = 24, 16
"""A record holds at most so many entries; beyond that the oldest are put away, so many at a time."""


@remember(1 << 12, longest=64)
def short_name(event_hex: str) -> str:
    """An event's 64 hexadecimal digits in 43 characters, as histories name it."""
    return shortened(bytes.fromhex(event_hex))


def long_name(short: str) -> str:
    """The hexadecimal digits of an event that a history names."""
    return lengthened(short).hex()


def place_of(entry: Entry) -> Place:
    """Where an entry stands."""
    return entry[0], entry[1], entry[2]


class History:
    """The histories' latest part and, once it was reached for, what came before.

    ``kind`` and ``name`` are those of the record it lies in, which holds ``log``, ``base`` and ``pages``.
    """

    def __init__(self, state: State, kind: str, name: str, record: Mapping[str, Any] | None) -> None:
        self._state = state
        self._kind, self._name = kind, name
        self.entries: list[Entry] = list(record["log"]) if record is not None and "log" in record else []
        self.base: Base = None if record is None else record.get("base")
        self._unread: int = 0 if record is None else record.get("pages", 0)
        self._written = self._unread

    @property
    def pages(self) -> int:
        """How many pages of it are put away."""
        return self._unread

    def reach(self, time: str) -> None:
        """Fetch pages until the history from ``time`` on is here (or all of it)."""
        while self._unread and not (self.entries and self.entries[0][0] < time):
            self._unread -= 1
            page = self._state.get(self._key(self._unread))
            assert page is not None
            self.entries[:0] = page["log"]
            self.base = page.get("base")

    def add(self, entry: Entry) -> bool:
        """Put an entry in its place, reaching for it; False if its place is taken: it was said already."""
        self.reach(entry[0])
        at = bisect_left(self.entries, place_of(entry), key=place_of)
        if at < len(self.entries) and place_of(self.entries[at]) == place_of(entry):
            return False
        self.entries.insert(at, entry)
        return True

    def remove(self, place: Place) -> bool:
        """Take an entry out, reaching for it; False if it is not there."""
        self.reach(place[0])
        at = bisect_left(self.entries, place, key=place_of)
        if at == len(self.entries) or place_of(self.entries[at]) != place:
            return False
        del self.entries[at]
        return True

    def since(self, time: str) -> Iterator[Entry]:
        """The entries from a time on, oldest first."""
        self.reach(time)
        return (entry for entry in self.entries if entry[0] >= time)

    def save(self, advance: Advance, endorsed: Mapping[str, Any] | None = None) -> Record:
        """Put away what is too much for the record; returns its members ``log`` and, where they apply, ``base`` and ``pages``.

        ``endorsed`` goes into pages as it goes into the record, so that they are protected as it is.
        """
        while len(self.entries) > MOST:
            part, self.entries = self.entries[:PAGE], self.entries[PAGE:]
            self._write(
                self._unread, {"log": part, **({} if self.base is None else {"base": self.base}), **(endorsed or {})}
            )
            self.base = advance(self.base, part)
            self._unread += 1
        for number in range(self._unread, self._written):
            self._state.delete(self._key(number))
        self._written = self._unread
        found: Record = {"log": self.entries}
        if self.base is not None:
            found["base"] = self.base
        if self._unread:
            found["pages"] = self._unread
        return found

    def _key(self, number: int) -> str:
        return keys.page(self._kind, self._name, number)

    def _write(self, number: int, page: Record) -> None:
        key = self._key(number)
        if number >= self._written or self._state.get(key) != page:
            self._state.put(key, page)
