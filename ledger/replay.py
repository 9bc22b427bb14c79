"""What the write sets add up to, and which transactions they leave valid: a peer's commit, over again.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/validation/validator.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2

from ledger import chain

Key = tuple[str, str]
Version = tuple[int, int]
Sets = Sequence[tuple[str, kv_rwset_pb2.KVRWSet]]
"""Namespace and read-write set of each namespace that a transaction touched."""

VALID: int = transaction_pb2.VALID


@dataclass(frozen=True)
class Effects:
    """What a transaction read and wrote: its public sets, and of private collections whether it writes them."""

    sets: Sets
    private: dict[Key, bool]
    """By namespace and collection."""

    @classmethod
    def read(cls, results: bytes) -> Effects:
        """Take a TxReadWriteSet apart. Raises DecodeError."""
        entries = rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset
        sets = [(entry.namespace, kv_rwset_pb2.KVRWSet.FromString(entry.rwset)) for entry in entries]
        private = {
            (entry.namespace, item.collection_name): _writes(item)
            for entry in entries
            for item in entry.collection_hashed_rwset
        }
        return cls(sets, private)

    def written(self) -> set[str]:
        """The namespaces in which it changes anything."""
        public = {namespace for namespace, found in self.sets if found.writes or found.metadata_writes}
        return public | {namespace for (namespace, _), writes in self.private.items() if writes}

    def keys(self, namespace: str) -> Iterator[str]:
        """The public keys of a namespace whose value or policy it changes."""
        for space, found in self.sets:
            if space == namespace:
                yield from (write.key for write in found.writes)
                yield from (write.key for write in found.metadata_writes)

    def collections(self, namespace: str) -> list[str]:
        """The private collections of a namespace that it writes."""
        return [name for (space, name), writes in self.private.items() if space == namespace and writes]


def _writes(collection: rwset_pb2.CollectionHashedReadWriteSet) -> bool:
    found = kv_rwset_pb2.HashedRWSet.FromString(collection.hashed_rwset)
    return bool(found.hashed_writes or found.metadata_writes)


class Replay:
    """The state block after block: of every key the version (block, transaction), the value, and its own policy.

    Values are kept because a transaction may change a key's policy alone: its value then counts as written anew.
    """

    def __init__(self) -> None:
        self._versions: dict[Key, Version] = {}
        self._values: dict[Key, bytes] = {}
        self._policies: dict[Key, bytes] = {}
        self._known: set[str] = set()
        self._seen: set[str] = set()
        self._taken: set[str] = set()
        self._updates: dict[Key, tuple[bytes | None, int]] = {}
        self._new_policies: dict[Key, bytes] = {}
        self._policy_changes: set[Key] = set()

    def value(self, namespace: str, key: str) -> bytes | None:
        """What a key held before the current block."""
        return self._values.get((namespace, key))

    def policy(self, namespace: str, key: str) -> bytes:
        """A key's own endorsement policy before the current block; empty if it has none."""
        return self._policies.get((namespace, key), b"")

    def has_new_policy(self, namespace: str, key: str) -> bool:
        """Whether an earlier transaction of the current block changes a key's policy. It need not have succeeded: peers
        look at endorsements before they look at versions."""
        return (namespace, key) in self._policy_changes

    def verdict(self, tx_id: str, sets: Sets) -> int:
        """The validation code that the block so far leaves to a well-formed, well-endorsed transaction."""
        if tx_id in self._known or tx_id in self._taken:
            return int(transaction_pb2.DUPLICATE_TXID)
        for namespace, found in sets:
            if any(self._stale(namespace, read) for read in found.reads):
                return int(transaction_pb2.MVCC_READ_CONFLICT)
            if any(self._phantom(namespace, query) for query in found.range_queries_info):
                return int(transaction_pb2.PHANTOM_READ_CONFLICT)
        return VALID

    def add(self, tx_id: str, index: int, code: int, sets: Sets, *, sound: bool = True) -> None:
        """Take a transaction of the current block with its verdict: only a valid one writes.

        ``sound``: well-formed and well-endorsed. Any other takes its id from later blocks, not from its neighbours.
        """
        self._seen.add(tx_id)
        if sound:
            self._taken.add(tx_id)
        if sound and tx_id not in self._known:
            self._policy_changes |= {(namespace, one.key) for namespace, found in sets for one in found.metadata_writes}
        if code != VALID:
            return
        for namespace, found in sets:
            for write in found.writes:
                self._write((namespace, write.key), None if write.is_delete else write.value, index)
            for metadata in found.metadata_writes:
                self._set_policy((namespace, metadata.key), _policy(metadata), index)

    def _write(self, key: Key, value: bytes | None, index: int) -> None:
        self._updates[key] = (value, index)
        if value is None:
            self._new_policies[key] = b""

    def _set_policy(self, key: Key, policy: bytes, index: int) -> None:
        """A key that is not there, or is deleted by the same transaction, gets none."""
        value = self._updates[key][0] if key in self._updates else self._values.get(key)
        if value is not None:
            self._updates[key] = (value, index)
            self._new_policies[key] = policy

    def finish(self, block: int) -> bytes:
        """End the current block; returns the bytes of its updates for the commit hash."""
        updates = self._updates
        self._updates = {}
        self._known |= self._seen
        self._seen, self._taken = set(), set()
        for key, (value, index) in updates.items():
            if value is None:
                self._versions.pop(key, None)
                self._values.pop(key, None)
            else:
                self._versions[key] = (block, index)
                self._values[key] = value
        for key, policy in self._new_policies.items():
            if policy:
                self._policies[key] = policy
            else:
                self._policies.pop(key, None)
        self._new_policies, self._policy_changes = {}, set()
        return chain.update_bytes(((*key, value, index) for key, (value, index) in updates.items()), block)

    def _stale(self, namespace: str, read: kv_rwset_pb2.KVRead) -> bool:
        key = (namespace, read.key)
        return key in self._updates or self._versions.get(key) != _version(read)

    def _phantom(self, namespace: str, query: kv_rwset_pb2.RangeQueryInfo) -> bool:
        if query.WhichOneof("reads_info") == "reads_merkle_hashes":
            return False  # summaries of long results: only the peer that has the values can recompute them
        covered = [key for space, key in self._updates if space == namespace and _covers(query, key)]
        if any(self._updates[namespace, key][0] is not None for key in covered):
            return True
        now = sorted(self._range(namespace, query, frozenset(covered)))
        return now != [(read.key.encode(), _version(read)) for read in query.raw_reads.kv_reads]

    def _range(
        self, namespace: str, query: kv_rwset_pb2.RangeQueryInfo, deleted: frozenset[str]
    ) -> Iterator[tuple[bytes, Version]]:
        for (space, key), version in self._versions.items():
            if space == namespace and key not in deleted and _covers(query, key):
                yield key.encode(), version


def _covers(query: kv_rwset_pb2.RangeQueryInfo, key: str) -> bool:
    """Whether a range holds a key: open without an end; one that was left early ends with the last key that was read."""
    encoded, end = key.encode(), query.end_key.encode()
    if encoded < query.start_key.encode():
        return False
    return not end or encoded < end or (encoded == end and not query.itr_exhausted)


def _policy(metadata: kv_rwset_pb2.KVMetadataWrite) -> bytes:
    """What a change of a key's metadata makes of its policy: metadata are replaced as a whole."""
    return next((bytes(one.value) for one in metadata.entries if one.name == chain.VALIDATION_PARAMETER), b"")


def _version(read: kv_rwset_pb2.KVRead) -> Version | None:
    return (read.version.block_num, read.version.tx_num) if read.HasField("version") else None
