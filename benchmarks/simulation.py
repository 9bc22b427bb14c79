"""Events that the simulated supply network makes in a second, beside what parsing and checking them takes."""

from __future__ import annotations

import sys
import time

import epcis
from benchmarks.report import report
from simulation import SimulationConfig, simulate


def main() -> int:
    run = simulate(SimulationConfig(events=30_000, days=500))
    started = time.perf_counter()
    events = [event for batch in run.batches() for event in batch.events]
    made = len(events) / (time.perf_counter() - started)
    started = time.perf_counter()
    for event in events:
        epcis.parse_event(event).to_stored()
    read = len(events) / (time.perf_counter() - started)
    print(f"{len(events)} events: {made:,.0f}/s made, {read:,.0f}/s parsed and stored")
    report("simulation, events made", measured=made, target=10_000, unit="events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
