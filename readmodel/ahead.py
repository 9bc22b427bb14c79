"""Blocks that were read and wait to be applied: many small ones, or few large ones."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from readmodel.following import Chain, RawBlock

_MOST_BLOCKS = 64
_MOST_BYTES = 16 * 2**20

Item: TypeAlias = "RawBlock | BaseException"


class ReadAhead:
    """Reads a chain as far ahead as memory should be spent on."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item] = asyncio.Queue(_MOST_BLOCKS)
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    async def read(self, chain: Chain, start: int) -> None:
        """Until cancelled; the error that ended the stream is the last item."""
        try:
            async for block in chain.blocks(start):
                await self._room.wait()
                self._change(block.ByteSize())
                await self._queue.put(block)
            await self._queue.put(ConnectionError("the ledger's stream of blocks ended"))
        except Exception as error:
            await self._queue.put(error)

    async def batch(self, most_transactions: int) -> list[RawBlock]:
        """The next block and whatever else waits already; an error only once the blocks before it were handed
        out."""
        batch: list[RawBlock] = []
        transactions = 0
        while not batch or (not self._queue.empty() and transactions < most_transactions):
            item = await self._queue.get()
            if isinstance(item, BaseException):
                if not batch:
                    raise item
                self._queue.put_nowait(item)
                break
            batch.append(item)
            self._change(-item.ByteSize())
            transactions += len(item.data.data)
        return batch

    def _change(self, size: int) -> None:
        self._bytes += size
        (self._room.set if self._bytes < _MOST_BYTES else self._room.clear)()
