"""How the instance is: put together from the inbox and from what the worker last wrote about itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field

from api.models import Answer
from ledger.port import NO_LEADER, NO_ORDERERS
from relay.heartbeat import STALE_SECONDS, Heartbeat
from relay.tally import Depth

# A scan that has waited so long for the ledger is worth waking somebody.
OLD_SECONDS = 60.0
# Jobs wait and nothing was committed for so long: the ledger stands still, though no attempt has timed out yet.
STALLED_SECONDS = 20.0
# The read model is behind and has not moved for so long.
STUCK_SECONDS = 30.0
# A loop without a turn for so long is at work on something that should not take it.
BUSY_SECONDS = 15.0
_RETRYING = "retrying: "
_ORDERING = {
    NO_ORDERERS: "too few of the network's orderers can be reached (no_orderers): what was accepted waits until a majority is back",
    NO_LEADER: "the network's orderers are electing a leader (no_leader): what was accepted waits, as a rule for seconds",
}


class State(Answer):
    """What everybody may know."""

    status: Literal["ok", "degraded"] = Field(
        description="Whether scans reach the ledger and queries show them", examples=["ok"]
    )


class InboxStatus(Answer):
    jobs: int = Field(description="Jobs that the ledger has not taken yet", examples=[0])
    events: int = Field(examples=[0])
    oldest_age_seconds: float | None = Field(description="Age of the oldest of them", examples=[None])
    failed: int = Field(0, description="Jobs that failed as a whole: `lotline inbox list`", examples=[0])
    alarms: int = Field(0, description="Those of them that nobody has acknowledged", examples=[0])


class LedgerStatus(Answer):
    height: int | None = Field(description="Number of blocks, as the worker last saw it", examples=[18])
    stalled: bool = Field(False, description="Jobs wait and nothing is committed", examples=[False])
    ordering: Literal["no_orderers", "no_leader"] | None = Field(
        None,
        description="Why the network orders nothing: too few orderers, or they are electing a leader",
        examples=[None],
    )


class ProjectorStatus(Answer):
    checkpoint: int | None = Field(description="Last block in the read model", examples=[17])
    lag_blocks: int | None = Field(
        description="Blocks the read model is behind; negative: made from blocks that the ledger does not have",
        examples=[0],
    )
    quarantined: int | None = Field(
        description="Records on the ledger that cannot be read and were set aside: `GET /quarantine`", examples=[0]
    )
    stuck: bool = Field(False, description="It is behind and does not move", examples=[False])


class WorkerStatus(Answer):
    alive: bool = Field(examples=[True])
    failing: list[str] = Field(description="Errors of batches that are being retried", examples=[[]])
    busy_seconds: float = Field(0.0, description="For how long it has been busy with one thing", examples=[0.0])


class CertificateStatus(Answer):
    organisation: str = Field(examples=["Org1MSP"])
    identity: str = Field(examples=["scanner"])
    ends_at: datetime
    ended: bool = Field(examples=[False])


class Status(State):
    """Whether the instance does its work."""

    reasons: list[str] = Field(description="Why degraded", examples=[[]])
    warnings: list[str] = Field([], description="What will degrade it before long", examples=[[]])
    ledger: LedgerStatus
    projector: ProjectorStatus
    inbox: InboxStatus
    worker: WorkerStatus
    changed: int = Field(0, description="Changes behind the ledger's back: `GET /audit`", examples=[0])
    certificates: list[CertificateStatus] = Field([], description="Those that have ended or will within 30 days")


def assess(
    heartbeat: Heartbeat | None,
    depth: Depth,
    at: float | None = None,
    *,
    lives: bool = False,
    inbox_trouble: str = "",
    changed: int = 0,
) -> Status:
    """The status at the time ``at`` (seconds since 1970, now by default). ``lives``: the process that the heartbeat names is
    there, whether it reports or not. ``changed``: what the watcher found."""
    at = time.time() if at is None else at
    heard = heartbeat is not None and abs(at - heartbeat.at) < STALE_SECONDS
    found = Status(
        status="ok",
        reasons=[],
        ledger=_ledger(heartbeat, depth, at),
        projector=_projector(heartbeat, at),
        inbox=InboxStatus(
            jobs=depth.jobs,
            events=depth.events,
            oldest_age_seconds=_age(depth.oldest, at),
            failed=depth.failed,
            alarms=depth.alarms,
        ),
        worker=WorkerStatus(
            alive=heard or (heartbeat is not None and lives),
            failing=heartbeat.failing if heartbeat is not None else [],
            busy_seconds=heartbeat.busy_seconds if heartbeat is not None and heard else 0.0,
        ),
        certificates=_certificates(heartbeat, at),
        changed=changed,
    )
    found.reasons = [
        *([inbox_trouble] if inbox_trouble else []),
        *_about_worker(found, heartbeat, at, heard),
        *_about_ledger(found, heartbeat),
        *_about_readmodel(found, heartbeat),
        *_about_jobs(found),
        *_about_changes(changed),
        *[_ended(one) for one in found.certificates if one.ended],
    ]
    found.warnings = [_ends(one) for one in found.certificates if not one.ended]
    found.status = "degraded" if found.reasons else "ok"
    return found


def for_everybody(status: Status) -> Status:
    """Without the words of databases, peers and drivers, which name inner addresses."""
    if not status.worker.failing:
        return status
    inner = any(reason.startswith(_RETRYING) for reason in status.reasons)
    reasons = [reason for reason in status.reasons if not reason.startswith(_RETRYING)]
    if inner:
        reasons.append("what failed is tried again: an administrator or auditor sees the errors")
    return status.model_copy(update={"reasons": reasons, "worker": status.worker.model_copy(update={"failing": []})})


def _about_worker(status: Status, heartbeat: Heartbeat | None, at: float, heard: bool) -> list[str]:
    if heartbeat is None or not status.worker.alive:
        return ["the worker does not run: scans are stored, but the ledger does not get them"]
    reasons = []
    if not heard:
        reasons.append(f"the worker runs but has not reported for {abs(at - heartbeat.at):.0f} s: it is busy or hangs")
    elif heartbeat.busy_seconds > BUSY_SECONDS:
        reasons.append(f"the worker has been busy with one thing for {heartbeat.busy_seconds:.0f} s")
    return reasons + [words for words in (heartbeat.unwritable, heartbeat.clock) if words]


def _about_ledger(status: Status, heartbeat: Heartbeat | None) -> list[str]:
    reasons = []
    oldest = status.inbox.oldest_age_seconds
    if oldest is not None and oldest > OLD_SECONDS:
        reasons.append(f"a job has waited {oldest:.0f} s for the ledger")
    if status.ledger.ordering is not None:
        reasons.append(_ORDERING[status.ledger.ordering])
    elif status.ledger.stalled:
        reasons.append(
            f"jobs wait, and the ledger has taken nothing for {STALLED_SECONDS:.0f} s: are its peers and a majority of its"
            " orderers there, or is it at work on a very large document?"
        )
    if heartbeat is not None:
        reasons += heartbeat.waiting[:5]
    return reasons + [f"{_RETRYING}{error}" for error in status.worker.failing[:5]]


def _about_changes(count: int) -> list[str]:
    return [f"changed behind the ledger's back: {count}; `lotline audit` says what"] if count else []


def _about_readmodel(status: Status, heartbeat: Heartbeat | None) -> list[str]:
    lag = status.projector.lag_blocks
    if heartbeat is not None and heartbeat.stopped:
        return [heartbeat.stopped]
    if lag is not None and lag < 0:
        return [f"the read model has {-lag} more blocks than the ledger: `lotline rebuild` makes it anew"]
    if status.projector.stuck:
        return [f"the read model is {lag} blocks behind and does not move: queries do not show what is new"]
    return []


def _about_jobs(status: Status) -> list[str]:
    alarms = status.inbox.alarms
    if not alarms:
        return []
    return [
        f"{alarms} capture job{'s' if alarms > 1 else ''} failed and {'are' if alarms > 1 else 'is'} not on the ledger:"
        " `lotline inbox list` shows why, `retry` sends them again, `acknowledge` ends this alarm"
    ]


def _ledger(heartbeat: Heartbeat | None, depth: Depth, at: float) -> LedgerStatus:
    if heartbeat is None:
        return LedgerStatus(height=None)
    age = None if heartbeat.waiting else _age(depth.oldest, at)  # who waits for something else is told by itself
    since = max(heartbeat.committed_at or 0.0, heartbeat.started_at or 0.0)
    return LedgerStatus(
        height=heartbeat.height,
        stalled=age is not None and min(age, at - since) > STALLED_SECONDS,
        ordering=heartbeat.ordering if heartbeat.ordering in _ORDERING and depth.jobs else None,
    )


def _projector(heartbeat: Heartbeat | None, at: float) -> ProjectorStatus:
    if heartbeat is None:
        return ProjectorStatus(checkpoint=None, lag_blocks=None, quarantined=None)
    checkpoint, height = heartbeat.checkpoint, heartbeat.height
    lag = None if height is None else height - 1 - (-1 if checkpoint is None else checkpoint)
    moved = heartbeat.projected_at
    return ProjectorStatus(
        checkpoint=checkpoint,
        lag_blocks=lag,
        quarantined=heartbeat.quarantined,
        stuck=lag is not None and lag > 0 and moved is not None and at - moved > STUCK_SECONDS,
    )


def _certificates(heartbeat: Heartbeat | None, at: float) -> list[CertificateStatus]:
    return [
        CertificateStatus(organisation=msp, identity=name, ends_at=_moment(end), ended=end <= at)
        for msp, name, end in (heartbeat.ending if heartbeat is not None else [])
    ]


def _ended(one: CertificateStatus) -> str:
    if one.ends_at.year == 1:
        return f"the certificate of {one.identity} of {one.organisation} cannot be read"
    return (
        f"the certificate of {one.identity} of {one.organisation} ended on {one.ends_at:%Y-%m-%d %H:%M} UTC: renew it"
    )


def _ends(one: CertificateStatus) -> str:
    return f"the certificate of {one.identity} of {one.organisation} ends on {one.ends_at:%Y-%m-%d %H:%M} UTC: renew it"


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _age(moment: str | None, at: float) -> float | None:
    if moment is None:
        return None
    return max(0.0, at - datetime.fromisoformat(moment).astimezone(UTC).timestamp())
