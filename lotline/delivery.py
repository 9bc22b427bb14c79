"""Putting events and registrations on the ledger from a command: through the inbox, like every event.

If the instance is up its worker does the work; if not, one is started for as long as the command runs. Either
way what was handed over is durable: an interrupted command loses nothing, and repeating it repeats nothing.
"""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

import orjson

from instance.settings import Settings
from lotline import services
from lotline.errors import CommandError, UnavailableError
from lotline.supervisor import end, is_up, start_bound
from relay.inbox import Inbox, NewJob
from relay.intake import Intake
from relay.jobs import CAPTURE, Job, OnError

# Events a job: as many as a transaction carries, so that a job is a block.
JOB_EVENTS = 1000
_JOB_BYTES = 3 * 2**20
_NO_LIMIT = 2**62
_POLL = 0.01
_LOOK = 0.5
# How long to wait for another command that has the ledger, and the words of whoever finds it taken.
_PATIENCE = 60.0
_KEPT = "What was handed over is kept and goes on with the next command."
_TAKEN = "another process writes to the ledger"


@dataclass
class Counts:
    """What the ledger made of events."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0

    def count(self, verdict: str) -> None:
        """One more event with this verdict."""
        setattr(self, verdict, getattr(self, verdict) + 1)

    def add(self, job: Job) -> None:
        """A whole job's events."""
        self.accepted += job.accepted or 0
        self.duplicate += job.duplicate or 0
        self.rejected += job.rejected or 0

    @property
    def total(self) -> int:
        return self.accepted + self.duplicate + self.rejected

    def as_dict(self) -> dict[str, int]:
        return {"accepted": self.accepted, "duplicate": self.duplicate, "rejected": self.rejected}


class Delivery:
    """The command's hand on the inbox. Get one from `delivering`."""

    def __init__(self, settings: Settings, inbox: Inbox, words: IO[bytes]) -> None:
        self._settings = settings
        self._inbox = inbox
        self._words = words
        self._worker: subprocess.Popen[bytes] | None = None
        self._looked = 0.0
        self._alone_since = time.monotonic()
        self.handed_over: list[str] = []
        self._see_to_worker()

    async def close(self) -> None:
        """End the worker, if it is this command's own."""
        await self._inbox.close()
        if self._worker is not None:
            await asyncio.to_thread(end, self._worker)

    async def capture(
        self,
        msp_id: str,
        events: Sequence[bytes],
        *,
        identity: str = "scanner",
        on_error: OnError = "rollback",
    ) -> str:
        """Hand over events in stored form; returns the job's id. The events are durable by then."""
        payload = b"[" + b",".join(events) + b"]"
        return await self._put(NewJob(CAPTURE, msp_id, identity, on_error, payload, len(events)))

    async def capture_document(
        self, msp_id: str, intake: Intake, *, identity: str = "scanner", on_error: OnError = "rollback"
    ) -> str:
        """`capture` of a document that was read."""
        return await self._put(NewJob.of_intake(intake, msp_id, identity, on_error))

    async def capture_many(self, msp_id: str, events: Iterable[bytes], *, identity: str = "scanner") -> list[str]:
        """Hand over any number of events, each judged by itself; returns the jobs they went into."""
        return [await self.capture(msp_id, part, identity=identity, on_error="proceed") for part in _parts(events)]

    async def command(self, msp_id: str, function: str, documents: Sequence[dict[str, Any]]) -> str:
        """Hand over registrations of an organisation, spoken by its admin; returns the job's id."""
        payload = orjson.dumps(list(documents))
        return await self._put(NewJob(function, msp_id, "admin", "rollback", payload, len(documents)))

    async def register(self, msp_id: str, function: str, documents: Sequence[dict[str, Any]]) -> None:
        """`command`, waited for; `CommandError` when the contract refuses."""
        if not documents:
            return
        (job,) = await self.on_ledger([await self.command(msp_id, function, documents)])
        if job.failure is not None:
            raise CommandError(f"{function} by {msp_id} was refused: {job.failure.message}")

    async def on_ledger(self, job_ids: Iterable[str]) -> list[Job]:
        """The jobs, once the ledger has answered each of them (the read model may be a moment behind)."""
        return [await self._until(job_id, ("committed", "done", "failed")) for job_id in job_ids]

    async def visible(self, job_ids: Iterable[str]) -> list[Job]:
        """The jobs, once the read model shows what they put on the ledger."""
        return [await self._until(job_id, ("done", "failed")) for job_id in job_ids]

    async def _put(self, job: NewJob) -> str:
        job_id = (await self._inbox.put(job)).job_id
        self.handed_over.append(job_id)
        return job_id

    async def _until(self, job_id: str, states: tuple[str, ...]) -> Job:
        while True:
            job = await self._inbox.find(job_id)
            if job is None:
                raise UnavailableError(f"job {job_id} is no longer in the inbox")
            if job.state in states:
                return job
            if time.monotonic() - self._looked > _LOOK:
                self._see_to_worker()
            await asyncio.sleep(_POLL)

    def _see_to_worker(self) -> None:
        """Somebody must do the work: the instance's own worker, else one that is started here."""
        self._looked = time.monotonic()
        if self._worker is not None and self._worker.poll() is None:
            return
        if services.beating(self._settings):
            self._worker, self._alone_since = None, time.monotonic()
            return
        if is_up(self._settings.run_dir):
            self._worker = None
            if time.monotonic() - self._alone_since > _PATIENCE:
                raise UnavailableError("this instance is up, and its worker does not work", hint=self._why())
            return
        if self._worker is not None:
            self._require_patience(self._worker.returncode)
        self._words.seek(0)
        self._words.truncate()
        self._worker = start_bound(services.worker(self._settings).command, self._words)

    def _why(self) -> str:
        log = self._settings.logs_dir / "worker.out"
        said = last_words(log.read_text(errors="replace")) if log.exists() else ""
        return f"{said}\nlogs/worker.out has more. {_KEPT}".lstrip()

    def _require_patience(self, code: int) -> None:
        """A worker ends at once while another command's holds the ledger; that one will be done."""
        self._words.seek(0)
        said = last_words(self._words.read().decode(errors="replace"))
        busy = _TAKEN in said
        if busy and time.monotonic() - self._alone_since < _PATIENCE:
            return
        if busy:
            raise UnavailableError("another command is at work on this home", hint=f"Wait until it is done. {_KEPT}")
        raise UnavailableError(f"the worker ended with code {code}", hint=f"{said}\n{_KEPT}".lstrip())


def last_words(log: str) -> str:
    """What a process wrote last, without the traceback: the log's last line, or the error in it."""
    for line in reversed(log.splitlines()):
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError:
            if line.strip():
                return line.strip()
            continue
        if isinstance(told, dict):
            fault = str(told.get("exception") or told.get("error") or "").strip().splitlines()
            return fault[-1] if fault else str(told.get("event", ""))
    return ""


@asynccontextmanager
async def delivering(settings: Settings) -> AsyncIterator[Delivery]:
    """A `Delivery` with a worker behind it: the running one, else one of its own."""
    with tempfile.TemporaryFile() as words:
        delivery = Delivery(settings, Inbox(settings.inbox_place, limit_events=_NO_LIMIT), words)
        try:
            yield delivery
        finally:
            await delivery.close()


def _parts(events: Iterable[bytes]) -> Iterable[list[bytes]]:
    """Cut into jobs that one transaction carries."""
    part: list[bytes] = []
    size = 0
    for event in events:
        if part and (len(part) >= JOB_EVENTS or size + len(event) > _JOB_BYTES):
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event)
    if part:
        yield part
