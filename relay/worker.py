"""The worker process: it alone writes the ledger and the read model.

Run it with ``python -m relay.worker --home DIR``. It may be killed at any time: what it was doing is in the
inbox.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvloop
from sqlalchemy import Engine

import readmodel
from instance import logs
from instance.certificates import ending
from instance.database import DATABASE_ERRORS
from instance.identities import Identities
from instance.ledgers import open_ledger
from instance.postgres import PostgresConnection, PostgresError
from instance.settings import Settings, SettingsError, load_settings
from ledger.errors import InvalidIdentity, LedgerError
from ledger.port import Identity, Ledger
from readmodel.engine import DATABASE_AWAY, said
from readmodel.following import ChainMismatchError, require_checkpoint
from readmodel.projector import Applied, Projector
from readmodel.queries.quarantine import count_quarantined
from relay.batches import FINISH_LIMIT, Batches, Lane, Trouble
from relay.jobs import open_inbox
from relay.memory import bound_memory, give_back
from relay.pulse import REPORT_SECONDS, Clock, Pulse, written_at
from relay.shared_schema import fold
from relay.submitter import Submitter
from relay.workers import Sender

PRUNE_SECONDS = 3600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CERTIFICATE_SECONDS = 60.0
GIVE_BACK_SECONDS = 10.0
FOLLOW_SECONDS = 0.1
_LEADS = "projector"

log = structlog.get_logger("lotline.worker")


class Worker:
    """Submitter, projector and housekeeping on one event loop.

    worker = Worker(settings)
    await worker.start()
    …
    await worker.stop()
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._identities = Identities(settings)
        self._tasks: list[asyncio.Task[None]] = []
        # The last block in the read model, known without asking its database; None until it is seen to be on the ledger.
        self._applied: int | None = None
        self._checkpoint: int | None = None
        self._quarantined: int | None = None
        self._database_away = ""
        self._stopped = ""
        self._projected_at = time.time()
        self._closed = False
        self._clock = Clock()
        self._pulse = Pulse(settings.heartbeat_file)

    async def start(self) -> None:
        """Open everything, then work in the background until `stop`."""
        settings = self._settings
        self._ledger: Ledger = await open_ledger(settings)
        self._engine = readmodel.open_engine(settings.readmodel_url)
        self._projector = self._new_projector()
        self._connection = open_inbox(settings.inbox_place)
        limits = settings.worker
        self._batches = Batches(self._connection, max_events=limits.batch_events, max_bytes=limits.batch_bytes)
        self._submitter = Submitter(
            self._batches,
            self._ledger,
            self._identity_of,
            limits,
            committed=lambda _block: self._finish_jobs(),
        )
        self._spawn("pulse", self._pulse.turn())
        self._spawn("submitter", self._submitter.run())
        self._spawn("projector", self._project())
        self._spawn("housekeeping", self._keep_house())
        self._pulse.start()
        self._sender = Sender(settings, self._pulse.now) if settings.shared else None

    async def stop(self) -> None:
        """Let go of everything; a transaction under way is taken up again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pulse.stop()
        if self._sender is not None:
            self._sender.stop()
        await self._ledger.close()
        self._engine.dispose()
        self._closed = True
        self._connection.close()

    async def wait(self) -> None:
        """Returns when a part has failed, with its error: the process should end then, and be started
        again."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _identity_of(self, lane: Lane) -> Identity:
        try:
            return self._identities.get(lane.msp_id, lane.identity)
        except SettingsError as error:
            raise InvalidIdentity(str(error)) from error

    def _has_applied(self, block: int, quarantined: int) -> None:
        self._applied = self._checkpoint = block
        self._projected_at = time.time()
        self._database_away = self._stopped = ""
        if quarantined:
            self._quarantined = (self._quarantined or 0) + quarantined
            log.warning("records that cannot be read were set aside", block=block, records=quarantined)
        self._finish_jobs()

    def _finish_jobs(self) -> None:
        """Some at a time, since everything else has to wait; a file that cannot be written can be later."""
        if self._applied is None or self._closed:
            return
        try:
            if self._leads() and self._batches.projected(self._applied) == FINISH_LIMIT:
                asyncio.get_running_loop().call_soon(self._finish_jobs)
        except DATABASE_ERRORS as error:
            log.warning("jobs cannot be finished yet", error=str(error))

    def _new_projector(self) -> _Announcing:
        return _Announcing(self._engine, self._has_applied, self._settings.ledger.chaincode, self._clock)

    def _leads(self) -> bool:
        """Whether this worker, of all on one database, brings the read model on and keeps house."""
        return not isinstance(self._connection, PostgresConnection) or self._connection.try_lock(_LEADS)

    async def _bring_on(self) -> None:
        """Bring the read model on, or look how far another worker has brought it, as long as this one does not lead."""
        while not self._leads():
            await asyncio.sleep(FOLLOW_SECONDS)
            checkpoint = await asyncio.to_thread(self._projector.checkpoint)
            if checkpoint is not None:
                self._has_applied(checkpoint.number, 0)
        self._projector = self._new_projector()  # what an earlier one knew is old by now
        running = asyncio.create_task(self._projector.run(self._ledger))
        try:
            while not running.done() and self._leads():
                await asyncio.wait({running}, timeout=REPORT_SECONDS)
        finally:
            running.cancel()
        await running

    async def _project(self) -> None:
        """Follow the chain. A database that is away is waited for, from the start on, and so is a chain that fits again;
        whatever is wrong here, scans go on to the ledger."""
        first = wait = self._settings.worker.backoff_first
        while True:
            before = self._applied
            try:
                await self._open_readmodel()
                await self._bring_on()
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise
                reason = "another worker leads"
            except PostgresError as error:
                reason = self._database_away = f"the read model's database is away: {error}"
            except DATABASE_AWAY as error:
                self._database_away = f"the read model's database is away: {said(error)}"
                reason = self._database_away
            except ChainMismatchError as error:
                self._applied, self._stopped, reason = None, error.words, str(error)
            except LedgerError as error:
                reason = str(error)
            except Exception as error:
                log.exception("projector failed")
                self._stopped = "the read model stands still by a fault of the program: the worker's log has it"
                reason = type(error).__name__
            wait = first if self._applied != before else wait
            log.warning("projector waits", error=reason, seconds=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._settings.worker.backoff_last)

    async def _open_readmodel(self) -> None:
        await asyncio.to_thread(readmodel.migrate, self._engine)
        checkpoint = await asyncio.to_thread(self._projector.checkpoint)
        self._quarantined = await asyncio.to_thread(count_quarantined, self._engine)
        self._database_away = ""
        if checkpoint is not None:
            self._checkpoint = checkpoint.number
            await require_checkpoint(self._ledger, checkpoint)
            self._has_applied(checkpoint.number, 0)

    async def _keep_house(self) -> None:
        pruned_at = looked_at = given_back_at = float("-inf")
        while True:
            now = time.monotonic()
            try:
                if now - looked_at > CERTIFICATE_SECONDS:
                    await self._look_at_certificates()
                    looked_at = now
                await self._report()
                self._finish_jobs()
                if now - given_back_at > GIVE_BACK_SECONDS:
                    await asyncio.to_thread(give_back)
                    given_back_at = now
                if isinstance(self._connection, PostgresConnection) and self._leads():
                    fold(self._connection)
                if now - pruned_at > PRUNE_SECONDS and self._leads():
                    while self._batches.prune(self._settings.worker.keep_jobs_days):
                        await asyncio.sleep(0.05)
                    pruned_at = now
            except (*DATABASE_ERRORS, OSError) as error:
                log.warning("housekeeping waits", error=str(error))
            await asyncio.sleep(REPORT_SECONDS)

    async def _look_at_certificates(self) -> None:
        found = await asyncio.to_thread(ending, self._settings, datetime.now(UTC))
        ends = [(end.msp_id, end.identity, (end.not_after - _EPOCH).total_seconds()) for end in found]
        self._pulse.tell(replace(self._pulse.report, ending=ends))

    async def _report(self) -> None:
        troubles = self._batches.troubles()
        failing = [f"{error} ({attempts} attempts)" for error, attempts in self._batches.failures()]
        try:
            height: int | None = await self._ledger.height()
        except LedgerError as error:
            height = None
            failing.append(f"ledger: {error}")
        if self._database_away:
            failing.append(self._database_away)
        if height is not None and self._checkpoint is not None and self._checkpoint >= height - 1:
            self._projected_at = time.time()
        self._pulse.tell(
            replace(
                self._pulse.report,
                height=height,
                checkpoint=self._checkpoint,
                failing=failing,
                quarantined=self._quarantined,
                stopped=self._stopped,
                committed_at=self._submitter.committed_at,
                projected_at=self._projected_at,
                unwritable=self._submitter.trouble,
                waiting=waiting_words(troubles),
                ordering=self._ledger.ordering,
                clock=self._clock.words(),
            )
        )


