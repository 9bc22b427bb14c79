"""The chain that a read model is made from: its checkpoint, and whether a block continues it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection

from fabric.words.blocks import DecodedBlock, decode_block
from fabric.words.chain import data_hash

RawBlock: TypeAlias = Any
"""``fabric_protos.common.common_pb2.Block``, whose generated module declares no types."""


class ChainMismatchError(RuntimeError):
    """The block does not continue the chain the read model was made from: a fork, a reset or another
    channel. ``words`` say so to everybody."""

    words = "the ledger is not the one the read model was made from: `lotline rebuild` makes it anew"


class BlockDataMismatchError(ChainMismatchError):
    """A block does not hold the data that its header was made from: somebody changed it afterwards."""

    words = "the ledger was tampered with: a block was changed after it was written, and nothing from it on is shown"


class LedgerBehindError(ChainMismatchError):
    """The ledger has fewer blocks than the read model was made from: it was restored, or is catching up."""

    words = "the read model has more blocks than the ledger: if that does not catch up, `lotline rebuild` makes it anew"


class Chain(Protocol):
    """The part of a ledger the projector needs."""

    def blocks(self, start: int = 0) -> AsyncIterator[RawBlock]:
        """Blocks from ``start`` on, for ever."""
        ...

    async def height(self) -> int:
        """Number of blocks."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """The last block applied."""

    number: int
    header_hash: str


def checkpoint_of(connection: Connection) -> Checkpoint | None:
    """The last block applied, None before the first."""
    row = connection.exec_driver_sql("SELECT number, header_hash FROM block ORDER BY number DESC LIMIT 1").one_or_none()
    return None if row is None else Checkpoint(row[0], row[1])


def decoded(block: RawBlock | DecodedBlock) -> DecodedBlock:
    """A block taken apart, once its data is seen to be that of its header."""
    if isinstance(block, DecodedBlock):
        return block
    if data_hash(block.data.data) != block.header.data_hash:
        raise BlockDataMismatchError(
            f"block {block.header.number} does not hold the data it was made with: the ledger was tampered with after "
            "it was written. Nothing of it is taken. Compare with another organisation's peer, and restore the ledger from there"
        )
    return decode_block(block, strict=False)


def require_continuation(head: Checkpoint | None, block: DecodedBlock) -> None:
    """The block is the next one."""
    expected = 0 if head is None else head.number + 1
    if block.number != expected:
        raise ChainMismatchError(f"expected block {expected} but got block {block.number}")
    if head is not None and block.previous_hash.hex() != head.header_hash:
        raise ChainMismatchError(
            f"block {block.number} follows a block with hash {block.previous_hash.hex()}, but block "
            f"{head.number} here has hash {head.header_hash}: the ledger was reset, or this read model "
            "belongs to another channel. Rebuild the read model (`lotline rebuild`) if the ledger is the right one"
        )


def require_same(connection: Connection, block: DecodedBlock) -> None:
    """A block that was applied before is the one that was applied."""
    sql = f"SELECT header_hash FROM block WHERE number = {int(block.number)}"
    stored = connection.exec_driver_sql(sql).scalar()
    if stored != block.header_hash.hex():
        raise ChainMismatchError(
            f"block {block.number} has hash {block.header_hash.hex()} on the ledger but {stored} in the read "
            "model: the ledger was reset, or this read model belongs to another channel. Rebuild the read model "
            "(`lotline rebuild`) if the ledger is the right one"
        )


async def require_checkpoint(chain: Chain, head: Checkpoint | None) -> None:
    """The last block applied is on the chain. It is not when another ledger was put in its place, or an older copy of it."""
    if head is None:
        return
    height = await chain.height()
    if head.number >= height:
        raise LedgerBehindError(
            f"the read model was made from {head.number + 1} blocks, but the ledger has {height}: an older copy of the ledger was "
            "restored, or its peer is catching up. Rebuild the read model (`lotline rebuild`) if the ledger is the right one"
        )
    async for block in chain.blocks(head.number):
        found = decoded(block).header_hash.hex()
        if found != head.header_hash:
            raise ChainMismatchError(
                f"block {head.number} has hash {found} on the ledger but {head.header_hash} in the read model: the ledger "
                "was reset, or this read model belongs to another channel. Rebuild the read model (`lotline rebuild`) if the "
                "ledger is the right one"
            )
        return
