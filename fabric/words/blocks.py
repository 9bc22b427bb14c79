"""Blocks taken apart: what the projector and auditors need, and no more work than that.

A transaction of five hundred events is a few messages deep and a thousand writes wide, so values are handed on as they
lie in the parsed messages.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from fabric.words.chain import TRANSACTIONS_FILTER, header_hash
from fabric.words.identity import parse_identity
from fabric.words.transaction import Endorsed, open_envelope

VALID: int = transaction_pb2.VALID
NOT_VALIDATED: int = transaction_pb2.NOT_VALIDATED
_NO_TYPE = -1


class Write(NamedTuple):
    """A key's new value; None for a deletion."""

    namespace: str
    key: str
    value: bytes | None
    is_delete: bool = False


class Read(NamedTuple):
    """A key that was read, and the (block, transaction) that had written it; None where it did not exist."""

    namespace: str
    key: str
    version: tuple[int, int] | None


class Endorsement(NamedTuple):
    """A peer's signature under the answer."""

    endorser: bytes
    signature: bytes


@dataclass
class DecodedTx:
    """A transaction. ``code`` is its validation code; only a valid one changed the state."""

    tx_id: str
    index: int
    type: int
    timestamp: datetime | None
    creator_msp: str
    creator: bytes
    function: str
    code: int
    valid: bool
    writes: list[Write]
    response_status: int = 200
    response_payload: bytes = b""
    endorsements: list[Endorsement] = field(default_factory=list)
    sets: list[tuple[str, kv_rwset_pb2.KVRWSet]] = field(default_factory=list, repr=False, compare=False)
    chaincode: str = ""
    """Whose answer it is, as its endorsers say; empty where nobody says so."""
    unread: bytes | None = field(default=None, init=False, repr=False, compare=False)
    """What it is, where it is marked valid and cannot be read."""

    @cached_property
    def reads(self) -> list[Read]:
        """The keys that were read one by one. Taken apart when asked for: only auditors do."""
        return [Read(namespace, read.key, _version(read)) for namespace, found in self.sets for read in found.reads]


@dataclass
class DecodedBlock:
    """A block. ``header_hash`` is computed here, not taken from anywhere."""

    number: int
    previous_hash: bytes
    data_hash: bytes
    header_hash: bytes
    transactions: list[DecodedTx]


def decode_block(block: common_pb2.Block, *, strict: bool = True) -> DecodedBlock:
    """Take a block apart. A transaction that is marked valid and cannot be read raises ValueError; unless ``strict``, it comes with
    no writes and its bytes in ``unread``."""
    header = block.header
    metadata = block.metadata.metadata
    codes = metadata[TRANSACTIONS_FILTER] if len(metadata) > TRANSACTIONS_FILTER else b""
    return DecodedBlock(
        header.number,
        header.previous_hash,
        header.data_hash,
        header_hash(header.number, header.previous_hash, header.data_hash),
        [
            _transaction(index, envelope, codes[index] if index < len(codes) else NOT_VALIDATED, strict)
            for index, envelope in enumerate(block.data.data)
        ],
    )


def _transaction(index: int, raw: bytes, code: int, strict: bool) -> DecodedTx:
    """An invalid one may be any bytes: an orderer does not look inside. It is evidence all the same."""
    try:
        return _read(index, raw, code)
    except (DecodeError, IndexError, ValueError, OverflowError) as error:
        if code == VALID and strict:
            raise ValueError(f"transaction {index} is marked valid and cannot be read: {error}") from error
        unreadable = f"unreadable:{hashlib.sha256(raw).hexdigest()}"
        found = DecodedTx(unreadable, index, _NO_TYPE, None, "", b"", "", code, code == VALID, [])
        found.unread = raw if code == VALID else None
        return found


def _read(index: int, raw: bytes, code: int) -> DecodedTx:
    payload, header = open_envelope(common_pb2.Envelope.FromString(raw))
    creator = common_pb2.SignatureHeader.FromString(payload.header.signature_header).creator
    decoded = DecodedTx(
        tx_id=header.tx_id,
        index=index,
        type=header.type,
        timestamp=_moment(header),
        creator_msp=parse_identity(creator)[0],
        creator=creator,
        function="",
        code=code,
        valid=code == VALID,
        writes=[],
    )
    if header.type == common_pb2.ENDORSER_TRANSACTION:
        _add_action(decoded, Endorsed.read(payload.data))
    return decoded


def _moment(header: common_pb2.ChannelHeader) -> datetime | None:
    """A client writes the time: it may be one that no calendar has."""
    try:
        found: datetime = header.timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found


def _add_action(decoded: DecodedTx, found: Endorsed) -> None:
    decoded.function = _function(found)
    decoded.endorsements = [Endorsement(item.endorser, item.signature) for item in found.body.action.endorsements]
    decoded.chaincode = found.result.chaincode_id.name
    decoded.response_status = found.result.response.status
    decoded.response_payload = found.result.response.payload
    for entry in rwset_pb2.TxReadWriteSet.FromString(found.result.results).ns_rwset:
        _add_rwset(decoded, entry.namespace, kv_rwset_pb2.KVRWSet.FromString(entry.rwset))


def _add_rwset(decoded: DecodedTx, namespace: str, found: kv_rwset_pb2.KVRWSet) -> None:
    decoded.sets.append((namespace, found))
    decoded.writes.extend(
        [
            Write(namespace, write.key, None, True) if write.is_delete else Write(namespace, write.key, write.value)
            for write in found.writes
        ]
    )


def _version(read: kv_rwset_pb2.KVRead) -> tuple[int, int] | None:
    return (read.version.block_num, read.version.tx_num) if read.HasField("version") else None


def _function(found: Endorsed) -> str:
    """The name of the called function. The arguments, most of the bytes, are only skimmed."""
    args = found.call().input.args
    return args[0].decode("utf-8", "replace") if args else ""
