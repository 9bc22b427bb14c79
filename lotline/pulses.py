"""Whether a process that lives still does its work.

A process can be alive and dead to the world: stopped, deadlocked, waiting for ever. Each service names a sign of life; a
thread of its own asks for it, since asking may hang too. The time since the last new sign is measured with the clock that
nobody sets, and which stands still while the machine sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

ASK_SECONDS = 2.0


class Pulses:
    """The signs of one process. ``sign`` returns None for no answer, or something that differs from last time."""

    def __init__(self, sign: Callable[[], object | None]) -> None:
        self._sign = sign
        self._last: object | None = None
        self._heard = time.monotonic()
        self._ended = Event()
        self._thread = Thread(target=self._ask_forever, name="pulses", daemon=True)
        self._thread.start()

    @property
    def silent_seconds(self) -> float:
        """For how long nothing new was heard."""
        return time.monotonic() - self._heard

    def stop(self) -> None:
        """Ask no more."""
        self._ended.set()

    def _ask_forever(self) -> None:
        while not self._ended.wait(ASK_SECONDS):
            sign = self._sign()
            if sign is not None and sign != self._last:
                self._last, self._heard = sign, time.monotonic()
