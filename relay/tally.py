"""How many jobs are in which state, read from the kept counters: the cost does not grow with their number."""

from __future__ import annotations

from dataclasses import dataclass

from instance.database import Connection

_PENDING, _UNSENT = "'pending'", "'pending', 'sent'"


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


def depth(connection: Connection) -> Depth:
    """How much waits for the ledger."""
    jobs, events, failed, alarms = connection.execute(
        "SELECT coalesce(sum(jobs) FILTER (WHERE state IN ('pending', 'sent')), 0),"
        " coalesce(sum(events) FILTER (WHERE state IN ('pending', 'sent')), 0),"
        " coalesce(sum(jobs) FILTER (WHERE state = 'failed'), 0), coalesce(sum(alarms), 0) FROM tally"
    ).fetchone()
    oldest = _oldest(connection) if jobs else None
    return Depth(int(jobs), int(events), oldest, int(failed), int(alarms))


def count_by_state(connection: Connection) -> dict[str, int]:
    """Number of jobs in each state, finished ones as far as they are still kept."""
    rows = connection.execute("SELECT state, sum(jobs) FROM tally GROUP BY state HAVING sum(jobs) > 0")
    return {row[0]: int(row[1]) for row in rows}


def lanes_at_work(connection: Connection) -> set[Lane]:
    """Lanes with something to send."""
    rows = connection.execute(f"SELECT msp, identity FROM {lanes_with(_UNSENT)} UNION SELECT msp, identity FROM batch")
    return {Lane(*row) for row in rows}


def lanes_with(states: str) -> str:
    """Lanes with jobs in one of these states, as a table. Who counts may have taken away what another one added, so only sums
    tell."""
    return f"(SELECT msp, identity FROM tally WHERE state IN ({states}) GROUP BY msp, identity HAVING sum(jobs) > 0) AS lane"


def _oldest(connection: Connection) -> str | None:
    """The first of each lane's first ones, of either kind, and of what is on its way."""
    row = connection.execute(
        "SELECT created_at FROM job WHERE seq = (SELECT min(seq) FROM ("
        " SELECT (SELECT seq FROM job WHERE state = 'pending' AND msp = lane.msp AND identity = lane.identity"
        "  AND scan = kind.column1 ORDER BY seq LIMIT 1) AS seq"
        f"  FROM {lanes_with(_PENDING)}, (VALUES (0), (1)) AS kind"
        " UNION ALL SELECT min(first_seq) FROM batch) AS first)"
    ).fetchone()
    return None if row is None else str(row[0])
