"""Several processes on one inbox in PostgreSQL: each lane is one process's at a time, and whatever dies, nothing is lost or done
twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from instance.database import Connection, transaction
from instance.postgres import PostgresConnection, PostgresError
from instance.tokens import SharedTokens
from ledger.errors import Unavailable
from relay.batches import Batch, Batches, Lane, Outcome
from relay.heartbeat import Heartbeat
from relay.inbox import Inbox, InboxFullError
from relay.jobs import Failure, count_by_state, find_job, open_inbox
from relay.moving import copy_inbox
from relay.shared_schema import open_shared
from relay.submitter import Submitter
from relay.workers import read_reports, together, write_report
from relay.writer import store
from tests.integration.api.fakes import FakeLedger, fake_identity
from tests.integration.api.test_inbox import new_job
from tests.integration.api.test_inbox_file import check_counters
from tests.integration.api.test_submitter import QUICK, fill, numbered

LANE = Lane("FarmMSP", "scanner")


class Host:
    """A worker's submitter on a session of its own."""

    def __init__(self, url: str, ledger: FakeLedger) -> None:
        self.connection = open_shared(url)
        self.batches = Batches(self.connection, max_events=4, max_bytes=10**6)
        submitter = Submitter(
            self.batches, ledger, lambda lane: fake_identity(lane.identity), QUICK,
            committed=self.project,
        )  # fmt: skip
        self._task = asyncio.create_task(submitter.run())

    def project(self, block: int) -> None:
        self.batches.projected(block)

    async def die(self) -> None:
        """With its session, as a process does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.connection.close()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


def lane_of(number: int) -> str:
    return f"scanner{number}"


async def test_two_workers_share_the_lanes_and_send_nothing_twice(database_url: str) -> None:
    ledger = FakeLedger()
    hosts = [Host(database_url, ledger), Host(database_url, ledger)]
    for lane in range(6):
        await fill(database_url, [b'[{"n":"%d-%d"}]' % (lane, n) for n in range(20)], identity=lane_of(lane))
    with closing(open_shared(database_url)) as look:
        await until(lambda: count_by_state(look).get("done") == 120)
    for host in hosts:
        await host.die()
    assert len(ledger.accepted) == 120
    assert len(ledger.calls) == len(ledger.transactions)
    for lane in range(6):
        mine = [name for name in ledger.accepted if name.startswith(f"ni:///{lane}-")]
        assert mine == [f"ni:///{lane}-{n}" for n in range(20)]


async def test_another_worker_takes_over_from_one_that_dies(database_url: str) -> None:
    away = True

    def trouble(moment: str, call: int) -> None:
        if away and moment == "after":
            raise Unavailable("no answer")

    ledger = FakeLedger(trouble)
    await fill(database_url, numbered(10))
    first = Host(database_url, ledger)
    await until(lambda: len(ledger.calls) > 2)
    second = Host(database_url, ledger)
    await first.die()
    away = False
    with closing(open_shared(database_url)) as look:
        await until(lambda: count_by_state(look).get("done") == 10)
    await second.die()
    assert ledger.accepted == [f"ni:///{n}" for n in range(10)]


async def test_a_lane_is_one_sessions_and_free_when_it_ends(database_url: str) -> None:
    with ExitStack() as stack:
        one, two = (
            Batches(stack.enter_context(closing(open_shared(database_url))), max_events=9, max_bytes=999) for _ in "12"
        )
        assert one.hold(LANE)
        assert one.hold(LANE)
        assert not two.hold(LANE)
        assert two.hold(Lane("FarmMSP", "other"))
        one.release(LANE)
        assert two.hold(LANE)
        kill_sessions(database_url)
        assert one.next(LANE) is None  # whoever asks something notices
        assert one.hold(LANE)
        assert two.next(LANE) is None
        assert not two.hold(LANE)


async def test_an_outcome_that_comes_late_changes_nothing(database_url: str) -> None:
    """The session was lost while the ledger answered, and another worker has written the outcome."""
    ids = await fill(database_url, numbered(3))
    with ExitStack() as stack:
        one, two = (stack.enter_context(closing(open_shared(database_url))) for _ in "12")
        late, other = (Batches(connection, max_events=4, max_bytes=999) for connection in (one, two))
        batch = late.next(LANE)
        again = other.next(LANE)
        assert batch is not None
        assert again == batch
        other.committed(again, "tx", 5, {job_id: Outcome(1, 0, 0) for job_id in ids})
        other.projected(5)
        late.committed(batch, "tx", 5, {job_id: Outcome(1, 0, 0) for job_id in ids})
        late.split(batch)
        late.attempt(batch, "no answer", new_nonce=True)
        assert count_by_state(one) == {"done": 3}
        assert one.execute("SELECT count(*) FROM batch").fetchone()[0] == 0


async def test_two_workers_without_a_lock_never_take_one_job_into_two_batches(database_url: str) -> None:
    await fill(database_url, numbered(40))

    def take() -> list[Batch]:
        with closing(open_shared(database_url)) as connection:
            batches = Batches(connection, max_events=3, max_bytes=999)
            return [batch for _ in range(10) if (batch := batches._make(LANE)) is not None]

    taken = await asyncio.gather(*(asyncio.to_thread(take) for _ in range(3)))
    seen = [job.id for batches in taken for batch in batches for job in batch.jobs]
    assert len(seen) == len(set(seen))


async def test_one_key_at_two_processes_at_once_is_one_job(database_url: str) -> None:
    boxes = [Inbox(database_url, limit_events=1000) for _ in range(2)]
    jobs = [new_job(n % 10, idempotency_key=f"k{n % 10}") for n in range(100)]
    stored = await asyncio.gather(*(box.put(job) for box in boxes for job in jobs))
    for box in boxes:
        await box.close()
    assert len({one.job_id for one in stored}) == 10
    assert sum(one.fresh for one in stored) == 10
    assert all(one.same_content for one in stored)


async def test_a_job_put_into_one_process_is_waited_for_in_another(database_url: str) -> None:
    here, there = (Inbox(database_url, limit_events=1000) for _ in range(2))
    stored = await here.put(new_job())
    waiting = asyncio.create_task(there.wait(stored.job_id, 30))
    with closing(open_shared(database_url)) as connection:
        batches = Batches(connection, max_events=4, max_bytes=999)
        batch = batches.next(LANE)
        assert batch is not None
        batches.committed(batch, "tx", 1, {stored.job_id: Outcome(1, 0, 0)})
        batches.projected(1)
    job = await waiting
    assert job is not None
    assert job.state == "done"
    await here.close()
    await there.close()


async def test_sessions_that_are_cut_come_back_and_lose_nothing_acknowledged(database_url: str) -> None:
    ledger = FakeLedger()
    host = Host(database_url, ledger)
    inbox = Inbox(database_url, limit_events=10_000)
    kept, refused = [], []
    for number in range(60):
        if number % 10 == 5:
            kill_sessions(database_url)
        try:
            kept.append((await inbox.put(new_job(number))).job_id)
        except InboxFullError as error:
            refused.append(str(error))
    with closing(open_shared(database_url)) as look:
        await until(lambda: not {"pending", "sent", "committed"} & count_by_state(look).keys())
        found = [find_job(look, job_id) for job_id in kept]
    assert {job.state for job in found if job} == {"done"}
    assert None not in found
    assert len(set(ledger.accepted)) == len(ledger.accepted)
    assert len(kept) + len(refused) == 60
    assert not any("127.0.0.1" in words for words in refused)
    await inbox.close()
    await host.die()


def test_a_transaction_that_breaks_off_keeps_nothing(database_url: str) -> None:
    with closing(open_shared(database_url)) as connection:
        with pytest.raises(PostgresError), transaction(connection):  # noqa: PT012
            store(connection, new_job())
            kill_sessions(database_url)
            store(connection, new_job())
        assert count_by_state(connection) == {}
        with transaction(connection):
            store(connection, new_job())
        assert count_by_state(connection) == {"pending": 1}


def test_text_that_postgresql_cannot_hold_is_kept_without_it(database_url: str) -> None:
    with closing(open_shared(database_url)) as connection:
        with transaction(connection):
            store(connection, new_job())
        batches = Batches(connection, max_events=4, max_bytes=999)
        batch = batches.next(LANE)
        assert batch is not None
        batches.attempt(batch, "peer said \0 nothing", new_nonce=False)
        assert batches.failures() == [("peer said � nothing", 1)]


def test_tokens_are_everybodys(database_url: str) -> None:
    with closing(SharedTokens(database_url)) as here, closing(SharedTokens(database_url)) as there:
        token = here.create("scanner", "scanner", "FarmMSP")
        principal = there.find(token)
        assert principal is not None
        assert (principal.identity, principal.role) == ("scanner", "scanner")
        assert here.secret("pages") == there.secret("pages")
        assert there.find("lot_of_somebody_else") is None
        later = here.create("analyst", "analyst", "FarmMSP")
        _soon(lambda: there.find(later) is not None)
        here.revoke(principal.token_id)
        _soon(lambda: there.find(token) is None)
        kill_sessions(database_url)
        assert there.find(later) is not None


def test_what_workers_report_is_put_together(database_url: str) -> None:
    beat = Heartbeat(1, time.time() - 5000, 10, 9, started_at=time.time() - 5100)  # a host whose clock is wrong
    with closing(open_shared(database_url)) as connection:
        write_report(connection, "one", replace(beat, failing=["a"], waiting=["who"], committed_at=beat.at))
        write_report(connection, "two", replace(beat, failing=["a", "b"], checkpoint=7, quarantined=2))
        found = together(read_reports(connection))
        assert found is not None
        assert abs(found.at - time.time()) < 5
        assert (found.checkpoint, found.quarantined, found.failing, found.waiting) == (9, 2, ["a", "b"], ["who"])
        assert found.committed_at == pytest.approx(found.at, abs=5)
        connection.execute("UPDATE worker SET at = at - interval '1 minute'")
        gone = together(read_reports(connection))
        assert gone is not None
        assert time.time() - gone.at > 50
    assert together([]) is None


@contextmanager
def _admin(url: str) -> Iterator[PostgresConnection]:
    with closing(PostgresConnection(url)) as connection:
        yield connection


def kill_sessions(url: str) -> None:
    """All others on the database, as a restart of it does."""
    with _admin(url) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _soon(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_an_inbox_is_copied_whole_either_way_and_nothing_twice(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        shared = stack.enter_context(closing(open_shared(database_url)))
        file = stack.enter_context(closing(open_inbox(tmp_path / "inbox.db")))
        back = stack.enter_context(closing(open_inbox(tmp_path / "back.db")))
        _fill(file, 1203)
        before = _content(file)
        assert copy_inbox(file, shared) == 1203
        assert copy_inbox(file, shared) == 0
        assert copy_inbox(shared, back) == 1203
        assert _content(shared) == _content(back) == before
        for connection in (shared, back):
            check_counters(connection)
        first = Batches(shared, max_events=4, max_bytes=999).next(LANE)
        same = Batches(back, max_events=4, max_bytes=999).next(LANE)
        assert first is not None
        assert same is not None
        assert (first.nonce, first.jobs) == (same.nonce, same.jobs)


def _fill(connection: Connection, count: int) -> None:
    """Jobs in every state."""
    with transaction(connection):
        for number in range(count):
            store(connection, new_job(number, idempotency_key=f"k{number}"))
    batches = Batches(connection, max_events=10, max_bytes=999)
    for turn in range(3):
        batch = batches.next(LANE)
        assert batch is not None
        if turn == 0:
            batches.failed(batch, Failure(400, "x", "y"), alarm=True)
        elif turn == 1:
            batches.committed(batch, "tx", 1, {job.id: Outcome(1, 0, 0) for job in batch.jobs})
            batches.projected(1)
        else:
            batches.attempt(batch, "no answer", new_nonce=False)


def _content(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(
        "SELECT job.id, job.function, events, digest, idempotency_key, state, alarm, tx_id, block, failure, verdicts, content, nonce"
        " FROM job LEFT JOIN payload ON payload.seq = job.seq LEFT JOIN batch ON batch.id = job.batch ORDER BY job.seq"
    ).fetchall()
    return [tuple(row) for row in rows]
