"""Takes batches from the inbox to the ledger, and never gives up on one whose fate is open.

What is done about an error follows from its kind:

| the ledger says            | meaning                             | done                             |
|----------------------------|-------------------------------------|----------------------------------|
| refused by the contract    | the batch as a whole is malformed   | halved until the job to blame is |
|                            |                                     | alone; that one fails            |
| too large                  | the network does not carry it       | the same                         |
| conflict                   | ordered and void: its id is used up | a new transaction                |
| retryable, outcome unknown | may or may not be ordered           | the same transaction again       |
| any other of its errors    | this identity can't write           | the job fails and says so        |
| something unforeseen       | a full disk, a fault of the program | the same transaction again       |

The same transaction goes again even after an error that says "not applied": an earlier try of it may still
be under way, and only the id keeps the two apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from chaincode.answers import verdicts_of
from instance.settings import WorkerSettings
from ledger.errors import Conflict, LedgerError, RejectedByContract, TooLarge
from ledger.port import Committed, Identity, Ledger
from relay.batches import Batch, Batches, Lane, Outcome
from relay.jobs import CAPTURE, Failure

# Jobs of one identity that follow each other within this time are a stream.
STREAM_SECONDS = 0.5

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

    async def run(self) -> None:
        """Watch the inbox and keep a task for every lane that has work."""
        try:
            while True:
                version = self._batches.version()
                self._start_lanes()
                while version == self._batches.version() and not any(task.done() for task in self._lanes.values()):
                    await asyncio.sleep(self._settings.poll)
        finally:
            await self._stop_lanes()

    def _start_lanes(self) -> None:
        for lane, task in list(self._lanes.items()):
            if task.done():
                del self._lanes[lane]
                task.result()  # a fault of this program stops the worker loudly rather than a lane quietly
        for lane in self._batches.lanes() - self._lanes.keys():
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
        while (batch := self._batches.next(lane)) is not None:
            if not await self.send(batch):
                await asyncio.sleep(self._backoff(batch.attempts))
        self._emptied[lane] = now()

    async def send(self, batch: Batch) -> bool:
        """Try one batch once; False when it must be tried again later."""
        try:
            result = await self._ledger.submit(
                batch.function, batch.arguments(), identity=self._identity_of(batch.lane), nonce=batch.nonce
            )
        except (RejectedByContract, TooLarge) as error:
            self._refused(batch, error)
            return True
        except LedgerError as error:
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
        log.info("committed", tx=result.tx_id, block=result.block, jobs=len(batch.jobs), function=batch.function)
        self._committed(result.block)

    def _refused(self, batch: Batch, error: RejectedByContract | TooLarge) -> None:
        if len(batch.jobs) > 1:
            log.warning("batch refused, halved", jobs=len(batch.jobs), status=error.status, reason=error.detail)
            self._batches.split(batch)
            return
        log.warning("job refused", job=batch.jobs[0].id, status=error.status, reason=error.detail)
        self._batches.failed(batch, _failure(error))

    def _troubled(self, batch: Batch, error: LedgerError) -> bool:
        name = type(error).__name__
        log.warning("submit failed", error=name, detail=error.detail, attempts=batch.attempts + 1)
        if error.outcome_unknown or error.retryable:
            self._batches.attempt(batch, f"{name}: {error.detail}", new_nonce=isinstance(error, Conflict))
            return False
        self._batches.failed(batch, Failure(403, "ledger_refused", f"{name}: {error.detail}"))
        return True

    def _backoff(self, attempts: int) -> float:
        """Doubling, capped, with jitter so that lanes which failed together don't return together."""
        ceiling = min(self._settings.backoff_last, self._settings.backoff_first * 2.0 ** min(attempts, 20))
        return ceiling * random.uniform(0.5, 1.0)


def _failure(error: RejectedByContract | TooLarge) -> Failure:
    if isinstance(error, TooLarge):
        return Failure(error.status, "too_large", f"{error.detail}. Send fewer or smaller events in one document.")
    return Failure(error.status, "refused_by_contract", error.message)


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
