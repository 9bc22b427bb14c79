"""Work that lasts, for tests of interruption."""

from __future__ import annotations

import time


def sleep(seconds: int, piece: int) -> None:
    time.sleep(seconds)
