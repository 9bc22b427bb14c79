"""How many jobs are in which state, read from the kept counters: the cost does not grow with their number."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """One identity: its jobs are sent in turn, one batch at a time."""

    msp_id: str
    identity: str


@dataclass(frozen=True, slots=True)
class Depth:
    """What the ledger has yet to take: jobs, events, and when the oldest came (None if nothing waits). Beside them the
    jobs that failed and that nobody has looked at yet (``alarms``)."""

    jobs: int
    events: int
    oldest: str | None
    failed: int = 0
    alarms: int = 0


def depth(connection: sqlite3.Connection) -> Depth:
    """How much waits for the ledger."""
    jobs, events, failed, alarms = connection.execute(
        "SELECT total(jobs) FILTER (WHERE state IN ('pending', 'sent')),"
        " total(events) FILTER (WHERE state IN ('pending', 'sent')),"
        " total(jobs) FILTER (WHERE state = 'failed'), total(alarms) FROM tally"
    ).fetchone()
    oldest = _oldest(connection) if jobs else None
    return Depth(int(jobs), int(events), oldest, int(failed), int(alarms))


def count_by_state(connection: sqlite3.Connection) -> dict[str, int]:
    """Number of jobs in each state, finished ones as far as they are still kept."""
    rows = connection.execute("SELECT state, sum(jobs) FROM tally GROUP BY state HAVING sum(jobs) > 0")
    return {row[0]: row[1] for row in rows}


def lanes_at_work(connection: sqlite3.Connection) -> set[Lane]:
    """Lanes with something to send."""
    rows = connection.execute(
        "SELECT msp, identity FROM tally WHERE state IN ('pending', 'sent') AND jobs > 0"
        " UNION SELECT msp, identity FROM batch"
    )
    return {Lane(*row) for row in rows}


def _oldest(connection: sqlite3.Connection) -> str | None:
    """The first of each lane's first ones, of either kind, and of what is on its way."""
    row = connection.execute(
        "SELECT created_at FROM job WHERE seq = (SELECT min(seq) FROM ("
        " SELECT (SELECT seq FROM job WHERE state = 'pending' AND msp = lane.msp AND identity = lane.identity"
        "  AND scan = kind.column1 ORDER BY seq LIMIT 1) AS seq"
        "  FROM tally AS lane, (VALUES (0), (1)) AS kind WHERE lane.state = 'pending' AND lane.jobs > 0"
        " UNION ALL SELECT min(first_seq) FROM batch))"
    ).fetchone()
    return None if row is None else str(row[0])
