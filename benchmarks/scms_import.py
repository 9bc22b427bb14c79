"""The whole SCMS record (7,779 lines, 23,337 events) onto a fresh ledger, with everything that `lotline import` does.

Needs the record: LOTLINE_DATA names the folder that holds forecasting/scms_delivery_history_to_2013.csv.gz.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import report

_HERE = Path(__file__).resolve()
RECORD = "forecasting/scms_delivery_history_to_2013.csv.gz"


def main() -> int:
    """1 when something of the record was refused."""
    record = Path(os.environ.get("LOTLINE_DATA", _HERE.parents[2] / "shared" / "data")) / RECORD
    if not record.exists():
        print(f"no record at {record}: set LOTLINE_DATA")
        return 0
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "lotline.cli", "--json", "--home", f"{home}/scms", "import", "scms", str(record)],
            capture_output=True,
            check=False,
        )
        seconds = time.perf_counter() - started
    answer = json.loads(done.stdout)
    events = sum(counts["accepted"] for counts in answer["events"].values())
    print(f"{answer['lots']} lots, {events} events: {events / seconds:,.0f} events/s")
    report("import of the SCMS record", measured=seconds, target=30, unit="s", lower_is_better=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
