"""The contract alone, without a ledger: events a second against a peer in memory.

Beside it in the same run: the same contract with one event a transaction, and what parsing the JSON of the batches costs
by itself, which no contract can avoid.
"""

from __future__ import annotations

import json
import sys
import time

import orjson

from benchmarks.pallets import batches, pallets
from benchmarks.report import report
from tests.unit.chaincode.peer import Peer

_PALLETS = 600


def capture(count: int, size: int) -> float:
    """Events a second."""
    peer = Peer()
    _must(peer, "A", "configure", b'{"admins":["AMSP","BMSP"]}')
    work = batches(pallets(count), size)
    started = time.perf_counter()
    for who, batch, number in work:
        answer = json.loads(_must(peer, who, "capture", batch))
        verdicts = answer["groups"][0]["verdicts"]
        if [one for one in verdicts if one["verdict"] != "accepted"] or len(verdicts) != number:
            raise RuntimeError(f"not all accepted: {verdicts[:3]}")
    return sum(number for _, _, number in work) / (time.perf_counter() - started)


def _must(peer: Peer, who: str, function: str, argument: bytes) -> bytes:
    response = peer.call(function, argument, msp=f"{who}MSP")
    if response.status != 200:
        raise RuntimeError(response.message)
    return response.payload


def parse(count: int) -> float:
    """Events a second of JSON alone."""
    work = batches(pallets(count), 500)
    started = time.perf_counter()
    for _, batch, _ in work:
        orjson.loads(batch)
    return sum(number for _, _, number in work) / (time.perf_counter() - started)


def main() -> int:
    batched, single = capture(_PALLETS, 500), capture(_PALLETS // 4, 1)
    print(
        f"500 a transaction: {batched:,.0f}/s; one a transaction: {single:,.0f}/s; JSON alone: {parse(_PALLETS):,.0f}/s"
    )
    report("contract, events captured", measured=batched, target=5_000, unit="events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
