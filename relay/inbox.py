"""The HTTP process's side of the inbox: a row is on the disk before its request is answered.

Requests that come at the same time share one commit and so one flush of the disk (group commit): one thread
writes whatever has gathered while the previous commit was under way.
"""

from __future__ import annotations

import asyncio
import hashlib
import queue
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from instance.database import transaction
from relay.intake import Intake, Refusal
from relay.jobs import (
    CAPTURE,
    Depth,
    Job,
    OnError,
    count_by_state,
    depth,
    find_job,
    list_jobs,
    new_job_id,
    now,
    open_inbox,
)


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
    def digest(self) -> bytes:
        head = f"{self.function}\n{self.on_error}\n".encode()
        return hashlib.sha256(head + self.payload + self.master_data + (self.refusals or b"")).digest()


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a request ended: in a fresh job, or in the job of the first request with its idempotency key."""

    job_id: str
    fresh: bool
    same_content: bool


class InboxFullError(Exception):
    """The inbox takes no more for now: its limit is reached or the disk is full. Nothing was stored."""


@dataclass(slots=True)
class _Waiting:
    job: NewJob
    future: asyncio.Future[Stored]
    outcome: Stored | Exception | None = None


class Inbox:
    """One per HTTP process; started on its event loop, closed when the process stops."""

    # Checkpoints copy pages back and take time: the worker makes them, unless it has been away for long.
    AUTOCHECKPOINT = 50_000
    COMMIT_LIMIT = 1000

    def __init__(self, path: Path, *, limit_events: int) -> None:
        self._writer = open_inbox(path, autocheckpoint=self.AUTOCHECKPOINT)
        self._reader = open_inbox(path, autocheckpoint=self.AUTOCHECKPOINT)
        self._limit = limit_events
        self._depth = depth(self._reader)
        self._depth_age = 0.0
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write_forever, name="inbox", daemon=True)
        self._thread.start()
        self._watched: dict[str, list[asyncio.Future[Job]]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def put(self, job: NewJob) -> Stored:
        """Returns once the row is durable. Raises `InboxFullError`; then nothing was stored."""
        if self.depth().events + job.events > self._limit:
            raise InboxFullError(f"{self._depth.events} events wait for the ledger already")
        waiting = _Waiting(job, self._loop.create_future())
        self._queue.put(waiting)
        return await waiting.future

    def find(self, job_id: str) -> Job | None:
        return find_job(self._reader, job_id)

    def jobs(self, *, msp_id: str, identity: str | None, before: int | None, limit: int) -> list[Job]:
        return list_jobs(self._reader, msp_id=msp_id, identity=identity, before=before, limit=limit)

    def depth(self) -> Depth:
        """What waits for the ledger, at most a second old."""
        if self._loop.time() - self._depth_age > 1.0:
            self._depth, self._depth_age = depth(self._reader), self._loop.time()
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
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._watching is not None:
            self._watching.cancel()
        self._reader.close()
        self._writer.close()

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

    def _write_forever(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            stop = False
            while len(batch) < self.COMMIT_LIMIT and not stop and not self._queue.empty():
                more = self._queue.get()
                stop = more is None
                batch += [] if more is None else [more]
            self._commit(batch)
            self._loop.call_soon_threadsafe(_deliver, batch)
            if stop:
                return

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            with transaction(self._writer):
                for waiting in batch:
                    waiting.outcome = _store(self._writer, waiting.job)
        except sqlite3.Error as error:
            failure = InboxFullError(f"the inbox could not be written: {error}")
            for waiting in batch:
                waiting.outcome = failure


def _store(connection: sqlite3.Connection, job: NewJob) -> Stored:
    digest = job.digest
    if job.idempotency_key is not None:
        row = connection.execute(
            "SELECT id, digest FROM job WHERE msp = ? AND identity = ? AND idempotency_key = ?",
            (job.msp_id, job.identity, job.idempotency_key),
        ).fetchone()
        if row is not None:
            return Stored(row["id"], fresh=False, same_content=row["digest"] == digest)
    job_id = new_job_id()
    connection.execute(
        "INSERT INTO job (id, function, msp, identity, on_error, payload, events, digest,"
        " idempotency_key, created_at, refused, master_data) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            job_id, job.function, job.msp_id, job.identity, job.on_error, job.payload, job.events, digest,
            job.idempotency_key, now(), job.refusals, job.master_data or None,
        ),
    )  # fmt: skip
    return Stored(job_id, fresh=True, same_content=True)


def _deliver(batch: Iterable[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future.done():  # its client has gone; the row stays
            continue
        if isinstance(waiting.outcome, Stored):
            waiting.future.set_result(waiting.outcome)
        elif waiting.outcome is not None:
            waiting.future.set_exception(waiting.outcome)
