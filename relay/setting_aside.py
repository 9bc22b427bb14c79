"""Events that the contract cannot take are taken out of their job, so that the others go on (``proceed``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson

from instance.database import Connection
from ledger.port import Identity, Ledger
from relay.batches import Batch, stored_failure
from relay.inbox import NewJob
from relay.jobs import CAPTURE, Failure, now
from relay.poison import Poison, events_of, find_poison, payload_of
from relay.writer import store


async def poison_of(batch: Batch, ledger: Ledger, identity: Identity) -> list[Poison]:
    """The events of the batch's one job that the contract refuses by themselves; none if that is all of them. Raises `LedgerError`
    when the contract cannot be asked."""
    (job,) = batch.jobs
    events = events_of(job.payload)

    async def ask(some: Sequence[str]) -> None:
        part = replace(batch, jobs=(replace(job, payload=payload_of(some), events=len(some)),))
        await ledger.evaluate(batch.function, part.arguments(), identity=identity)

    found = await find_poison(events, ask) if len(events) > 1 else []
    return found if len(found) < len(events) else []


def set_aside(connection: Connection, batch: Batch, faults: Mapping[int, Failure]) -> None:
    """Take events out of the batch's one job, by their places, inside a transaction of the caller's. Each becomes a failed job of
    its own, that keeps it and raises an alarm, and the first one's answer names it."""
    (job,) = batch.jobs
    events = events_of(job.payload)
    row = connection.execute("SELECT refused FROM job WHERE id = ?", (job.id,)).fetchone()
    refused = [] if row["refused"] is None else orjson.loads(row["refused"])
    taken = {one["index"] for one in refused}
    places = [place for place in range(len(events) + len(taken)) if place not in taken]
    for place, failure in faults.items():
        alone = _store_failed(connection, batch, events[place], failure)
        message = f"the contract cannot take it: {failure.message}. It is kept as job {alone}"
        refused.append({"index": places[place], "field": "", "code": failure.code, "message": message})
    left = payload_of([event for place, event in enumerate(events) if place not in faults])
    connection.execute("UPDATE payload SET content = ? WHERE seq = (SELECT seq FROM job WHERE id = ?)", (left, job.id))
    connection.execute(  # the state as well, for the counters of events go by it
        "UPDATE job SET state = 'pending', events = ?, size = ?, refused = ? WHERE id = ?",
        (
            len(events) - len(faults),
            len(left) + len(job.master_data or b""),
            orjson.dumps(sorted(refused, key=lambda one: int(one["index"]))),
            job.id,
        ),
    )


def _store_failed(connection: Connection, batch: Batch, event: str, failure: Failure) -> str:
    (job,) = batch.jobs
    alone = NewJob(
        CAPTURE, batch.lane.msp_id, batch.lane.identity, "rollback", payload_of([event]), 1,
        master_data=job.master_data or b"",
    )  # fmt: skip
    stored = store(connection, alone)
    told = replace(failure, message=f"{failure.message} (set aside from job {job.id})")
    connection.execute(
        "UPDATE job SET state = 'failed', accepted = 0, duplicate = 0, rejected = 1, failure = ?, alarm = 1, finished_at = ?"
        " WHERE id = ?",
        (stored_failure(told), now(), stored.job_id),
    )
    return stored.job_id
