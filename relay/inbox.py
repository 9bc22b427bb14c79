"""The HTTP process's side of the inbox: a row is on the disk before its request is answered."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import orjson

from relay.intake import Intake, Refusal
from relay.jobs import CAPTURE, Job, OnError, find_job, list_jobs
from relay.schema import SCAN_BYTES, SCAN_EVENTS, open_inbox
from relay.tally import Depth, count_by_state, depth
from relay.writer import InboxFullError, Stored, Writer

__all__ = ["Inbox", "InboxFullError", "NewJob", "Stored"]

# Checkpoints copy pages back and take time: the worker makes them, unless it has been away for long.
AUTOCHECKPOINT = 50_000


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is to be put on the ledger: for `capture` a JSON list of events, else the contract's one
    argument."""

    function: str
    msp_id: str
    identity: str
    on_error: OnError
    payload: bytes
    events: int
    idempotency_key: str | None = None
    refused: tuple[Refusal, ...] = ()
    """Events of the document that are not in the payload, since they are invalid."""
    master_data: bytes = b""

    @classmethod
    def of_intake(
        cls, intake: Intake, msp_id: str, identity: str, on_error: OnError, idempotency_key: str | None = None
    ) -> NewJob:
        """The job of a document."""
        return cls(
            CAPTURE, msp_id, identity, on_error, intake.payload, len(intake.hashes), idempotency_key, intake.refused,
            intake.master_data,
        )  # fmt: skip

    @property
    def refusals(self) -> bytes | None:
        """The refused events as they are stored."""
        return orjson.dumps(self.refused) if self.refused else None

    @property
    def size(self) -> int:
        """Bytes that go to the ledger."""
        return len(self.payload) + len(self.master_data)

    @property
    def scan(self) -> bool:
        """Whether it may go before bulk uploads that came earlier (`relay.turns`): its outcome is all or nothing, so that
        one that fails early can be sent again in its turn."""
        whole = self.on_error == "rollback" or self.events == 1
        return self.function == CAPTURE and self.events <= SCAN_EVENTS and self.size <= SCAN_BYTES and whole

    @property
    def digest(self) -> bytes:
        head = f"{self.function}\n{self.on_error}\n".encode()
        return hashlib.sha256(head + self.payload + self.master_data + (self.refusals or b"")).digest()


class Inbox:
    """One per HTTP process; started on its event loop, closed when the process stops."""

    def __init__(self, path: Path, *, limit_events: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(path, self._loop, autocheckpoint=AUTOCHECKPOINT)
        self._reader = open_inbox(path, autocheckpoint=AUTOCHECKPOINT)
        self._limit = limit_events
        self._depth = depth(self._reader)
        self._depth_age = 0.0
        self._unreadable = ""
        self._watched: dict[str, list[asyncio.Future[Job]]] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str:
        """Why nothing can be stored or counted just now; empty when all is well."""
        return self._writer.trouble or self._unreadable

    async def put(self, job: NewJob) -> Stored:
        """Returns once the row is durable. Raises `InboxFullError`; then nothing was stored."""
        if self.depth().events + job.events > self._limit:
            raise InboxFullError(f"{self._depth.events} events wait for the ledger already")
        return await self._writer.put(job)

    def find(self, job_id: str) -> Job | None:
        return find_job(self._reader, job_id)

    def jobs(
        self, *, msp_id: str, identity: str | None, before: int | None, limit: int, failed: bool = False
    ) -> list[Job]:
        return list_jobs(self._reader, msp_id=msp_id, identity=identity, before=before, limit=limit, failed=failed)

    def depth(self) -> Depth:
        """What waits for the ledger, at most a second old; older while the file cannot be read."""
        if self._loop.time() - self._depth_age > 1.0:
            self._depth_age = self._loop.time()
            try:
                self._depth, self._unreadable = depth(self._reader), ""
            except sqlite3.Error as error:
                self._unreadable = f"the inbox cannot be read: {error}"
        return self._depth

    def states(self) -> dict[str, int]:
        return count_by_state(self._reader)

    async def wait(self, job_id: str, timeout: float) -> Job | None:
        """The job once it has finished, or as it is after ``timeout`` seconds."""
        future: asyncio.Future[Job] = self._loop.create_future()
        self._watched.setdefault(job_id, []).append(future)
        if self._watching is None or self._watching.done():
            self._watching = self._loop.create_task(self._watch())
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return self.find(job_id)

    async def close(self) -> None:
        """Writes what is queued, then stops."""
        await self._writer.close()
        if self._watching is not None:
            self._watching.cancel()
        self._reader.close()

    async def _watch(self) -> None:
        """One look at the file for all who wait, a hundred times a second, as long as somebody does."""
        while self._watched:
            for job_id, futures in list(self._watched.items()):
                waiting = [future for future in futures if not future.done()]
                job = self.find(job_id) if waiting else None
                if job is not None and not job.running:
                    for future in waiting:
                        future.set_result(job)
                if not waiting or (job is not None and not job.running):
                    del self._watched[job_id]
            await asyncio.sleep(0.01)
