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


def public_sets(results: bytes) -> tuple[Sets, bool]:
    """The public read-write sets in a TxReadWriteSet, and whether there is anything private beside them."""
    entries = rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset
    sets = [(entry.namespace, kv_rwset_pb2.KVRWSet.FromString(entry.rwset)) for entry in entries]
    return sets, any(entry.collection_hashed_rwset for entry in entries)


class Replay:
    """The version (block, transaction) of every key, block after block. Values are not kept."""

    def __init__(self) -> None:
        self._versions: dict[Key, Version] = {}
        self._known: set[str] = set()
        self._updates: dict[Key, tuple[bytes | None, int]] = {}

    def verdict(self, tx_id: str, sets: Sets) -> int:
        """The validation code that the block so far leaves to a well-formed, well-endorsed transaction."""
        if tx_id in self._known:
            return int(transaction_pb2.DUPLICATE_TXID)
        for namespace, found in sets:
            if any(self._stale(namespace, read) for read in found.reads):
                return int(transaction_pb2.MVCC_READ_CONFLICT)
        for namespace, found in sets:
            if any(self._phantom(namespace, query) for query in found.range_queries_info):
                return int(transaction_pb2.PHANTOM_READ_CONFLICT)
        return VALID

    def add(self, tx_id: str, index: int, code: int, sets: Sets) -> None:
        """Take a transaction of the current block with its verdict: only a valid one writes."""
        self._known.add(tx_id)
        if code != VALID:
            return
        for namespace, found in sets:
            for write in found.writes:
                self._updates[namespace, write.key] = (None if write.is_delete else write.value, index)

    def finish(self, block: int) -> bytes:
        """End the current block; returns the bytes of its updates for the commit hash."""
        updates = self._updates
        self._updates = {}
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
        start, end = query.start_key.encode(), query.end_key.encode()
        if any(space == namespace and start <= key.encode() < end for space, key in self._updates):
            return True
        now = sorted(self._range(namespace, start, end))
        return now != [(read.key.encode(), _version(read)) for read in query.raw_reads.kv_reads]

    def _range(self, namespace: str, start: bytes, end: bytes) -> Iterator[tuple[bytes, Version | None]]:
        for (space, key), version in self._versions.items():
            if space == namespace and start <= key.encode() < end:
                yield key.encode(), version


def _version(read: kv_rwset_pb2.KVRead) -> Version | None:
    return (read.version.block_num, read.version.tx_num) if read.HasField("version") else None
