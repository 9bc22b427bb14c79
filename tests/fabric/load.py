"""Load that never gives up: EPCIS events captured one a transaction, each until its fate is known."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter

import orjson

import epcis
from chaincode.answers import verdicts_of
from fabric.words.identity import Identity
from ledger.errors import Conflict, LedgerError
from ledger.port import Ledger
from tests.integration.api.conftest import DOCK, event

FARM = "https://id.gs1.org/417/9506000134352"
_PATIENCE = 120.0


class Load:
    """Submitters that each commission one new item after the other, with the nonce kept until the outcome is known."""

    def __init__(self, ledger: Ledger, identity: Identity, submitters: int = 6) -> None:
        self._ledger = ledger
        self._identity = identity
        self._submitters = submitters
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.acknowledged: dict[str, int] = {}
        """The block of every event that was accepted, by the event's hash."""
        self.troubles: Counter[str] = Counter()

    async def start(self) -> None:
        """Register the dock, and begin."""
        await self._until_known("registerParty", orjson.dumps({"id": FARM, "name": "Green Farm"}))
        await self._until_known("registerPlace", orjson.dumps({"id": DOCK, "party": FARM}))
        self._tasks = [asyncio.create_task(self._capture_for_ever()) for _ in range(self._submitters)]

    async def after(self, count: int, patience: float = _PATIENCE) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(patience):
            while len(self.acknowledged) < wanted:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Let every submitter finish what it is at."""
        self._stopping.set()
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*self._tasks)

    async def abandon(self) -> None:
        """Stop at once, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _capture_for_ever(self) -> None:
        while not self._stopping.is_set():
            said = epcis.parse_event(event(next(self._numbers)))
            batch = b'{"groups":[{"id":"1","onError":"rollback","events":[' + said.to_stored() + b"]}]}"
            block, answer = await self._until_known("capture", batch)
            verdicts = verdicts_of(orjson.loads(answer)["groups"][0])
            assert [(one["event"], one["verdict"]) for one in verdicts] == [(said.hash, "accepted")]
            self.acknowledged[said.hash] = block

    async def _until_known(self, function: str, argument: bytes) -> tuple[int, bytes]:
        nonce = os.urandom(24)
        pause = 0.05
        while True:
            try:
                done = await self._ledger.submit(function, [argument], identity=self._identity, nonce=nonce)
            except LedgerError as error:
                self.troubles[f"{type(error).__name__}: {str(error)[:80]}"] += 1
                if not error.retryable:
                    raise
                if isinstance(error, Conflict):
                    nonce = os.urandom(24)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)
            else:
                return done.block, done.result
