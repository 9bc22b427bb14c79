"""From what happens to what is uploaded: later, sometimes much later, sometimes twice."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from epcis import parse_event
from simulation.config import SimulationConfig
from simulation.events import Event
from simulation.truth import Truth

BATCH = 500


@dataclass(frozen=True)
class Batch:
    """Events of one organisation, in the order of their upload."""

    msp_id: str
    events: list[Event]
    recorded_at: datetime


class Uploads:
    """A queue by time of upload."""

    def __init__(self, config: SimulationConfig, truth: Truth) -> None:
        self._stream = config.stream("uploads")
        self._anomalies = config.anomalies
        self._end = config.start + timedelta(days=config.days)
        self._truth = truth
        self._queue: list[tuple[datetime, int, str, Event]] = []
        self._number = 0
        self.said = 0

    def say(
        self, msp: str, moment: datetime, event: Event, *, release: bool = False, later: timedelta = timedelta()
    ) -> None:
        """An organisation tells of an event; nobody tells of what has not happened by the end."""
        if moment >= self._end:
            return
        recorded = moment + timedelta(minutes=5) + later
        if release and self._stream.random() < self._anomalies.late_upload:
            recorded += timedelta(days=self._stream.uniform(1.5, 4))
            self._truth.anomaly("late_upload", moment, event)
        self._push(msp, recorded, event)
        if self._stream.random() < self._anomalies.duplicate_upload:
            self._push(msp, recorded + timedelta(hours=self._stream.uniform(1, 30)), event)
            self._truth.anomaly("duplicate_upload", moment, event)

    def _push(self, msp: str, recorded: datetime, event: Event) -> None:
        if recorded < self._end:
            self._number += 1
            self.said += 1
            heapq.heappush(self._queue, (recorded, self._number, msp, event))

    def until(self, moment: datetime) -> Iterator[Batch]:
        """What has been uploaded by then, as batches of one organisation each."""
        events: list[Event] = []
        speaker = ""
        last = moment
        while self._queue and self._queue[0][0] <= moment:
            recorded, _, msp, event = heapq.heappop(self._queue)
            if events and (msp != speaker or len(events) == BATCH):
                yield Batch(speaker, events, last)
                events = []
            speaker, last = msp, recorded
            events.append(event)
        if events:
            yield Batch(speaker, events, last)


def event_hash(event: Event) -> str:
    """An event's identity."""
    return parse_event(event).hash
