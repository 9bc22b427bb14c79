"""Apply blocks to the tables, each exactly once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection, Engine

from ledger.blocks import DecodedBlock, decode_block
from readmodel.bulk import Bulk, table_of
from readmodel.containment import update_containment
from readmodel.derived import DERIVED_TABLES
from readmodel.handoffs import Flows, add_flow, new_flows, update_handoffs, write_flows
from readmodel.names import Names
from readmodel.scan import Scan
from readmodel.tables import Event, Handoff, Transaction
from readmodel.writer import Ids, facts, write_scan

RawBlock: TypeAlias = Any
"""``fabric_protos.common.common_pb2.Block``, whose generated module declares no types."""

_MOST_TRANSACTIONS = 256
"""Transactions of the blocks that share one SQL transaction while catching up."""


class ChainMismatchError(RuntimeError):
    """The block does not continue the chain the read model was made from: a fork, a reset or another
    channel."""


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


@dataclass(frozen=True)
class Applied:
    """What a call to ``apply`` did; blocks that had been applied before are not counted."""

    blocks: int
    transactions: int
    events: int


class Projector:
    """The only writer of the tables made from blocks.

    projector = Projector(engine)
    await projector.run(ledger)              # for ever, from the checkpoint on
    """

    def __init__(self, engine: Engine, chaincode: str = "lotline") -> None:
        """``chaincode``: the name under which the contract is on the channel; others' writes are none of ours."""
        self._engine = engine
        self._chaincode = chaincode
        self._ids = Ids()
        self._handoffs = Names(Handoff, "key")
        self._events = Names(Event, "hash")
        self._transactions = Names(Transaction, "tx_id")
        self._head: Checkpoint | None = None

    def checkpoint(self) -> Checkpoint | None:
        """The last block applied, or None before the first."""
        with self._engine.connect() as connection:
            return _checkpoint(connection)

    def apply(self, blocks: RawBlock | DecodedBlock | Sequence[RawBlock | DecodedBlock]) -> Applied:
        """Apply blocks in one SQL transaction that also holds the checkpoint; all of them or none.

        A block that was applied before is skipped. :class:`ChainMismatchError` when one does not fit the
        chain, in which case nothing is written.
        """
        with _no_collection():
            return self._apply_all(blocks if isinstance(blocks, Sequence) else (blocks,))

    def _apply_all(self, blocks: Sequence[RawBlock | DecodedBlock]) -> Applied:
        decoded = [block if isinstance(block, DecodedBlock) else decode_block(block) for block in blocks]
        try:
            with (
                self._engine.connect().execution_options(lotline_write=True) as connection,
                connection.begin(),
            ):
                applied, head = self._apply(connection, decoded)
        except BaseException:
            self._forget()
            raise
        self._head = head
        self._ids.trim()
        self._handoffs.trim()
        return applied

    async def run(self, chain: Chain, until: int | None = None) -> None:
        """Follow a chain from the checkpoint on; with ``until``, return once that many blocks are applied.

        What is waiting is applied together, so catching up is quick and keeping up is prompt.
        """
        checkpoint = await asyncio.to_thread(self.checkpoint)
        start = 0 if checkpoint is None else checkpoint.number + 1
        if until is not None and start >= until:
            return
        waiting: asyncio.Queue[RawBlock | BaseException] = asyncio.Queue(maxsize=64)
        reader = asyncio.create_task(_read(chain, start, waiting))
        try:
            while until is None or start < until:
                batch = await _batch(waiting)
                await asyncio.to_thread(self.apply, batch)
                start = batch[-1].header.number + 1
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    def _apply(self, connection: Connection, blocks: Iterable[DecodedBlock]) -> tuple[Applied, Checkpoint | None]:
        head = _checkpoint(connection)
        if head != self._head:  # somebody else wrote, or this is the first call
            self._forget()
        bulk = Bulk(connection)
        first_event = self._events.next(bulk)
        first_thing = self._ids.things.next(bulk)
        scan = Scan(self._transactions.next(bulk), first_event, self._ids.things.known, self._chaincode)
        for block in blocks:
            if head is not None and block.number <= head.number:
                _same(connection, block)
                continue
            _continues(head, block)
            scan.block(block)
            head = Checkpoint(block.number, block.header_hash.hex())
        if scan.blocks:
            self._write(bulk, scan, first_event, first_thing)
        transactions = len(scan.transactions)
        events = len(scan.events)
        self._transactions.skip(transactions)
        self._events.skip(events)
        return Applied(len(scan.blocks), transactions, events), head

    def _write(self, bulk: Bulk, scan: Scan, first_event: int, first_thing: int) -> None:
        write_scan(bulk, scan, self._ids)
        repacked = update_containment(bulk, facts(scan, self._ids), first_event, first_thing)
        flows = _event_flows(scan, self._ids)
        update_handoffs(bulk, scan, self._ids, self._handoffs, repacked, flows)
        write_flows(bulk, flows)

    def _forget(self) -> None:
        self._head = None
        self._ids.forget()
        for names in (self._handoffs, self._events, self._transactions):
            names.forget()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold Python's cycle collector while a batch of rows is in hand.

    The rows are many, short-lived and in no cycles; going through them again and again takes a tenth of the
    time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


