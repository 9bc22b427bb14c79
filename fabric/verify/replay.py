"""What the write sets add up to, and which transactions they leave valid: a peer's commit, over again.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/validation/validator.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2

from fabric.verify.keyspace import KeySpace, Version, policy_in
from fabric.verify.scratch import Ids, open_scratch
from fabric.words import chain
from fabric.words.range_reads import FEWEST, merkle_summary

Key = tuple[str, str]
"""Namespace and key."""
HashedKey = tuple[str, str, bytes]
"""Namespace, collection and the key's hash."""
Sets = Sequence[tuple[str, kv_rwset_pb2.KVRWSet]]
"""Namespace and read-write set of each namespace that a transaction touched."""
HashedSets = Sequence[tuple[str, str, kv_rwset_pb2.HashedRWSet]]
"""The same of each private collection, as hashes."""

VALID: int = transaction_pb2.VALID
OWN_COLLECTION = "_implicit_org_"
"""Every organisation has a private collection of its own in every chaincode; this and its name."""


@dataclass(frozen=True)
class Effects:
    """What a transaction read and wrote."""

    sets: Sets
    hashed: HashedSets = ()

    @classmethod
    def read(cls, results: bytes) -> Effects:
        """Take a serialised TxReadWriteSet apart. Raises DecodeError."""
        return cls.of(rwset_pb2.TxReadWriteSet.FromString(results))

    @classmethod
    def of(cls, results: rwset_pb2.TxReadWriteSet) -> Effects:
        """Take a TxReadWriteSet apart. Raises DecodeError."""
        entries = results.ns_rwset
        return cls(
            [(entry.namespace, kv_rwset_pb2.KVRWSet.FromString(entry.rwset)) for entry in entries],
            [
                (entry.namespace, item.collection_name, kv_rwset_pb2.HashedRWSet.FromString(item.hashed_rwset))
                for entry in entries
                for item in entry.collection_hashed_rwset
            ],
        )

    def written(self) -> set[str]:
        """The namespaces in which it changes anything."""
        public = {namespace for namespace, found in self.sets if found.writes or found.metadata_writes}
        return public | {key[0] for key in self.hashed_keys()}

    def public_keys(self) -> Iterator[Key]:
        """The public keys whose value or policy it changes."""
        for namespace, found in self.sets:
            for one in (*found.writes, *found.metadata_writes):
                yield namespace, one.key

    def hashed_reads(self, namespace: str) -> Iterator[tuple[HashedKey, Version | None]]:
        """The private keys of a namespace that it read, and the versions it found."""
        for space, collection, found in self.hashed:
            if space == namespace:
                for one in found.hashed_reads:
                    yield (space, collection, one.key_hash), _version(one)

    def hashed_keys(self) -> Iterator[HashedKey]:
        """The private keys whose value or policy it changes."""
        for namespace, collection, found in self.hashed:
            for one in (*found.hashed_writes, *found.metadata_writes):
                yield namespace, collection, one.key_hash


