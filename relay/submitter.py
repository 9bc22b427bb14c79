"""Takes batches from the inbox to the ledger, and never gives up on one whose fate is open.

What is done about an error follows from its kind:

| the ledger says            | meaning                              | done                               |
|----------------------------|--------------------------------------|------------------------------------|
| refused by the contract    | the batch as a whole is malformed    | halved until the job to blame is   |
|                            |                                      | alone; that one fails, or with     |
|                            |                                      | ``proceed`` the events to blame,   |
|                            |                                      | alone, and the others go on        |
| too large                  | the network does not carry it        | the same                           |
| conflict                   | ordered and void: its id is used up  | a new transaction                  |
| retryable, outcome unknown | may or may not be ordered            | the same transaction again         |
| invalid identity           | this identity can't write now        | its lane waits: a certificate can  |
|                            |                                      | be renewed and a clock put right   |
| something disputed         | the contract failed on it, peers     | tried again, then halved; a job    |
|                            | differ over it, or found it invalid  | alone is held: it waits behind the |
|                            |                                      | others of its lane. If the own     |
|                            |                                      | contract fails on it alone while   |
|                            |                                      | others pass, it fails              |
| something unforeseen       | a full disk, a fault of the program  | the same transaction again         |

So nothing but the contract itself ends a job, and nobody else's fault or words do. The same transaction goes again even after an error that says "not applied": an earlier try of it may still be under way, and only
the id keeps the two apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from chaincode.answers import verdicts_of
from instance.database import DATABASE_ERRORS, words
from instance.settings import WorkerSettings
from ledger.errors import Conflict, LedgerError, RejectedByContract, TooLarge
from ledger.port import Committed, Identity, Ledger
from relay.batches import Batch, Batches, Lane, Outcome
from relay.jobs import CAPTURE, Failure
from relay.setting_aside import poison_of, set_aside

# Jobs of one identity that follow each other within this time are a stream.
STREAM_SECONDS = 0.5
# Tries of what is disputed before it is halved, or a job alone makes room for others: a peer may be a moment behind.
DISPUTED_TRIES = 3
# Beyond so many tries, what others passed meanwhile is held against a job alone.
DOUBT_TRIES = 5
# With so many jobs of a lane in doubt and none that passed, the fault is hardly theirs: what is left is tried as it is, and taken
# apart only slowly.
MOST_SUSPECTS = 3
LONG_TRIES = 10
HELD_POLL = 0.05
# A lane that another process sends is looked at again after so long: that process may be gone.
ELSEWHERE_SECONDS = 1.0

log = structlog.get_logger("lotline.submitter")


class Submitter:
    """Runs until cancelled. One task per identity with work, so that a broken one holds nobody up."""

    def __init__(
        self,
        batches: Batches,
        ledger: Ledger,
        identity_of: Callable[[Lane], Identity],
        settings: WorkerSettings,
        committed: Callable[[int], None] = lambda block: None,
    ) -> None:
        self._batches = batches
        self._ledger = ledger
        self._identity_of = identity_of
        self._settings = settings
        self._committed = committed
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._emptied: dict[Lane, float] = {}
        self._elsewhere: dict[Lane, float] = {}
        self._passed = 0
        self._passed_before: dict[int, int] = {}
        self._suspects: Counter[Lane] = Counter()
        self.committed_at: float | None = None
        """When the ledger last took something, as ``time.time`` has it."""
        self.trouble = ""
        """Why the inbox cannot be worked on, in words for everybody; empty when it can."""

    async def run(self) -> None:
        """Watch the inbox and keep a task for every lane that has work. A disk that is full, or any other fault of the inbox
        file, is waited out: what was accepted is in it."""
        attempts = 0
        try:
            while True:
                try:
                    await self._watch()
                except (*DATABASE_ERRORS, OSError) as error:
                    self._told(error)
                    await asyncio.sleep(self._backoff(attempts))
                    attempts = attempts + 1 if self.trouble else 0
        finally:
            await self._stop_lanes()

    async def _watch(self) -> None:
        while True:
            version = self._batches.version()
            self._start_lanes()
            if not self._lanes:
                self.trouble = ""  # it can be read, and there is nothing to write
            while (
                version == self._batches.version()
                and not any(task.done() for task in self._lanes.values())
                and not any(end <= asyncio.get_running_loop().time() for end in self._elsewhere.values())
            ):
                await asyncio.sleep(self._settings.poll)

    def _start_lanes(self) -> None:
        for lane, task in list(self._lanes.items()):
            if task.done():
                del self._lanes[lane]
                task.result()  # a fault of this program stops the worker loudly rather than a lane quietly
        now = asyncio.get_running_loop().time()
        self._elsewhere = {lane: end for lane, end in self._elsewhere.items() if end > now}
        for lane in self._batches.lanes() - self._lanes.keys() - self._elsewhere.keys():
            self._lanes[lane] = asyncio.create_task(self._drain(lane))

    async def _stop_lanes(self) -> None:
        for task in self._lanes.values():
            task.cancel()
        for task in self._lanes.values():
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _drain(self, lane: Lane) -> None:
        """Empty a lane. A lone job goes at once; jobs that come in a stream gather first, so that few
        transactions carry many."""
        now = asyncio.get_running_loop().time
        if now() - self._emptied.get(lane, float("-inf")) < STREAM_SECONDS:
            await asyncio.sleep(self._settings.linger)
        attempts, proven = 0, False
        while True:
            batch = None
            try:
                if not self._batches.hold(lane):
                    self._elsewhere[lane] = now() + ELSEWHERE_SECONDS
                    return
                batch = self._batches.next(lane, proven=proven)
                if batch is None:
                    self._batches.release(lane)
                    break
                if not self._batches.hold(lane):  # lost with its session, meanwhile
                    continue
                passed = self._passed
                waits = None if await self.send(batch) else batch.attempts
                proven = self._passed > passed
                attempts, self.trouble = 0, ""
            except (*DATABASE_ERRORS, OSError) as error:
                self._told(error)
                waits, attempts = attempts, attempts + 1
            if waits is not None:
                self._batches.release(lane)  # another process may do better
                await self._pause(lane, self._backoff(waits), held=batch is not None and batch.doubted)
        self._emptied[lane] = now()

    async def _pause(self, lane: Lane, seconds: float, *, held: bool) -> None:
        """Wait before the next try; where only a held job is to be tried, no longer than until there are others."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while (left := end - clock()) > 0 and not (held and self._batches.waits(lane)):
            await asyncio.sleep(min(left, HELD_POLL) if held else left)

    def _told(self, error: Exception) -> None:
        self.trouble = f"the worker cannot write the inbox and tries again: {words(error)}"
        log.warning("inbox cannot be written", error=str(error))

    async def send(self, batch: Batch) -> bool:
        """Try one batch once; False when it must be tried again later."""
        try:
            result = await self._ledger.submit(
                batch.function, batch.arguments(), identity=self._identity_of(batch.lane), nonce=batch.nonce
            )
        except LedgerError as error:
            if error.disputed:
                return await self._disputed(batch, error)
            if isinstance(error, RejectedByContract | TooLarge):
                return await self._refused(batch, error)
            return self._troubled(batch, error)
        except Exception as error:
            # A full disk, or a fault of ours. The jobs are safe where they are; health tells that they wait.
            log.exception("submit broke", attempts=batch.attempts + 1)
            self._batches.attempt(batch, f"{type(error).__name__}: {error}", new_nonce=False)
            return False
        self._record(batch, result)
        return True

    def _record(self, batch: Batch, result: Committed) -> None:
        outcomes = read_outcomes(batch, result.result)
        self._batches.committed(batch, result.tx_id, result.block, outcomes)
        self._passed += 1
        del self._suspects[batch.lane]
        self._passed_before.pop(batch.id, None)
        self.committed_at = time.time()
        log.info("committed", tx=result.tx_id, block=result.block, jobs=len(batch.jobs), function=batch.function)
        self._committed(result.block)

    async def _refused(self, batch: Batch, error: LedgerError) -> bool:
        """Take the batch apart; a job alone fails. False when nothing could be decided just now."""
        if len(batch.jobs) > 1:
            log.warning("batch refused, halved", jobs=len(batch.jobs), reason=error.detail)
            self._batches.split(batch)
            return True
        if isinstance(error, RejectedByContract) and batch.function == CAPTURE and batch.jobs[0].on_error == "proceed":
            try:
                if await self._set_aside(batch):
                    return True
            except LedgerError as away:
                return self._troubled(batch, away)
        log.warning("job refused", job=batch.jobs[0].id, reason=error.detail)
        self._passed_before.pop(batch.id, None)
        # Whoever calls a registration waits for its answer and hears of it; of events that fell, somebody must be told.
        self._batches.failed(batch, _failure(error), alarm=batch.function == CAPTURE)
        return True

    async def _set_aside(self, batch: Batch) -> bool:
        """Let the events of a job go on without those that the contract refuses alone; False if none is, or all are."""
        poison = await poison_of(batch, self._ledger, self._identity_of(batch.lane))
        if not poison:
            return False
        log.warning("events set aside", job=batch.jobs[0].id, places=[one.place for one in poison])
        faults = {one.place: _failure(one.error) for one in poison}
        self._batches.change(batch, lambda connection: set_aside(connection, batch, faults))
        return True

    async def _disputed(self, batch: Batch, error: LedgerError) -> bool:
        """Nobody whose word settles it refused this. It is tried again, in parts; a job alone lets others pass, and only
        where the own contract fails on it and on nothing else does that end it."""
        tries = batch.attempts + 1
        passed = self._passed_before.setdefault(batch.id, self._passed)
        halves = tries >= DISPUTED_TRIES or isinstance(error, RejectedByContract | TooLarge)
        if self._suspects[batch.lane] >= MOST_SUSPECTS:
            halves = tries >= LONG_TRIES
        if len(batch.jobs) > 1 and halves:
            self._passed_before.pop(batch.id, None)
            return await self._refused(batch, error)
        alone = len(batch.jobs) == 1 and isinstance(error, RejectedByContract)
        if alone and tries >= DOUBT_TRIES and self._passed > passed:
            return await self._refused(batch, error)
        self._troubled(batch, error)
        if len(batch.jobs) == 1 and halves and not batch.doubted:
            log.warning("others go before a job in doubt", job=batch.jobs[0].id)
            self._suspects[batch.lane] += 1
            self._batches.doubt(batch)
            return True
        return False

    def _troubled(self, batch: Batch, error: LedgerError) -> bool:
        name = type(error).__name__
        log.warning("submit failed", error=name, detail=error.detail, attempts=batch.attempts + 1)
        self._batches.attempt(batch, f"{name}: {error.detail}", new_nonce=isinstance(error, Conflict))
        return False

    def _backoff(self, attempts: int) -> float:
        """Doubling, capped, with jitter so that lanes which failed together don't return together."""
        ceiling = min(self._settings.backoff_last, self._settings.backoff_first * 2.0 ** min(attempts, 20))
        return ceiling * random.uniform(0.5, 1.0)


def _failure(error: LedgerError) -> Failure:
    if isinstance(error, TooLarge):
        return Failure(error.status, "too_large", f"{error.detail}. Send fewer or smaller events in one document.")
    if isinstance(error, RejectedByContract):
        return Failure(error.status, "refused_by_contract", error.message)
    raise AssertionError(f"{type(error).__name__} ends no job")


def read_outcomes(batch: Batch, result: bytes) -> dict[str, Outcome]:
    """The contract's answer, by job. For a registration the job itself is the one thing accepted."""
    if batch.function != CAPTURE:
        return {job.id: Outcome(job.events, 0, 0) for job in batch.jobs}
    groups: list[dict[str, Any]] = orjson.loads(result)["groups"]
    answered = {group["id"]: Outcome.of_verdicts(verdicts_of(group)) for group in groups}
    missing = [job.id for job in batch.jobs if job.id not in answered]
    if missing:
        raise AssertionError(f"the contract gave no verdict for jobs {missing}")
    return answered
