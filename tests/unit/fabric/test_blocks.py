"""Blocks: Fabric's hashes, worked out by hand, and bytes that are no block."""

from __future__ import annotations

import hashlib

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from fabric.words import chain
from fabric.words.blocks import decode_block
from fabric.words.proposal import transaction_id
from tests.unit.fabric.forge import CHAINCODE, NOW, Forge, listing, rwset

Splice = list[tuple[float, int, bytes]]
"""Where in the bytes (0 to 1), how many go, and what comes instead."""


def der_integer(value: int) -> bytes:
    """Minimal two's complement."""
    length = value.bit_length() // 8 + 1
    return bytes([2, length]) + value.to_bytes(length, "big")


def der_octets(content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([4, len(content)]) + content


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
@example(127, b"\x00" * 32)
@example(128, b"\xff" * 32)
def test_the_header_hash_is_over_the_asn1_form(number: int, previous: bytes) -> None:
    data = hashlib.sha256(b"data").digest()
    content = der_integer(number) + der_octets(previous) + der_octets(data)
    expected = hashlib.sha256(bytes([0x30, len(content)]) + content).digest()
    assert chain.header_hash(number, previous, data) == expected


def test_the_genesis_block_has_no_previous_hash() -> None:
    content = der_integer(0) + der_octets(b"") + der_octets(b"\x01" * 32)
    assert chain.header_hash(0, b"", b"\x01" * 32) == hashlib.sha256(bytes([0x30, len(content)]) + content).digest()


def test_the_header_hash_of_a_block_of_a_real_network() -> None:
    """Block 6 of the sample ledger in Fabric's own tests (``ledgerutil/testdata/sample_prod``), and what block 7 calls it."""
    previous = bytes.fromhex("3e50ef0e7abbbc7fa53d210386fbad81c8f05687f0bd9872e1b6ca5995c97e39")
    data = bytes.fromhex("3dc7e8ebb754493135be191e7edd74563cf9a2785f87c3aafd01906df5edd8a3")
    assert chain.header_hash(6, previous, data).hex() == (
        "72eacca7e750be47a4bc8ead206df62336ccb4dde06c85f9d4d03a9f87414811"
    )


def test_lengths_of_more_than_127_bytes_are_written_in_their_long_form() -> None:
    content = b"\x02\x01\x05" + b"\x04\x81\x80" + b"p" * 128 + b"\x04\x82\x01\x00" + b"d" * 256
    assert chain.header_bytes(5, b"p" * 128, b"d" * 256) == b"\x30\x82\x01\x8a" + content


def test_a_transaction_id_is_the_hash_of_nonce_and_creator() -> None:
    """printf AAAAAAAAAAAAAAAAAAAAAAAAfarm-certificate | sha256sum"""
    expected = "2a8241868f62691683b4afd4937dfff39bab437c39def085b4bbf7057c7ae3dc"
    assert transaction_id(b"A" * 24, b"farm-certificate") == expected


def test_state_updates_as_fabric_hashes_them() -> None:
    """Written out by hand from ``update_batch_bytes.go``: sorted, a namespace once, deletions flagged, with versions."""
    writes = [("ns", "b", b"v", 1), ("ns", "a", None, 0), ("ms", "z", b"w", 300)]
    assert chain.update_bytes(writes, 7) == (
        b"\x0a\x11" + b"\x0a\x02ms" + b"\x1a\x01z" + b"\x2a\x01w" + b"\x32\x05" + b"\x01\x07\x02\x01\x2c"
        b"\x0a\x0e" + b"\x0a\x02ns" + b"\x1a\x01a" + b"\x20\x01" + b"\x32\x03" + b"\x01\x07\x00"
        b"\x0a\x0c" + b"\x1a\x01b" + b"\x2a\x01v" + b"\x32\x04" + b"\x01\x07\x01\x01"
    )


def test_the_commit_hash_is_over_codes_updates_and_the_one_before() -> None:
    expected = hashlib.sha256(b"\x02" + b"\x00\x0b" + b"updates" + b"before").digest()
    assert chain.commit_hash(b"\x00\x0b", b"updates", b"before") == expected
    many = b"\x00" * 300
    assert chain.commit_hash(many, b"", b"") == hashlib.sha256(b"\xac\x02" + many).digest()


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_versions_are_ordered_as_their_bytes(one: int, other: int) -> None:
    assert (chain.ordered_varint(one) < chain.ordered_varint(other)) == (one < other)


def block_of(envelopes: list[bytes], codes: bytes) -> common_pb2.Block:
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=3, previous_hash=b"p" * 32, data_hash=b"d" * 32),
        data=common_pb2.BlockData(data=envelopes),
        metadata=common_pb2.BlockMetadata(metadata=[b"", b"", codes, b"", b""]),
    )


BAD_PAYLOAD: int = transaction_pb2.BAD_PAYLOAD


@pytest.fixture(scope="module")
def forge() -> Forge:
    """A channel with one transaction of every kind of read and write."""
    made = Forge()
    found = rwset(
        {"apples": (1, 2), "pears": None},
        {"apples": b"1", "plums": None},
        [listing("a", "b", {"apples": (1, 2)})],
    )
    made.append([made.envelope(found, nonce=b"A" * 24, answer=b"verdicts")])
    return made


