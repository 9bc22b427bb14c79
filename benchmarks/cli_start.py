"""How long `lotline --help` takes: the price of every command before it does anything."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.report import report

ROUNDS = 15


def main() -> None:
    """Median of some starts, after one that warms the disk."""
    seconds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lotline.cli", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    report(
        "`lotline --help` answers", measured=statistics.median(seconds[1:]), target=0.4, unit="s", lower_is_better=True
    )


if __name__ == "__main__":
    main()
