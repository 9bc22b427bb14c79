"""What a transaction keeps of a listing: each key with its version, or of a long one only hashes.

Source of the rules: fabric ``core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

FEWEST = 2
"""A tree of hashes has so many branches at least."""


def merkle_summary(
    reads: Iterable[kv_rwset_pb2.KVRead], max_degree: int
) -> kv_rwset_pb2.QueryReadsMerkleSummary | None:
    """The hashes of a listing of more than ``max_degree`` keys; None of a shorter one, whose keys are kept as they are.

    ``max_degree + 1`` keys have a hash together, and as many hashes one on the next level, until no more than ``max_degree`` are left.
    Raises ValueError for a degree below two.

    >>> keys = [kv_rwset_pb2.KVRead(key=str(n)) for n in range(4)]
    >>> merkle_summary(keys[:2], 2) is None, merkle_summary(keys, 2).max_level, len(merkle_summary(keys, 2).max_level_hashes)
    (True, 1, 2)
    """
    if max_degree < FEWEST:
        raise ValueError(f"a tree of hashes has at least {FEWEST} branches, not {max_degree}")
    levels: list[list[bytes]] = [[]]
    pending: list[kv_rwset_pb2.KVRead] = []
    for read in reads:
        pending.append(read)
        if len(pending) > max_degree:
            _add(levels, _leaf(pending), max_degree)
            pending = []
    if not any(levels):
        return None
    if pending:
        _add(levels, _leaf(pending), max_degree)
    _close(levels, max_degree)
    return kv_rwset_pb2.QueryReadsMerkleSummary(
        max_degree=max_degree, max_level=len(levels), max_level_hashes=levels[-1]
    )


def _leaf(reads: Sequence[kv_rwset_pb2.KVRead]) -> bytes:
    return hashlib.sha256(kv_rwset_pb2.QueryReads(kv_reads=reads).SerializeToString(deterministic=True)).digest()


def _joined(hashes: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashes)).digest()


def _add(levels: list[list[bytes]], leaf: bytes, max_degree: int) -> None:
    """One more hash on the lowest level; a level that is full becomes one hash of the next."""
    levels[0].append(leaf)
    for level, hashes in enumerate(levels):
        if len(hashes) <= max_degree:
            return
        if level + 1 == len(levels):
            levels.append([])
        levels[level + 1].append(_joined(hashes))
        levels[level] = []


def _close(levels: list[list[bytes]], max_degree: int) -> None:
    """What is left on lower levels goes up; one hash alone as it is."""
    for level in range(len(levels) - 1):
        hashes, levels[level] = levels[level], []
        if hashes:
            levels[level + 1].append(hashes[0] if len(hashes) == 1 else _joined(hashes))
    if len(levels[-1]) > max_degree:
        levels.append([_joined(levels[-1])])
