"""The contract tests' peer on a real network: every call is made there and in memory, and both must do the same."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import datetime
from functools import cache
from typing import Any

from fabric.words.blocks import DecodedTx, decode_block
from fabric.words.composite_keys import create_composite_key
from fabric.words.identity import Identity
from fabric.words.response import Response, ok
from ledger.errors import RejectedByContract, Unavailable
from ledger.network.adapter import FabricLedger
from ledger.port import Committed
from tests.fabric.contract.worlds_server import KIND
from tests.fabric.playground import Playground
from tests.unit.chaincode import peer as in_memory


class Field:
    """A network that serves worlds, for tests that are not asynchronous. ``close`` it in the end."""

    def __init__(self, playground: Playground, chaincode: str, msp_id: str) -> None:
        self._runner = asyncio.Runner()
        self._ledger: FabricLedger = self._runner.run(self._open(playground, chaincode, msp_id))
        self._names = itertools.count(1)
        self.identity = cache(playground.identity)

    @staticmethod
    async def _open(playground: Playground, chaincode: str, msp_id: str) -> FabricLedger:
        return playground.ledger(chaincode, msp_id)

    def new_world(self) -> str:
        """A name that no world has."""
        return f"world{next(self._names)}"

    def call(
        self, world: str, now: datetime, who: Identity, function: str, args: list[bytes]
    ) -> tuple[Response, DecodedTx | None]:
        """The answer and, unless it is a refusal, the committed transaction."""
        return self._runner.run(self._call(world, now, who, function, args))

    def ask(self, world: str, now: datetime, who: Identity, function: str, args: list[bytes]) -> Response:
        """The answer of one peer, when nothing is to be written."""
        return self._runner.run(self._ask(world, now, who, function, args))

    async def _ask(self, world: str, now: datetime, who: Identity, function: str, args: list[bytes]) -> Response:
        try:
            told = _told(world, now)
            return ok(await self._ledger.evaluate(function, args, identity=who, transient=told))
        except RejectedByContract as refusal:
            return Response(refusal.status, refusal.message, b"")

    async def _call(
        self, world: str, now: datetime, who: Identity, function: str, args: list[bytes]
    ) -> tuple[Response, DecodedTx | None]:
        try:
            done = await self._submit(function, args, who, _told(world, now))
        except RejectedByContract as refusal:
            return Response(refusal.status, refusal.message, b""), None
        block = decode_block(await self._ledger.block(done.block))
        (transaction,) = (one for one in block.transactions if one.tx_id == done.tx_id)
        return ok(done.result), transaction

    async def _submit(self, function: str, args: list[bytes], who: Identity, transient: dict[str, bytes]) -> Committed:
        """Another organisation's peer may be a block behind its gateway's: then their answers differ."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self._ledger.submit(function, args, identity=who, transient=transient)
                except Unavailable:
                    await asyncio.sleep(0.01)

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._ledger.close())
        self._runner.close()


def _told(world: str, now: datetime) -> dict[str, bytes]:
    """What a call's transient data says."""
    return {"world": world.encode(), "now": now.isoformat().encode()}


class _Twin(in_memory.Peer):
    """The peer in memory, called by the network's identities."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field

    def creator(self, msp: str, role: str, **attributes: str) -> bytes:
        return self._field.identity(msp, role, **attributes).creator


class FabricPeer(in_memory.Peer):
    """A world of a real network. ``state`` is what its committed write sets add up to."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._world = field.new_world()
        self._prefix = create_composite_key(KIND, [self._world])[:-1]
        self._twin = _Twin(field)
        self._state: dict[str, bytes] = {}
        super().__init__()

    @property
    def state(self) -> dict[str, bytes]:
        """The world's states by key."""
        return self._state

    @state.setter
    def state(self, states: dict[str, bytes]) -> None:
        if states:
            argument = json.dumps({key: value.decode() for key, value in states.items()}).encode()
            answer, transaction = self._field.call(self._world, self.now, self._who(), "seed", [argument])
            assert answer.status == 200
            assert transaction is not None
            self._apply(transaction)
            self._twin.state = dict(states)
        assert self._state == states

    def _who(self, msp: str = "AMSP", role: str = "admin", **attributes: str) -> Identity:
        return self._field.identity(msp, role, **attributes)

    def call(
        self, function: str, argument: Any = None, msp: str = "AMSP", role: str = "admin", **attributes: str
    ) -> Response:
        """Call a function here and in memory; answers, reads, writes and the resulting state must be the same."""
        encoded = argument if isinstance(argument, bytes | None) else json.dumps(argument).encode()
        self._twin.now = self.now
        expected = self._twin.call(function, encoded, msp, role, **attributes)
        self.last = self._twin.last
        args = [] if encoded is None else [encoded]
        who = self._who(msp, role, **attributes)
        answer, transaction = self._field.call(self._world, self.now, who, function, args)
        assert answer == expected
        if not self.last.writes:
            assert self._field.ask(self._world, self.now, who, function, args) == expected
        assert (transaction is None) == (answer.status >= 400)
        if transaction is not None:
            assert self._apply(transaction) == self.last.writes
            assert self._demand(transaction) == self.last.policies
            assert self._read(transaction) == set(self.last.reads)
        assert (self._state, self.policies) == (self._twin.state, self._twin.policies)
        return answer

    def _apply(self, transaction: DecodedTx) -> dict[str, bytes | None]:
        """Bring the state up to date; returns the writes."""
        writes = {write.key.removeprefix(self._prefix): write.value for write in transaction.writes}
        for key, value in writes.items():
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value
        return writes

    def _demand(self, transaction: DecodedTx) -> dict[str, bytes]:
        """Bring the keys' policies up to date; returns the new ones."""
        own = [found for namespace, found in transaction.sets if namespace != "_lifecycle"]
        policies = {
            write.key.removeprefix(self._prefix): entry.value
            for found in own
            for write in found.metadata_writes
            for entry in write.entries
        }
        self.policies = {key: policy for key, policy in {**self.policies, **policies}.items() if key in self._state}
        return policies

    def _read(self, transaction: DecodedTx) -> set[str]:
        """The keys that were read, and where the ranges that were read begin."""
        own = [found for namespace, found in transaction.sets if namespace != "_lifecycle"]
        keys = [read.key for found in own for read in found.reads]
        starts = [query.start_key for found in own for query in found.range_queries_info]
        return {key.removeprefix(self._prefix) for key in keys + starts}
