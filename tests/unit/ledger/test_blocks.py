"""Blocks: Fabric's hashes, worked out by hand, and bytes that are no block."""

from __future__ import annotations

import hashlib

import pytest
from fabric_protos.common import common_pb2
from hypothesis import example, given
from hypothesis import strategies as st

from ledger import chain
from ledger.blocks import decode_block
from ledger.transaction import transaction_id


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


def test_a_transaction_id_is_the_hash_of_nonce_and_creator() -> None:
    assert transaction_id(b"\x01" * 24, b"creator") == hashlib.sha256(b"\x01" * 24 + b"creator").hexdigest()


def block_of(envelopes: list[bytes], codes: bytes) -> common_pb2.Block:
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=3, previous_hash=b"p" * 32, data_hash=b"d" * 32),
        data=common_pb2.BlockData(data=envelopes),
        metadata=common_pb2.BlockMetadata(metadata=[b"", b"", codes, b"", b""]),
    )


BAD_PAYLOAD = 2


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
