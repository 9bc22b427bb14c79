"""Whether the worker's memory is flat: bursts of events, and what it holds after each.

    python -m benchmarks.worker_memory --events 100000 --bursts 10

Each burst is in the inbox before the worker sees it; the figures are of the moment when the last of it is done. What is
mapped from files is the system's to take back: *anonymous* memory is the worker's own. What it holds in the last quarter
of the bursts, to what it held in the second (caches are filled by then), is the ratio reported.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.capture_latency import until
from benchmarks.report import report
from instance.creation import OrganisationConfig, create_instance, load_settings
from instance.database import transaction
from instance.settings import Settings
from relay.inbox import NewJob
from relay.intake import Intake, read
from relay.jobs import open_inbox
from relay.writer import store

EVENTS_A_JOB = 20
TARGET_RATIO = 1.25
MIB = 2**20


def measure(events: int, bursts: int) -> None:
    """Pour them in and print what the worker holds after each."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        create_instance(home, organisations=[OrganisationConfig(msp_id="FarmMSP", name="Farm")])
        settings = load_settings(home)
        with working(settings) as pid:
            until(lambda: settings.heartbeat_file.exists())
            held = [burst(settings, pid, number, events // bursts) for number in range(bursts)]
    quarter = max(1, bursts // 4)
    ratio = statistics.mean(held[-quarter:]) / statistics.mean(held[quarter : 2 * quarter])
    report(
        "worker's own memory in the last quarter of the bursts, to the second",
        measured=ratio,
        target=TARGET_RATIO,
        unit="x",
        lower_is_better=True,
    )


def burst(settings: Settings, pid: int, number: int, events: int) -> float:
    """One burst; the worker's own memory once it is done, in MiB."""
    started = time.monotonic()
    jobs = events // EVENTS_A_JOB
    with closing(open_inbox(settings.inbox_file)) as inbox:
        with transaction(inbox):
            for job in range(jobs):
                store(inbox, new_job(number * jobs + job))
        until(lambda: unfinished(inbox) == 0, 600)
    whole, own, peak = memory(pid)
    seconds = time.monotonic() - started
    print(
        f"burst {number + 1}: {events} events in {seconds:.0f} s, {whole:.0f} MiB, own {own:.0f} MiB, peak {peak:.0f} MiB",
        flush=True,
    )
    return own


def unfinished(inbox: object) -> int:
    return int(inbox.execute("SELECT total(jobs) FROM tally WHERE state NOT IN ('done', 'failed')").fetchone()[0])  # type: ignore[attr-defined]


def new_job(number: int) -> NewJob:
    """Items that are commissioned, each event another three."""
    start = datetime(2026, 5, 4, 9, 0, tzinfo=UTC) + timedelta(seconds=number)
    intake = read(json.dumps(document(number, start)).encode())
    assert isinstance(intake, Intake), intake
    return NewJob.of_intake(intake, "FarmMSP", "scanner", "rollback")


def document(number: int, start: datetime) -> dict[str, object]:
    return {
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": start.isoformat(),
        "epcisBody": {
            "eventList": [
                {
                    "type": "ObjectEvent",
                    "eventTime": (start + timedelta(milliseconds=n)).isoformat(timespec="milliseconds"),
                    "eventTimeZoneOffset": "+00:00",
                    "action": "ADD",
                    "bizStep": "commissioning",
                    "epcList": [f"https://id.gs1.org/01/09506000134352/21/{number}-{n}-{i}" for i in range(3)],
                    "readPoint": {"id": "https://id.gs1.org/414/0614141000012"},
                    "bizLocation": {"id": "https://id.gs1.org/414/0614141000012"},
                }
                for n in range(EVENTS_A_JOB)
            ]
        },
    }


@contextlib.contextmanager
def working(settings: Settings) -> Iterator[int]:
    """A worker; its process id."""
    command = [sys.executable, "-m", "relay.worker", "--home", str(settings.home)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(timeout=60)


def memory(pid: int) -> tuple[float, float, float]:
    """Resident, own (anonymous) and most resident memory in MiB."""
    found = {}
    for name in ("smaps_rollup", "status"):
        for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                found[words[0]] = int(words[1]) * 1024 / MIB
    return found["Rss:"], found["Anonymous:"], found["VmHWM:"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--bursts", type=int, default=10)
    options = parser.parse_args()
    measure(options.events, options.bursts)
