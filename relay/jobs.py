"""A job: every accepted request is a row of the inbox before it is answered, until the ledger has it.

A job's life::

    pending ──batch made──> sent ──ledger committed──> committed ──projected──> done
                              └──contract refused the job as such──> failed

``pending`` and ``sent`` are what a crash must not lose; ``committed`` waits for the read model, so that whoever sees a
finished job also finds its events. A failed job is sent again by hand (`relay.failed`). Rows are written by `relay.inbox`
(HTTP process) and `relay.batches` (worker process); `relay.schema` has the tables.
"""

from __future__ import annotations

import heapq
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from instance.database import Connection
from relay.schema import open_inbox
from relay.tally import Depth, count_by_state, depth

__all__ = [
    "CAPTURE",
    "Depth",
    "Failure",
    "Job",
    "OnError",
    "State",
    "count_by_state",
    "depth",
    "find_job",
    "finished_jobs",
    "list_jobs",
    "new_job_id",
    "now",
    "open_inbox",
]

OnError = Literal["rollback", "proceed"]
State = Literal["pending", "sent", "committed", "done", "failed"]
CAPTURE = "capture"

_COLUMNS = (
    "seq, id, function, msp, identity, on_error, events, created_at, state, tx_id, block,"
    " accepted, duplicate, rejected, verdicts, failure, finished_at, refused"
)


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


def new_job_id() -> str:
    """Sorted by time, so that new rows land at the end of the index, and not to be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def now() -> str:
    """This moment as ISO 8601 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def find_job(connection: Connection, job_id: str) -> Job | None:
    """The job of that id, with its verdicts."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else _job(row)


def finished_jobs(connection: Connection, job_ids: Sequence[str]) -> list[Job]:
    """Those of the jobs that have finished."""
    marks = ", ".join("?" * len(job_ids))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM job WHERE id IN ({marks}) AND state IN ('done', 'failed')", job_ids
    )
    return [_job(row) for row in rows]


def list_jobs(
    connection: Connection,
    *,
    msp_id: str,
    identity: str | None,
    before: int | None,
    limit: int,
    failed: bool = False,
) -> list[Job]:
    """Capture jobs of an organisation (of one of its identities), newest first, without their verdicts; all or only those
    that failed. Each identity's newest are taken from an index: other people's jobs are not looked at."""
    state = " AND state = 'failed'" if failed else ""
    names = [identity] if identity is not None else _identities(connection, msp_id)
    newest = [
        row[0]
        for name in names
        for row in connection.execute(
            f"SELECT seq FROM job WHERE function = 'capture' AND msp = ? AND identity = ?{state}"
            " AND seq < ? ORDER BY seq DESC LIMIT ?",
            (msp_id, name, before if before is not None else 2**62, limit),
        )
    ]
    columns = _COLUMNS.replace("verdicts", "NULL AS verdicts")
    return [
        _job(connection.execute(f"SELECT {columns} FROM job WHERE seq = ?", (seq,)).fetchone())
        for seq in heapq.nlargest(limit, newest)
    ]


def _identities(connection: Connection, msp_id: str) -> list[str]:
    rows = connection.execute(
        "SELECT identity FROM tally WHERE msp = ? GROUP BY identity HAVING sum(jobs) > 0", (msp_id,)
    )
    return [row[0] for row in rows]


def _job(row: Any) -> Job:
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