def test_a_transaction_taken_apart(forge: Forge) -> None:
    (tx,) = decode_block(forge.blocks[1]).transactions
    creator = forge.farmer.creator
    assert (tx.tx_id, tx.index, tx.code, tx.valid) == (hashlib.sha256(b"A" * 24 + creator).hexdigest(), 0, 0, True)
    assert (tx.type, tx.timestamp, tx.function) == (common_pb2.ENDORSER_TRANSACTION, NOW, "capture")
    assert (tx.creator_msp, tx.creator) == ("FarmMSP", creator)
    assert tx.writes == [(CHAINCODE, "apples", b"1", False), (CHAINCODE, "plums", None, True)]
    assert tx.reads == [(CHAINCODE, "apples", (1, 2)), (CHAINCODE, "pears", None)]
    assert (tx.response_status, tx.response_payload) == (200, b"verdicts")
    assert [item.endorser for item in tx.endorsements] == [peer.creator for peer in forge.peers]


def test_a_block_taken_apart(forge: Forge) -> None:
    genesis, first = (decode_block(block) for block in forge.blocks)
    assert (genesis.number, genesis.previous_hash, first.number) == (0, b"", 1)
    assert first.previous_hash == genesis.header_hash
    assert first.data_hash == hashlib.sha256(forge.blocks[1].data.data[0]).digest()
    (configuration,) = genesis.transactions
    assert (configuration.type, configuration.valid, configuration.writes) == (common_pb2.CONFIG, True, [])


def test_an_invalid_transaction_keeps_what_it_would_have_written(forge: Forge) -> None:
    """It is evidence; nobody may take it for state."""
    envelope = forge.blocks[1].data.data[0]
    (tx,) = decode_block(block_of([envelope], bytes([transaction_pb2.MVCC_READ_CONFLICT]))).transactions
    assert (tx.valid, tx.code, tx.function) == (False, transaction_pb2.MVCC_READ_CONFLICT, "capture")
    assert [write.key for write in tx.writes] == ["apples", "plums"]


Splices = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=3)


@given(Splices)
def test_a_mutated_transaction_is_read_or_refused_and_nothing_else(forge: Forge, splices: Splice) -> None:
    """Lengths, tags and values anywhere in the nested messages: no other error than the one that is promised."""
    content = forge.blocks[1].data.data[0]
    for where, cut, put in splices:
        at = int(where * len(content))
        content = content[:at] + put + content[at + cut :]
    (kept,) = decode_block(block_of([content], bytes([BAD_PAYLOAD]))).transactions
    assert kept.code == BAD_PAYLOAD
    try:
        (read,) = decode_block(block_of([content], b"\x00")).transactions
    except ValueError:
        assert kept.tx_id == f"unreadable:{hashlib.sha256(content).hexdigest()}"
    else:
        assert (read.tx_id, read.writes, read.reads) == (kept.tx_id, kept.writes, kept.reads)


def test_a_transaction_without_an_action() -> None:
    header = common_pb2.ChannelHeader(type=common_pb2.ENDORSER_TRANSACTION, tx_id="x").SerializeToString()
    payload = common_pb2.Payload(header=common_pb2.Header(channel_header=header)).SerializeToString()
    block = block_of([common_pb2.Envelope(payload=payload).SerializeToString()], b"\x00")
    with pytest.raises(ValueError, match="transaction 0 is marked valid"):
        decode_block(block)


@pytest.mark.parametrize("seconds", [-(2**62), 2**62])
def test_a_time_beyond_the_calendar(seconds: int) -> None:
    header = common_pb2.ChannelHeader(type=common_pb2.MESSAGE, tx_id="x", timestamp=Timestamp(seconds=seconds))
    payload = common_pb2.Payload(header=common_pb2.Header(channel_header=header.SerializeToString()))
    envelope = common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString()
    for code in (BAD_PAYLOAD, 0):
        (tx,) = decode_block(block_of([envelope], bytes([code]))).transactions
        assert (tx.tx_id, tx.timestamp) == ("x", None)


def test_what_cannot_be_read_comes_with_its_bytes_unless_that_is_a_fault() -> None:
    (tx,) = decode_block(block_of([b"\xff"], b"\x00"), strict=False).transactions
    assert (tx.valid, tx.writes, tx.unread) == (True, [], b"\xff")
    (tx,) = decode_block(block_of([b"\xff"], bytes([BAD_PAYLOAD])), strict=False).transactions
    assert (tx.valid, tx.unread) == (False, None)


@given(st.binary(max_size=60), st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 2**64 - 1))
def test_a_block_of_any_bytes(envelope: bytes, metadata: list[bytes], number: int) -> None:
    block = block_of([envelope], b"")
    block.header.number = number
    del block.metadata.metadata[:]
    block.metadata.metadata.extend(metadata)
    valid = len(metadata) > 2 and metadata[2][:1] == b"\x00"
    try:
        decoded = decode_block(block)
    except ValueError:
        assert valid
    else:
        assert (decoded.number, [tx.valid for tx in decoded.transactions]) == (number, [valid])


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_invalid_transactions_may_be_any_bytes(envelopes: list[bytes]) -> None:
    decoded = decode_block(block_of(envelopes, bytes([BAD_PAYLOAD] * len(envelopes))))
    assert [tx.index for tx in decoded.transactions] == list(range(len(envelopes)))
    assert all(not tx.valid and tx.code == BAD_PAYLOAD and tx.writes == [] for tx in decoded.transactions)


def test_what_is_marked_valid_and_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="transaction 0 is marked valid"):
        decode_block(block_of([b"\xff\xff"], b"\x00"))


def test_without_validation_codes_nothing_is_valid() -> None:
    decoded = decode_block(block_of([b""], b""))
    assert [tx.valid for tx in decoded.transactions] == [False]
