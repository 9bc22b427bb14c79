"""The inbox file: every accepted request is a row here before it is answered, until the ledger has it.

A job's life::

    pending ──batch made──> sent ──ledger committed──> committed ──projected──> done
                              └──contract refused the job as such──> failed

``pending`` and ``sent`` are what a crash must not lose; ``committed`` waits for the read model, so that
whoever
sees a finished job also finds its events. This module holds the schema and what both processes read; rows are
written by `relay.inbox` (HTTP process) and `relay.batches` (worker process).
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from instance.database import connect

OnError = Literal["rollback", "proceed"]
State = Literal["pending", "sent", "committed", "done", "failed"]
CAPTURE = "capture"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  function TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  nonce BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS job (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  function TEXT NOT NULL,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  on_error TEXT NOT NULL,
  payload BLOB,
  events INTEGER NOT NULL,
  digest BLOB NOT NULL,
  idempotency_key TEXT,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  batch INTEGER REFERENCES batch (id),
  tx_id TEXT,
  block INTEGER,
  accepted INTEGER,
  duplicate INTEGER,
  rejected INTEGER,
  verdicts BLOB,
  failure BLOB,
  finished_at TEXT,
  refused BLOB,
  master_data BLOB
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS job_key ON job (msp, identity, idempotency_key) WHERE idempotency_key IS
NOT NULL;
CREATE INDEX IF NOT EXISTS job_lane ON job (msp, identity, seq) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS job_batch ON job (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX IF NOT EXISTS job_block ON job (block) WHERE state = 'committed';
CREATE INDEX IF NOT EXISTS job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
"""

_COLUMNS = (
    "seq, id, function, msp, identity, on_error, events, created_at, state, tx_id, block,"
    " accepted, duplicate, rejected, verdicts, failure, finished_at, refused"
)
# What inboxes of earlier versions do not have.
_ADDED = ("refused", "master_data")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a whole job failed: the contract's status and words."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """One row, as its owner may see it: with the events that were refused on arrival among the others."""

    seq: int
    id: str
    function: str
    msp_id: str
    identity: str
    on_error: OnError
    events: int
    created_at: str
    state: State
    tx_id: str | None
    block: int | None
    accepted: int | None
    duplicate: int | None
    rejected: int | None
    verdicts: list[dict[str, Any]] | None
    failure: Failure | None
    finished_at: str | None
    refused: list[dict[str, Any]]
    """Events that were left out on arrival (``proceed``): ``index``, ``field``, ``code``, ``message``."""

    @property
    def running(self) -> bool:
        return self.state not in ("done", "failed")

    @property
    def success(self) -> bool:
        """EPCIS's flag: nothing has gone wrong so far (running) or at all (finished)."""
        return self.state != "failed" and not self.rejected and not self.refused


@dataclass(frozen=True, slots=True)
class Depth:
    """What the ledger has yet to take: jobs, events, and when the oldest came (None if nothing waits)."""

    jobs: int
    events: int
    oldest: str | None


def open_inbox(path: Path, *, autocheckpoint: int = 1000) -> sqlite3.Connection:
    """A connection to the inbox file, which is made if absent."""
    connection = connect(path, autocheckpoint=autocheckpoint)
    connection.executescript(_SCHEMA)
    known = {row["name"] for row in connection.execute("PRAGMA table_info(job)")}
    for column in _ADDED:
        if column not in known:
            _add_column(connection, column)
    return connection


def _add_column(connection: sqlite3.Connection, column: str) -> None:
    try:
        connection.execute(f"ALTER TABLE job ADD COLUMN {column} BLOB")
    except sqlite3.OperationalError as error:  # the other process was a moment faster
        if "duplicate column" not in str(error):
            raise


def new_job_id() -> str:
    """Sorted by time, so that new rows land at the end of the index, and not to be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def now() -> str:
    """This moment as ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def find_job(connection: sqlite3.Connection, job_id: str) -> Job | None:
    """The job of that id, with its verdicts."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else _job(row)


def list_jobs(
    connection: sqlite3.Connection, *, msp_id: str, identity: str | None, before: int | None, limit: int
) -> list[Job]:
    """Capture jobs of an organisation (of one of its identities), newest first, without their verdicts."""
    columns = _COLUMNS.replace("verdicts", "NULL AS verdicts")
    rows = connection.execute(
        f"SELECT {columns} FROM job WHERE function = ? AND msp = ? AND (? IS NULL OR identity = ?)"
        " AND seq < ? ORDER BY seq DESC LIMIT ?",
        (CAPTURE, msp_id, identity, identity, before if before is not None else 2**62, limit),
    )
    return [_job(row) for row in rows]


def depth(connection: sqlite3.Connection) -> Depth:
    """How much waits for the ledger."""
    waiting = connection.execute(
        "SELECT count(*), total(events), min(created_at) FROM job WHERE state = 'pending'"
        " UNION ALL SELECT count(*), total(events), min(created_at) FROM job WHERE batch IS NOT NULL"
    ).fetchall()
    oldest = [row[2] for row in waiting if row[2] is not None]
    return Depth(sum(row[0] for row in waiting), int(sum(row[1] for row in waiting)), min(oldest, default=None))


def count_by_state(connection: sqlite3.Connection) -> dict[str, int]:
    """Number of jobs in each state, finished ones as far as they are still kept."""
    return {row[0]: row[1] for row in connection.execute("SELECT state, count(*) FROM job GROUP BY state")}


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["msp_id"] = values.pop("msp")
    verdicts, failure, refused = values[_VERDICTS], values["failure"], values["refused"]
    values["failure"] = None if failure is None else Failure(**orjson.loads(failure))
    left_out = values["refused"] = [] if refused is None else orjson.loads(refused)
    values["events"] += len(left_out)
    if values["rejected"] is not None:
        values["rejected"] += len(left_out)
    values[_VERDICTS] = None if verdicts is None else _together(orjson.loads(verdicts), left_out)
    return Job(**values)


_VERDICTS = "verdicts"


def _together(verdicts: list[dict[str, Any]], refused: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The contract's verdicts and those of arrival, in the order of the document."""
    for fault in refused:  # by their places, in order
        verdict = {"event": "", "verdict": "rejected", "code": fault["code"], "detail": fault["message"]}
        verdicts.insert(fault["index"], {**verdict, "field": fault["field"]})
    return verdicts
