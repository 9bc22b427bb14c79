"""The keys of one kind (public, or private by their hashes) block after block: versions, values, policies.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/validation/tx_ops.go``.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from fabric.verify.scratch import chunks
from fabric.words.policy_messages import VALIDATION_PARAMETER

Version = tuple[int, int]
"""Block and number of the transaction in it."""
Scope = tuple[str, ...]
"""What keys lie in: a namespace, or a namespace and a collection."""
Key = tuple[Any, ...]
"""A scope and a name in it: text, or a hash."""
_UNSIGNED = 2**64


class KeySpace:
    """What each key holds, and what the current block changes. Values are kept because a transaction may change a key's
    policy alone: its value then counts as written anew.

    In memory is what the current block touches; all else is in ``scratch``, in tables called ``name``.
    """

    def __init__(self, scratch: sqlite3.Connection, name: str) -> None:
        self._db = scratch
        self._name = name
        scratch.execute(f"CREATE TABLE {name} (scope, key, block, tx, value BLOB, UNIQUE (scope, key))")
        scratch.execute(f"CREATE TABLE {name}_policy (scope, key, policy, PRIMARY KEY (scope, key)) WITHOUT ROWID")
        self.updates: dict[Key, tuple[bytes | None, int]] = {}
        """Of the current block: new values (None: deleted), each with its transaction."""
        self._scopes: dict[Scope, int] = {}
        self._versions: dict[Key, Version | None] = {}
        self._policies: dict[Key, bytes] = {}
        self._any_policy = False
        self._new_policies: dict[Key, bytes] = {}
        self._policy_changes: set[Key] = set()
        self._updated: defaultdict[Scope, list[Any]] = defaultdict(list)
        self._unsorted: list[Key] = []

    def value(self, key: Key) -> bytes | None:
        """What a key held before the current block."""
        row = self._db.execute(f"SELECT value FROM {self._name} WHERE scope = ? AND key = ?", self._row(key)).fetchone()
        return None if row is None else bytes(row[0])

    def values(self, *scope: str) -> Iterator[tuple[Any, bytes]]:
        """All keys of a scope with their values, in the order of their bytes."""
        query = f"SELECT key, value FROM {self._name} WHERE scope = ? ORDER BY key"
        return ((key, value) for key, value in self._db.execute(query, (self._scope(scope),)))

    def load(self, keys: Iterable[Key]) -> None:
        """Look up at once what is going to be asked of these."""
        missing = [key for key in keys if key not in self._versions]
        for scope, names in _by_scope(missing).items():
            self._load_scope(scope, names)

    def _load_scope(self, scope: Scope, names: list[Any]) -> None:
        number = self._scope(scope)
        self._versions.update(((*scope, name), None) for name in names)
        for marks, chunk in chunks(names):
            query = f"SELECT key, block, tx FROM {self._name} WHERE scope = ? AND key IN ({marks})"
            rows = self._db.execute(query, (number, *chunk))
            self._versions.update(((*scope, name), (block % _UNSIGNED, tx)) for name, block, tx in rows)
            if self._any_policy:
                query = f"SELECT key, policy FROM {self._name}_policy WHERE scope = ? AND key IN ({marks})"
                rows = self._db.execute(query, (number, *chunk))
                self._policies.update(((*scope, name), policy) for name, policy in rows)

    def policy(self, key: Key) -> bytes:
        """A key's own endorsement policy before the current block; empty if it has none."""
        self.load([key])
        return self._policies.get(key, b"")

    @property
    def is_plain(self) -> bool:
        """Whether no key has a policy of its own, or may get one in the current block."""
        return not self._any_policy and not self._policy_changes

    def has_new_policy(self, key: Key) -> bool:
        """Whether an earlier transaction of the current block changes a key's policy. It need not have succeeded: peers
        look at endorsements before they look at versions."""
        return key in self._policy_changes

    def is_stale(self, key: Key, version: Version | None) -> bool:
        """Whether a read of this version (None: there was nothing) is out of date."""
        if key in self.updates:
            return True
        if key not in self._versions:
            self.load([key])
        return self._versions[key] != version

    def listed(self, scope: Scope, start: Any, end: Any, *, closed: bool) -> Iterator[tuple[Any, Version]]:
        """The keys of a range before the current block, in order. No ``end``: all that follow; ``closed``: it belongs to it."""
        below = "" if not end else "AND key <= ?" if closed else "AND key < ?"
        query = f"SELECT key, block, tx FROM {self._name} WHERE scope = ? AND key >= ? {below} ORDER BY key"
        rows = self._db.execute(query, (self._scope(scope), start, *([end] if end else [])))
        return ((key, (block % _UNSIGNED, tx)) for key, block, tx in rows)

    def updated(self, scope: Scope, start: Any, end: Any, *, closed: bool) -> Iterator[tuple[Any, bytes | None]]:
        """What the current block so far has changed in a range: new values, None for what it deleted."""
        for *within, name in self._unsorted:
            insort(self._updated[tuple(within)], name)
        self._unsorted.clear()
        names = self._updated[scope]
        for position in range(bisect_left(names, start), len(names)):
            name = names[position]
            if end and (name > end or (name == end and not closed)):
                return
            yield name, self.updates[(*scope, name)][0]

    def note_policy_changes(self, keys: Iterable[Key]) -> None:
        """From here on, nothing else in the block may touch these keys."""
        self._policy_changes.update(keys)

    def write(self, key: Key, value: bytes | None, index: int) -> None:
        """A transaction's write; a deleted key takes its policy with it. An empty value deletes, as in Fabric."""
        self._update(key, value or None, index)
        if not value:
            self._new_policies[key] = b""

    def set_policy(self, key: Key, policy: bytes, index: int) -> None:
        """A transaction's policy, after its writes. A key that is not there, or was just deleted, gets none."""
        value = self.updates[key][0] if key in self.updates else self.value(key)
        if value is not None:
            self._update(key, value, index)
            self._new_policies[key] = policy

    def _update(self, key: Key, value: bytes | None, index: int) -> None:
        if key not in self.updates:
            self._unsorted.append(key)
        self.updates[key] = (value, index)

    def finish(self, block: int) -> Iterator[tuple[Key, bytes | None, int]]:
        """End the current block; yields what it changed."""
        updates, self.updates = self.updates, {}
        if updates:
            self._store(block, updates)
        self._versions, self._policies = {}, {}
        self._new_policies, self._policy_changes = {}, set()
        self._updated.clear()
        self._unsorted.clear()
        return ((key, value, index) for key, (value, index) in updates.items())

    def _store(self, block: int, updates: dict[Key, tuple[bytes | None, int]]) -> None:
        number = block if block < _UNSIGNED // 2 else block - _UNSIGNED  # as SQLite has them
        kept = [(*self._row(key), number, index, value) for key, (value, index) in updates.items() if value is not None]
        self._db.executemany(
            f"INSERT INTO {self._name} VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope, key)"
            " DO UPDATE SET block = excluded.block, tx = excluded.tx, value = excluded.value",
            kept,
        )
        gone = [self._row(key) for key, (value, _) in updates.items() if value is None]
        self._db.executemany(f"DELETE FROM {self._name} WHERE scope = ? AND key = ?", gone)
        given = [(*self._row(key), policy) for key, policy in self._new_policies.items() if policy]
        if self._any_policy:
            changed = [self._row(key) for key in self._new_policies]
            self._db.executemany(f"DELETE FROM {self._name}_policy WHERE scope = ? AND key = ?", changed)
        self._db.executemany(f"INSERT INTO {self._name}_policy VALUES (?, ?, ?)", given)
        self._any_policy = self._any_policy or bool(given)

    def _row(self, key: Key) -> tuple[int, Any]:
        return self._scope(key[:-1]), key[-1]

    def _scope(self, scope: Scope) -> int:
        return self._scopes.setdefault(scope, len(self._scopes))


def _by_scope(keys: Iterable[tuple[Any, ...]]) -> dict[Scope, list[Any]]:
    found: defaultdict[Scope, list[Any]] = defaultdict(list)
    for *scope, name in keys:
        found[tuple(scope)].append(name)
    return found


def policy_in(entries: Iterable[kv_rwset_pb2.KVMetadataEntry]) -> bytes:
    """What a change of a key's metadata makes of its policy: metadata are replaced as a whole."""
    return next((bytes(one.value) for one in entries if one.name == VALIDATION_PARAMETER), b"")
