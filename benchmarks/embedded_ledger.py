"""Events committed by the embedded ledger, in batches of 500, with the real contract and a whole Fabric block each.

Beside it in the same run: one event a transaction, which is what a ledger without batches does; and the floor, SQLite
taking the same bytes as bare rows, one SQL transaction a batch.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.pallets import EVENTS_A_PALLET, batches, pallets
from benchmarks.report import report
from chaincode.answers import verdicts_of
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger

_PALLETS = 1000
_SINGLE_PALLETS = 60
_BATCH = 500


async def commit(folder: Path, count: int, size: int) -> float:
    """Events a second for so many pallets in batches of ``size``."""
    ledger = await EmbeddedLedger.create(folder, ["AMSP", "BMSP"])
    people = {who: ca.issue(folder / "organisations" / f"{who}MSP", "scanner", "admin") for who in "AB"}
    await ledger.submit("configure", [b'{"admins":["AMSP","BMSP"]}'], identity=people["A"])
    work = batches(pallets(count), size)
    started = time.perf_counter()
    verdicts = []
    for who, batch, _ in work:
        done = await ledger.submit("capture", [batch], identity=people[who])
        verdicts += verdicts_of(json.loads(done.result)["groups"][0])
    seconds = time.perf_counter() - started
    await ledger.close()
    refused = [verdict for verdict in verdicts if verdict["verdict"] != "accepted"]
    if refused:
        raise RuntimeError(f"{len(refused)} events were not accepted, the first: {refused[0]}")
    return len(verdicts) / seconds


def bare(file: Path, count: int) -> float:
    """The same bytes as rows."""
    database = sqlite3.connect(file)
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE batch (content BLOB)")
    work = batches(pallets(count), _BATCH)
    started = time.perf_counter()
    for _, batch, _ in work:
        with database:
            database.execute("INSERT INTO batch VALUES (?)", (batch,))
    seconds = time.perf_counter() - started
    database.close()
    return sum(number for _, _, number in work) / seconds


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        batched = asyncio.run(commit(home / "batched", _PALLETS, _BATCH))
        single = asyncio.run(commit(home / "single", _SINGLE_PALLETS, 1))
        floor = bare(home / "bare.db", _PALLETS)
    print(
        f"{_PALLETS * EVENTS_A_PALLET} events, {_BATCH} a transaction: {batched:,.0f}/s; one a transaction: {single:,.0f}/s "
        f"({batched / single:.1f} times); bare SQLite rows of the same bytes: {floor:,.0f}/s"
    )
    report("embedded ledger, events committed", measured=batched, target=3_000, unit="events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
