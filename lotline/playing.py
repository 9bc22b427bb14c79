"""A simulated network's events onto the ledger, each said by its own organisation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from epcis import parse_event
from instance.settings import Settings
from lotline.delivery import Counts, Delivery
from lotline.registering import Registration, register_new
from lotline.waves import Said, Wave, cut, things_of
from relay.jobs import Job
from simulation import Simulation

_CHUNK = 10_000


@dataclass
class Played:
    """What became of a simulation's events."""

    counts: Counts = field(default_factory=Counts)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why events were rejected, and how many."""

    def add(self, job: Job) -> None:
        self.counts.add(job)
        if job.failure is not None:
            self.reasons[job.failure.message] += job.events
        for verdict in job.verdicts or ():
            if verdict["verdict"] == "rejected":
                self.reasons[verdict.get("code", "unknown")] += 1


async def play(
    settings: Settings, delivery: Delivery, run: Simulation, progress: Callable[[int], None] = lambda events: None
) -> Played:
    """Register who takes part, then hand over every event. ``progress`` is told of every event done."""
    await register_new(settings, delivery, _registrations(run, "parties"), _registrations(run, "places"))
    played = Played()
    chunks = _chunks(run)
    upcoming = asyncio.create_task(asyncio.to_thread(next, chunks, None))
    while (waves := await upcoming) is not None:
        # The next chunk is made while the ledger takes this one.
        upcoming = asyncio.create_task(asyncio.to_thread(next, chunks, None))
        for wave in waves:
            jobs = [job for msp, said in wave.items() for job in await _hand_over(delivery, msp, said)]
            for job in await delivery.on_ledger(jobs):
                played.add(job)
                progress(job.events)
    return played


def _registrations(run: Simulation, kind: str) -> list[Registration]:
    return [
        (record["msp"], {name: value for name, value in record.items() if name != "msp"})
        for record in run.master_data[kind]
    ]


def _chunks(run: Simulation) -> Iterator[list[Wave]]:
    chunk: list[Said] = []
    for batch in run.batches():
        chunk += [_said(batch.msp_id, event) for event in batch.events]
        if len(chunk) >= _CHUNK:
            yield cut(chunk)
            chunk = []
    if chunk:
        yield cut(chunk)


def _said(msp_id: str, document: dict[str, Any]) -> Said:
    event = parse_event(document)
    return Said(msp_id, event.to_stored(), things_of(event))


async def _hand_over(delivery: Delivery, msp_id: str, said: list[Said]) -> list[str]:
    return await delivery.capture_many(msp_id, (one.stored for one in said))
