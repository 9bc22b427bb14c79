"""Lotline's capture on a real Fabric network, against the least that any chaincode could do there.

Four organisations, four peers, three Raft orderers, majority endorsement, all on this machine. In one run:

* Lotline's capture in batches, several transactions under way; a shop's receipts follow as soon as what they are about is
  on the ledger;
* the floor: a bare chaincode that writes as many states of the same size in one transaction with write batches;
* both again, in turn, because whatever else runs on the machine slows now the one and now the other;
* for comparison once more the floor, with as many reads of keys that are not there as a batch of the contract's has, and
  with twice as many transactions under way: it waits for blocks to fill, where the contract keeps the processors busy;
* the same events one a transaction, four times as many under way.

Needs Fabric's binaries (`make fabric`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
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
from fabric.words.blocks import decode_block
from ledger.errors import Conflict, Unavailable
from ledger.network.adapter import FabricLedger
from network import binaries
from network.topology import Blocks, build
from tests.conftest import free_base_port
from tests.fabric.playground import LOTLINE, NOTEBOOK, Playground

BATCH = 497  # whole pallets: no two batches under way touch the same goods
UNDER_WAY = 4
PALLETS = 1420
ROUNDS = 2
EVENTS = PALLETS * EVENTS_A_PALLET
SINGLE = 400
READS = 430  # what a batch of A's looks for: is it known already?


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
Work = list[tuple[str, bytes, int]]
"""Who says it, a batch, how many events."""


async def timed(work: Work, submit: Submit, under_way: int) -> float:
    """Seconds for all of it, so many transactions at a time. What B received waits for the batches in which A shipped it."""
    gate = asyncio.Semaphore(under_way)
    shipped: list[asyncio.Task[None]] = []
    received = 0

    async def one(who: str, batch: bytes, needed: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*needed)
        async with gate:
            await submit(batch, who)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for who, batch, events in work:
            if who == "A":
                shipped.append(group.create_task(one(who, batch, [])))
            else:
                received += events
                needed = math.ceil(received * (EVENTS_A_PALLET - 1) / BATCH)
                group.create_task(one(who, batch, shipped[:needed]))
    return time.perf_counter() - started


class Lotline:
    """The contract on the network, with its docks and parties registered."""

    def __init__(self, place: Playground) -> None:
        self.ledger = place.ledger(place.fresh("lotline", LOTLINE), "SupplierMSP")
        self._people = {"A": place.identity("SupplierMSP"), "B": place.identity("RetailerMSP")}
        self._everybody = [organisation.msp_id for organisation in place.network.topology.organisations]

    async def prepare(self) -> None:
        """As every organisation does before it ships: else the first batches would race to adopt docks and parties."""
        await self._say("A", "configure", {"admins": self._everybody})
        for number, who in ((1, "A"), (2, "B")):
            party, dock = numbered(pgln, f"9506000{number:05d}"), numbered(gln, f"9506000{number:05d}")
            await self._say(who, "registerParty", {"id": party, "name": who})
            await self._say(who, "registerPlace", {"id": dock, "party": party, "name": f"dock of {who}"})

    async def _say(self, who: str, function: str, document: dict[str, object]) -> None:
        await self.ledger.submit(function, [json.dumps(document).encode()], identity=self._people[who])

    async def capture(self, batch: bytes, who: str) -> None:
        """Sent again, as the worker does, when another transaction came first or a peer stayed a block behind."""
        while True:
            with contextlib.suppress(Conflict, Unavailable):
                result = (await self.ledger.submit("capture", [batch], identity=self._people[who])).result
                break
        if b'"rejected"' in result:
            raise RuntimeError(result[:300].decode())


class Floor:
    """A bare chaincode that writes states as many and as large as the contract's."""

    def __init__(self, place: Playground) -> None:
        self.ledger = place.ledger(place.fresh("notebook", NOTEBOOK), "SupplierMSP")
        self._filler = place.identity("SupplierMSP")

    async def write(
        self, transactions: int, states: int, size: int, *, reads: int = 0, under_way: int = UNDER_WAY
    ) -> float:
        """Seconds for so many states of so many bytes, after so many reads in each transaction."""
        each = states // transactions
        words = [str(number).encode() for number in (each, size, reads) if number]

        async def fill(_batch: bytes, _who: str) -> None:
            await self.ledger.submit("fill", words, identity=self._filler)

        seconds = await timed([("A", b"", 0)] * transactions, fill, under_way)
        return seconds * states / (each * transactions)


async def measure(place: Playground) -> None:
    """Capture and floor in turn, then one event a transaction."""
    lotline, floor = Lotline(place), Floor(place)
    await lotline.prepare()
    capturing = bare = 0.0
    states = size = 0
    for number in range(ROUNDS):
        work = batches(pallets(PALLETS, number * PALLETS), BATCH)
        seconds = await timed(work, lotline.capture, UNDER_WAY)
        if not number:
            states, size = await states_of(lotline.ledger)
            print(f"{EVENTS} events, {states} states of {size} bytes, {len(work)} transactions, {UNDER_WAY} under way")
        filled = await floor.write(len(work), states, size)
        print(
            f"capture: {EVENTS / seconds:,.0f} events/s; floor: {states / filled:,.0f} states/s; {filled / seconds:.2f} of it"
        )
        capturing, bare = capturing + seconds, bare + filled
    looked = states / await floor.write(len(work), states, size, reads=READS)
    crowded = states / await floor.write(len(work), states, size, under_way=2 * UNDER_WAY)
    print(
        f"the floor with {READS} reads a transaction: {looked:,.0f} states/s; {2 * UNDER_WAY} under way: {crowded:,.0f}"
    )
    for ledger in (lotline.ledger, floor.ledger):
        await ledger.close()
    captured, single = EVENTS * ROUNDS / capturing, await one_by_one(place)
    print(f"all: {captured:,.0f} events/s; one event a transaction, {4 * UNDER_WAY} under way: {single:,.0f}")
    report("capture on Fabric, of the bare floor", measured=bare / capturing, target=0.6, unit="x")
    report("capture on Fabric, against one a transaction", measured=captured / single, target=10, unit="x")


async def states_of(ledger: FabricLedger) -> tuple[int, int]:
    """How many states the captures wrote, and their mean size in bytes."""
    count = total = 0
    for number in range(await ledger.height()):
        for transaction in decode_block(await ledger.block(number)).transactions:
            if transaction.valid and transaction.function == "capture":
                count += len(transaction.writes)
                total += sum(len(write.key) + len(write.value or b"") for write in transaction.writes)
    return count, total // count


async def one_by_one(place: Playground) -> float:
    """Events a second when each has a transaction of its own."""
    lotline = Lotline(place)
    await lotline.prepare()
    work = [one for one in batches(pallets(SINGLE // EVENTS_A_PALLET), 1) if one[0] == "A"]
    seconds = await timed(work, lotline.capture, 4 * UNDER_WAY)
    await lotline.ledger.close()
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
