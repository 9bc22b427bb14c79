"""What only a network's chain holds, and the read model made of it.

The chain that the projector's own tests make by hand is written to a network here, among configuration blocks, approvals
of chaincode, other chaincodes' writes in the same blocks and a transaction that lost a race.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from fabric.gateway import Gateway, Identity, open_channel, private_key_signer
from fabric.gateway.gateway import Contract
from fabric.gateway.transaction import Transaction
from fabric.words.blocks import DecodedBlock, Write, decode_block
from fabric.words.keys import private_pem
from ledger.network.connection import read_connection
from ledger.port import Ledger
from readmodel import ChainMismatchError, Projector, digest, rebuild
from readmodel.bulk import table_of
from readmodel.derived import DERIVED_TABLES
from readmodel.tables import Block
from readmodel.tables import Transaction as TransactionRow
from tests.fabric.playground import NOTEBOOK, Playground
from tests.integration.readmodel.network import Network
from tests.integration.readmodel.stories import busy_chain

pytestmark = pytest.mark.fabric
NewModel = Callable[[], Engine]
MSP = "FarmMSP"
MVCC_READ_CONFLICT, CONFIG = 11, 1
RACED = "raced"
ELSEWHERE = {"transaction_id", "record_time", "published_at"}
"""Columns that say in which transaction something was, and when."""
NUMBERED = {"handoff", "exception"}
"""Tables whose numbers follow from the block that told of them first."""


class Writer:
    """Writes blocks that were made by hand to a network: each block's transactions together, beside those of others."""

    def __init__(self, own: Contract, others: Contract) -> None:
        self._own = own
        self._others = others

    async def write(self, transactions: Sequence[tuple[int, Sequence[Write]]]) -> int:
        """Order them in one go, each with the code it is to have, and a write of the others; returns the last block."""
        endorsed = [await self._endorse(writes, code) for code, writes in transactions]
        endorsed.append(await self._others.new_proposal("put", ["\x00EV\x00x\x00", "{not json"]).endorse())
        if any(code for code, _ in transactions):
            await self._own.submit("put", RACED, "by another")
        commits = [await transaction.submit() for transaction in endorsed]
        statuses = [await commit.status() for commit in commits]
        assert [status.code for status in statuses] == [*(code for code, _ in transactions), 0]
        return max(status.block_number for status in statuses)

    async def _endorse(self, writes: Sequence[Write], code: int) -> Transaction:
        assert code in (0, MVCC_READ_CONFLICT)
        content = {write.key: None if write.value is None else write.value.decode() for write in writes}
        asked = json.dumps({"reads": [RACED] if code else [], "writes": content})
        return await self._own.new_proposal("write", [asked]).endorse()


async def write_busy_chain(playground: Playground, chaincode: str, ledger: Ledger) -> bytes:
    """The chain of the projector's tests, with what else goes on on a channel; returns who signed it."""
    who = await asyncio.to_thread(playground.identity, MSP)
    leaver = await asyncio.to_thread(playground.identity, MSP)
    others = await asyncio.to_thread(playground.fresh, "notebook", NOTEBOOK)
    topology, layout = playground.network.topology, playground.network.layout
    peer, *_ = read_connection(layout.connection(topology.organisation(MSP))).peers
    channel = open_channel(peer.address, peer.tls)
    sign, hashing = private_key_signer(private_pem(who.key))
    network = Gateway(Identity(MSP, who.certificate), channel, sign, hashing).get_network(topology.channel)
    writer = Writer(network.get_contract(chaincode), network.get_contract(others))
    shared = False
    for number, block in enumerate(busy_chain().blocks):
        if number == 2:
            await asyncio.to_thread(playground.network.revoke, MSP, leaver.name)
        if number == 4:
            await asyncio.to_thread(playground.fresh, "notebook", NOTEBOOK)
        last = await writer.write([(one.code, one.writes) for one in block.transactions])
        namespaces = [
            {write.namespace for write in one.writes} for one in decode_block(await ledger.block(last)).transactions
        ]
        shared = shared or ({others} in namespaces and {chaincode} in namespaces)
    assert shared, "no block held writes of both chaincodes"
    await channel.close(None)
    return who.creator


