"""Give names (identifiers) their dense integer ids, in order of first appearance on the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import SQLModel

from readmodel.bulk import Bulk

_MOST_REMEMBERED = 100_000


class Names:
    """The ids of one table's names. Remembers those it met; whatever it forgets is looked up again.

    The projector is the only writer, so what is remembered stays true until a transaction fails: then forget.
    """

    def __init__(self, model: type[SQLModel], key: str) -> None:
        self.model = model
        self.known: dict[str, int] = {}
        self._key = key
        self._last: int | None = None

    def forget(self) -> None:
        """Start over: what was given out may have been rolled back."""
        self.known.clear()
        self._last = None

    def trim(self) -> None:
        """Between batches: keep memory bounded."""
        if len(self.known) > _MOST_REMEMBERED:
            self.known.clear()

    def resolve(self, bulk: Bulk, names: Iterable[str]) -> dict[str, int]:
        """Make every name ``known`` and return those that are new, with the ids given to them, in order."""
        unknown = [name for name in names if name not in self.known]
        if not unknown:
            return {}
        self.known.update(bulk.ids(self.model, self._key, unknown))
        fresh = [name for name in unknown if name not in self.known]
        first = self.next(bulk)
        new = dict(zip(fresh, range(first, first + len(fresh)), strict=True))
        self.known.update(new)
        self._last = first + len(fresh) - 1
        return new

    def skip(self, count: int) -> None:
        """Note that the next ``count`` ids were given out elsewhere."""
        if self._last is not None:
            self._last += count

    def next(self, bulk: Bulk) -> int:
        """The id the next new name will get; ids begin at 1."""
        if self._last is None:
            self._last = bulk.last_id(self.model)
        return self._last + 1
