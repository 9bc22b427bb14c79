"""Which transactions a block leaves valid, against Fabric's rules told by hand and against a naive ledger."""

from __future__ import annotations

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric.verify.replay import Effects, Replay
from fabric.words import chain
from tests.unit.fabric.forge import CHAINCODE, VALID, Version, listing, rwset

STALE: int = transaction_pb2.MVCC_READ_CONFLICT
PHANTOM: int = transaction_pb2.PHANTOM_READ_CONFLICT
DUPLICATE: int = transaction_pb2.DUPLICATE_TXID


def commit(replay: Replay, number: int, *found: kv_rwset_pb2.KVRWSet) -> list[int]:
    """A block of transactions; their verdicts."""
    codes = []
    for index, one in enumerate(found):
        sets = Effects([(CHAINCODE, one)])
        codes.append(replay.verdict(f"{number}-{index}", sets))
        replay.add(f"{number}-{index}", index, codes[-1], sets)
    replay.finish(number)
    return codes


def started() -> Replay:
    """Keys ``a``, ``b`` and ``d`` with versions (1, 0), (1, 1) and (1, 2)."""
    replay = Replay()
    writes = [rwset(writes={key: b"1"}) for key in "abd"]
    assert commit(replay, 1, *writes) == [VALID] * 3
    return replay


def test_a_read_of_the_last_version_is_valid() -> None:
    assert commit(started(), 2, rwset({"a": (1, 0), "b": (1, 1), "never": None})) == [VALID]


def test_a_stale_read_is_a_conflict_and_writes_nothing() -> None:
    replay = started()
    assert commit(replay, 2, rwset({"a": (1, 0)}, {"a": b"2"})) == [VALID]
    assert commit(replay, 3, rwset({"a": (1, 0)}, {"b": b"3"})) == [STALE]
    assert commit(replay, 4, rwset({"a": (2, 0), "b": (1, 1)})) == [VALID]


def test_a_read_of_another_transactions_version_in_the_same_block_is_stale() -> None:
    assert commit(started(), 2, rwset({"a": (1, 1)})) == [STALE]


def test_a_key_that_did_not_exist_and_does_now() -> None:
    assert commit(started(), 2, rwset({"a": None})) == [STALE]


def test_of_two_in_a_block_that_read_and_write_a_key_the_first_wins() -> None:
    both = rwset({"a": (1, 0)}, {"a": b"2"})
    assert commit(started(), 2, both, both) == [VALID, STALE]


def test_blind_writes_never_conflict_and_the_last_one_stays() -> None:
    replay = started()
    assert commit(replay, 2, rwset(writes={"a": b"2"}), rwset(writes={"a": b"3"})) == [VALID, VALID]
    assert commit(replay, 3, rwset({"a": (2, 1)})) == [VALID]


def test_a_deleted_key_is_gone() -> None:
    replay = started()
    assert commit(replay, 2, rwset(writes={"a": None})) == [VALID]
    assert commit(replay, 3, rwset({"a": (1, 0)}), rwset({"a": None})) == [STALE, VALID]


def test_a_key_that_this_block_has_deleted_can_no_more_be_read_in_it() -> None:
    assert commit(started(), 2, rwset(writes={"never": None}), rwset({"never": None})) == [VALID, STALE]


def test_namespaces_are_apart() -> None:
    replay = started()
    other = Effects([("other", rwset({"a": None}))])
    assert replay.verdict("x", other) == VALID


def test_a_range_is_valid_while_it_holds_the_same_keys_and_versions() -> None:
    same = listing("a", "d", {"a": (1, 0), "b": (1, 1)})
    assert commit(started(), 2, rwset(ranges=[same])) == [VALID]


def test_phantoms() -> None:
    listed = rwset(ranges=[listing("a", "d", {"a": (1, 0), "b": (1, 1)})])
    for change in ({"c": b"new"}, {"a": b"changed"}, {"b": None}):
        within = commit(started(), 2, rwset(writes=change), listed)
        assert within == [VALID, PHANTOM]
        replay = started()
        commit(replay, 2, rwset(writes=change))
        assert commit(replay, 3, listed) == [PHANTOM]


def test_changes_outside_of_a_range_are_no_phantoms() -> None:
    listed = rwset(ranges=[listing("a", "d", {"a": (1, 0), "b": (1, 1)})])
    assert commit(started(), 2, rwset(writes={"d": b"2", "A": b"2"}), listed) == [VALID, VALID]


def test_deleting_in_a_range_what_is_not_there_is_no_phantom() -> None:
    listed = rwset(ranges=[listing("a", "d", {"a": (1, 0), "b": (1, 1)})])
    assert commit(started(), 2, rwset(writes={"c": None}), listed) == [VALID, VALID]


