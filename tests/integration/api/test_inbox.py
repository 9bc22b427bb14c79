"""What the inbox promises: durable before answered, one commit for many, one job per idempotency key."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import relay.writer
from instance.database import Connection, transaction
from relay.batches import Batches, Lane, Outcome
from relay.inbox import Inbox, InboxFullError, NewJob
from relay.jobs import CAPTURE, Failure, count_by_state, find_job, open_inbox
from relay.reading import FileReader

LANE = Lane("FarmMSP", "scanner")


def new_job(number: int = 0, **changes: object) -> NewJob:
    values: dict[str, object] = {
        "function": CAPTURE,
        "msp_id": "FarmMSP",
        "identity": "scanner",
        "on_error": "rollback",
        "payload": b'[{"n":%d}]' % number,
        "events": 1,
    }
    return NewJob(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def inbox(place: Path | str) -> AsyncIterator[Inbox]:
    box = Inbox(place, limit_events=1000)
    yield box
    await box.close()


@pytest.fixture
def batches(place: Path | str) -> Iterator[Batches]:
    with closing(open_inbox(place)) as connection:
        yield Batches(connection, max_events=10, max_bytes=1000)


def states(place: Path | str) -> dict[str, int]:
    """As they are now, not as they were counted a moment ago."""
    with closing(open_inbox(place)) as connection:
        return count_by_state(connection)


async def test_a_job_is_kept_before_put_returns(inbox: Inbox, place: Path | str) -> None:
    stored = await inbox.put(new_job())
    with closing(open_inbox(place)) as another:
        job = find_job(another, stored.job_id)
    assert job is not None
    assert (job.state, job.running, job.success) == ("pending", True, True)


async def test_concurrent_requests_share_commits(
    inbox: Inbox, place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0

    @contextmanager
    def counted(connection: Connection, *, durable: bool = True) -> Iterator[None]:
        nonlocal commits
        commits += durable
        with transaction(connection, durable=durable):
            yield

    monkeypatch.setattr(relay.writer, "transaction", counted)
    stored = await asyncio.gather(*(inbox.put(new_job(n)) for n in range(300)))
    assert len({one.job_id for one in stored}) == 300
    assert sum(states(place).values()) == 300
    assert commits < 100


async def test_the_same_key_gets_the_first_job_and_other_content_is_told(inbox: Inbox, place: Path | str) -> None:
    first = await inbox.put(new_job(1, idempotency_key="scan-1"))
    again = await inbox.put(new_job(1, idempotency_key="scan-1"))
    other = await inbox.put(new_job(2, idempotency_key="scan-1"))
    stranger = await inbox.put(new_job(1, idempotency_key="scan-1", identity="scanner2"))
    assert (again.job_id, again.fresh, again.same_content) == (first.job_id, False, True)
    assert (other.job_id, other.fresh, other.same_content) == (first.job_id, False, False)
    assert stranger.job_id != first.job_id
    assert sum(states(place).values()) == 2


async def test_the_same_key_twice_at_the_same_time_is_one_job(inbox: Inbox) -> None:
    both = await asyncio.gather(*(inbox.put(new_job(1, idempotency_key="k")) for _ in range(20)))
    assert len({one.job_id for one in both}) == 1
    assert sum(one.fresh for one in both) == 1


async def test_a_full_inbox_takes_nothing(inbox: Inbox, place: Path | str) -> None:
    with pytest.raises(InboxFullError):
        await inbox.put(new_job(events=1001))
    assert states(place) == {}


@pytest.mark.parametrize("place", ["file"], indirect=True)
async def test_a_file_that_cannot_be_written_is_told_and_stores_nothing(inbox: Inbox) -> None:
    inbox._writer._connection.execute("PRAGMA query_only = 1")
    with pytest.raises(InboxFullError):
        await inbox.put(new_job())
    inbox._writer._connection.execute("PRAGMA query_only = 0")
    assert (await inbox.put(new_job())).fresh


@pytest.mark.parametrize("place", ["file"], indirect=True)
async def test_a_file_that_cannot_be_read_is_told_and_counts_as_before(inbox: Inbox, place: Path) -> None:
    reader = inbox._reader
    assert isinstance(reader, FileReader)
    await inbox.put(new_job())
    reader._counted -= 10
    assert inbox.depth().jobs == 1
    reader._connection.close()
    reader._counted -= 10
    assert inbox.depth().jobs == 1
    assert "cannot be read" in inbox.trouble
    reader._connection = open_inbox(place)
    reader._counted -= 10
    assert (inbox.depth().jobs, inbox.trouble) == (1, "")


async def test_wait_returns_the_finished_job_and_gives_up_at_the_deadline(inbox: Inbox, batches: Batches) -> None:
    stored = await inbox.put(new_job())
    unfinished = await inbox.wait(stored.job_id, 0.03)
    assert unfinished is not None
    assert unfinished.running
    waiting = asyncio.create_task(inbox.wait(stored.job_id, 30))
    batch = batches.next(LANE)
    assert batch is not None
    batches.committed(batch, "tx", 5, {stored.job_id: Outcome(1, 0, 0)})
    assert batches.projected(4) == 0
    assert not waiting.done()
    assert batches.projected(5) == 1
    job = await waiting
    assert job is not None
    assert (job.state, job.block, job.accepted) == ("done", 5, 1)


async def test_a_client_that_leaves_does_not_lose_its_job(inbox: Inbox, place: Path | str) -> None:
    request = asyncio.create_task(inbox.put(new_job()))
    await asyncio.sleep(0)
    request.cancel()
    await inbox.put(new_job(2))
    assert states(place) == {"pending": 2}


async def test_batches_keep_order_and_limits(inbox: Inbox, batches: Batches) -> None:
    for number in range(25):
        await inbox.put(new_job(number))
    await inbox.put(new_job(99, payload=b"[" + b" " * 5000 + b"]"))
    await inbox.put(new_job(100))
    sizes, payloads = [], []
    while (batch := batches.next(LANE)) is not None:
        sizes.append(len(batch.jobs))
        payloads += [job.payload.replace(b" ", b"") for job in batch.jobs]
        batches.committed(batch, "tx", 1, {job.id: Outcome(1, 0, 0) for job in batch.jobs})
    assert sizes == [10, 10, 5, 1, 1]
    assert payloads == [b'[{"n":%d}]' % n for n in range(25)] + [b"[]", b'[{"n":100}]']


async def test_a_registration_travels_alone_and_in_its_turn(inbox: Inbox, batches: Batches) -> None:
    for function in (CAPTURE, "registerParty", "registerParty", CAPTURE, CAPTURE):
        await inbox.put(new_job(function=function))
    seen = []
    while (batch := batches.next(LANE)) is not None:
        seen.append((batch.function, len(batch.jobs)))
        batches.committed(batch, "tx", 1, {job.id: Outcome(1, 0, 0) for job in batch.jobs})
    assert seen == [(CAPTURE, 1), ("registerParty", 1), ("registerParty", 1), (CAPTURE, 2)]


async def test_an_unfinished_batch_is_loaded_again_with_its_nonce(
    inbox: Inbox, batches: Batches, place: Path | str
) -> None:
    await inbox.put(new_job(1))
    first = batches.next(LANE)
    await inbox.put(new_job(2))
    with closing(open_inbox(place)) as another:
        after_crash = Batches(another, max_events=10, max_bytes=1000)
        assert after_crash.next(LANE) == first
        assert after_crash.lanes() == {LANE}


async def test_splitting_keeps_order_and_takes_new_nonces(inbox: Inbox, batches: Batches) -> None:
    for number in range(5):
        await inbox.put(new_job(number))
    whole = batches.next(LANE)
    assert whole is not None
    batches.split(whole)
    seen, nonces = [], {whole.nonce}
    while (batch := batches.next(LANE)) is not None:
        if len(batch.jobs) == 2 and b"1" in batch.jobs[1].payload:
            batches.split(batch)
            continue
        seen += [job.payload for job in batch.jobs]
        nonces.add(batch.nonce)
        batches.failed(batch, Failure(400, "x", "y"))
    assert seen == [b'[{"n":%d}]' % n for n in range(5)]
    assert len(nonces) == 4


async def test_a_new_nonce_only_on_request(inbox: Inbox, batches: Batches) -> None:
    await inbox.put(new_job())
    batch = batches.next(LANE)
    assert batch is not None
    batches.attempt(batch, "Unavailable: no peer", new_nonce=False)
    same = batches.next(LANE)
    assert same is not None
    assert (same.nonce, same.attempts) == (batch.nonce, 1)
    assert batches.failures() == [("Unavailable: no peer", 1)]
    batches.attempt(same, "Conflict: lost", new_nonce=True)
    other = batches.next(LANE)
    assert other is not None
    assert other.nonce != batch.nonce


async def test_finished_jobs_are_forgotten_after_their_time(inbox: Inbox, batches: Batches) -> None:
    kept = await inbox.put(new_job(1))
    old = await inbox.put(new_job(2))
    failed = await inbox.put(new_job(3, identity="other"))
    poison = batches.next(Lane("FarmMSP", "other"))
    assert poison is not None
    batches.failed(poison, Failure(400, "x", "y"))
    batch = batches.next(LANE)
    assert batch is not None
    batches.committed(batch, "tx", 1, {job.id: Outcome(1, 0, 0) for job in batch.jobs})
    batches.projected(1)
    for job in (old, failed):
        batches._connection.execute("UPDATE job SET finished_at = '2020-01-01' WHERE id = ?", (job.job_id,))
    assert batches.prune(30) == 1
    assert await inbox.find(old.job_id) is None
    assert await inbox.find(kept.job_id) is not None
    assert await inbox.find(failed.job_id) is not None


def test_foreign_files_are_refused_loudly(tmp_path: Path) -> None:
    (tmp_path / "inbox.db").write_bytes(b"not a database, but long enough to be taken for one" * 40)
    with pytest.raises(sqlite3.DatabaseError):
        open_inbox(tmp_path / "inbox.db")