def waiting_words(troubles: Sequence[Trouble]) -> list[str]:
    """Who cannot write and which jobs are held; without the words of others, which may say more than everybody should see."""
    words = []
    for trouble in troubles:
        who = f"{trouble.lane.identity} of {trouble.lane.msp_id}"
        if trouble.error.startswith(InvalidIdentity.__name__):
            words.append(f"{who} cannot write to the ledger, its jobs wait: is its certificate valid, the clock right?")
        elif trouble.held:
            words.append(f"job {trouble.job_id} of {who} is held: the peers do not agree on it; others go on")
    return words


class _Announcing(Projector):
    """A projector that tells the event loop what it has applied, so that waiting jobs can be finished."""

    def __init__(self, engine: Engine, applied: Callable[[int, int], None], chaincode: str, clock: Clock) -> None:
        super().__init__(engine, chaincode)
        self._announce = applied
        self._clock = clock
        self._loop = asyncio.get_running_loop()

    def apply(self, blocks: Any) -> Applied:
        done = super().apply(blocks)
        self._clock.newest = written_at(blocks[-1] if isinstance(blocks, Sequence) else blocks)
        if self._head is not None:
            self._loop.call_soon_threadsafe(self._announce, self._head.number, done.quarantined)
        return done


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopping.set)
    worker = Worker(settings)
    await worker.start()
    log.info("worker started", home=str(settings.home), pid=os.getpid())
    ending = asyncio.create_task(stopping.wait())
    working = asyncio.create_task(worker.wait())
    try:
        await asyncio.wait({ending, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        ending.cancel()
        working.cancel()
        await worker.stop()
        log.info("worker stopped")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the process. 0 after a signal, 1 when a part failed, 2 when there is no instance."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m relay.worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the instance's directory")
    home: Path = parser.parse_args(arguments).home
    logs.configure("worker")
    try:
        settings = load_settings(home)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if settings.left_behind:
        print(settings.left_behind, file=sys.stderr)
        return 2
    with contextlib.suppress(OSError):
        os.nice(settings.worker.nice)  # scanners are served first
    bound_memory()
    try:
        uvloop.run(run(settings))
    except Exception:
        log.exception("worker failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
