"""Trace of a 1,000-node genealogy in a large store.

    python -m benchmarks.trace --events 1000000

Builds a read model through the projector: most of it ordinary traffic (make, pack, ship, receive, unpack),
and in between some genealogies of about a thousand nodes each: a raw lot, what was made of it, what was made
of that, its instances, and the pallets that carried them. Traces them in random order and prints p50 and p99,
and how they compare with the same in a store a hundredth of the size: a trace must cost what it finds, not
what there is.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Engine

from benchmarks.report import report
from fabric.words.blocks import DecodedBlock, DecodedTx, Write
from readmodel import Projector, migrate, open_engine
from readmodel.queries import trace

EventDict = dict[str, Any]
_START = datetime(2024, 1, 1, tzinfo=UTC)
_PER_BLOCK = 1_000
_GENEALOGIES = 20
_TARGET_MS = 50.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="size of the large store")
    parser.add_argument("--traces", type=int, default=300, help="how many traces to time")
    parser.add_argument("--database", help="build the large store here instead of in a temporary SQLite file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = measure(f"sqlite:///{folder}/small.db", max(10_000, chosen.events // 100), chosen.traces)
        large = measure(chosen.database or f"sqlite:///{folder}/large.db", chosen.events, chosen.traces)
    print(f"the large store's p99 is {large[1] / small[1]:.2f} times that of the small one")
    claim = f"trace of 1,000 nodes among {chosen.events:,} events, p99"
    line = report(claim, measured=large[1], target=_TARGET_MS, unit="ms", lower_is_better=True)
    return 0 if line.ratio >= 1 else 1


def measure(url: str, events: int, traces: int) -> tuple[float, float]:
    """Build a store and return p50 and p99 of traces in it, in milliseconds."""
    engine = open_engine(url)
    migrate(engine)
    began = time.perf_counter()
    roots = build(engine, events)
    took = time.perf_counter() - began
    gc.collect()
    gc.freeze()  # as the HTTP process does
    times: list[float] = []
    nodes: list[int] = []
    chance = random.Random(7)
    for _ in range(traces):
        with engine.connect() as connection:
            began = time.perf_counter()
            found = trace(connection, chance.choice(roots), direction="downstream")
            times.append((time.perf_counter() - began) * 1_000)
        assert found is not None
        nodes.append(len(found.nodes))
    engine.dispose()
    cuts = statistics.quantiles(times, n=100)
    print(
        f"{events:>9,} events (built in {took:.0f} s): {statistics.mean(nodes):.0f} nodes a trace, "
        f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"
    )
    return cuts[49], cuts[98]


def build(engine: Engine, events: int) -> list[str]:
    """Project this many events; returns the raw lots of the genealogies, spread over them."""
    family_events = [event for n in range(_GENEALOGIES) for event in genealogy(n)]
    roots = [lot(n, 0) for n in range(_GENEALOGIES)]
    ordinary = traffic()
    share = max(1, (events - len(family_events)) // len(family_events))
    projector = Projector(engine)
    previous, number, batch = b"", 0, [next(ordinary)]
    for event in family_events:
        batch.append(event)
        batch.extend(next(ordinary) for _ in range(share))
        if len(batch) >= _PER_BLOCK:
            block = block_of(number, previous, batch)
            projector.apply(block)
            previous, number, batch = block.header_hash, number + 1, []
    projector.apply(block_of(number, previous, batch))
    return roots


def traffic() -> Iterator[EventDict]:
    """Cases made, packed, shipped, received and unpacked, for ever."""
    n = 0
    while True:
        n += 1
        cases, pallet, hours = [item(5, n * 10 + k) for k in range(4)], sscc(n), n * 0.01
        yield event("ObjectEvent", hours, "commissioning", action="ADD", epcList=cases, bizLocation=at(n % 50))
        yield event("AggregationEvent", hours + 1, "packing", action="ADD", parentID=pallet, childEPCs=cases)
        yield event("ObjectEvent", hours + 2, "shipping", action="OBSERVE", epcList=[pallet])
        yield event("ObjectEvent", hours + 30, "receiving", action="OBSERVE", epcList=[pallet], readPoint=at(n % 80))
        yield event("AggregationEvent", hours + 31, "unpacking", action="DELETE", parentID=pallet, childEPCs=cases)


def genealogy(n: int) -> Iterator[EventDict]:
    """A raw lot in ten intermediate lots in ten finished lots each, with instances and pallets: 1,021
    nodes."""
    hours = n * 5.0
    for middle in range(1, 11):
        yield made_of(hours, lot(n, 0), lot(n, middle))
        for last in range(1, 11):
            finished = lot(n, middle * 100 + last)
            yield made_of(hours + 1, lot(n, middle), finished)
            names = [instance(finished, k) for k in range(6)]
            for pair in range(0, 6, 3):
                pallet, inside = (
                    sscc(9_000_000 + n * 10_000 + middle * 100 + last * 2 + pair // 3),
                    names[pair : pair + 3],
                )
                yield event("ObjectEvent", hours + 2, "commissioning", action="ADD", epcList=inside)
                yield event("AggregationEvent", hours + 3, "packing", action="ADD", parentID=pallet, childEPCs=inside)
                yield event("ObjectEvent", hours + 4, "shipping", action="OBSERVE", epcList=[pallet], readPoint=at(n))


def made_of(hours: float, source: str, product: str) -> EventDict:
    inputs = [{"epcClass": source, "quantity": 1.0, "uom": "KGM"}]
    outputs = [{"epcClass": product, "quantity": 10.0}]
    fields = {"inputQuantityList": inputs, "outputQuantityList": outputs}
    return event("TransformationEvent", hours, "creating_class_instance", **fields)


def event(kind: str, hours: float, step: str, **fields: Any) -> EventDict:
    moment = (_START + timedelta(hours=hours)).isoformat(timespec="milliseconds")
    return {"type": kind, "eventTime": moment, "eventTimeZoneOffset": "+00:00", "bizStep": step, **fields}


def item(kind: int, n: int) -> str:
    return f"https://id.gs1.org/01/0950600000{kind:04d}/21/{n}"


def lot(family: int, n: int) -> str:
    return f"https://id.gs1.org/01/0950600001{min(n, 9):04d}/10/F{family}-{n}"


def instance(of: str, n: int) -> str:
    """An item of a lot. Its lot is no part of its name: the ledger's record of the item says it."""
    product, _, name = of.partition("/10/")
    return f"{product}/21/{name}.{n}"


