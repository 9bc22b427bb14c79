"""Apply blocks to the tables, each exactly once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from fabric.words.blocks import DecodedBlock
from readmodel.ahead import ReadAhead
from readmodel.bulk import Bulk, table_of
from readmodel.containment import update_containment
from readmodel.declarations import Outcome, notes_of_fresh, outcome
from readmodel.derived import DERIVED_TABLES
from readmodel.engine import DATABASE_AWAY
from readmodel.following import (
    Chain,
    ChainMismatchError,
    Checkpoint,
    RawBlock,
    checkpoint_of,
    decoded,
    require_checkpoint,
    require_continuation,
    require_same,
)
from readmodel.handoffs import Flows, add_flow, new_flows, update_handoffs, write_flows
from readmodel.ids import Ids
from readmodel.names import Names
from readmodel.salvage import Place, to_blame
from readmodel.scan import Scan
from readmodel.tables import Event, Transaction
from readmodel.writer import facts, write_recalls, write_scan, write_transformations

_MOST_TRANSACTIONS = 256
"""Transactions of the blocks that share one SQL transaction while catching up."""
_LOCK = 0x4C4F5450  # "LOTP": one applies at a time


@dataclass(frozen=True)
class Applied:
    """What a call to ``apply`` did; blocks that had been applied before are not counted."""

    blocks: int
    transactions: int
    events: int
    quarantined: int = 0
    """Records that cannot be read and were set aside."""


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
        self._events = Names(Event, "hash")
        self._transactions = Names(Transaction, "tx_id")
        self._head: Checkpoint | None = None

    def checkpoint(self) -> Checkpoint | None:
        """The last block applied, or None before the first."""
        with self._engine.connect() as connection:
            return checkpoint_of(connection)

    def apply(self, blocks: RawBlock | DecodedBlock | Sequence[RawBlock | DecodedBlock]) -> Applied:
        """Apply blocks in one SQL transaction that also holds the checkpoint; all of them or none.

        A block that was applied before is skipped. :class:`ChainMismatchError` when one does not fit the
        chain, in which case nothing is written; :class:`BlockDataMismatchError` when one was changed, in which case those
        before it are. What a block says stops nothing: a record that cannot be read is set
        aside (table ``quarantine``), alone.
        """
        with _no_collection():
            sound: list[DecodedBlock] = []
            try:
                sound.extend(map(decoded, blocks if isinstance(blocks, Sequence) else (blocks,)))
            except ChainMismatchError:
                if sound:
                    self._apply_all(sound)
                raise
            return self._apply_all(sound)

    def _apply_all(self, blocks: Sequence[DecodedBlock]) -> Applied:
        try:
            return self._commit(blocks, ())
        except (ChainMismatchError, *DATABASE_AWAY):
            raise
        except Exception as error:
            return self._salvage(blocks, error)

    def _salvage(self, blocks: Sequence[DecodedBlock], error: Exception) -> Applied:
        """One by one, and each without the records that it cannot be applied with."""
        done = Applied(0, 0, 0)
        for block in blocks:
            try:
                blamed = to_blame(block, lambda skip, block=block: self._fails(block, skip))  # type: ignore[misc]
            except LookupError:
                raise error from None
            one = self._commit([block], tuple(blamed))
            done = Applied(
                done.blocks + one.blocks,
                done.transactions + one.transactions,
                done.events + one.events,
                done.quarantined + one.quarantined,
            )
        return done

    def _fails(self, block: DecodedBlock, skip: set[Place]) -> bool:
        """Try a block without some of its writes and leave no trace."""
        try:
            with self._engine.connect().execution_options(lotline_write=True) as connection:
                self._apply(connection, [block], tuple(skip))
        except (ChainMismatchError, *DATABASE_AWAY):
            raise
        except Exception:
            return True
        finally:
            self._forget()
        return False

    def _commit(self, blocks: Sequence[DecodedBlock], skip: Sequence[Place]) -> Applied:
        try:
            with (
                self._engine.connect().execution_options(lotline_write=True) as connection,
                connection.begin(),
            ):
                applied, head = self._apply(connection, blocks, skip)
        except BaseException:
            self._forget()
            raise
        self._head = head
        self._ids.trim()
        return applied

    async def run(self, chain: Chain, until: int | None = None) -> None:
        """Follow a chain from the checkpoint on; with ``until``, return once that many blocks are applied.

        What is waiting is applied together, so catching up is quick and keeping up is prompt.
        :class:`ChainMismatchError` at once where the last block applied is not on the chain.
        """
        checkpoint = await asyncio.to_thread(self.checkpoint)
        await require_checkpoint(chain, checkpoint)
        start = 0 if checkpoint is None else checkpoint.number + 1
        if until is not None and start >= until:
            return
        ahead = ReadAhead()
        reader = asyncio.create_task(ahead.read(chain, start))
        try:
            while until is None or start < until:
                batch = await ahead.batch(_MOST_TRANSACTIONS)
                await asyncio.to_thread(self.apply, batch)
                start = batch[-1].header.number + 1
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    def _apply(
        self, connection: Connection, blocks: Sequence[DecodedBlock], skip: Sequence[Place]
    ) -> tuple[Applied, Checkpoint | None]:
        if connection.dialect.name == "postgresql":  # another worker may have this moment's blocks too
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        head = checkpoint_of(connection)
        if head != self._head:  # somebody else wrote, or this is the first call
            self._forget()
        new: list[DecodedBlock] = []
        for block in blocks:
            if head is not None and block.number <= head.number:
                require_same(connection, block)
                continue
            require_continuation(head, block)
            new.append(block)
            head = Checkpoint(block.number, block.header_hash.hex())
        if not new:
            return Applied(0, 0, 0), head
        bulk = Bulk(connection)
        first_thing = self._ids.things.next(bulk)
        captured = {digest for block in new for digest in _captured(block, self._chaincode)}
        scan = Scan(
            self._transactions.next(bulk),
            self._events.next(bulk),
            self._ids.things.known,
            bulk.ids(Event, "hash", captured),
            self._chaincode,
            frozenset(skip),
        )
        for block in new:
            scan.block(block)
        self._write(bulk, scan, first_thing)
        self._transactions.skip(len(scan.transactions))
        self._events.skip(len(scan.events))
        return Applied(len(new), len(scan.transactions), len(scan.events), len(scan.quarantine)), head

    def _write(self, bulk: Bulk, scan: Scan, first_thing: int) -> None:
        notes = notes_of_fresh(bulk, scan)
        write_scan(bulk, scan, self._ids, notes)
        result = outcome(bulk, scan, notes)
        self._resolve(bulk, result)
        write_transformations(bulk, scan, self._ids, result)
        write_recalls(bulk, self._ids, result)
        new, gone = facts(result.given.packings, self._ids), facts(result.taken.packings, self._ids)
        repacked = update_containment(bulk, new, gone, first_thing)
        flows = new_flows()
        self._add_flows(flows, result)
        update_handoffs(bulk, scan, self._ids, repacked, flows)
        write_flows(bulk, flows)

    def _resolve(self, bulk: Bulk, result: Outcome) -> None:
        """The names in what older events brought about, which the tables have."""
        flows = [*result.given.flows, *result.taken.flows]
        things = {flow.product for flow in flows}
        for one in result:
            things |= {name for row in one.packings for name in (row.child, row.parent) if name is not None}
            things |= {edge.thing for edge in one.edges} | {mark.thing for mark in one.recalls}
        self._ids.things.resolve(bulk, sorted(things))
        self._ids.parties.resolve(bulk, sorted({flow.party for flow in flows if flow.party is not None}))
        self._ids.places.resolve(bulk, sorted({flow.place for flow in flows if flow.place is not None}))

    def _add_flows(self, flows: Flows, result: Outcome) -> None:
        for sign, moved in ((1, result.given.flows), (-1, result.taken.flows)):
            for product, flow, day, party, place, uom, quantity in moved:
                known = (self._ids.things.known[product], self._ids.party(party) or 0, self._ids.place(place) or 0)
                add_flow(flows, (known[0], flow, day, known[1], known[2], uom), sign * quantity, sign)

    def _forget(self) -> None:
        self._head = None
        self._ids.forget()
        for names in (self._events, self._transactions):
            names.forget()


def _captured(block: DecodedBlock, chaincode: str) -> Iterator[str]:
    """The names of the events that a block writes."""
    for tx in block.transactions:
        if tx.valid:
            for write in tx.writes:
                if write.namespace == chaincode and write.key.startswith("\x00EV\x00"):
                    yield write.key[4:-1]


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
