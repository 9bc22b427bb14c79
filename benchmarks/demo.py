"""`make run` after set-up: two simulated years (about 50,000 events) captured and forecast, ready for the dashboard."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from benchmarks.report import report


def main() -> int:
    """The exit code of the demonstration."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "lotline.cli", "--home", f"{home}/demo", "demo", "--no-start"]
        started = time.perf_counter()
        first = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        middle = time.perf_counter()
        second = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        end = time.perf_counter()
    report("first `lotline demo` ready to start", measured=middle - started, target=180, unit="s", lower_is_better=True)
    report("second `lotline demo` ready to start", measured=end - middle, target=10, unit="s", lower_is_better=True)
    return first.returncode or second.returncode


if __name__ == "__main__":
    sys.exit(main())