def lot_of(name: str) -> str | None:
    """The lot of an item of a genealogy."""
    product, _, serial = name.partition("/21/")
    return f"{product}/10/{serial.partition('.')[0]}" if "." in serial else None


def sscc(n: int) -> str:
    return f"https://id.gs1.org/00/{n:018d}"


def at(n: int) -> dict[str, str]:
    return {"id": f"https://id.gs1.org/414/{n:013d}"}


def block_of(number: int, previous: bytes, events: list[EventDict]) -> DecodedBlock:
    """A block with one transaction that captured the events, as ``decode_block`` would give it."""
    writes = []
    for n, one in enumerate(events):
        digest = hashlib.sha256(f"{number}/{n}".encode()).hexdigest()
        value = {"event": one, "msp": "BenchMSP", "n": n}
        writes.append(Write("lotline", f"\x00EV\x00{digest}\x00", orjson.dumps(value), False))
        made = one.get("epcList", ()) if one.get("action") == "ADD" else ()
        for name in made:
            if (of := lot_of(name)) is not None:
                state = {"id": name, "msp": "BenchMSP", "lot": of, "status": "active", "time": one["eventTime"]}
                writes.append(Write("lotline", f"\x00TH\x00{name}\x00", orjson.dumps(state), False))
    header = hashlib.sha256(previous + number.to_bytes(8, "big")).digest()
    transaction = DecodedTx(
        tx_id=header.hex(),
        index=0,
        type=3,
        timestamp=_START + timedelta(seconds=number),
        creator_msp="BenchMSP",
        creator=b"",
        function="capture",
        code=0,
        valid=True,
        writes=writes,
    )
    return DecodedBlock(number, previous, header, header, [transaction])


if __name__ == "__main__":
    sys.exit(main())
