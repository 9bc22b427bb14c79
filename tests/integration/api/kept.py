"""Whether an instance has kept what it promised, looked at when its processes have ended."""

from __future__ import annotations

import asyncio
import collections
from dataclasses import dataclass

import readmodel
from instance.ledgers import open_ledger
from instance.settings import Settings
from readmodel import Projector
from readmodel.identifiers import hash_hex
from relay.jobs import find_job, open_inbox
from tests.integration.captured_events import captured_events


def unfinished(settings: Settings) -> int:
    connection = open_inbox(settings.inbox_place)
    try:
        row = connection.execute("SELECT count(*) FROM job WHERE finished_at IS NULL").fetchone()
        return int(row[0])
    finally:
        connection.close()


@dataclass(frozen=True)
class Record:
    """What is on the ledger: its height, and how often a valid transaction wrote each event, by hash."""

    height: int
    events: collections.Counter[str]


async def read_ledger(settings: Settings) -> Record:
    """While no worker runs."""
    ledger = await open_ledger(settings)
    found: collections.Counter[str] = collections.Counter()
    height = await ledger.height()
    async for block in ledger.blocks(0):
        found.update(captured_events(block, settings.ledger.chaincode))
        if block.header.number == height - 1:
            break
    await ledger.close()
    return Record(height, found)


def check_kept(settings: Settings, accepted: list[str], sent: int) -> None:
    """Every accepted job, of one event given twice, has it accepted once and a duplicate once, whatever happened in between.
    Ledger and read model hold it once; what was sent and not accepted they hold once or not at all."""
    connection = open_inbox(settings.inbox_place)
    jobs = [find_job(connection, job_id) for job_id in accepted]
    connection.close()
    assert {(job.state, job.accepted, job.duplicate, job.rejected) for job in jobs if job} == {("done", 1, 1, 0)}
    assert None not in jobs
    record = asyncio.run(read_ledger(settings))
    assert set(record.events.values()) == {1}
    written = {verdict["event"] for job in jobs if job for verdict in job.verdicts or ()}
    assert len(written) == len(accepted)
    assert written <= set(record.events)
    assert len(record.events) <= sent
    _check_read_model(settings, record)


def _check_read_model(settings: Settings, record: Record) -> None:
    """It has what the ledger has, and made again it is the same."""

    async def make_again() -> None:
        ledger = await open_ledger(settings)
        await Projector(engine, settings.ledger.chaincode).run(ledger, until=record.height)
        kept = readmodel.digest(engine)
        await readmodel.rebuild(engine, ledger, settings.ledger.chaincode)
        assert readmodel.digest(engine) == kept
        await ledger.close()

    engine = readmodel.open_engine(settings.readmodel_url)
    asyncio.run(make_again())
    with engine.connect() as connection:
        hashes = connection.exec_driver_sql("SELECT hash FROM event").scalars().all()
    engine.dispose()
    assert sorted(hashes) == sorted(hash_hex(event) for event in record.events)
