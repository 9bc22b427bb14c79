"""The worker's reports: put together on its event loop, written by a thread of their own.

A loop that is busy with a large batch must not look dead, and one that hangs must not look alive: so the thread reports
every second, and says for how long the loop has had no turn.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric.words.transaction import open_envelope
from relay.heartbeat import Heartbeat, write_heartbeat

REPORT_SECONDS = 1.0
TURN_SECONDS = 0.5
# A step of the clock of this many seconds is told, and so is a record on the ledger that is so far in the future.
CLOCK_STEP = 10.0
CLOCK_AHEAD = 300.0
CLOCK_TOLD_SECONDS = 600.0

log = structlog.get_logger("lotline.worker")


@dataclass
class Clock:
    """Whether the wall clock can be believed: held against the clock that nobody sets, and against the ledger."""

    offset: float = field(default_factory=lambda: time.time() - time.monotonic())
    _words: str = ""
    _until: float = 0.0
    newest: float | None = None
    """The time that the newest record of the ledger gives itself."""

    def words(self, wall: float | None = None, steady: float | None = None) -> str:
        """What is wrong with it now, empty if nothing is."""
        wall = time.time() if wall is None else wall
        steady = time.monotonic() if steady is None else steady
        step = wall - steady - self.offset
        self.offset += step
        if abs(step) > CLOCK_STEP:
            self._words = f"this machine's clock was set by {step:+.0f} s at {_time(wall)}"
            self._until = steady + CLOCK_TOLD_SECONDS
            log.warning("clock was set", seconds=round(step))
        if self.newest is not None and self.newest - wall > CLOCK_AHEAD:
            return (
                f"the ledger's newest record is of {_time(self.newest)}, {self.newest - wall:.0f} s ahead of this machine's"
                " clock: one of the two is wrong"
            )
        return self._words if steady < self._until else ""


class Pulse:
    """One per worker. ``report`` is what the loop last said; the thread adds the time and sends it off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turned = time.monotonic()
        self._ended = False
        self._news = threading.Event()
        self.report = Heartbeat(os.getpid(), time.time(), None, None, started_at=time.time())
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Report from now on."""
        self._thread.start()

    async def turn(self) -> None:
        """Runs on the loop, for ever: as long as it does, the loop is alive."""
        while True:
            self._turned = time.monotonic()
            await asyncio.sleep(TURN_SECONDS)

    def tell(self, report: Heartbeat) -> None:
        """Report this at once, and from now on."""
        self.report = report
        self._news.set()

    async def stop(self) -> None:
        """No more reports."""
        self._ended = True
        self._news.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def now(self) -> Heartbeat:
        """What there is to report."""
        busy = max(0.0, time.monotonic() - self._turned - TURN_SECONDS)
        return replace(self.report, at=time.time(), busy_seconds=busy)

    def write(self) -> None:
        """One report, now."""
        write_heartbeat(self._path, self.now())

    def _beat(self) -> None:
        while not self._ended:
            self._news.wait(REPORT_SECONDS)
            self._news.clear()
            try:
                self.write()
            except Exception as error:  # the next one may be written
                log.warning("report could not be written", error=str(error))


def written_at(block: Any) -> float | None:
    """The time that a block's first transaction gives itself, if it can be read."""
    try:
        _, header = open_envelope(common_pb2.Envelope.FromString(block.data.data[0]))
    except (IndexError, DecodeError):
        return None
    return float(header.timestamp.seconds)


def _time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {seconds:.0f}"
