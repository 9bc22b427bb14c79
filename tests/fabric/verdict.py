"""The check after a fault: nothing promised is missing or there twice, all peers agree, and so does the read model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import col, select

from fabric.words import chain
from ledger.port import Ledger
from readmodel import Projector, digest, migrate, open_engine, rebuild
from readmodel.identifiers import hash_hex
from readmodel.tables import Event, Transaction
from tests.integration.captured_events import captured_events

_CATCHING_UP = 90.0


class Follower:
    """A projector that follows the chain while parts of the network die, as a worker's does."""

    def __init__(self, ledger: Ledger, chaincode: str, database: Path) -> None:
        self._chaincode = chaincode
        self.engine: Engine = open_engine(database)
        migrate(self.engine)
        self._projector = Projector(self.engine, chaincode)
        self._task = asyncio.create_task(self._projector.run(ledger))

    async def reach(self, height: int) -> None:
        """Wait until so many blocks are applied; what stopped the projector is raised."""
        async with asyncio.timeout(_CATCHING_UP):
            while (found := self._projector.checkpoint()) is None or found.number + 1 < height:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.02)

    def events(self) -> dict[str, int]:
        """The block of every event in the read model, by hash (hexadecimal)."""
        written = select(Event.hash, Transaction.block).join(Transaction, col(Transaction.id) == Event.transaction_id)
        with self.engine.connect() as connection:
            rows = connection.execute(written).all()
        assert len(rows) == len({row.hash for row in rows})
        return {row.hash: row.block for row in rows}

    async def stop(self) -> None:
        """Follow no more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def check_rebuilt(self, ledger: Ledger) -> None:
        """Made again from that ledger, the read model is the same to the byte."""
        before = digest(self.engine)
        await rebuild(self.engine, ledger, self._chaincode)
        assert digest(self.engine) == before


@dataclass(frozen=True)
class Record:
    """What is on the ledger: its height, and the block of every event, by hash (hexadecimal)."""

    height: int
    events: dict[str, int]


async def verify(
    acknowledged: Mapping[str, int], chaincode: str, peers: Mapping[str, Ledger], begins: Mapping[str, int]
) -> Record:
    """On every peer, everything acknowledged is in its block once and nothing is there twice; all have the same commit
    hash in every block. ``begins``: where to begin on each peer, for all but those that lack blocks the same."""
    height = max([await ledger.height() for ledger in peers.values()])
    hashes: dict[int, set[bytes]] = {number: set() for number in range(min(begins.values()), height)}
    records = {}
    for name, ledger in peers.items():
        first = begins[name]
        events: dict[str, int] = {}
        async for block in _between(ledger, first, height):
            number = block.header.number
            hashes[number].add(bytes(block.metadata.metadata[chain.COMMIT_HASH]))
            for hash_ in map(hash_hex, captured_events(block, chaincode)):
                assert hash_ not in events, f"{hash_} is in block {events[hash_]} and again in {number} of {name}"
                events[hash_] = number
        promised = {hash_hex(hash_): number for hash_, number in acknowledged.items() if number >= first}
        assert promised.items() <= events.items(), f"accepted, and not in its block on {name}"
        records[first] = Record(height, events)
    assert [number for number, found in hashes.items() if len(found) != 1] == [], "the peers' commit hashes differ"
    return records[min(records)]


async def _between(ledger: Ledger, start: int, height: int) -> AsyncIterator[Any]:
    """One peer's blocks up to a height, which it may have to reach first."""
    if start >= height:
        return
    async with asyncio.timeout(_CATCHING_UP), contextlib.aclosing(ledger.blocks(start)) as blocks:  # type: ignore[type-var]
        async for block in blocks:
            yield block
            if block.header.number == height - 1:
                return
