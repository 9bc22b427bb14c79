"""A copy of the chain, block by block: every rule of Fabric, and what the write sets add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from auditing.report import Finding
from fabric.verify import Verifier
from fabric.words.blocks import decode_block

RawBlock: TypeAlias = Any
_VALID = 0


@dataclass
class Walk:
    """Takes a copy's blocks in order. ``chaincode``: keep what its keys should hold; empty: of none."""

    whose: str
    chaincode: str = ""
    state: dict[str, bytes] = field(default_factory=dict)
    """By key, the first 16 bytes of the SHA-256 of its value: some 200 bytes of memory a key."""
    count: int = 0
    _verifier: Verifier = field(default_factory=Verifier)

    def add(self, block: RawBlock) -> Iterator[Finding]:
        """What is wrong with the next block."""
        number = block.header.number
        for found in self._verifier.add(block):
            at = f"block {number}" + ("" if found.transaction is None else f", transaction {found.transaction}")
            yield Finding("blocks", self.whose, at, f"{found.rule}: {found.detail}", number)
        if self.chaincode:
            self._add_up(block)
        self.count += 1

    def _add_up(self, block: RawBlock) -> None:
        for transaction in decode_block(block, strict=False).transactions:
            if transaction.code != _VALID:
                continue
            for write in transaction.writes:
                if write.namespace != self.chaincode:
                    continue
                if write.value is None:
                    self.state.pop(write.key, None)
                else:
                    self.state[write.key] = brief(write.value)


def brief(value: bytes | str) -> bytes:
    """Enough of a value's hash to tell it from others. Who tampers with a file may leave a text where bytes were."""
    if isinstance(value, str):
        return brief(b"text " + value.encode(errors="surrogatepass"))
    return hashlib.sha256(value).digest()[:16]
