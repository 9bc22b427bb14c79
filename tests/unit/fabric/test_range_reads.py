"""Hashes of long listings, beside a tree that is built from the whole list at once."""

from __future__ import annotations

import hashlib

import pytest
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric.verify.replay import Effects, Replay
from fabric.words.range_reads import merkle_summary
from tests.unit.fabric.forge import CHAINCODE, VALID, read, rwset
from tests.unit.fabric.test_replay import commit

PHANTOM: int = transaction_pb2.PHANTOM_READ_CONFLICT


def reads(count: int) -> list[kv_rwset_pb2.KVRead]:
    return [read(f"k{n:03}", (1, n)) for n in range(count)]


def plain(found: list[kv_rwset_pb2.KVRead], degree: int) -> tuple[int, list[bytes]] | None:
    """Level by level: groups of ``degree + 1``, until no more than ``degree`` are left."""
    if len(found) <= degree:
        return None

    def grouped(items: list[bytes] | list[kv_rwset_pb2.KVRead]) -> list[list]:  # type: ignore[type-arg]
        return [items[start : start + degree + 1] for start in range(0, len(items), degree + 1)]

    hashes = [
        hashlib.sha256(kv_rwset_pb2.QueryReads(kv_reads=group).SerializeToString()).digest() for group in grouped(found)
    ]
    level = 1
    while len(hashes) > degree:
        hashes = [
            group[0] if len(group) == 1 else hashlib.sha256(b"".join(group)).digest() for group in grouped(hashes)
        ]
        level += 1
    return level, hashes


@given(st.integers(0, 200), st.integers(2, 6))
def test_the_hashes_of_a_listing(count: int, degree: int) -> None:
    found = merkle_summary(iter(reads(count)), degree)
    expected = plain(reads(count), degree)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.max_level, list(found.max_level_hashes), found.max_degree) == (*expected, degree)


def test_too_few_branches() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        merkle_summary([], 1)


def listed(count: int, degree: int = 3) -> kv_rwset_pb2.KVRWSet:
    """A call that listed so many keys and kept their hashes."""
    query = kv_rwset_pb2.RangeQueryInfo(
        start_key="k", end_key="l", itr_exhausted=True, reads_merkle_hashes=merkle_summary(reads(count), max(degree, 2))
    )
    query.reads_merkle_hashes.max_degree = degree
    return rwset(ranges=[query])


def test_long_listings_are_looked_at_too() -> None:
    replay = Replay()
    commit(replay, 1, *(rwset(writes={f"k{n:03}": b"1"}) for n in range(20)))
    assert commit(replay, 2, listed(20)) == [VALID]
    assert commit(replay, 3, listed(19), listed(20, degree=1)) == [PHANTOM, PHANTOM]
    assert commit(replay, 4, rwset(writes={"k005": b"2"}), listed(20)) == [VALID, PHANTOM]
    assert commit(replay, 5, rwset(writes={"k021": None}), listed(20)) == [VALID, PHANTOM]  # k005 is of block 4
    gone = Replay()
    commit(gone, 1, *(rwset(writes={f"k{n:03}": b"1"}) for n in range(21)))
    assert commit(gone, 2, rwset(writes={"k020": None}), listed(20)) == [VALID, VALID]
    assert gone.verdict("x", Effects([(CHAINCODE, listed(21))])) == PHANTOM
