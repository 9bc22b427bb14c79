"""Records that come and go and may come again under the same name: handoffs, exceptions.

Their ids cannot be counted, as the highest may go again. Each life of a record has the place of its first writing on the
ledger for an id, which is the same however blocks are batched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from readmodel.bulk import Bulk
from readmodel.quarantine import Origin

Value = TypeVar("Value")
_MOST_WRITES = 1 << 21
"""More than a transaction can have."""


class Life(NamedTuple, Generic[Value]):
    """The latest life of a record in a batch; ``value`` None: it ended. ``begun``: an earlier life ended in this batch, so this one
    is new whatever the tables hold."""

    id: int
    begun: bool
    value: Value | None


class Lives(Generic[Value]):
    """By name, what a batch did to records of one kind."""

    def __init__(self) -> None:
        self._lives: dict[str, Life[Value]] = {}

    def put(self, key: str, origin: Origin, n: int, value: Value) -> None:
        """The record was written."""
        known = self._lives.get(key)
        if known is not None and known.value is not None:
            self._lives[key] = known._replace(value=value)
        else:
            self._lives[key] = Life(origin.transaction * _MOST_WRITES + n, known is not None, value)

    def end(self, key: str) -> None:
        """The record was deleted."""
        self._lives[key] = Life(0, True, None)

    def __len__(self) -> int:
        return len(self._lives)

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        """What is there at the end of the batch."""
        return ((key, life.value) for key, life in self._lives.items() if life.value is not None)

    def resolve(self, bulk: Bulk, table: str) -> tuple[dict[str, int], dict[str, int], set[int]]:
        """The ids of what is there at the end, those of it that are new, and the ids of rows that go."""
        if not self._lives:
            return {}, {}, set()
        sql = f'SELECT t."key", t.id FROM {{values}} JOIN "{table}" t ON t."key" = v.value'
        stored: dict[str, int] = dict(bulk.fetch(sql, list(self._lives)))
        known: dict[str, int] = {}
        new: dict[str, int] = {}
        gone: set[int] = set()
        for key, life in self._lives.items():
            if key in stored and (life.begun or life.value is None):
                gone.add(stored[key])
            if life.value is None:
                continue
            if key in stored and not life.begun:
                known[key] = stored[key]
            else:
                known[key] = new[key] = life.id
        return known, new, gone
