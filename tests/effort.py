"""How many examples property tests try: few all day, many where there is time (``make deep``)."""

from __future__ import annotations

import os

EFFORT = float(os.environ.get("LOTLINE_EFFORT", "1"))


def examples(number: int) -> int:
    """So many, times the environment's ``LOTLINE_EFFORT``."""
    return max(1, round(number * EFFORT))
