"""A copy of the chain, block by block, held to every rule of Fabric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from auditing.report import Finding
from fabric.verify import Verifier

RawBlock: TypeAlias = Any


class Walk:
    """Takes a copy's blocks in order. ``close`` gives back what it needed for that."""

    def __init__(self, whose: str) -> None:
        self.whose = whose
        self.count = 0
        self._verifier = Verifier()

    def add(self, block: RawBlock) -> Iterator[Finding]:
        """What is wrong with the next block."""
        number = block.header.number
        for found in self._verifier.add(block):
            at = f"block {number}" + ("" if found.transaction is None else f", transaction {found.transaction}")
            yield Finding("blocks", self.whose, at, f"{found.rule}: {found.detail}", number)
        self.count += 1

    def state(self, chaincode: str) -> Iterator[tuple[str, bytes]]:
        """What the blocks add up to: a chaincode's keys and values, in the order of the keys' bytes."""
        return self._verifier.values(chaincode)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._verifier.close()
