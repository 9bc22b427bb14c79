"""The world state as a transaction sees it: what was committed, under what it has itself written so far.

Fabric's reads never show a transaction's own writes, and each read is a round trip; so values are fetched in bulk, kept
here, and written at the end. A capture group, and each event in it, can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from chaincode.endorsement import Protection
from chaincode.stub import Stub

Record = dict[str, Any]
Written = Record | bytes | None
"""A record, the text of one, or that there is none any more."""
_UNKNOWN: Any = object()


class State:
    """JSON records by key. A record that was got must not be changed in place: put a new one."""

    def __init__(self, stub: Stub, guardians: Callable[[], list[str] | None] = lambda: None) -> None:
        """``guardians``: who can now stand in for the endorsers of what is protected; None to leave that as it is written."""
        self._stub = stub
        self._guardians = guardians
        self._committed: dict[str, Record | None] = {}
        self._written: dict[str, Written] = {}
        self._undo: list[tuple[str, Written]] = []
        self._marks: list[int] = []

    def prefetch(self, keys: Iterable[str]) -> None:
        """Fetch in one round trip what is not here yet."""
        missing = sorted({key for key in keys if key not in self._committed})
        if missing:
            for key, value in zip(missing, self._stub.get_multiple_states(missing), strict=True):
                self._committed[key] = None if value is None else orjson.loads(value)

    def get(self, key: str) -> Record | None:
        """The record of a key, None if there is none."""
        found = self._written.get(key, _UNKNOWN)
        return self.committed(key) if found is _UNKNOWN else _record(found)

    def committed(self, key: str) -> Record | None:
        """The record of a key before this transaction, None if there was none."""
        if key not in self._committed:
            self.prefetch((key,))
        return self._committed[key]

    def has_read(self, key: str) -> bool:
        """Whether it is known what a key holds."""
        return key in self._committed or key in self._written

    def has_written(self, key: str) -> bool:
        """Whether this transaction has a record for a key."""
        return self._written.get(key) is not None

    def put(self, key: str, record: Record) -> None:
        """Write a record."""
        self._write(key, record)

    def file(self, key: str, record: Record) -> None:
        """Write a record that this transaction will hardly look at again. It is turned into text now, while it is at hand:
        thousands that wait for ``flush`` have left the processor's cache by then."""
        self._write(key, record if "endorsers" in record else _text(record))

    def file_text(self, key: str, text: bytes) -> None:
        """Write a record that is text already."""
        self._write(key, text)

    def delete(self, key: str) -> None:
        """Delete a key."""
        self._write(key, None)

    def _write(self, key: str, record: Written) -> None:
        if self._marks:
            self._undo.append((key, self._written.get(key, _UNKNOWN)))
        self._written[key] = record

    def under(self, kind: str, attribute: str) -> Iterator[tuple[list[str], Record]]:
        """All records whose composite key begins with a type and one attribute, in key order.

        A range read: if anybody adds to it meanwhile, the transaction is void.
        """
        prefix = f"\x00{kind}\x00{attribute}\x00"
        found: dict[str, Record | None] = {
            key: orjson.loads(value) for key, value in self._stub.get_state_by_partial_composite_key(kind, [attribute])
        }
        found.update((key, _record(written)) for key, written in self._written.items() if key.startswith(prefix))
        for key in sorted(found):
            record = found[key]
            if record is not None:
                yield key[1:-1].split("\x00")[1:], record

    def begin(self) -> None:
        """What follows can be dropped, up to the ``keep`` that belongs to this."""
        self._marks.append(len(self._undo))

    def keep(self) -> None:
        """Keep what was written since the last ``begin``; it can still be dropped with what is around it."""
        self._marks.pop()
        if not self._marks:
            self._undo.clear()

    def drop(self) -> None:
        """Forget what was written since the last ``begin``."""
        start = self._marks.pop()
        for key, before in reversed(self._undo[start:]):
            if before is _UNKNOWN:
                del self._written[key]
            else:
                self._written[key] = before
        del self._undo[start:]

    def flush(self) -> int:
        """Hand all kept writes to the peer, in key order, and keep none of them; returns how many there were.

        A record that names ``endorsers`` is changed by these only, or by a majority of its guardians: its key gets the policy
        that says so.
        """
        assert not self._marks
        count = 0
        for key in sorted(self._written):
            record = self._written.pop(key)
            if isinstance(record, bytes):
                self._stub.put_state(key, record)
            elif record is not None:
                if "endorsers" in record and (guardians := self._guardians()) is not None:
                    record = {**record, "guardians": guardians}
                self._stub.put_state(key, _text(record))
                self._protect(key, record)
            elif self._committed.get(key, _UNKNOWN) is None:
                continue  # made and unmade within the transaction
            else:
                self._stub.del_state(key)
            count += 1
        return count

    def _protect(self, key: str, record: Record) -> None:
        wanted = Protection.from_record(record)
        if wanted is not None and wanted != Protection.from_record(self._committed.get(key)):
            self._stub.set_state_validation_parameter(key, wanted.policy())


def _text(record: Record) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _record(written: Written) -> Record | None:
    if isinstance(written, bytes):
        record: Record = orjson.loads(written)
        return record
    return written
