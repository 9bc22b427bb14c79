"""One line a claim: what was measured, what was promised, and their ratio.

    from benchmarks.report import report

    report("parse, validate and hash", measured=13_200, target=10_000, unit="events/s")
    report("trace of 1,000 nodes, p99", measured=31, target=50, unit="ms", lower_is_better=True)

`python -m benchmarks` collects the lines of all scripts into one table.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

COLLECTOR = "LOTLINE_BENCHMARK_LINES"
"""Environment variable: a file to which every line is added as JSON."""


@dataclass(frozen=True)
class Line:
    """A claim and its measurement. ``ratio`` above 1 is better than promised, whichever way is better."""

    claim: str
    measured: float
    target: float
    unit: str
    ratio: float

    def __str__(self) -> str:
        verdict = "ok" if self.ratio >= 1 else "MISSED"
        return (
            f"{self.claim}: {self.measured:,.4g} {self.unit} (promised {self.target:,.4g}; {self.ratio:.2f}x) {verdict}"
        )


def report(claim: str, *, measured: float, target: float, unit: str, lower_is_better: bool = False) -> Line:
    """Print a claim's line, and hand it to `python -m benchmarks` if that is running."""
    ratio = target / measured if lower_is_better else measured / target
    line = Line(claim, measured, target, unit, ratio)
    print(line, flush=True)
    collector = os.environ.get(COLLECTOR)
    if collector:
        with Path(collector).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")
    return line
