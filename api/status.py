"""How the instance is: put together from the inbox and from what the worker last wrote about itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from api.models import Answer
from relay.heartbeat import STALE_SECONDS, Heartbeat
from relay.jobs import Depth

# A scan that has waited so long for the ledger is worth waking somebody.
OLD_SECONDS = 60.0


class InboxStatus(Answer):
    jobs: int = Field(description="Jobs that the ledger has not taken yet", examples=[0])
    events: int = Field(examples=[0])
    oldest_age_seconds: float | None = Field(description="Age of the oldest of them", examples=[None])


class LedgerStatus(Answer):
    height: int | None = Field(description="Number of blocks, as the worker last saw it", examples=[18])


class ProjectorStatus(Answer):
    checkpoint: int | None = Field(description="Last block in the read model", examples=[17])
    lag_blocks: int | None = Field(
        description="Blocks the read model is behind; negative: made from blocks that the ledger does not have",
        examples=[0],
    )
    quarantined: int | None = Field(
        description="Records on the ledger that cannot be read and were set aside: `GET /quarantine`", examples=[0]
    )


class WorkerStatus(Answer):
    alive: bool = Field(examples=[True])
    failing: list[str] = Field(description="Errors of batches that are being retried", examples=[[]])


class Status(Answer):
    """Whether the instance does its work."""

    status: Literal["ok", "degraded"]
    reasons: list[str] = Field(description="Why degraded", examples=[[]])
    ledger: LedgerStatus
    projector: ProjectorStatus
    inbox: InboxStatus
    worker: WorkerStatus


def assess(heartbeat: Heartbeat | None, depth: Depth, at: float | None = None) -> Status:
    """The status at the time ``at`` (seconds since 1970, now by default)."""
    at = time.time() if at is None else at
    alive = heartbeat is not None and at - heartbeat.at < STALE_SECONDS
    oldest = None
    if depth.oldest is not None:
        oldest = max(0.0, at - datetime.fromisoformat(depth.oldest).astimezone(UTC).timestamp())
    reasons = []
    if not alive:
        reasons.append("the worker does not run: scans are stored, but the ledger does not get them")
    if oldest is not None and oldest > OLD_SECONDS:
        reasons.append(f"a job has waited {oldest:.0f} s for the ledger")
    failing = heartbeat.failing if heartbeat is not None else []
    reasons += [f"retrying: {error}" for error in failing[:5]]
    height = heartbeat.height if heartbeat else None
    checkpoint = heartbeat.checkpoint if heartbeat else None
    lag = None if height is None else height - 1 - (-1 if checkpoint is None else checkpoint)
    if heartbeat is not None and heartbeat.stopped:
        reasons.append(heartbeat.stopped)
    elif lag is not None and lag < 0:
        reasons.append(f"the read model has {-lag} more blocks than the ledger: `lotline rebuild` makes it anew")
    return Status(
        status="degraded" if reasons else "ok",
        reasons=reasons,
        ledger=LedgerStatus(height=height),
        projector=ProjectorStatus(
            checkpoint=checkpoint,
            lag_blocks=lag,
            quarantined=heartbeat.quarantined if heartbeat else None,
        ),
        inbox=InboxStatus(jobs=depth.jobs, events=depth.events, oldest_age_seconds=oldest),
        worker=WorkerStatus(alive=alive, failing=failing),
    )