class Replay:
    """The state block after block. ``close`` lets go of it."""

    def __init__(self) -> None:
        self._scratch = open_scratch()
        self.public = KeySpace(self._scratch, "public")
        self.hashed = KeySpace(self._scratch, "hashed")
        self._known = Ids(self._scratch)
        self._seen: set[str] = set()
        self._taken: set[str] = set()

    def verdict(self, tx_id: str, effects: Effects) -> int:
        """The validation code that the block so far leaves to a well-formed, well-endorsed transaction."""
        if self._is_taken(tx_id):
            return int(transaction_pb2.DUPLICATE_TXID)
        self.public.load((namespace, read.key) for namespace, found in effects.sets for read in found.reads)
        for namespace, found in effects.sets:
            if any(self.public.is_stale((namespace, read.key), _version(read)) for read in found.reads):
                return int(transaction_pb2.MVCC_READ_CONFLICT)
            if any(self._phantom(namespace, query) for query in found.range_queries_info):
                return int(transaction_pb2.PHANTOM_READ_CONFLICT)
            if any(self._stale_hash(key, version) for key, version in effects.hashed_reads(namespace)):
                return int(transaction_pb2.MVCC_READ_CONFLICT)
        return VALID

    def _is_taken(self, tx_id: str) -> bool:
        return tx_id in self._taken or tx_id in self._known

    def claim(self, tx_id: str | None) -> None:
        """Take the id, if any, of something else in the current block: a peer's index has it for later blocks all the same."""
        if tx_id is not None:
            self._seen.add(tx_id)

    def add(self, tx_id: str, index: int, code: int, effects: Effects, *, sound: bool = True) -> None:
        """Take a transaction of the current block with its verdict: only a valid one writes.

        ``sound``: well-formed and well-endorsed. Any other takes its id from later blocks, not from its neighbours.
        """
        self._seen.add(tx_id)
        if sound:
            self._taken.add(tx_id)
        if sound and tx_id not in self._known:
            self._note_policy_changes(effects)
        if code != VALID:
            return
        for namespace, found in effects.sets:
            for write in found.writes:
                self.public.write((namespace, write.key), None if write.is_delete else write.value, index)
            for metadata in found.metadata_writes:
                self.public.set_policy((namespace, metadata.key), policy_in(metadata.entries), index)
        for namespace, collection, hashed in effects.hashed:
            for one in hashed.hashed_writes:
                gone = one.is_delete or one.is_purge
                self.hashed.write((namespace, collection, one.key_hash), None if gone else one.value_hash, index)
            for private in hashed.metadata_writes:
                self.hashed.set_policy((namespace, collection, private.key_hash), policy_in(private.entries), index)

    def _note_policy_changes(self, effects: Effects) -> None:
        self.public.note_policy_changes(
            (namespace, one.key) for namespace, found in effects.sets for one in found.metadata_writes
        )
        self.hashed.note_policy_changes(
            (namespace, collection, one.key_hash)
            for namespace, collection, found in effects.hashed
            for one in found.metadata_writes
        )

    def finish(self, block: int) -> bytes:
        """End the current block; returns the bytes of its updates for the commit hash."""
        self._scratch.execute("BEGIN")
        self._known.update(self._seen)
        public = ((*key, value, index) for key, value, index in self.public.finish(block))
        hashed = ((*key, value, index) for key, value, index in self.hashed.finish(block))
        self._scratch.execute("COMMIT")
        self._seen, self._taken = set(), set()
        return chain.update_bytes(public, block, hashed)

    def close(self) -> None:
        """Let go of the memory and the temporary file."""
        self._scratch.close()

    def _stale_hash(self, key: HashedKey, version: Version | None) -> bool:
        """Shared collections may let their data expire, which no block tells: what was not there may have expired."""
        if version is None and key not in self.hashed.updates and not key[1].startswith(OWN_COLLECTION):
            return False
        return self.hashed.is_stale(key, version)

    def _phantom(self, namespace: str, query: kv_rwset_pb2.RangeQueryInfo) -> bool:
        # open without an end; a range that was left early ends with the last key that was read
        within = partial(self.public.updated, (namespace,), query.start_key, query.end_key)
        deleted = set()
        for key, value in within(closed=not query.itr_exhausted):
            if value is not None:
                return True
            deleted.add(key)
        found = self.public.listed((namespace,), query.start_key, query.end_key, closed=not query.itr_exhausted)
        now = ((key, version) for key, version in found if key not in deleted)
        if query.WhichOneof("reads_info") == "reads_merkle_hashes":
            return _other_hashes(now, query.reads_merkle_hashes)
        said = ((read.key, _version(read)) for read in query.raw_reads.kv_reads)
        return any(one != other for one, other in zip_longest(now, said))


def _other_hashes(found: Iterable[tuple[str, Version]], said: kv_rwset_pb2.QueryReadsMerkleSummary) -> bool:
    """Whether a long listing is not the one whose hashes were kept."""
    reads = (
        kv_rwset_pb2.KVRead(key=key, version=kv_rwset_pb2.Version(block_num=block, tx_num=index))
        for key, (block, index) in found
    )
    return said.max_degree < FEWEST or merkle_summary(reads, said.max_degree) != said


def _version(read: kv_rwset_pb2.KVRead | kv_rwset_pb2.KVReadHash) -> Version | None:
    return (read.version.block_num, read.version.tx_num) if read.HasField("version") else None
