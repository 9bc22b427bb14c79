"""Fabric's rules for headers, hashes and metadata of blocks.

Sources: fabric ``protoutil/blockutils.go`` (header bytes), ``core/ledger/kvledger/kv_ledger.go`` and
``txmgmt/txmgr/update_batch_bytes.go`` (commit hash).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from fabric_protos.common import common_pb2

from fabric.words.identity import Identity

SIGNATURES, LAST_CONFIG, TRANSACTIONS_FILTER, ORDERER, COMMIT_HASH = range(5)
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04


def header_bytes(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """ASN.1 DER of ``SEQUENCE{INTEGER number, OCTET STRING previous_hash, OCTET STRING data_hash}``.

    >>> header_bytes(128, b"", b"\\x01").hex(" ")
    '30 09 02 02 00 80 04 00 04 01 01'
    """
    integer = number.to_bytes(number.bit_length() // 8 + 1, "big")
    body = _der(_INTEGER, integer) + _der(_OCTETS, previous_hash) + _der(_OCTETS, data_hash)
    return _der(_SEQUENCE, body)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def header_hash(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """What the next block calls ``previous_hash``.

    >>> header_hash(0, b"", data_hash([b"envelope"])).hex()[:16]
    'acad8d3e05e6bedb'
    """
    return hashlib.sha256(header_bytes(number, previous_hash, data_hash)).digest()


def data_hash(envelopes: Sequence[bytes]) -> bytes:
    """SHA-256 of all envelopes joined."""
    return hashlib.sha256(b"".join(envelopes)).digest()


def assemble(
    number: int,
    previous_hash: bytes,
    envelopes: Sequence[bytes],
    orderer: Identity | None,
    nonce: bytes,
    last_config: int = 0,
) -> common_pb2.Block:
    """A block as an orderer hands it out. The genesis block has no orderer and is not signed."""
    digest = data_hash(envelopes)
    block = common_pb2.Block(
        header=common_pb2.BlockHeader(number=number, previous_hash=previous_hash, data_hash=digest),
        data=common_pb2.BlockData(data=envelopes),
        metadata=common_pb2.BlockMetadata(metadata=[b""] * 5),
    )
    value = common_pb2.OrdererBlockMetadata(last_config=common_pb2.LastConfig(index=last_config)).SerializeToString(
        deterministic=True
    )
    signatures = []
    if orderer is not None:
        header = common_pb2.SignatureHeader(creator=orderer.creator, nonce=nonce).SerializeToString(deterministic=True)
        signed = value + header + header_bytes(number, previous_hash, digest)
        signatures = [common_pb2.MetadataSignature(signature_header=header, signature=orderer.sign(signed))]
    metadata = common_pb2.Metadata(value=value, signatures=signatures)
    block.metadata.metadata[SIGNATURES] = metadata.SerializeToString(deterministic=True)
    return block


def commit_hash(codes: bytes, updates: bytes, previous: bytes) -> bytes:
    """The peer's running digest of what was committed: codes, state updates, and the digest before."""
    return hashlib.sha256(uvarint(len(codes)) + codes + updates + previous).digest()


def update_bytes(
    writes: Iterable[tuple[str, str, bytes | None, int]],
    block: int,
    hashed: Iterable[tuple[str, str, bytes, bytes | None, int]] = (),
) -> bytes:
    """A block's state updates as Fabric hashes them.

    ``writes``: (namespace, key, value or None for a deletion, number of the transaction in the block), one a key: the
    last. ``hashed``: (namespace, collection, hash of the key, hash of the value or None, number). Sorted by namespace,
    collection (public keys first) and key; namespace and collection stand on the first entry of their run only.
    """
    height = ordered_varint(block)
    entries = [(namespace.encode(), b"", key.encode(), value, tx) for namespace, key, value, tx in writes]
    entries += [(space.encode(), collection.encode(), key, value, tx) for space, collection, key, value, tx in hashed]
    entries.sort(key=lambda entry: entry[:3])
    out: list[bytes] = []
    last: tuple[bytes, bytes] | None = None
    for namespace, collection, key, value, tx in entries:
        prefix = b"" if last is not None and namespace == last[0] else _field(1, namespace)
        if (namespace, collection) != last:
            prefix += _field(2, collection)
        last = namespace, collection
        content = b"\x20\x01" if value is None else _field(5, value)
        entry = prefix + _field(3, key) + content + _field(6, height + ordered_varint(tx))
        out += (b"\x0a", uvarint(len(entry)), entry)
    return b"".join(out)


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes; absent when empty."""
    return bytes((number << 3 | 2,)) + uvarint(len(content)) + content if content else b""


@lru_cache(1 << 14)
def uvarint(value: int) -> bytes:
    """An unsigned varint, seven bits a byte, least significant first.

    >>> uvarint(300).hex()
    'ac02'
    """
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(256)
def ordered_varint(value: int) -> bytes:
    """An encoding of unsigned numbers whose byte order is their order: length, then big-endian bytes.

    >>> ordered_varint(0).hex(), ordered_varint(300).hex()
    ('00', '02012c')
    """
    content = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return uvarint(len(content)) + content