async def rebuild(engine: Engine, chain: Chain, chaincode: str = "lotline") -> None:
    """Throw away everything made from blocks and make it again, up to the chain's present height.

    Forecast results stay. A crash on the way leaves a shorter read model that ``Projector.run`` completes.
    """
    await asyncio.to_thread(clear, engine)
    await Projector(engine, chaincode).run(chain, until=await chain.height())


def clear(engine: Engine) -> None:
    """Empty every table made from blocks."""
    with engine.connect().execution_options(lotline_write=True) as connection, connection.begin():
        for model in DERIVED_TABLES:
            connection.execute(table_of(model).delete())


def _event_flows(scan: Scan, ids: Ids) -> Flows:
    flows = new_flows()
    things, parties, places = ids.things.known, ids.parties.known, ids.places.known
    for product, flow, day, party, place, uom, quantity in scan.flows:
        key = (
            things[product],
            flow,
            day,
            0 if party is None else parties[party],
            0 if place is None else places[place],
            uom,
        )
        add_flow(flows, key, quantity, 1)
    return flows


def _checkpoint(connection: Connection) -> Checkpoint | None:
    row = connection.exec_driver_sql("SELECT number, header_hash FROM block ORDER BY number DESC LIMIT 1").one_or_none()
    return None if row is None else Checkpoint(row[0], row[1])


def _continues(head: Checkpoint | None, block: DecodedBlock) -> None:
    expected = 0 if head is None else head.number + 1
    if block.number != expected:
        raise ChainMismatchError(f"expected block {expected} but got block {block.number}")
    if head is not None and block.previous_hash.hex() != head.header_hash:
        raise ChainMismatchError(
            f"block {block.number} follows a block with hash {block.previous_hash.hex()}, but block "
            f"{head.number} here has hash {head.header_hash}: the ledger was reset, or this read model "
            "belongs to another channel. Rebuild the read model if the ledger is the right one"
        )


def _same(connection: Connection, block: DecodedBlock) -> None:
    sql = f"SELECT header_hash FROM block WHERE number = {int(block.number)}"
    stored = connection.exec_driver_sql(sql).scalar()
    if stored != block.header_hash.hex():
        raise ChainMismatchError(
            f"block {block.number} has hash {block.header_hash.hex()} on the ledger but {stored} in the read "
            "model: the ledger was reset, or this read model belongs to another channel"
        )


async def _read(chain: Chain, start: int, into: asyncio.Queue[RawBlock | BaseException]) -> None:
    try:
        async for block in chain.blocks(start):
            await into.put(block)
        await into.put(ConnectionError("the ledger's stream of blocks ended"))
    except Exception as error:
        await into.put(error)


async def _batch(waiting: asyncio.Queue[RawBlock | BaseException]) -> list[RawBlock]:
    """The next block and whatever else waits already; an error only once the blocks before it were handed
    out."""
    batch: list[RawBlock] = []
    transactions = 0
    while not batch or (not waiting.empty() and transactions < _MOST_TRANSACTIONS):
        item = await waiting.get()
        if isinstance(item, BaseException):
            if not batch:
                raise item
            waiting.put_nowait(item)
            break
        batch.append(item)
        transactions += len(item.data.data)
    return batch
