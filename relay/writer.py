"""The thread that writes the HTTP process's jobs into the inbox.

Requests that come at the same time share one commit and so one flush of the disk (group commit): the thread writes
whatever has gathered while the previous commit was under way. Whatever goes wrong, each request is answered, and the
thread goes on or is started again: requests that wait for a thread that is gone would wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from instance.database import DATABASE_ERRORS, Connection, transaction, words
from instance.postgres import PostgresConnection
from relay.jobs import new_job_id, now
from relay.schema import open_inbox

if TYPE_CHECKING:
    from relay.inbox import NewJob

COMMIT_LIMIT = 1000
# So long a request waits for a database that is there and does not answer.
ANSWER_SECONDS = 15.0

log = structlog.get_logger("lotline.inbox")


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


class Writer:
    """One per HTTP process."""

    def __init__(self, place: Path | str, loop: asyncio.AbstractEventLoop, *, autocheckpoint: int) -> None:
        self._place = place
        self._loop = loop
        self._autocheckpoint = autocheckpoint
        self._connection = open_inbox(place, autocheckpoint=autocheckpoint)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._in_hand: list[_Waiting] = []
        self._told = ""
        self._thread = self._start()

    @property
    def trouble(self) -> str:
        """Why nothing can be stored just now; empty when all is well."""
        return self._told if self._thread.is_alive() else "the inbox's writer is gone: the next request starts it again"

    async def put(self, job: NewJob) -> Stored:
        """Returns once the row is durable; `InboxFullError` when it could not be written."""
        if not self._thread.is_alive():
            self._revive()
        waiting = _Waiting(job, self._loop.create_future())
        self._queue.put(waiting)
        if isinstance(self._place, Path):
            return await waiting.future
        try:
            return await asyncio.wait_for(waiting.future, ANSWER_SECONDS)
        except TimeoutError:
            raise InboxFullError(
                "the inbox's database does not answer; what was sent may be stored all the same, and twice does no harm"
            ) from None

    async def close(self) -> None:
        """Writes what is queued, then stops."""
        if not self._thread.is_alive():
            self._revive()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._live, name="inbox", daemon=True)
        thread.start()
        return thread

    def _live(self) -> None:
        """Write until told to stop. A fault outside a commit is told, answered and survived."""
        while True:
            try:
                self._write_forever()
                return
            except BaseException as error:
                self._fall(error)

    def _revive(self) -> None:
        """The thread is gone all the same: it met a fault while it dealt with one."""
        log.error("the inbox's writer was gone and is started again")
        self._fail(self._in_hand, InboxFullError("the inbox's writer has to be started again"))
        self._thread = self._start()

    def _write_forever(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = self._in_hand = [first]
            stop = False
            while len(batch) < COMMIT_LIMIT and not stop and not self._queue.empty():
                more = self._queue.get()
                stop = more is None
                batch += [] if more is None else [more]
            self._commit(batch)
            self._deliver(batch)
            if stop:
                return

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            self._store(batch)
            self._told = ""
        except DATABASE_ERRORS as error:
            log.warning("inbox could not be written", error=str(error))
            self._told = f"the inbox could not be written: {words(error)}"
            for waiting in batch:
                waiting.outcome = InboxFullError(self._told)
        except Exception as error:
            self._fall(error, tell=False)
            for waiting in batch:
                self._alone(waiting)

    def _alone(self, waiting: _Waiting) -> None:
        """One of several is to blame, or nobody: each is tried once by itself."""
        try:
            self._store([waiting])
            self._told = ""
        except Exception as error:
            log.exception("a job could not be stored")
            self._told = f"a job could not be stored: {type(error).__name__}"
            waiting.outcome = InboxFullError(self._told)

    def _store(self, batch: Sequence[_Waiting]) -> None:
        # By key, so that two processes that are given the same ones never wait for each other; who waits at the same time has no order.
        with transaction(self._connection):
            for waiting in sorted(batch, key=lambda waiting: waiting.job.idempotency_key or ""):
                waiting.outcome = store(self._connection, waiting.job)

    def _fall(self, error: BaseException, *, tell: bool = True) -> None:
        """After a fault that is none of the file's: a new connection, since nobody knows what became of this one."""
        log.error("the inbox's writer failed", error=f"{type(error).__name__}: {error}", exc_info=error)
        self._told = f"the inbox's writer failed: {type(error).__name__}"
        if tell:
            self._fail(self._in_hand, InboxFullError(self._told))
        with contextlib.suppress(Exception):
            fresh = open_inbox(self._place, autocheckpoint=self._autocheckpoint)
            self._connection, old = fresh, self._connection
            old.close()

    def _fail(self, batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            waiting.outcome = waiting.outcome or error
        self._deliver(batch)

    def _deliver(self, batch: Sequence[_Waiting]) -> None:
        self._in_hand = []
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(_answer, batch)


_INSERT = (
    "INSERT INTO job (id, function, msp, identity, on_error, events, size, scan, digest, idempotency_key, created_at, refused)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
)
_INSERT_SHARED = (
    f"{_INSERT} ON CONFLICT (msp, identity, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING seq"
)


def store(connection: Connection, job: NewJob) -> Stored:
    """Put a job into the inbox, inside a transaction of the caller's."""
    digest = job.digest
    if job.idempotency_key is not None:
        known = _known(connection, job, digest)
        if known is not None:
            return known
    job_id = new_job_id()
    row = (
        job_id, job.function, job.msp_id, job.identity, job.on_error, job.events, job.size, job.scan, digest,
        job.idempotency_key, now(), job.refusals,
    )  # fmt: skip
    if isinstance(connection, PostgresConnection):
        stored = connection.execute(_INSERT_SHARED, row).fetchone()
        if stored is None:  # another process has just stored the key
            return _known(connection, job, digest) or store(connection, job)
        place = stored[0]
    else:  # which is a tenth faster
        place = connection.execute(_INSERT, row).lastrowid
    connection.execute(
        "INSERT INTO payload (seq, content, master_data) VALUES (?,?,?)", (place, job.payload, job.master_data or None)
    )
    return Stored(job_id, fresh=True, same_content=True)


def _known(connection: Connection, job: NewJob, digest: bytes) -> Stored | None:
    """The job that came with this key before."""
    row = connection.execute(
        "SELECT id, digest FROM job WHERE msp = ? AND identity = ? AND idempotency_key = ?",
        (job.msp_id, job.identity, job.idempotency_key),
    ).fetchone()
    return None if row is None else Stored(row["id"], fresh=False, same_content=row["digest"] == digest)


def _answer(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future.done():  # its client has gone; the row stays
            continue
        if isinstance(waiting.outcome, Stored):
            waiting.future.set_result(waiting.outcome)
        else:
            waiting.future.set_exception(waiting.outcome or InboxFullError("nothing was stored"))
