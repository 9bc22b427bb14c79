"""The worker's side of the inbox: jobs become batches, batches become outcomes.

A batch is one transaction to be: its nonce, and so its transaction id, is on the disk before it is sent.
Whatever dies in between, the same jobs are sent again under the same id, and the ledger takes that id once.
For that reason an outcome needs no flush of its own: if it is lost, the ledger is asked again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chaincode import batch_form
from instance.database import Connection, data_version, transaction
from instance.postgres import PostgresConnection
from relay.jobs import CAPTURE, Failure, now
from relay.tally import Lane, lanes_at_work
from relay.turns import Turns, fitting

__all__ = ["Batch", "BatchJob", "Batches", "Lane", "Outcome", "Trouble"]

NONCE_BYTES = 24
# Jobs that are finished in one transaction: scanners write to the same file and wait for it.
FINISH_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A job inside a batch."""

    id: str
    on_error: str
    payload: bytes
    events: int
    master_data: bytes | None = None
    scan: bool = False

    def as_group(self) -> bytes:
        """The job as a group of the contract's batch."""
        beside = b',"masterData":%s' % self.master_data if self.master_data else b""
        return b'{"id":"%s","onError":"%s","events":%s%s}' % (
            self.id.encode(), self.on_error.encode(), self.payload, beside,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction to be sent, or to be sent again."""

    id: int
    lane: Lane
    function: str
    nonce: bytes
    attempts: int
    jobs: tuple[BatchJob, ...]
    doubted: bool = False
    """One job that nobody could digest so far: it waits behind the others of its lane."""

    def arguments(self) -> list[bytes]:
        """The contract's arguments. The events were made canonical when they came in: bytes are only
        joined, and compressed."""
        if self.function != CAPTURE:
            return [self.jobs[0].payload]
        groups = b",".join([job.as_group() for job in self.jobs])
        return [batch_form.encode(b'{"groups":[' + groups + b"]}")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ledger made of one job."""

    accepted: int
    duplicate: int
    rejected: int
    verdicts: Sequence[Mapping[str, Any]] = field(default=())

    @classmethod
    def of_verdicts(cls, verdicts: Sequence[Mapping[str, Any]]) -> Outcome:
        words = [verdict["verdict"] for verdict in verdicts]
        return cls(words.count("accepted"), words.count("duplicate"), words.count("rejected"), verdicts)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A batch that was tried in vain so far."""

    lane: Lane
    error: str
    attempts: int
    held: bool
    """A single job that the others of its lane go before."""
    job_id: str


class Batches:
    """One per worker process, used on one thread. On a file nobody competes, since the worker alone holds the ledger's writer; in
    a database each lane is `hold`'s."""

    def __init__(self, connection: Connection, *, max_events: int, max_bytes: int) -> None:
        self._connection = connection
        self._turns = Turns(connection)
        self._locked = " FOR UPDATE" if isinstance(connection, PostgresConnection) else ""
        self._max_events = max_events
        self._max_bytes = max_bytes

    def version(self) -> object:
        """Changes when another process has put something into the inbox."""
        if isinstance(self._connection, PostgresConnection):
            return self.lanes()
        return data_version(self._connection)

    def hold(self, lane: Lane) -> bool:
        """Whether this process may send the lane's jobs: one at a time does, and another one takes over when it is gone. The
        worker on a file is alone with it."""
        if isinstance(self._connection, PostgresConnection):
            return self._connection.try_lock(_lock(lane))
        return True

    def release(self, lane: Lane) -> None:
        """Let another process send the lane's jobs."""
        if isinstance(self._connection, PostgresConnection):
            self._connection.unlock(_lock(lane))

    def lanes(self) -> set[Lane]:
        """Lanes with work to do."""
        return lanes_at_work(self._connection)

    def next(self, lane: Lane, *, proven: bool = False) -> Batch | None:
        """The lane's oldest unfinished batch; else a new one of those whose turn it is; None when nothing waits.

        A job in doubt comes last, or first when another one of the lane has just passed (``proven``): what then fails
        again fails by itself.
        """
        order = "DESC" if proven else "ASC"
        row = self._connection.execute(
            f"SELECT id, doubted FROM batch WHERE msp = ? AND identity = ? ORDER BY doubted {order}, first_seq LIMIT 1",
            (lane.msp_id, lane.identity),
        ).fetchone()
        if row is not None and (proven or not row["doubted"]):
            return self._load(row["id"])
        fresh = self._make(lane)
        return fresh if fresh is not None or row is None else self._load(row["id"])

    def waits(self, lane: Lane) -> bool:
        """Whether the lane has jobs that were not sent yet."""
        (jobs,) = self._connection.execute(
            "SELECT sum(jobs) FROM tally WHERE msp = ? AND identity = ? AND state = 'pending'",
            (lane.msp_id, lane.identity),
        ).fetchone()
        return bool(jobs and jobs > 0)

    def attempt(self, batch: Batch, error: str, *, new_nonce: bool) -> None:
        """Note a failed attempt. A new nonce is right only when the old transaction is known to be void."""
        nonce = secrets.token_bytes(NONCE_BYTES) if new_nonce else batch.nonce
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE batch SET attempts = attempts + 1, error = ?, nonce = ? WHERE id = ? AND nonce = ?",
                (error, nonce, batch.id, batch.nonce),
            )

    def doubt(self, batch: Batch) -> None:
        """Let the lane's other jobs go before this one."""
        with transaction(self._connection):
            self._connection.execute("UPDATE batch SET doubted = 1 WHERE id = ?", (batch.id,))

    def split(self, batch: Batch) -> None:
        """Replace a batch that was refused as a whole by its two halves: one of its jobs is to blame."""
        middle = len(batch.jobs) // 2
        with transaction(self._connection):
            if not self._ours(batch):
                return
            for half in (batch.jobs[:middle], batch.jobs[middle:]):
                self._insert(batch.lane, batch.function, self._places(half))
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def committed(self, batch: Batch, tx_id: str, block: int, outcomes: Mapping[str, Outcome]) -> None:
        """The ledger has the batch: give every job its outcome. Scans that went ahead of their turn and were refused get
        none: nothing of them was written, and they go again when it is their turn."""
        early = [job.id for job in batch.jobs if outcomes[job.id].rejected and self._went_ahead(batch, job)]
        with transaction(self._connection, durable=False):
            if not self._ours(batch):
                return
            self._send_back(early)
            self._connection.executemany(
                "UPDATE job SET state = 'committed', batch = NULL, tx_id = ?, block = ?, accepted = ?,"
                " duplicate = ?, rejected = ?, verdicts = ? WHERE id = ?",
                [
                    (
                        tx_id,
                        block,
                        made.accepted,
                        made.duplicate,
                        made.rejected,
                        orjson.dumps(made.verdicts),
                        job_id,
                    )
                    for job_id, made in outcomes.items()
                    if job_id not in early
                ],
            )
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def failed(self, batch: Batch, failure: Failure, *, alarm: bool = False) -> bool:
        """No job of the batch will ever be on the ledger by itself. The payload stays: `lotline inbox` shows, exports and
        retries it. False when the one job had gone ahead of its turn, which is waited for instead."""
        words = stored_failure(failure)
        early = [job.id for job in batch.jobs if self._went_ahead(batch, job)]
        with transaction(self._connection):
            if not self._ours(batch):
                return True
            self._send_back(early)
            self._connection.execute(
                "UPDATE job SET state = 'failed', batch = NULL, accepted = 0, duplicate = 0,"
                " rejected = events, failure = ?, alarm = ?, finished_at = ? WHERE batch = ?",
                (words, alarm, now(), batch.id),
            )
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))
        return not early

    def change(self, batch: Batch, change: Callable[[Connection], None]) -> None:
        """Change what the batch was made of, and let it be made anew when its turn comes."""
        with transaction(self._connection):
            if self._ours(batch):
                change(self._connection)
                self._connection.execute("UPDATE job SET state = 'pending', batch = NULL WHERE batch = ?", (batch.id,))
                self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def projected(self, block: int, limit: int = FINISH_LIMIT) -> int:
        """The read model has everything up to ``block``: finish those jobs, ``limit`` at a time. Their payload lives on the
        ledger now."""
        rows = self._connection.execute(
            "SELECT seq FROM job WHERE state = 'committed' AND block <= ? LIMIT ?", (block, limit)
        ).fetchall()
        if not rows:
            return 0
        done = [(row["seq"],) for row in rows]
        moment = now()
        with transaction(self._connection, durable=False):
            self._connection.executemany("DELETE FROM payload WHERE seq = ?", done)
            self._connection.executemany(f"UPDATE job SET state = 'done', finished_at = '{moment}' WHERE seq = ?", done)
        return len(done)

    def prune(self, keep_days: int, limit: int = 500) -> int:
        """Forget jobs that were done ``keep_days`` ago; a few at a time, since scanners write here too.

        Failed ones stay: theirs is the only copy of what was scanned.
        """
        before = (datetime.now(UTC) - timedelta(days=keep_days)).isoformat()
        with transaction(self._connection, durable=False):
            return self._connection.execute(
                "DELETE FROM job WHERE seq IN (SELECT seq FROM job WHERE finished_at < ? AND state = 'done' LIMIT ?)",
                (before, limit),
            ).rowcount

    def failures(self) -> list[tuple[str, int]]:
        """Error text and number of attempts of each of them."""
        return [(trouble.error, trouble.attempts) for trouble in self.troubles()]

    def troubles(self) -> list[Trouble]:
        """Every batch that has been tried in vain so far."""
        rows = self._connection.execute(
            "SELECT batch.msp, batch.identity, error, attempts, doubted, job.id FROM batch JOIN job ON seq = first_seq"
            " WHERE attempts > 0 ORDER BY first_seq LIMIT 100"
        )
        return [Trouble(Lane(row[0], row[1]), row[2], row[3], bool(row[4]), row[5]) for row in rows]

    def _make(self, lane: Lane) -> Batch | None:
        turn = self._turns.next(lane)
        if turn is None:
            return None
        with transaction(self._connection):
            rows = self._connection.execute(
                "SELECT seq, function, events, size FROM job WHERE state = 'pending' AND msp = ? AND identity = ?"
                f" AND scan = ? AND seq < ? ORDER BY seq LIMIT ?{self._locked}",
                (lane.msp_id, lane.identity, turn.scan, turn.before, self._max_events),
            ).fetchall()
            if not rows:  # another process was faster, while this one's session was lost
                return None
            batch_id = self._insert(lane, rows[0]["function"], fitting(rows, self._max_events, self._max_bytes))
        return self._load(batch_id)

    def _places(self, jobs: Sequence[BatchJob]) -> list[int]:
        row = self._connection.execute
        return [row("SELECT seq FROM job WHERE id = ?", (job.id,)).fetchone()[0] for job in jobs]

    def _insert(self, lane: Lane, function: str, places: Sequence[int]) -> int:
        (batch_id,) = self._connection.execute(
            "INSERT INTO batch (msp, identity, function, nonce, first_seq) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (lane.msp_id, lane.identity, function, secrets.token_bytes(NONCE_BYTES), places[0]),
        ).fetchone()
        self._connection.executemany(
            "UPDATE job SET state = 'sent', batch = ? WHERE seq = ?", [(batch_id, place) for place in places]
        )
        return int(batch_id)

    def _load(self, batch_id: int) -> Batch:
        row = self._connection.execute("SELECT * FROM batch WHERE id = ?", (batch_id,)).fetchone()
        jobs = self._connection.execute(
            "SELECT job.id, on_error, content, events, master_data, scan FROM job JOIN payload USING (seq)"
            " WHERE batch = ? ORDER BY seq",
            (batch_id,),
        )
        return Batch(
            id=row["id"],
            lane=Lane(row["msp"], row["identity"]),
            function=row["function"],
            nonce=row["nonce"],
            attempts=row["attempts"],
            jobs=tuple(BatchJob(*job) for job in jobs),
            doubted=bool(row["doubted"]),
        )

    def _ours(self, batch: Batch) -> bool:
        """Whether the batch is still as it was sent. A process that lost its session, and with it the lane, may come late with
        an outcome that its successor has written."""
        return (
            self._connection.execute(
                f"SELECT 1 FROM batch WHERE id = ? AND nonce = ?{self._locked}", (batch.id, batch.nonce)
            ).fetchone()
            is not None
        )

    def _went_ahead(self, batch: Batch, job: BatchJob) -> bool:
        """Whether something that came before this job is still on its way."""
        if not job.scan:
            return False
        (found,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM job AS mine JOIN job AS other USING (msp, identity) WHERE mine.id = ?"
            "  AND other.state = 'pending' AND other.scan = 0 AND other.seq < mine.seq)"
            " OR EXISTS (SELECT 1 FROM job AS mine JOIN batch USING (msp, identity) WHERE mine.id = ?"
            "  AND batch.id <> ? AND batch.doubted = 0 AND batch.first_seq < mine.seq)",
            (job.id, job.id, batch.id),
        ).fetchone()
        return bool(found)

    def _send_back(self, job_ids: Sequence[str]) -> None:
        """To their own place among those that are not scans."""
        self._connection.executemany(
            "UPDATE job SET state = 'pending', batch = NULL, scan = 0 WHERE id = ?", [(job_id,) for job_id in job_ids]
        )


def stored_failure(failure: Failure) -> bytes:
    """As it is kept in a job's row."""
    return orjson.dumps({"status": failure.status, "code": failure.code, "message": failure.message})


def _lock(lane: Lane) -> str:
    return f"lane {lane.msp_id} {lane.identity}"
