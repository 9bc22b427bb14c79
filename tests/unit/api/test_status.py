"""The status: degraded as soon as scans stop reaching the ledger, and it says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.status import assess, for_everybody
from relay.heartbeat import Heartbeat
from relay.jobs import Depth

NOW = datetime(2026, 5, 4, 9, 0, 0, tzinfo=UTC).timestamp()
EMPTY = Depth(0, 0, None)


DAY = 86400.0


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


WAITING = Depth(1, 1, "2026-05-04T08:59:35.000Z")  # for 25 s


def told(depth: Depth = EMPTY, **changes: Any) -> list[str]:
    """The reasons, with these changes to a worker that is well."""
    status = assess(replace(heartbeat(), **changes), depth, NOW)
    assert status.status == ("degraded" if status.reasons else "ok")
    return status.reasons


def test_a_worker_that_is_busy_is_not_called_dead() -> None:
    busy = assess(replace(heartbeat(), busy_seconds=40.0), EMPTY, NOW)
    assert (busy.status, busy.worker.alive) == ("degraded", True)
    assert "busy with one thing for 40 s" in busy.reasons[0]
    silent = assess(heartbeat(age=60), EMPTY, NOW, lives=True)
    assert silent.worker.alive
    assert "has not reported for 60 s" in silent.reasons[0]


def test_a_report_from_the_future_is_no_sign_of_life() -> None:
    """After the clock was set back, a worker that is gone must not look alive for years."""
    assert not assess(heartbeat(age=-3600), EMPTY, NOW).worker.alive


@pytest.mark.parametrize(
    ("committed", "started", "stalled"),
    [(None, NOW - 100, True), (NOW - 21, NOW - 100, True), (NOW - 5, NOW - 100, False), (None, NOW - 5, False)],
)
def test_a_ledger_that_stands_still_is_told_before_an_attempt_times_out(
    committed: float | None, started: float, stalled: bool
) -> None:
    status = assess(replace(heartbeat(), committed_at=committed, started_at=started), WAITING, NOW)
    assert status.ledger.stalled is stalled
    assert any("orderers" in reason for reason in status.reasons) is stalled
    assert not assess(replace(heartbeat(), started_at=1.0), EMPTY, NOW).ledger.stalled


def test_a_read_model_that_does_not_move_is_told() -> None:
    assert "does not move" in told(height=9, projected_at=NOW - 31)[0]
    assert told(height=9, projected_at=NOW - 5) == []
    assert told(height=8, projected_at=NOW - 500) == []


def test_failed_jobs_alarm_until_they_are_acknowledged() -> None:
    assert "2 capture jobs failed" in told(Depth(0, 0, None, failed=5, alarms=2))[0]
    assert told(Depth(0, 0, None, failed=5, alarms=0)) == []


def test_a_certificate_warns_before_its_end_and_degrades_after() -> None:
    ending = [("FarmMSP", "scanner", NOW + 20 * DAY), ("FarmMSP", "admin", NOW - DAY), ("ShopMSP", "x", -62135596800.0)]
    status = assess(replace(heartbeat(), ending=ending), EMPTY, NOW)
    assert status.warnings == ["the certificate of scanner of FarmMSP ends on 2026-05-24 09:00 UTC: renew it"]
    assert status.reasons == [
        "the certificate of admin of FarmMSP ended on 2026-05-03 09:00 UTC: renew it",
        "the certificate of x of ShopMSP cannot be read",
    ]
    assert assess(replace(heartbeat(), ending=ending[:1]), EMPTY, NOW).status == "ok"


def test_what_the_worker_says_in_words_is_passed_on() -> None:
    assert told(unwritable="disk full", clock="set by +3600 s", waiting=["scanner waits"]) == [
        "disk full",
        "set by +3600 s",
        "scanner waits",
    ]
    assert assess(heartbeat(), EMPTY, NOW, inbox_trouble="no").reasons == ["no"]


def test_inner_words_are_for_those_who_watch_over_the_instance() -> None:
    status = assess(heartbeat(0.5, 8, 7, "Unavailable: peer0.farm:7051 refused"), EMPTY, NOW)
    shown = for_everybody(status)
    assert "7051" in str(status)
    assert "7051" not in str(shown)
    assert (shown.status, len(shown.reasons)) == ("degraded", 1)


@pytest.mark.parametrize("name", ["no_orderers", "no_leader"])
def test_why_nothing_is_ordered_is_told_by_name_at_once(name: str) -> None:
    just_come = Depth(1, 1, "2026-05-04T08:59:59.000Z")
    status = assess(replace(heartbeat(), ordering=name), just_come, NOW)
    assert (status.status, status.ledger.ordering) == ("degraded", name)
    assert len(status.reasons) == 1
    assert name in status.reasons[0]
    assert assess(replace(heartbeat(), ordering=name), WAITING, NOW).reasons == status.reasons
    assert assess(replace(heartbeat(), ordering=name), EMPTY, NOW).status == "ok"
    assert assess(replace(heartbeat(), ordering="other"), just_come, NOW).ledger.ordering is None