def test_a_range_without_an_end_goes_to_the_last_key() -> None:
    whole = rwset(ranges=[listing("b", "", {"b": (1, 1), "d": (1, 2)})])
    assert commit(started(), 2, whole, rwset(writes={"z": b"1"}), whole) == [VALID, VALID, PHANTOM]


def test_a_range_that_was_left_early_ends_with_the_last_key_that_was_read() -> None:
    first_two = rwset(ranges=[listing("a", "b", {"a": (1, 0), "b": (1, 1)}, exhausted=False)])
    assert commit(started(), 2, rwset(writes={"c": b"1"}), first_two) == [VALID, VALID]
    assert commit(started(), 2, rwset(writes={"b": b"2"}), first_two) == [VALID, PHANTOM]


def test_keys_are_ordered_by_their_bytes() -> None:
    replay = Replay()
    apple, wide = "k\U0001f34e", "k\uff5c"  # UTF-16 would have them the other way round
    commit(replay, 1, rwset(writes={apple: b"1", wide: b"1"}))
    found = listing("k", "l", {wide: (1, 0), apple: (1, 0)})
    assert commit(replay, 2, rwset(ranges=[found])) == [VALID]


def test_an_id_counts_once() -> None:
    replay, sets = Replay(), Effects([(CHAINCODE, rwset(writes={"a": b"1"}))])
    assert replay.verdict("x", sets) == VALID
    replay.add("x", 0, VALID, sets)
    assert replay.verdict("x", sets) == DUPLICATE
    replay.finish(1)
    assert replay.verdict("x", sets) == DUPLICATE


def test_an_unsound_transaction_takes_its_id_from_later_blocks_only() -> None:
    """As in Fabric: a peer looks for an id among the sound ones of the block and among all of the blocks before."""
    replay, sets = Replay(), Effects([(CHAINCODE, rwset())])
    replay.add("x", 0, transaction_pb2.BAD_CREATOR_SIGNATURE, sets, sound=False)
    assert replay.verdict("x", sets) == VALID
    replay.finish(1)
    assert replay.verdict("x", sets) == DUPLICATE


def test_the_updates_of_a_block_are_the_last_values_of_valid_transactions() -> None:
    replay = Replay()
    for index, (code, key, value) in enumerate(
        [(VALID, "a", b"1"), (STALE, "b", b"2"), (VALID, "a", b"3"), (VALID, "c", None)]
    ):
        replay.add(str(index), index, code, Effects([(CHAINCODE, rwset(writes={key: value}))]))
    assert replay.finish(7) == chain.update_bytes([(CHAINCODE, "a", b"3", 2), (CHAINCODE, "c", None, 3)], 7)
    assert replay.finish(8) == b""


KEYS = "abcde"
Call = tuple[int, list[str], dict[str, bytes | None], tuple[str, str] | None]
Calls = st.lists(
    st.tuples(
        st.integers(0, 3),  # how many blocks ago it was endorsed
        st.lists(st.sampled_from(KEYS), max_size=2, unique=True),
        st.dictionaries(st.sampled_from(KEYS), st.sampled_from([b"1", None]), max_size=2),
        st.none() | st.tuples(st.sampled_from(KEYS), st.sampled_from([*KEYS, ""])),
    ),
    max_size=4,
)


@given(st.lists(Calls, max_size=8))
def test_the_same_verdicts_as_a_ledger_that_simply_looks_again(blocks: list[list[Call]]) -> None:
    """The naive ledger applies each transaction at once and asks whether a second look would show the same."""
    replay = Replay()
    now: dict[str, Version] = {}
    past: list[dict[str, Version]] = [{}]
    for number, calls in enumerate(blocks, start=1):
        touched: set[str] = set()
        for index, (age, keys, writes, span) in enumerate(calls):
            seen = past[max(0, len(past) - 1 - age)]
            ranges = [] if span is None else [listing(span[0], span[1], _between(seen, *span))]
            sets = Effects([(CHAINCODE, rwset({key: seen.get(key) for key in keys}, writes, ranges))])
            expected = VALID
            if any(key in touched or seen.get(key) != now.get(key) for key in keys):
                expected = STALE
            elif span is not None and _between(seen, *span) != _between(now, *span):
                expected = PHANTOM
            tx_id = f"{number}-{index}"
            assert replay.verdict(tx_id, sets) == expected
            replay.add(tx_id, index, expected, sets)
            if expected == VALID:
                touched |= set(writes)
                for key, value in writes.items():
                    now.pop(key, None)
                    if value is not None:
                        now[key] = (number, index)
        replay.finish(number)
        past.append(dict(now))


def _between(state: dict[str, Version], start: str, end: str) -> dict[str, Version]:
    return {key: state[key] for key in sorted(state) if key >= start and (not end or key < end)}