def signed_by(creator: bytes, block: DecodedBlock) -> DecodedBlock:
    """The block with its transactions signed by somebody else."""
    return replace(block, transactions=[replace(one, creator=creator) for one in block.transactions])


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but blocks and transactions."""
    found = {}
    with engine.connect() as connection:
        for model in DERIVED_TABLES:
            if model in (Block, TransactionRow):
                continue
            table = table_of(model)
            columns = ", ".join(_compared(table.name, column.name) for column in table.columns)
            everything = connection.execute(text(f'SELECT {columns} FROM "{table.name}"'))
            found[table.name] = sorted((tuple(row) for row in everything), key=repr)
    return found


def _compared(table: str, column: str) -> str:
    """What is compared of a column: of numbers what they stand for, of what differs nothing."""
    if column in ELSEWHERE or (table in NUMBERED and column == "id"):
        return "NULL"
    numbered = column.removesuffix("_id")
    if numbered != column and numbered in NUMBERED:
        return f'(SELECT key FROM "{numbered}" n WHERE n.id = "{table}"."{column}")'
    return f'"{column}"'


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


async def test_a_busy_channel(playground: Playground, fresh: NewModel) -> None:
    chaincode = await asyncio.to_thread(playground.fresh, "notebook", NOTEBOOK)
    ledger = playground.ledger(chaincode)
    before = await ledger.height()
    creator = await write_busy_chain(playground, chaincode, ledger)
    height = await ledger.height()
    by_hand, whole, interrupted, rebuilt = fresh(), fresh(), fresh(), fresh()
    Projector(by_hand).apply([signed_by(creator, block) for block in busy_chain().blocks])

    await Projector(whole, chaincode).run(ledger, until=height)
    assert content(whole) == content(by_hand)
    codes = dict(rows(whole, f'SELECT code, count(*) FROM "transaction" WHERE block >= {before} GROUP BY code'))
    assert codes.keys() == {0, MVCC_READ_CONFLICT}
    assert codes[MVCC_READ_CONFLICT] == 1
    assert rows(whole, f'SELECT count(*) FROM "transaction" WHERE block >= {before} AND type = {CONFIG}') == [(1,)]

    other = playground.ledger(chaincode, "ShopMSP")  # another organisation's peer tells the same
    for cut in [*range(before, height, 3), height - 1]:
        await run_and_cancel(Projector(interrupted, chaincode), other, cut)
    await Projector(interrupted, chaincode).run(other, until=height)
    await other.close()
    assert digest(interrupted) == digest(whole)

    await Projector(rebuilt, chaincode).run(ledger, until=height)
    with rebuilt.begin() as connection:
        connection.execute(text("UPDATE thing SET status = 'stolen'"))
    await rebuild(rebuilt, ledger, chaincode)
    assert digest(rebuilt) == digest(whole)
    await ledger.close()


async def run_and_cancel(projector: Projector, ledger: Ledger, number: int) -> None:
    """Let it run until a block is applied, and then no longer."""
    running = asyncio.create_task(projector.run(ledger))
    async with asyncio.timeout(60):
        while (done := projector.checkpoint()) is None or done.number < number:
            assert not running.done()
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_chain_that_is_another_is_noticed(network: Network, sqlite_engine: Engine, tmp_path: Path) -> None:
    """A read model of another ledger, which had as many blocks, meets the network's."""
    embedded = await Network.create(tmp_path / "other")
    await embedded.register()
    projector = Projector(sqlite_engine, network.chaincode)
    await projector.run(embedded.ledger, until=await embedded.ledger.height())
    await embedded.ledger.close()
    await network.register()
    with pytest.raises(ChainMismatchError, match="Rebuild"):
        await projector.run(network.ledger, until=await network.ledger.height())
