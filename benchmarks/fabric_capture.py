"""Lotline's capture on a real Fabric network, against the least that any chaincode could do there.

Four organisations, four peers, three Raft orderers, majority endorsement, all on this machine. In one run:

* the floor: a bare chaincode that writes as many states of the same size in one transaction with write batches;
* Lotline's capture in batches, several transactions under way, each organisation's batches through its own peer;
* the same events one a transaction, four times as many under way.

Needs Fabric's binaries (`make fabric`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pallets import EVENTS_A_PALLET, batches, numbered, pallets
from benchmarks.report import report
from epcis.identifiers import gln, pgln
from ledger.blocks import decode_block
from ledger.errors import Conflict
from ledger.fabric.adapter import FabricLedger
from ledger.identity import Identity
from network import binaries
from network.topology import Blocks, build
from tests.conftest import free_base_port
from tests.fabric.playground import LOTLINE, NOTEBOOK, Playground

BATCH = 497  # whole pallets: no two batches under way touch the same goods
UNDER_WAY = 4
PALLETS = 1420
SINGLE = 400


@contextmanager
def network() -> Iterator[Playground]:
    """The default topology, and gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        topology = build(base_port=free_base_port(150), blocks=Blocks(timeout="250ms", messages=10))
        place = Playground(Path(folder), topology)
        try:
            place.network.up()
            yield place
        finally:
            place.network.down()


Submit = Callable[[bytes, str], Awaitable[None]]


async def timed(work: list[tuple[str, bytes, int]], submit: Submit, under_way: int) -> float:
    """Seconds for all of it, so many transactions at a time."""
    gate = asyncio.Semaphore(under_way)

    async def one(who: str, batch: bytes) -> None:
        async with gate:
            await submit(batch, who)

    started = time.perf_counter()
    await asyncio.gather(*(one(who, batch) for who, batch, _ in work))
    return time.perf_counter() - started


async def measure(place: Playground) -> None:
    """All three parts."""
    people = {"A": place.identity("SupplierMSP"), "B": place.identity("RetailerMSP")}
    name = place.fresh("lotline", LOTLINE)
    ledger = place.ledger(name, "SupplierMSP")
    everybody = [organisation.msp_id for organisation in place.network.topology.organisations]
    admins = ('{"admins":["' + '","'.join(everybody) + '"]}').encode()
    await ledger.submit("configure", [admins], identity=people["A"])

    async def capture(batch: bytes, who: str) -> None:
        result = await submit_capture(ledger, batch, people[who])
        if b'"rejected"' in result:
            raise RuntimeError(result[:300].decode())

    await register(ledger, people)
    work = batches(pallets(PALLETS), BATCH)
    events = PALLETS * EVENTS_A_PALLET
    seconds = 0.0
    for who in "AB":  # a shop receives what a farm has shipped
        seconds += await timed([one for one in work if one[0] == who], capture, UNDER_WAY)
    captured = events / seconds
    states, size = await written(ledger)
    print(f"capture: {events} events, {BATCH} a transaction, {UNDER_WAY} under way: {captured:,.0f} events/s")
    print(f"         {states / events:.1f} states an event, {size:.0f} bytes each")

    floor = await bare(place, states, int(size))
    print(f"floor: as many states of that size without any contract: {floor:,.0f} states/s")
    single = await one_by_one(place, people)
    print(f"one event a transaction, {4 * UNDER_WAY} under way: {single:,.0f} events/s")
    report("capture on Fabric, of the bare floor", measured=captured * states / events / floor, target=0.6, unit="x")
    report("capture on Fabric, against one a transaction", measured=captured / single, target=10, unit="x")
    await ledger.close()


async def submit_capture(ledger: FabricLedger, batch: bytes, who: Identity) -> bytes:
    """Sent again, as the worker does, when another transaction came first or a peer was a block behind the others."""
    while True:
        with contextlib.suppress(Conflict):
            return (await ledger.submit("capture", [batch], identity=who)).result


async def register(ledger: FabricLedger, people: dict[str, Identity]) -> None:
    """Docks and parties, as every organisation does before it ships: else the first batches would race to adopt them."""
    for number, who in ((1, "A"), (2, "B")):
        party, dock = numbered(pgln, f"9506000{number:05d}"), numbered(gln, f"9506000{number:05d}")
        await ledger.submit("registerParty", [json.dumps({"id": party, "name": who}).encode()], identity=people[who])
        place = {"id": dock, "party": party, "name": f"dock of {who}"}
        await ledger.submit("registerPlace", [json.dumps(place).encode()], identity=people[who])


async def written(ledger: FabricLedger) -> tuple[int, float]:
    """How many states the captures wrote, and their mean size in bytes."""
    count = total = 0
    for number in range(await ledger.height()):
        for transaction in decode_block(await ledger.block(number)).transactions:
            if transaction.valid and transaction.function == "capture":
                count += len(transaction.writes)
                total += sum(len(write.key) + len(write.value or b"") for write in transaction.writes)
    return count, total / count


async def bare(place: Playground, states: int, size: int) -> float:
    """States a second of the notebook's ``fill``, in transactions as large as the captures'."""
    name = place.fresh("notebook", NOTEBOOK)
    ledger = place.ledger(name, "SupplierMSP")
    filler = place.identity("SupplierMSP")
    transactions = PALLETS * EVENTS_A_PALLET // BATCH
    each = states // transactions

    async def fill(_batch: bytes, _who: str) -> None:
        await ledger.submit("fill", [str(each).encode(), str(size).encode()], identity=filler)

    seconds = await timed([("A", b"", 0)] * transactions, fill, UNDER_WAY)
    await ledger.close()
    return each * transactions / seconds


async def one_by_one(place: Playground, people: dict[str, Identity]) -> float:
    """Events a second when each has a transaction of its own; what loses a race is sent again, as the worker does."""
    ledger = place.ledger(place.fresh("lotline", LOTLINE), "SupplierMSP")
    await register(ledger, people)
    work = [one for one in batches(pallets(SINGLE // EVENTS_A_PALLET), 1) if one[0] == "A"]

    async def capture(batch: bytes, _who: str) -> None:
        await submit_capture(ledger, batch, people["A"])

    seconds = await timed(work, capture, 4 * UNDER_WAY)
    await ledger.close()
    return len(work) / seconds


def main() -> int:
    if binaries.find() is None:
        print("Fabric's binaries are not built: `make fabric`")
        return 0
    print(
        f"{os.cpu_count()} cores; 4 organisations, 4 peers, 3 Raft orderers; blocks of 10 or 250 ms; majority endorsement"
    )
    with network() as place:
        asyncio.run(measure(place))
    return 0


if __name__ == "__main__":
    sys.exit(main())
