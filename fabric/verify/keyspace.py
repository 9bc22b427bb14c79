"""The keys of one kind (public, or private by their hashes) block after block: versions, values, policies.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/validation/tx_ops.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from fabric.words.policy_messages import VALIDATION_PARAMETER

Key = TypeVar("Key")
Version = tuple[int, int]
"""Block and number of the transaction in it."""


class KeySpace(Generic[Key]):
    """What each key holds, and what the current block changes. Values are kept because a transaction may change a key's
    policy alone: its value then counts as written anew."""

    def __init__(self) -> None:
        self.versions: dict[Key, Version] = {}
        self.updates: dict[Key, tuple[bytes | None, int]] = {}
        """Of the current block: new values (None: deleted), each with its transaction."""
        self._values: dict[Key, bytes] = {}
        self._policies: dict[Key, bytes] = {}
        self._new_policies: dict[Key, bytes] = {}
        self._policy_changes: set[Key] = set()

    def value(self, key: Key) -> bytes | None:
        """What a key held before the current block."""
        return self._values.get(key)

    def policy(self, key: Key) -> bytes:
        """A key's own endorsement policy before the current block; empty if it has none."""
        return self._policies.get(key, b"")

    @property
    def is_plain(self) -> bool:
        """Whether no key has a policy of its own, or may get one in the current block."""
        return not self._policies and not self._policy_changes

    def has_new_policy(self, key: Key) -> bool:
        """Whether an earlier transaction of the current block changes a key's policy. It need not have succeeded: peers
        look at endorsements before they look at versions."""
        return key in self._policy_changes

    def is_stale(self, key: Key, version: Version | None) -> bool:
        """Whether a read of this version (None: there was nothing) is out of date."""
        return key in self.updates or self.versions.get(key) != version

    def note_policy_changes(self, keys: Iterable[Key]) -> None:
        """From here on, nothing else in the block may touch these keys."""
        self._policy_changes.update(keys)

    def write(self, key: Key, value: bytes | None, index: int) -> None:
        """A transaction's write; a deleted key takes its policy with it. An empty value deletes, as in Fabric."""
        self.updates[key] = (value or None, index)
        if not value:
            self._new_policies[key] = b""

    def set_policy(self, key: Key, policy: bytes, index: int) -> None:
        """A transaction's policy, after its writes. A key that is not there, or was just deleted, gets none."""
        value = self.updates[key][0] if key in self.updates else self._values.get(key)
        if value is not None:
            self.updates[key] = (value, index)
            self._new_policies[key] = policy

    def finish(self, block: int) -> Iterator[tuple[Key, bytes | None, int]]:
        """End the current block; yields what it changed."""
        updates, self.updates = self.updates, {}
        for key, (value, index) in updates.items():
            if value is None:
                self.versions.pop(key, None)
                self._values.pop(key, None)
            else:
                self.versions[key] = (block, index)
                self._values[key] = value
        for key, policy in self._new_policies.items():
            if policy:
                self._policies[key] = policy
            else:
                self._policies.pop(key, None)
        self._new_policies, self._policy_changes = {}, set()
        return ((key, value, index) for key, (value, index) in updates.items())


def policy_in(entries: Iterable[kv_rwset_pb2.KVMetadataEntry]) -> bytes:
    """What a change of a key's metadata makes of its policy: metadata are replaced as a whole."""
    return next((bytes(one.value) for one in entries if one.name == VALIDATION_PARAMETER), b"")
