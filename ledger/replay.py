"""What the write sets add up to, and which transactions they leave valid: a peer's commit, over again.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/validation/validator.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2

from ledger import chain

Key = tuple[str, str]
Version = tuple[int, int]
Sets = Sequence[tuple[str, kv_rwset_pb2.KVRWSet]]
"""Namespace and read-write set of each namespace that a transaction touched."""

VALID: int = transaction_pb2.VALID


def public_sets(results: bytes) -> tuple[Sets, dict[str, bool]]:
    """The public read-write sets in a TxReadWriteSet; the private collections beside them, and whether it writes them."""
    entries = rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset
    sets = [(entry.namespace, kv_rwset_pb2.KVRWSet.FromString(entry.rwset)) for entry in entries]
    private = [collection for entry in entries for collection in entry.collection_hashed_rwset]
    return sets, {item.collection_name: _writes(item) for item in private}


def _writes(collection: rwset_pb2.CollectionHashedReadWriteSet) -> bool:
    return bool(kv_rwset_pb2.HashedRWSet.FromString(collection.hashed_rwset).hashed_writes)


class Replay:
    """The version (block, transaction) of every key, block after block. Values are not kept."""

    def __init__(self) -> None:
        self._versions: dict[Key, Version] = {}
        self._known: set[str] = set()
        self._seen: set[str] = set()
        self._taken: set[str] = set()
        self._updates: dict[Key, tuple[bytes | None, int]] = {}

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
        if code != VALID:
            return
        for namespace, found in sets:
            for write in found.writes:
                self._updates[namespace, write.key] = (None if write.is_delete else write.value, index)

    def finish(self, block: int) -> bytes:
        """End the current block; returns the bytes of its updates for the commit hash."""
        updates = self._updates
        self._updates = {}
        self._known |= self._seen
        self._seen, self._taken = set(), set()
        for key, (value, index) in updates.items():
            if value is None:
                self._versions.pop(key, None)
            else:
                self._versions[key] = (block, index)
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


def _version(read: kv_rwset_pb2.KVRead) -> Version | None:
    return (read.version.block_num, read.version.tx_num) if read.HasField("version") else None
