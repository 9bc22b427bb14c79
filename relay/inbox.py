"""The HTTP process's side of the inbox: a row is on the disk before its request is answered."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson

from instance.database import DATABASE_ERRORS
from relay.failed import retry
from relay.heartbeat import Heartbeat
from relay.intake import Intake, Refusal
from relay.jobs import CAPTURE, Job, OnError, find_job, finished_jobs, list_jobs
from relay.reading import FileReader, Reader, ReadError, SharedReader
from relay.schema import SCAN_BYTES, SCAN_EVENTS
from relay.tally import Depth
from relay.writer import InboxFullError, Stored, Writer

__all__ = ["Inbox", "InboxFullError", "NewJob", "ReadError", "Stored"]

# Checkpoints copy pages back and take time: the worker makes them, unless it has been away for long.
AUTOCHECKPOINT = 50_000
# Seconds between two looks at jobs that are waited for; a database is further away than a file.
POLL, SHARED_POLL = 0.01, 0.03
MOST_WATCHED = 500


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

    def __init__(self, place: Path | str, *, limit_events: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(place, self._loop, autocheckpoint=AUTOCHECKPOINT)
        self._reader: Reader = SharedReader(place) if isinstance(place, str) else FileReader(place, AUTOCHECKPOINT)
        self._poll = SHARED_POLL if isinstance(place, str) else POLL
        self._limit = limit_events
        self._watched: dict[str, list[asyncio.Future[Job]]] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str:
        """Why nothing can be stored or counted just now; empty when all is well."""
        return self._writer.trouble or self._reader.trouble

    async def put(self, job: NewJob) -> Stored:
        """Returns once the row is durable. Raises `InboxFullError`; then nothing was stored."""
        waiting = self.depth().events
        if waiting + job.events > self._limit:
            raise InboxFullError(f"{waiting} events wait for the ledger already")
        return await self._writer.put(job)

    async def find(self, job_id: str) -> Job | None:
        return await self._reader.ask(lambda connection: find_job(connection, job_id))

    async def jobs(
        self, *, msp_id: str, identity: str | None, before: int | None, limit: int, failed: bool = False
    ) -> list[Job]:
        return await self._reader.ask(
            lambda connection: list_jobs(
                connection, msp_id=msp_id, identity=identity, before=before, limit=limit, failed=failed
            )
        )

    async def retry(self, job_id: str) -> bool:
        """Send a failed job again; False if it has not failed. Raises `instance.database.DATABASE_ERRORS`."""
        return bool(await self._reader.ask_slowly(lambda connection: retry(connection, [job_id])))

    def depth(self) -> Depth:
        """What waits for the ledger, at most a second old; older while the inbox cannot be read."""
        return self._reader.depth()

    def states(self) -> dict[str, int]:
        """Number of jobs in each state."""
        return self._reader.states()

    def workers(self) -> list[Heartbeat]:
        """What the workers that share this inbox said last; empty for a file, which has one."""
        return self._reader.workers()

    async def wait(self, job_id: str, timeout: float) -> Job | None:
        """The job once it has finished, or as it is after ``timeout`` seconds."""
        future: asyncio.Future[Job] = self._loop.create_future()
        self._watched.setdefault(job_id, []).append(future)
        if self._watching is None or self._watching.done():
            self._watching = self._loop.create_task(self._watch())
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return await self.find(job_id)

    async def close(self) -> None:
        """Writes what is queued, then stops."""
        await self._writer.close()
        if self._watching is not None:
            self._watching.cancel()
        self._reader.close()

    async def _watch(self) -> None:
        """One look at the inbox for all who wait, many times a second, as long as somebody does."""
        while self._watched:
            for job_id, futures in list(self._watched.items()):
                if all(future.done() for future in futures):
                    del self._watched[job_id]
            wanted = list(self._watched)[:MOST_WATCHED]
            try:
                finished = await self._reader.ask(partial(finished_jobs, job_ids=wanted))
            except (*DATABASE_ERRORS, ReadError):  # it may come back before their time is up
                finished = []
            for job in finished:
                for future in self._watched.pop(job.id, []):
                    if not future.done():
                        future.set_result(job)
            await asyncio.sleep(self._poll)
