"""The contract alone, without a ledger: events a second on a peer in memory.

Two baselines in the same run: the same contract with one event a transaction, and a contract without rules, which reads
the same events, hashes them and writes the same keys and values, but looks nothing up and decides nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import orjson

from benchmarks.pallets import batches, pallets
from benchmarks.report import report
from chaincode.answers import verdicts_of
from chaincode.batch_form import decode
from epcis import parse_event
from tests.unit.chaincode.peer import Peer

_PALLETS, _SIZE, _RUNS = 400, 500, 4
Work = list[tuple[str, bytes, int]]
Writes = list[dict[str, bytes | None]]


def capture(work: Work) -> tuple[float, Writes]:
    """Events a second, and what each transaction wrote."""
    peer = Peer()
    _must(peer, "A", "configure", b'{"admins":["AMSP","BMSP"]}')
    written: Writes = []
    answers = []
    started = time.perf_counter()
    for who, batch, _ in work:
        answers.append(_must(peer, who, "capture", batch))
        written.append(peer.last.writes)
    seconds = time.perf_counter() - started
    verdicts = [one["verdict"] for answer in answers for one in verdicts_of(orjson.loads(answer)["groups"][0])]
    if verdicts != ["accepted"] * _events(work):
        raise RuntimeError(f"not all accepted: {verdicts[:3]} … of {len(verdicts)}")
    return _events(work) / seconds, written


def _must(peer: Peer, who: str, function: str, argument: bytes) -> bytes:
    response = peer.call(function, argument, msp=f"{who}MSP")
    if response.status != 200:
        raise RuntimeError(response.message)
    return response.payload


def without_rules(work: Work, written: Writes) -> float:
    """Events a second of reading, hashing, and writing what the contract wrote."""
    values = [[(key, orjson.loads(value)) for key, value in one.items() if value is not None] for one in written]
    state: dict[str, bytes] = {}
    started = time.perf_counter()
    for (_, batch, _), records in zip(work, values, strict=True):
        for said in decode(batch)["groups"][0]["events"]:
            event = parse_event(said)
            event.hash  # noqa: B018  worked out when it is asked for
            event.to_stored()
        for key, record in records:
            state[key] = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return _events(work) / (time.perf_counter() - started)


def _events(work: Work) -> int:
    return sum(number for _, _, number in work)


def _best(measure: Callable[[], float]) -> float:
    """The run that was disturbed least; so for all three."""
    return max(measure() for _ in range(_RUNS))


def main() -> int:
    said = pallets(_PALLETS)
    together, apart = batches(said, _SIZE), batches(said, 1)
    _, written = capture(together)
    batched = _best(lambda: capture(together)[0])
    single = _best(lambda: capture(apart)[0])
    bare = _best(lambda: without_rules(together, written))
    print(f"{_SIZE} a transaction: {batched:,.0f}/s; one a transaction: {single:,.0f}/s; without rules: {bare:,.0f}/s")
    print(f"the rules leave {batched / bare:.0%} of the speed of reading, hashing and writing alone")
    report("contract, events captured", measured=batched, target=5_000, unit="events/s")
    report(f"contract, {_SIZE} events a transaction against one", measured=batched, target=single, unit="events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
