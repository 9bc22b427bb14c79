"""The one interface through which everything above talks to a ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.common import common_pb2

from fabric.words.identity import Identity

__all__ = ["Committed", "Identity", "Ledger"]


@dataclass(frozen=True)
class Committed:
    """A transaction in a block, and what the contract answered."""

    tx_id: str
    block: int
    result: bytes


NO_ORDERERS, NO_LEADER = "no_orderers", "no_leader"
"""Fewer orderers than it takes can be reached; all can, and are electing which of them leads."""


class Ledger(Protocol):
    """A channel with the contract on it. Every method raises the errors of ``ledger.errors`` and no others."""

    async def submit(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
        nonce: bytes | None = None,
    ) -> Committed:
        """Call the contract and wait for the block. The transaction id is hex(SHA-256(nonce || creator)), so that a
        second submit with the same nonce returns the first one's result and applies nothing."""
        ...

    async def evaluate(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Call the contract and throw its writes away."""
        ...

    async def attest(self, function: str, args: Sequence[bytes], *, identity: Identity) -> bytes:
        """Call the contract and have its answer signed by so many organisations' peers as must agree to a change; nothing is ordered.

        Returns the call, the answer and the signatures as a transaction has them (``common.Payload``).
        """
        ...

    async def checkpoints(self, nonce: bytes, *, identity: Identity) -> list[bytes]:
        """How high the chain is and what its last block is, signed by a peer of each organisation that can be asked for itself; each
        as ``attest`` has it, of the system chaincode ``qscc``. The calls carry the nonce. None from peers that do not answer."""
        ...

    def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        """Blocks from ``start`` on, for ever: at the end it waits for the next one."""
        ...

    @property
    def ordering(self) -> str:
        """Why nothing is ordered just now, by name (`NO_ORDERERS`, `NO_LEADER`); empty when nothing is known of that."""
        ...

    async def height(self) -> int:
        """The number of blocks, genesis included."""
        ...

    async def block(self, number: int) -> common_pb2.Block:
        """One block; raises Unavailable if there is none of that number."""
        ...

    async def transaction_block(self, tx_id: str) -> int | None:
        """The number of the block that holds a transaction, None if there is none."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
