"""Load that never gives up, and the check that nothing it was promised is missing or there twice."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from typing import Any

from ledger.blocks import decode_block
from ledger.errors import Conflict, LedgerError
from ledger.identity import Identity
from ledger.port import Ledger

COMMIT_HASH = 4  # its place in a block's metadata


class Load:
    """Submitters that write a new key each time, with the nonce kept until the outcome is known."""

    def __init__(self, ledger: Ledger, identity: Identity, submitters: int = 6) -> None:
        self._ledger = ledger
        self._identity = identity
        self._submitters = submitters
        self._numbers = itertools.count()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.acknowledged: dict[str, int] = {}
        self.troubles: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to submit."""
        self._tasks = [asyncio.create_task(self._submit_for_ever()) for _ in range(self._submitters)]

    async def after(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(120):
            while len(self.acknowledged) < wanted:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Let every submitter finish what it is at."""
        self._stopping.set()
        async with asyncio.timeout(120):
            await asyncio.gather(*self._tasks)

    async def _submit_for_ever(self) -> None:
        while not self._stopping.is_set():
            key = f"load-{next(self._numbers)}"
            self.acknowledged[key] = await self._until_known(key)

    async def _until_known(self, key: str) -> int:
        nonce = os.urandom(24)
        pause = 0.05
        while True:
            try:
                words = [key.encode(), b"value"]
                done = await self._ledger.submit("put", words, identity=self._identity, nonce=nonce)
            except LedgerError as error:
                self.troubles[f"{type(error).__name__}: {str(error)[:80]}"] += 1
                if not error.retryable:
                    raise
                if isinstance(error, Conflict):
                    nonce = os.urandom(24)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)
            else:
                return done.block


async def verify(load: Load, chaincode: str, ledgers: dict[str, Ledger]) -> None:
    """Everything acknowledged is in its block once, on every peer, and all peers have the same commit hash."""
    heights = {name: await ledger.height() for name, ledger in ledgers.items()}
    height = max(heights.values())
    for name, ledger in ledgers.items():
        async with asyncio.timeout(60):
            while await ledger.height() < height:
                await asyncio.sleep(0.05)
        assert name
    written: Counter[str] = Counter()
    where: dict[str, int] = {}
    for number in range(height):
        blocks = {name: await ledger.block(number) for name, ledger in ledgers.items()}
        hashes = {bytes(block.metadata.metadata[COMMIT_HASH]) for block in blocks.values()}
        assert len(hashes) == 1, f"the peers differ in block {number}"
        for key in _keys(next(iter(blocks.values())), chaincode):
            written[key] += 1
            where[key] = number
    twice = [key for key, count in written.items() if count > 1]
    assert twice == []
    missing = [key for key, block in load.acknowledged.items() if where.get(key) != block]
    assert missing == []


def _keys(block: Any, chaincode: str) -> list[str]:
    return [
        write.key
        for transaction in decode_block(block).transactions
        if transaction.valid
        for write in transaction.writes
        if write.namespace == chaincode and write.key.startswith("load-")
    ]
