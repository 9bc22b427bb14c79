"""The projector: blocks in, rows out, on one core.

    python -m benchmarks.projector --events 20000

Captures ordinary traffic (cases made, packed on pallets, shipped, received, unpacked and sold) through the real
contract on an embedded ledger, then times decoding its blocks and projecting them into a fresh SQLite read model,
one SQL transaction a block. The baseline is what no projector can beat: the finished rows put into the same empty
tables with bare ``executemany``, nothing parsed, looked up or worked out.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import report
from epcis.identifiers import check_digit
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from readmodel import Projector, migrate, open_engine
from readmodel.bulk import table_of
from readmodel.derived import DERIVED_TABLES

EventDict = dict[str, Any]
_START = datetime(2024, 1, 1, tzinfo=UTC)
_TARGET = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--per-transaction", type=int, default=500, help="events in a transaction and block")
    parser.add_argument("--database", help="project into this empty database, not a temporary SQLite file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = asyncio.run(ledger_blocks(folder / "ledger", chosen.events, chosen.per_transaction))
        url = chosen.database or f"sqlite:///{folder}/model.db"
        events, seconds = project(url, blocks)
        line = report("projector", measured=events / seconds, target=_TARGET, unit="events/s")
        if chosen.database is None:
            rows, bare = bare_inserts(folder / "model.db", folder / "bare.db", len(blocks))
            print(
                f"baseline, bare executemany of its {rows:,} rows: {events / bare:,.0f} events/s; "
                f"the projector takes {seconds / bare:.2f} times as long"
            )
    return 0 if line.ratio >= 1 else 1


async def ledger_blocks(home: Path, events: int, per_transaction: int) -> list[Any]:
    """Capture this many events and return the blocks."""
    ledger = await EmbeddedLedger.create(home, ["BenchMSP"])
    identity = ca.issue(home / "organisations" / "BenchMSP", "bench", "admin")
    source, captured = traffic(), 0
    while captured < events:
        chunk = [next(source) for _ in range(per_transaction)]
        batch = {"groups": [{"id": "bench", "onError": "rollback", "events": chunk}]}
        done = await ledger.submit("capture", [orjson.dumps(batch)], identity=identity)
        (group,) = orjson.loads(done.result)["groups"]
        if not group["committed"]:
            raise RuntimeError(f"the contract refused the traffic: {group['verdicts'][:3]}")
        captured += len(chunk)
    blocks = [await ledger.block(number) for number in range(await ledger.height())]
    await ledger.close()
    return blocks


def project(url: str, blocks: list[Any]) -> tuple[int, float]:
    """Project blocks one by one; returns how many events that were and the seconds it took."""
    engine = open_engine(url)
    migrate(engine)
    projector = Projector(engine)
    began = time.perf_counter()
    events = sum(projector.apply(block).events for block in blocks)
    seconds = time.perf_counter() - began
    engine.dispose()
    return events, seconds


def bare_inserts(full: Path, empty: Path, transactions: int) -> tuple[int, float]:
    """Put the rows of one database into another's empty tables, in as many transactions as there were blocks."""
    engine = open_engine(empty)
    migrate(engine)
    with engine.connect() as connection:
        source = sqlite3.connect(full)
        tables = []
        for model in DERIVED_TABLES:
            table = table_of(model)
            content = source.execute(f'SELECT * FROM "{table.name}"').fetchall()
            marks = ", ".join("?" * len(table.columns))
            tables.append((f'INSERT INTO "{table.name}" VALUES ({marks})', content))
        source.close()
        target = connection.connection.driver_connection
        assert isinstance(target, sqlite3.Connection)
        began = time.perf_counter()
        for part in range(transactions):
            target.execute("BEGIN IMMEDIATE")
            for statement, content in tables:
                share = content[len(content) * part // transactions : len(content) * (part + 1) // transactions]
                target.executemany(statement, share)
            target.execute("COMMIT")
        seconds = time.perf_counter() - began
    engine.dispose()
    return sum(len(content) for _, content in tables), seconds


def traffic() -> Iterator[EventDict]:
    """Ten cases a pallet: made, packed, shipped, received, unpacked, and sold one by one."""
    gtin = "https://id.gs1.org/01/09506000134352"
    n = 0
    while True:
        n += 1
        cases = [f"{gtin}/21/{n}-{k}" for k in range(10)]
        pallet, hours = sscc(n), n * 0.01
        plant, shop = gln("414", n % 20), gln("414", 1_000 + n % 200)
        maker, seller = gln("417", n % 20), gln("417", 1_000 + n % 200)
        between = {
            "sourceList": [{"type": "possessing_party", "source": maker}],
            "destinationList": [{"type": "possessing_party", "destination": seller}],
            "bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:9506000111117:{n}"}],
        }
        here, there = {"bizLocation": {"id": plant}}, {"bizLocation": {"id": shop}}
        lot = {"ilmd": {"cbvmda:lotNumber": f"L{n // 20}"}}
        yield event("ObjectEvent", hours, "commissioning", "ADD", epcList=cases, **here, **lot)
        yield event("AggregationEvent", hours + 1, "packing", "ADD", parentID=pallet, childEPCs=cases, **here)
        yield event(
            "ObjectEvent", hours + 2, "shipping", "OBSERVE", epcList=[pallet], **between, readPoint={"id": plant}
        )
        yield event("ObjectEvent", hours + 30, "receiving", "OBSERVE", epcList=[pallet], **between, **there)
        yield event("AggregationEvent", hours + 31, "unpacking", "DELETE", parentID=pallet, childEPCs=cases, **there)
        for case in cases:
            yield event("ObjectEvent", hours + 40, "retail_selling", "DELETE", epcList=[case], **there)


def event(kind: str, hours: float, step: str, action: str, **fields: Any) -> EventDict:
    moment = (_START + timedelta(hours=hours)).isoformat(timespec="milliseconds")
    return {
        "type": kind,
        "eventTime": moment,
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        "action": action,
        **fields,
    }


def sscc(n: int) -> str:
    digits = f"09506000{n:09d}"
    return f"https://id.gs1.org/00/{digits}{check_digit(digits)}"


def gln(key: str, n: int) -> str:
    digits = f"9506000{n:05d}"
    return f"https://id.gs1.org/{key}/{digits}{check_digit(digits)}"


if __name__ == "__main__":
    sys.exit(main())
