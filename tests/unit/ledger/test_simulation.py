"""A call on the embedded ledger: what the contract sees, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric.words.proposal import Proposal
from ledger.embedded.simulation import SimulationStub, Versioned
from tests.unit.fabric.forge import NOW, Authority, listing, read

FARMER = Authority("FarmMSP").issue("farmer")
APPLE, WIDE = "k\U0001f34e", "k\uff5c"  # UTF-16 would have them the other way round


class Memory:
    """Committed values, and how often they were asked for."""

    def __init__(self, values: dict[str, Versioned], policies: dict[str, bytes] | None = None) -> None:
        self._values = values
        self._policies = policies or {}
        self.asked: list[list[str]] = []

    def get_many(self, keys: Sequence[str]) -> dict[str, Versioned]:
        self.asked.append(list(keys))
        return {key: self._values[key] for key in keys if key in self._values}

    def range(self, start: str, end: str) -> Iterator[tuple[str, Versioned]]:
        keys = sorted(self._values, key=str.encode)
        return ((key, self._values[key]) for key in keys if start.encode() <= key.encode() < end.encode())

    def policy(self, key: str) -> bytes | None:
        return self._policies.get(key)


def stub(memory: Memory) -> SimulationStub:
    proposal = Proposal.create(
        "lotline", "lotline", [b"put", b"\xff"], FARMER.creator, b"n" * 24, NOW, {"pin": b"0815"}
    )
    return SimulationStub(memory, proposal, "lotline", FARMER.creator)


def recorded(call: SimulationStub) -> kv_rwset_pb2.KVRWSet:
    (entry,) = rwset_pb2.TxReadWriteSet.FromString(call.results("lotline")).ns_rwset
    assert entry.namespace == "lotline"
    return kv_rwset_pb2.KVRWSet.FromString(entry.rwset)


def test_reads_do_not_see_the_calls_own_writes() -> None:
    call = stub(Memory({"a": Versioned(b"1", 4)}))
    call.put_state("a", b"2")
    call.del_state("b")
    assert call.get_multiple_states(["a", "b"]) == [b"1", None]


def test_reads_are_recorded_once_with_their_versions_in_the_order_of_bytes() -> None:
    memory = Memory({WIDE: Versioned(b"1", 4)})
    call = stub(memory)
    for _ in range(2):
        assert call.get_multiple_states([APPLE, WIDE]) == [None, b"1"]
        assert call.get_state(WIDE) == b"1"
    assert memory.asked == [[APPLE, WIDE]]
    assert list(recorded(call).reads) == [read(WIDE, (4, 0)), read(APPLE, None)]


def test_of_several_writes_of_a_key_the_last_is_recorded() -> None:
    call = stub(Memory({}))
    call.put_state(APPLE, b"1")
    call.del_state(APPLE)
    call.del_state(WIDE)
    call.put_state(WIDE, b"2")
    assert [(write.key, write.is_delete, write.value) for write in recorded(call).writes] == [
        (WIDE, False, b"2"),
        (APPLE, True, b""),
    ]


def test_a_listing_is_recorded_as_a_range_even_if_nobody_looks_at_it() -> None:
    keys = ["\x00BL\x00lot\x00x\x00", "\x00BL\x00lot\x00y\x00"]
    call = stub(Memory({key: Versioned(b"1", 4) for key in [*keys, "\x00BL\x00lot2\x00x\x00"]}))
    found = call.get_state_by_partial_composite_key("BL", ["lot"])
    start = "\x00BL\x00lot\x00"
    assert list(recorded(call).range_queries_info) == [
        listing(start, start + "\U0010ffff", dict.fromkeys(keys, (4, 0)))
    ]
    assert [key for key, _ in found] == keys


@given(st.text(), st.lists(st.text(), max_size=3))
def test_composite_keys_come_apart_as_they_were_put_together(kind: str, attributes: list[str]) -> None:
    call = stub(Memory({}))
    if any(mark in part for part in (kind, *attributes) for mark in ("\x00", "\U0010ffff")):
        with pytest.raises(ValueError, match="reserve"):
            call.create_composite_key(kind, attributes)
    else:
        assert call.split_composite_key(call.create_composite_key(kind, attributes)) == (kind, attributes)


@pytest.mark.parametrize(("key", "value"), [("", b"1"), ("a", b"")])
def test_nothing_cannot_be_written(key: str, value: bytes) -> None:
    """Fabric takes an empty value for a deletion, so it would come back otherwise than it went in."""
    with pytest.raises(ValueError, match="must not be empty"):
        stub(Memory({})).put_state(key, value)


def test_what_the_contract_is_told() -> None:
    call = stub(Memory({}))
    assert call.get_function_and_parameters() == ("put", [b"\xff"])
    assert (call.get_tx_timestamp(), call.get_channel_id(), call.get_creator()) == (NOW, "lotline", FARMER.creator)
    assert call.get_transient() == {"pin": b"0815"}


def test_a_proposal_needs_a_nonce_and_keeps_transient_data_to_itself() -> None:
    with pytest.raises(ValueError, match="nonce"):
        Proposal.create("lotline", "lotline", [b"put"], FARMER.creator, b"", NOW)
    plain = Proposal.create("lotline", "lotline", [b"put"], FARMER.creator, b"n", NOW)
    with_pin = Proposal.create("lotline", "lotline", [b"put"], FARMER.creator, b"n", NOW, {"pin": b"0815"})
    assert plain.hash == with_pin.hash
    assert plain.hash != Proposal.create("lotline", "lotline", [b"get"], FARMER.creator, b"n", NOW).hash


def test_policies_are_recorded_in_the_order_of_bytes_and_read_as_they_were_committed() -> None:
    call = stub(Memory({"a": Versioned(b"1", 4)}, {"a": b"old"}))
    for key, policy in ((WIDE, b"new"), (APPLE, b""), ("a", b"new")):
        call.set_state_validation_parameter(key, policy)
    assert call.get_state_validation_parameter("a") == b"old"
    assert call.get_state_validation_parameter("b") is None
    found = recorded(call)
    written = [(one.key, [(entry.name, entry.value) for entry in one.entries]) for one in found.metadata_writes]
    name = "VALIDATION_PARAMETER"
    assert written == [("a", [(name, b"new")]), (WIDE, [(name, b"new")]), (APPLE, [(name, b"")])]
    assert list(found.writes) == []
    assert [one.key for one in found.reads] == ["a", "b"]  # as in Fabric: who asks for a policy reads the key
