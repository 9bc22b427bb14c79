"""How often a token may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from api.problems import ApiError

BURST_SECONDS = 5.0
"""What is not used is saved up for so long: clients send in bursts."""
_MOST_KEPT = 10_000


class Rates:
    """A bucket for each token, that fills at the allowed rate."""

    def __init__(self, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = a_second
        self._size = max(1.0, a_second * BURST_SECONDS)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, token_id: str) -> None:
        """Count one request; the 429 problem when the token asks too often."""
        now = self._clock()
        held, at = self._buckets.get(token_id, (self._size, now))
        held = min(self._size, held + (now - at) * self._rate)
        if held < 1.0:
            wait = math.ceil((1.0 - held) / self._rate)
            detail = f"a token may ask {self._rate:g} times a second, and {self._size:g} times at once after a pause"
            raise ApiError(429, detail, headers={"Retry-After": str(wait)})
        if len(self._buckets) >= _MOST_KEPT:  # a full bucket needs no keeping
            self._buckets = {key: kept for key, kept in self._buckets.items() if now - kept[1] < BURST_SECONDS}
        self._buckets[token_id] = (held - 1.0, now)
