"""Reading ahead: many small blocks or few large ones, in order, and errors after what came before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fabric_protos.common import common_pb2

from readmodel.ahead import ReadAhead


def block(number: int, size: int = 10) -> common_pb2.Block:
    return common_pb2.Block(header=common_pb2.BlockHeader(number=number), data=common_pb2.BlockData(data=[b"x" * size]))


class Chain:
    """Blocks of a size, and how many were asked for; then an error."""

    def __init__(self, count: int, size: int = 10) -> None:
        self.asked = 0
        self._count, self._size = count, size

    async def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        for number in range(start, self._count):
            self.asked += 1
            yield block(number, self._size)
        raise OSError("gone")

    async def height(self) -> int:
        return self._count


async def settled(chain: Chain) -> int:
    """How far it reads while nobody takes."""
    before = -1
    while before != chain.asked:
        before = chain.asked
        for _ in range(20):
            await asyncio.sleep(0)
    return chain.asked


async def test_large_blocks_are_not_piled_up() -> None:
    chain, ahead = Chain(20, 6 * 2**20), ReadAhead()
    reader = asyncio.create_task(ahead.read(chain, 0))
    assert await settled(chain) <= 4
    assert [one.header.number for one in await ahead.batch(256)] == [0, 1, 2]
    assert 4 <= await settled(chain) <= 8
    reader.cancel()


async def test_small_ones_come_together_and_the_error_after_them() -> None:
    chain, ahead = Chain(40), ReadAhead()
    reader = asyncio.create_task(ahead.read(chain, 5))
    await settled(chain)
    assert [one.header.number for one in await ahead.batch(30)] == list(range(5, 35))
    assert [one.header.number for one in await ahead.batch(30)] == list(range(35, 40))
    with pytest.raises(OSError, match="gone"):
        await ahead.batch(30)
    await reader
