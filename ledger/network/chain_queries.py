"""Answers of the peer's own chaincode ``qscc``, which knows the chain. Each raises ValueError for what is no such answer."""

from __future__ import annotations

from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from fabric.words.transaction import answer_in


def height(raw: bytes) -> int:
    """GetChainInfo: how many blocks there are. A channel has one at least."""
    try:
        found: int = ledger_pb2.BlockchainInfo.FromString(raw).height
    except DecodeError as error:
        raise ValueError(f"no information about a chain: {error}") from error
    if not found:
        raise ValueError("a chain without blocks")
    return found


def block(raw: bytes, number: int | None = None) -> common_pb2.Block:
    """GetBlockByNumber, GetBlockByTxID: the block, which must have the number that was asked for."""
    try:
        found = common_pb2.Block.FromString(raw)
    except DecodeError as error:
        raise ValueError(f"no block: {error}") from error
    if not found.data.data or number not in (None, found.header.number):
        raise ValueError(f"block {found.header.number} of {len(found.data.data)} transactions instead of {number}")
    return found


def outcome(raw: bytes) -> tuple[int, bytes]:
    """GetTransactionByID: a transaction's validation code, and what the contract answered."""
    try:
        found = transaction_pb2.ProcessedTransaction.FromString(raw)
        return found.validationCode, answer_in(found.transactionEnvelope)
    except (DecodeError, ValueError) as error:
        raise ValueError(f"no transaction: {error}") from error
