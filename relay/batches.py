"""The worker's side of the inbox: jobs become batches, batches become outcomes.

A batch is one transaction to be: its nonce, and so its transaction id, is on the disk before it is sent.
Whatever dies in between, the same jobs are sent again under the same id, and the ledger takes that id once.
For that reason an outcome needs no flush of its own: if it is lost, the ledger is asked again.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chaincode import batch_form
from instance.database import data_version, transaction
from relay.jobs import CAPTURE, Failure, now

NONCE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Lane:
    """One identity: its jobs are sent in the order they came, one batch at a time."""

    msp_id: str
    identity: str


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A job inside a batch."""

    id: str
    on_error: str
    payload: bytes
    events: int
    master_data: bytes | None = None

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


class Batches:
    """One per worker process, used on one thread. The worker alone holds the ledger's writer, so nobody
    competes."""

    def __init__(self, connection: sqlite3.Connection, *, max_events: int, max_bytes: int) -> None:
        self._connection = connection
        self._max_events = max_events
        self._max_bytes = max_bytes

    def version(self) -> int:
        """Changes when another process has written to the inbox."""
        return data_version(self._connection)

    def lanes(self) -> set[Lane]:
        """Lanes with work to do."""
        rows = self._connection.execute(
            "SELECT msp, identity FROM batch UNION SELECT msp, identity FROM job WHERE state = 'pending'"
        )
        return {Lane(*row) for row in rows}

    def next(self, lane: Lane) -> Batch | None:
        """The lane's oldest unfinished batch; else a new one of its oldest jobs; None when nothing waits."""
        row = self._connection.execute(
            "SELECT id FROM batch WHERE msp = ? AND identity = ? ORDER BY first_seq LIMIT 1",
            (lane.msp_id, lane.identity),
        ).fetchone()
        return self._load(row["id"]) if row is not None else self._make(lane)

    def attempt(self, batch: Batch, error: str, *, new_nonce: bool) -> None:
        """Note a failed attempt. A new nonce is right only when the old transaction is known to be void."""
        nonce = secrets.token_bytes(NONCE_BYTES) if new_nonce else batch.nonce
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE batch SET attempts = attempts + 1, error = ?, nonce = ? WHERE id = ?",
                (error, nonce, batch.id),
            )

    def split(self, batch: Batch) -> None:
        """Replace a batch that was refused as a whole by its two halves: one of its jobs is to blame."""
        middle = len(batch.jobs) // 2
        with transaction(self._connection):
            for half in (batch.jobs[:middle], batch.jobs[middle:]):
                self._insert(batch.lane, batch.function, [job.id for job in half])
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def committed(self, batch: Batch, tx_id: str, block: int, outcomes: Mapping[str, Outcome]) -> None:
        """The ledger has the batch: give every job its outcome."""
        with transaction(self._connection, durable=False):
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
                ],
            )
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def failed(self, batch: Batch, failure: Failure) -> None:
        """No job of the batch will ever be on the ledger. The payload stays, for whoever looks into it."""
        words = orjson.dumps({"status": failure.status, "code": failure.code, "message": failure.message})
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE job SET state = 'failed', batch = NULL, accepted = 0, duplicate = 0,"
                " rejected = events, failure = ?, finished_at = ? WHERE batch = ?",
                (words, now(), batch.id),
            )
            self._connection.execute("DELETE FROM batch WHERE id = ?", (batch.id,))

    def projected(self, block: int) -> int:
        """The read model has everything up to ``block``: finish those jobs. Their payload lives on the
        ledger now."""
        row = self._connection.execute(
            "SELECT 1 FROM job WHERE state = 'committed' AND block <= ? LIMIT 1", (block,)
        ).fetchone()
        if row is None:
            return 0
        with transaction(self._connection, durable=False):
            return self._connection.execute(
                "UPDATE job SET state = 'done', payload = NULL, master_data = NULL, finished_at = ?"
                " WHERE state = 'committed' AND block <= ?",
                (now(), block),
            ).rowcount

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
        """Error text and number of attempts of every batch that has been tried in vain so far."""
        rows = self._connection.execute("SELECT error, attempts FROM batch WHERE attempts > 0 ORDER BY first_seq")
        return [(row["error"], row["attempts"]) for row in rows]

    def _make(self, lane: Lane) -> Batch | None:
        rows = self._connection.execute(
            "SELECT id, function, events, length(payload) + coalesce(length(master_data), 0) AS size FROM job"
            " WHERE state = 'pending' AND msp = ? AND identity = ? ORDER BY seq LIMIT ?",
            (lane.msp_id, lane.identity, self._max_events),
        ).fetchall()
        if not rows:
            return None
        with transaction(self._connection):
            batch_id = self._insert(lane, rows[0]["function"], self._fitting(rows))
        return self._load(batch_id)

    def _fitting(self, rows: Sequence[sqlite3.Row]) -> list[str]:
        """As many jobs from the front as one transaction should carry; at least one, however large."""
        chosen: list[str] = []
        events = size = 0
        for row in rows:
            events += row["events"]
            size += row["size"]
            alike = row["function"] == CAPTURE == rows[0]["function"]
            if chosen and (not alike or events > self._max_events or size > self._max_bytes):
                break
            chosen.append(row["id"])
        return chosen

    def _insert(self, lane: Lane, function: str, job_ids: Sequence[str]) -> int:
        cursor = self._connection.execute(
            "INSERT INTO batch (msp, identity, function, nonce, first_seq)"
            " SELECT ?, ?, ?, ?, seq FROM job WHERE id = ?",
            (lane.msp_id, lane.identity, function, secrets.token_bytes(NONCE_BYTES), job_ids[0]),
        )
        batch_id = cursor.lastrowid
        assert batch_id is not None
        self._connection.executemany(
            "UPDATE job SET state = 'sent', batch = ? WHERE id = ?",
            [(batch_id, job_id) for job_id in job_ids],
        )
        return batch_id

    def _load(self, batch_id: int) -> Batch:
        row = self._connection.execute("SELECT * FROM batch WHERE id = ?", (batch_id,)).fetchone()
        jobs = self._connection.execute(
            "SELECT id, on_error, payload, events, master_data FROM job WHERE batch = ? ORDER BY seq", (batch_id,)
        )
        return Batch(
            id=row["id"],
            lane=Lane(row["msp"], row["identity"]),
            function=row["function"],
            nonce=row["nonce"],
            attempts=row["attempts"],
            jobs=tuple(BatchJob(*job) for job in jobs),
        )
