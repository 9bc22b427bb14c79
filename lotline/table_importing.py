"""Events made of a table's rows onto the ledger, each its own statement: one that is refused holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lotline.delivery import JOB_EVENTS, Counts, Delivery
from sources.tables import TableEvent

_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the contract refused: the row's number, and why."""

    number: int
    code: str
    reason: str


@dataclass
class Imported:
    """What an import did."""

    counts: Counts = field(default_factory=Counts)
    refusals: list[Refusal] = field(default_factory=list)


async def import_events(
    delivery: Delivery, msp_id: str, events: Sequence[TableEvent], progress: Callable[[int], None]
) -> Imported:
    """Hand over in full transactions, oldest first; the next is made while the ledger takes the one before."""
    done, under_way = Imported(), list[tuple[str, Sequence[TableEvent]]]()
    ordered = sorted(events, key=lambda one: one.event.event_time)
    for start in range(0, len(ordered), JOB_EVENTS):
        part = ordered[start : start + JOB_EVENTS]
        job = await delivery.capture(msp_id, [one.event.to_stored() for one in part], on_error="proceed")
        under_way.append((job, part))
        if len(under_way) > _UNDER_WAY:
            await _settle(delivery, *under_way.pop(0), done, progress)
    for job, waiting in under_way:
        await _settle(delivery, job, waiting, done, progress)
    return done


async def _settle(
    delivery: Delivery, job_id: str, part: Sequence[TableEvent], done: Imported, progress: Callable[[int], None]
) -> None:
    (job,) = await delivery.on_ledger([job_id])
    reason = job.failure.message if job.failure else "the ledger gave no verdict"
    verdicts: list[dict[str, Any]] = job.verdicts or [{"verdict": "rejected", "detail": reason}] * len(part)
    for one, verdict in zip(part, verdicts, strict=True):
        done.counts.count(verdict["verdict"])
        if verdict["verdict"] == "rejected":
            done.refusals.append(Refusal(one.number, verdict.get("code", ""), verdict.get("detail", "")))
    progress(len(part))
