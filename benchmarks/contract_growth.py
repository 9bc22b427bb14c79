"""What an event about a lot costs the contract after 10, 10,000 and 100,000 others like it, in one run.

    python -m benchmarks.contract_growth [--most 100000] [--flow "never received"]

Ratios are to the cost after ten. A consignee who never reports, one who always does, one shortage at the beginning, one whose sender
never reports, and a bin that is filled and emptied, each without and with documents where that makes a difference.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import report
from chaincode import keys
from tests.unit.chaincode.peer import (
    B,
    Peer,
    lot,
    make_lot,
    pack,
    pallet,
    party,
    place,
    quantities,
    receive,
    ship,
    unpack,
)

_SAMPLE = 40
"""Costs are means over so many rounds."""
Step = tuple[str, dict[str, Any]]
Flow = Callable[[int], list[Step]]


def _hour(number: int) -> float:
    return 1 + number * 0.01


def _shipped(number: int, document: str | None = None) -> Step:
    return "AMSP", ship(_hour(number), lots={lot(1): 10}, document=document)


def _received(number: int, amount: int = 10, document: str | None = None) -> Step:
    return "BMSP", receive(_hour(number) + 0.005, lots={lot(1): amount}, document=document)


def _bin(number: int) -> list[Step]:
    loose = quantities({lot(1): 1})
    hour = _hour(number)
    return [
        ("AMSP", pack(hour, pallet(1), childQuantityList=loose)),
        ("AMSP", unpack(hour + 0.005, pallet(1), childQuantityList=loose)),
    ]


FLOWS: dict[str, Flow] = {
    "never received": lambda n: [_shipped(n)],
    "never received, documents": lambda n: [_shipped(n, f"D{n}")],
    "all received": lambda n: [_shipped(n), _received(n)],
    "all received, documents": lambda n: [_shipped(n, f"D{n}"), _received(n, 10, f"D{n}")],
    "a shortage at first": lambda n: [_shipped(n), _received(n, 10 if n else 9)],
    "never announced": lambda n: [_received(n)],
    "one bin": _bin,
}


def _stocked() -> Peer:
    peer = Peer()
    for number, msp in enumerate(("AMSP", "BMSP"), start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number), "name": msp}, msp)
    peer.accept(make_lot(0, lot(1), 10_000_000))
    return peer


def _measure(flow: Flow, at: list[int]) -> list[tuple[float, float, float, int]]:
    """Milliseconds, records read, bytes written an event, and bytes of the lane's header, around each of some numbers of events."""
    peer, found = _stocked(), []
    seconds, reads, written, events = 0.0, 0, 0, 0
    for number in range(max(at) + 1):
        sampling = any(point - _SAMPLE < number <= point for point in at)
        for msp, statement in flow(number):
            start = time.process_time()
            peer.accept(statement, msp=msp)
            if sampling:
                seconds += time.process_time() - start
                reads += len(peer.last.reads)
                written += sum(len(value or b"") for value in peer.last.writes.values())
                events += 1
        if number in at:
            header = len(peer.state.get(keys.claims(lot(1), B[1]), b""))
            found.append((seconds / events * 1000, reads / events, written / events, header))
            seconds, reads, written, events = 0.0, 0, 0, 0
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--flow", choices=sorted(FLOWS), action="append", help="only this one (can be repeated)")
    options = parser.parse_args()
    most = options.most
    at = [10, *(number for number in (10_000, 100_000) if number < most), most]
    print(
        f"{'an event of':28} {'after':>8} {'ms':>6} {'reads':>6} {'bytes':>7} {'header':>7}   ratios: ms, reads, bytes"
    )
    worst = [0.0, 0.0]
    for name in options.flow or FLOWS:
        rows = _measure(FLOWS[name], at)
        for number, row in zip(at, rows, strict=True):
            ratios = [value / first for value, first in zip(row[:3], rows[0][:3], strict=True)]
            shown = "  ".join(f"{ratio:5.2f}" for ratio in ratios)
            print(f"{name:28} {number:>8} {row[0]:6.2f} {row[1]:6.1f} {row[2]:7.0f} {row[3]:7}   {shown}", flush=True)
        worst = [max(worst[0], ratios[0]), max(worst[1], ratios[2])]
    claim = f"an event about a lot after {most:,} others, to one after 10"
    report(f"{claim}: processor time", measured=worst[0], target=2, unit="times", lower_is_better=True)
    report(f"{claim}: bytes written", measured=worst[1], target=1.5, unit="times", lower_is_better=True)


if __name__ == "__main__":
    main()
