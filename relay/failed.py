"""What failed or waits, for those who watch over an instance: seen, exported, sent again.

A failed job keeps its payload: it is the only copy of what was scanned. Sent again it takes its old place in its lane; what
of it is on the ledger after all is a duplicate there, so that sending again is always safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from instance.database import Connection, transaction
from relay.jobs import CAPTURE, Job, find_job
from relay.tally import lanes_with

Kind = Literal["failed", "waiting"]
_STATES = {"failed": "'failed'", "waiting": "'pending', 'sent'"}


def kept_jobs(connection: Connection, kind: Kind, limit: int, *, alarmed: bool = False) -> list[Job]:
    """The oldest jobs of a kind, captures and others, by place; of the failed ones only those nobody has acknowledged, if
    ``alarmed``."""
    lanes = connection.execute(f"SELECT msp, identity FROM {lanes_with(_STATES[kind])}").fetchall()
    places = sorted(
        place for lane in lanes for place in _places(connection, kind, lane["msp"], lane["identity"], limit, alarmed)
    )[:limit]
    rows = [connection.execute("SELECT id FROM job WHERE seq = ?", (place,)).fetchone() for place in places]
    jobs = [find_job(connection, row["id"]) for row in rows if row is not None]
    return [job for job in jobs if job is not None]


def payload_of(connection: Connection, job: Job) -> bytes | None:
    """What the job holds: a list of events in stored form. None for what is no capture, or lives on the ledger by now."""
    row = connection.execute("SELECT content FROM payload WHERE seq = ?", (job.seq,)).fetchone()
    return bytes(row["content"]) if row is not None and job.function == CAPTURE else None


def retry(connection: Connection, job_ids: Sequence[str]) -> list[str]:
    """Send failed jobs again; returns those that were failed and now wait."""
    return list(
        _changed(
            connection,
            job_ids,
            "UPDATE job SET state = 'pending', scan = 0, alarm = 0, failure = NULL, finished_at = NULL, accepted = NULL,"
            " duplicate = NULL, rejected = NULL WHERE id = ? AND state = 'failed'",
        )
    )


def acknowledge(connection: Connection, job_ids: Sequence[str]) -> list[str]:
    """End the alarm of failed jobs, which stay as they are; returns those that alarmed."""
    return list(
        _changed(connection, job_ids, "UPDATE job SET alarm = 0 WHERE id = ? AND state = 'failed' AND alarm = 1")
    )


def _changed(connection: Connection, job_ids: Sequence[str], statement: str) -> Iterator[str]:
    with transaction(connection):
        found = [job_id for job_id in job_ids if connection.execute(statement, (job_id,)).rowcount]
    yield from found


def _places(connection: Connection, kind: Kind, msp_id: str, identity: str, limit: int, alarmed: bool) -> list[int]:
    if kind == "failed":
        only = " AND alarm = 1" if alarmed else ""
        questions = [f"SELECT seq FROM job WHERE state = 'failed' AND msp = ? AND identity = ?{only}"]
    else:
        waiting = "SELECT seq FROM job WHERE state = 'pending' AND msp = ? AND identity = ? AND scan = "
        sent = "SELECT job.seq FROM batch JOIN job ON job.batch = batch.id WHERE batch.msp = ? AND batch.identity = ?"
        questions = [waiting + "0", waiting + "1", sent]
    return [
        row[0]
        for question in questions
        for row in connection.execute(f"{question} ORDER BY job.seq LIMIT ?", (msp_id, identity, limit))
    ]
