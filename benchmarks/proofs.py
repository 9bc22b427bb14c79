"""What a proof costs: size for each event, time to make it and time to verify it, beside asking the same trace without a proof.

A lot that became 240 items on 60 pallets which were packed, shipped, received, unpacked and looked at: some 1,800 events of 301 things.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine

from benchmarks.report import report
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from proofs import Roots, verify
from proving import Prover
from readmodel import Projector, migrate, open_engine
from readmodel.queries.trace import trace
from tests.unit.chaincode.peer import A, commission, event, item, lot, pallet, quantities

_PALLETS, _ITEMS, _LOOKS, _RUNS, _BATCH = 60, 4, 6, 3, 500
_MSPS = ("AMSP", "BMSP", "CMSP")
_RAW = lot("RAW")


def story() -> Iterator[dict[str, Any]]:
    """All events, in the order of their times."""
    yield event("ObjectEvent", 0, "commissioning", action="ADD", quantityList=quantities({_RAW: 10_000}))
    for n in range(1, _PALLETS + 1):
        at = n / 10
        outputs = [item(_ITEMS * n + k) for k in range(_ITEMS)]
        used = quantities({_RAW: 1})
        yield event("TransformationEvent", at, "creating_class_instance", inputQuantityList=used, outputEPCList=outputs)
        yield commission(at, pallet(n))
        yield event("AggregationEvent", at + 1, "packing", action="ADD", parentID=pallet(n), childEPCs=outputs)
        yield event("ObjectEvent", at + 2, "departing", action="OBSERVE", epcList=[pallet(n)])
        yield event("ObjectEvent", at + 3, "arriving", A, action="OBSERVE", epcList=[pallet(n)])
        yield event("AggregationEvent", at + 4, "unpacking", action="DELETE", parentID=pallet(n))
        for look in range(_LOOKS):
            for one in outputs:
                yield event("ObjectEvent", at + 5 + look, "inspecting", A, action="OBSERVE", epcList=[one])


async def measure(home: Path) -> None:
    ledger = await EmbeddedLedger.create(home / "ledger", _MSPS)
    homes = {msp: home / "ledger" / "organisations" / msp for msp in _MSPS}
    who = ca.issue(homes["AMSP"], "scanner", "client", attributes={"role": "scanner"})
    events = list(story())
    for start in range(0, len(events), _BATCH):
        batch = orjson.dumps({"groups": [{"id": "g", "events": events[start : start + _BATCH]}]})
        answer = orjson.loads((await ledger.submit("capture", [batch], identity=who)).result)
        if answer["groups"][0]["verdicts"]:
            raise RuntimeError(f"not all accepted: {answer['groups'][0]['verdicts'][:2]}")
    url = f"sqlite:///{home / 'readmodel.db'}"
    migrate(url)
    engine = open_engine(url)
    await Projector(engine).run(ledger, until=await ledger.height())
    roots = Roots({msp: [(folder / "ca.pem").read_bytes()] for msp, folder in homes.items()})
    prover = Prover(engine, ledger, who, one_party=True)
    asked, proven, verified, raw = [], [], [], b""
    for _ in range(_RUNS):  # in turn, so that what else the machine does falls on all three
        asked.append(_seconds(lambda: _ask(engine)))
        began = time.perf_counter()
        raw = (await prover.prove("trace", _RAW, direction="downstream")).to_json()
        proven.append(time.perf_counter() - began)
        verified.append(_seconds(partial(verify, raw, roots)))
    found = verify(raw, roots)
    packed = len(zlib.compress(raw, 9))
    print(f"{len(found.events):,} events of {len(found.nodes):,} things: {len(raw):,} bytes, {packed:,} compressed")
    print(
        f"proving takes {min(proven) / min(asked):.1f} times the trace, verifying {min(verified) / min(asked):.1f} times"
    )
    each = max(packed - 10_000, 0) / len(found.events)
    report("a proof, compressed, beyond 10 kB", measured=each, target=200, unit="bytes/event", lower_is_better=True)
    report("proving a trace", measured=min(proven), target=1.0, unit="s", lower_is_better=True)
    report("verifying it", measured=min(verified), target=0.5, unit="s", lower_is_better=True)
    engine.dispose()
    await ledger.close()


def _ask(engine: Engine) -> None:
    with engine.connect() as connection:
        found = trace(connection, _RAW, direction="downstream")
    if found is None or found.truncated:
        raise RuntimeError("the trace is not whole")


def _seconds(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
