"""The world state as a transaction sees it: what was committed, under what it has itself written so far.

Fabric's reads never show a transaction's own writes, and each read is a round trip; so values are fetched in bulk, kept
here, and written at the end. Layers make a capture group, and each event in it, undoable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from chaincode.endorsement import all_of
from chaincode.stub import Stub

Record = dict[str, Any]
_UNKNOWN: Any = object()


class State:
    """JSON records by key. A record that was got must not be changed in place: put a new one."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._committed: dict[str, Record | None] = {}
        self._layers: list[dict[str, Record | None]] = [{}]

    def prefetch(self, keys: Iterable[str]) -> None:
        """Fetch in one round trip what is not here yet."""
        missing = sorted({key for key in keys if key not in self._committed})
        if missing:
            for key, value in zip(missing, self._stub.get_multiple_states(missing), strict=True):
                self._committed[key] = None if value is None else orjson.loads(value)

    def get(self, key: str) -> Record | None:
        """The record of a key, None if there is none."""
        for layer in reversed(self._layers):
            found = layer.get(key, _UNKNOWN)
            if found is not _UNKNOWN:
                return found  # type: ignore[no-any-return]
        if key not in self._committed:
            self.prefetch((key,))
        return self._committed[key]

    def put(self, key: str, record: Record) -> None:
        """Write a record."""
        self._layers[-1][key] = record

    def delete(self, key: str) -> None:
        """Delete a key."""
        self._layers[-1][key] = None

    def under(self, kind: str, attribute: str) -> Iterator[tuple[list[str], Record]]:
        """All records whose composite key begins with a type and one attribute, in key order.

        A range read: if anybody adds to it meanwhile, the transaction is void.
        """
        prefix = f"\x00{kind}\x00{attribute}\x00"
        found: dict[str, Record | None] = {
            key: orjson.loads(value) for key, value in self._stub.get_state_by_partial_composite_key(kind, [attribute])
        }
        for layer in self._layers:
            found.update((key, record) for key, record in layer.items() if key.startswith(prefix))
        for key in sorted(found):
            record = found[key]
            if record is not None:
                yield key[1:-1].split("\x00")[1:], record

    def begin(self) -> None:
        """Open a layer: what follows can be dropped."""
        self._layers.append({})

    def keep(self) -> None:
        """Close the layer and keep its writes."""
        top = self._layers.pop()
        self._layers[-1].update(top)

    def drop(self) -> None:
        """Close the layer and forget its writes."""
        self._layers.pop()

    def flush(self) -> int:
        """Hand all kept writes to the peer, in key order; returns how many there were.

        A record that names ``endorsers`` is changed by these only: its key gets the policy that says so.
        """
        assert len(self._layers) == 1
        count = 0
        for key in sorted(self._layers[0]):
            record = self._layers[0][key]
            if record is not None:
                self._stub.put_state(key, orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
                wanted, before = record.get("endorsers"), self._committed.get(key)
                if wanted is not None and (before is None or wanted != before.get("endorsers")):
                    self._stub.set_state_validation_parameter(key, all_of(wanted))
            elif self._committed.get(key, _UNKNOWN) is None:
                continue  # made and unmade within the transaction
            else:
                self._stub.del_state(key)
            count += 1
        return count
