"""The status: degraded as soon as scans stop reaching the ledger, and it says why."""

from __future__ import annotations

from datetime import UTC, datetime

from api.status import assess
from relay.heartbeat import Heartbeat
from relay.jobs import Depth

NOW = datetime(2026, 5, 4, 9, 0, 0, tzinfo=UTC).timestamp()
EMPTY = Depth(0, 0, None)


def heartbeat(age: float = 0.5, height: int | None = 8, checkpoint: int | None = 7, *failing: str) -> Heartbeat:
    return Heartbeat(pid=1, at=NOW - age, height=height, checkpoint=checkpoint, failing=list(failing))


def test_all_is_well() -> None:
    status = assess(heartbeat(), EMPTY, NOW)
    assert (status.status, status.reasons) == ("ok", [])
    assert (status.ledger.height, status.projector.checkpoint, status.projector.lag_blocks) == (8, 7, 0)


def test_lag_counts_blocks_not_yet_projected() -> None:
    assert assess(heartbeat(0.5, 8, 5), EMPTY, NOW).projector.lag_blocks == 2
    assert assess(heartbeat(0.5, 8, None), EMPTY, NOW).projector.lag_blocks == 8


def test_a_silent_worker_degrades() -> None:
    for beat in (None, heartbeat(age=60)):
        status = assess(beat, EMPTY, NOW)
        assert status.status == "degraded"
        assert not status.worker.alive


def test_an_old_job_degrades() -> None:
    status = assess(heartbeat(), Depth(2, 9, "2026-05-04T08:55:00.000Z"), NOW)
    assert status.status == "degraded"
    assert status.inbox.oldest_age_seconds == 300
    assert (status.inbox.jobs, status.inbox.events) == (2, 9)


def test_a_young_job_does_not() -> None:
    assert assess(heartbeat(), Depth(1, 1, "2026-05-04T08:59:59.000Z"), NOW).status == "ok"


def test_retries_are_told() -> None:
    status = assess(heartbeat(0.5, 8, 7, "Unavailable: no peer (3 attempts)"), EMPTY, NOW)
    assert status.reasons == ["retrying: Unavailable: no peer (3 attempts)"]
