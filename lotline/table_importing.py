"""Events made of a table's rows onto the ledger, each its own statement: one that is refused holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lotline.delivery import JOB_EVENTS, Counts, Delivery
from lotline.handing_over import hand_over
from sources.tables import TableEvent


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
    """Hand over in full transactions, oldest first."""
    done = Imported()
    ordered = sorted(events, key=lambda one: one.event.event_time)
    parts = ((msp_id, ordered[start : start + JOB_EVENTS]) for start in range(0, len(ordered), JOB_EVENTS))

    def judged(one: TableEvent, verdict: dict[str, Any]) -> None:
        done.counts.count(verdict["verdict"])
        if verdict["verdict"] == "rejected":
            done.refusals.append(Refusal(one.number, verdict.get("code", ""), verdict.get("detail", "")))

    await hand_over(delivery, parts, lambda one: one.event.to_stored(), judged, progress)
    return done
