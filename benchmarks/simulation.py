"""Events that the simulated supply network makes in a second, beside what the embedded ledger takes of them in the same
run: a demonstration should wait for its ledger, never for its dice.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import report
from epcis import parse_event
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from lotline.waves import Said, cut, things_of
from simulation import Batch, Simulation, SimulationConfig, simulate

_EVENTS, _DAYS = 30_000, 500
_CAPTURED = 6_000
_AT_ONCE = 500


def pieces(batches: list[Batch], most: int) -> list[tuple[str, bytes, int]]:
    """The first events as `lotline simulate` sends them: in waves, each organisation's brought together."""
    said = [
        Said(batch.msp_id, event.to_stored(), things_of(event))
        for batch in batches
        for event in map(parse_event, batch.events)
    ][:most]
    return [
        (msp_id, b'{"groups":[{"id":"1","onError":"proceed","events":[%s]}]}' % b",".join(one.stored for one in some), len(some))
        for wave in cut(said)
        for msp_id, mine in wave.items()
        for some in (mine[n : n + _AT_ONCE] for n in range(0, len(mine), _AT_ONCE))
    ]  # fmt: skip


async def capture(folder: Path, run: Simulation, work: list[tuple[str, bytes, int]]) -> float:
    """Events a second onto a new ledger."""
    ledger = await EmbeddedLedger.create(folder, run.msp_ids)
    people = {msp_id: ca.issue(folder / "organisations" / msp_id, "clerk", "admin") for msp_id in run.msp_ids}
    started = time.perf_counter()
    for msp_id, batch, _ in work:
        await ledger.submit("capture", [batch], identity=people[msp_id])
    seconds = time.perf_counter() - started
    await ledger.close()
    return sum(count for _, _, count in work) / seconds


def main() -> int:
    run = simulate(SimulationConfig(events=_EVENTS, days=_DAYS))
    started = time.perf_counter()
    batches = list(run.batches())
    events = sum(len(batch.events) for batch in batches)
    made = events / (time.perf_counter() - started)
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(capture(Path(folder) / "ledger", run, pieces(batches, _CAPTURED)))
    print(
        f"{events} events: {made:,.0f}/s made, {taken:,.0f}/s taken by the embedded ledger ({made / taken:.1f} times)"
    )
    report("simulation, events made", measured=made, target=10_000, unit="events/s")
    report("simulation, times as fast as the embedded ledger", measured=made / taken, target=2, unit="times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
