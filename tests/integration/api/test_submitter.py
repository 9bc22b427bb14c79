"""The submitter: whatever goes wrong, an accepted job is on the ledger once, or has failed with a reason."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from instance.settings import WorkerSettings
from ledger.errors import Conflict, InvalidIdentity, LedgerError, RejectedByContract, TimedOut, Unavailable
from relay.batches import Batches, Lane
from relay.failed import kept_jobs, payload_of
from relay.inbox import Inbox, NewJob
from relay.intake import Refusal
from relay.jobs import CAPTURE, Job, depth, find_job, open_inbox
from relay.submitter import Submitter
from tests.integration.api.fakes import FakeLedger, SimulatedCrash, fake_identity

QUICK = WorkerSettings(linger=0, poll=0.001, backoff_first=0.001, backoff_last=0.002)
IDENTITY = fake_identity("scanner")


async def fill(
    place: Path | str, payloads: list[bytes], identity: str = "scanner", function: str = CAPTURE
) -> list[str]:
    """Put jobs of one event each into the inbox."""
    inbox = Inbox(place, limit_events=10_000)
    try:
        jobs = [NewJob(function, "FarmMSP", identity, "rollback", payload, 1) for payload in payloads]
        return [(await inbox.put(job)).job_id for job in jobs]
    finally:
        await inbox.close()


def numbered(count: int) -> list[bytes]:
    return [b'[{"n":%d}]' % number for number in range(count)]


class Run:
    """One life of a submitter over a file."""

    def __init__(self, place: Path | str, ledger: FakeLedger, max_events: int = 4) -> None:
        self.ledger = ledger
        self.connection = open_inbox(place)
        self.batches = Batches(self.connection, max_events=max_events, max_bytes=10**6)
        self.submitter = Submitter(
            self.batches, ledger, lambda lane: IDENTITY, QUICK, committed=lambda block: self.project(block)
        )

    def project(self, block: int) -> None:
        self.batches.projected(block)

    async def until_idle(self) -> None:
        """Work until nothing is left to do. As in the worker, the read model's checkpoint comes first."""
        self.project(len(self.ledger.transactions))
        task = asyncio.create_task(self.submitter.run())
        while self.batches.lanes():
            if task.done():
                break
            await asyncio.sleep(0.001)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        finally:
            self.connection.close()


def jobs(place: Path | str, ids: list[str]) -> list[Job]:
    connection = open_inbox(place)
    found = [find_job(connection, job_id) for job_id in ids]
    connection.close()
    return [job for job in found if job is not None]


async def test_many_jobs_ride_in_few_transactions(place: Path | str) -> None:
    ledger = FakeLedger()
    ids = await fill(place, numbered(40))
    await Run(place, ledger, max_events=10).until_idle()
    assert len(ledger.transactions) == 4
    assert {(job.state, job.accepted, job.duplicate) for job in jobs(place, ids)} == {("done", 1, 0)}
    assert ledger.accepted == [f"ni:///{n}" for n in range(40)]


async def test_the_same_event_twice_is_captured_once(place: Path | str) -> None:
    ledger = FakeLedger()
    ids = await fill(place, [b'[{"n":1}]', b'[{"n":1}]'])
    await Run(place, ledger).until_idle()
    assert [(job.accepted, job.duplicate, job.success) for job in jobs(place, ids)] == [
        (1, 0, True),
        (0, 1, True),
    ]


@pytest.mark.parametrize("error", [Unavailable("no peer"), TimedOut("no answer"), Conflict("lost the race")])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_errors_that_pass_are_waited_out(place: Path | str, error: LedgerError, when: str) -> None:
    if when == "after" and not error.outcome_unknown:
        pytest.skip("an applied transaction is never reported as void")

    def trouble(moment: str, call: int) -> None:
        if moment == when and call <= 5:
            raise error

    ledger = FakeLedger(trouble)
    ids = await fill(place, numbered(3))
    await Run(place, ledger).until_idle()
    assert [(job.state, job.accepted) for job in jobs(place, ids)] == [("done", 1)] * 3
    nonces = {nonce for _, nonce, _ in ledger.calls}
    assert len(nonces) == (6 if isinstance(error, Conflict) else 1)


async def test_something_unforeseen_is_retried_and_told(place: Path | str) -> None:

    def trouble(moment: str, call: int) -> None:
        if call <= 3:
            raise OSError("no space left on device")

    run = Run(place, FakeLedger(trouble))
    (job_id,) = await fill(place, numbered(1))
    batch = run.batches.next(Lane("FarmMSP", "scanner"))
    assert batch is not None
    assert not await run.submitter.send(batch)
    assert run.batches.failures() == [("OSError: no space left on device", 1)]
    await run.until_idle()
    assert [(job.state, job.accepted) for job in jobs(place, [job_id])] == [("done", 1)]


async def keep(place: Path | str, job: NewJob) -> str:
    inbox = Inbox(place, limit_events=10_000)
    stored = await inbox.put(job)
    await inbox.close()
    return stored.job_id


@pytest.mark.parametrize("kind", ["poison", "breaks"])
async def test_poison_is_set_aside_alone_and_the_others_of_its_job_go_on(place: Path | str, kind: str) -> None:
    ledger = FakeLedger()
    events = [b'{"n":%d}' % n for n in range(40)]
    events[7], events[23] = b'{"%s":1.10}' % kind.encode(), b'{"%s":"[,]"}' % kind.encode()
    left_out = (
        Refusal(2, "/x", "bad", "no"),
        Refusal(9, "/x", "bad", "no"),
    )  # on arrival: the job's 7th is the document's 8th
    body = b"[" + b",".join(events) + b"]"
    job_id = await keep(place, NewJob(CAPTURE, "FarmMSP", "scanner", "proceed", body, 40, refused=left_out))
    others = await fill(place, numbered(50)[40:])
    await Run(place, ledger).until_idle()
    (job,) = jobs(place, [job_id])
    assert (job.state, job.events, job.accepted, job.rejected) == ("done", 42, 38, 4)
    assert [one["index"] for one in job.refused] == [2, 8, 9, 25]
    assert job.verdicts is not None
    assert [index for index, one in enumerate(job.verdicts) if one["verdict"] == "rejected"] == [2, 8, 9, 25]
    assert sorted(ledger.accepted) == sorted(f"ni:///{n}" for n in range(50) if n not in (7, 23))
    assert {one.state for one in jobs(place, others)} == {"done"}
    with closing(open_inbox(place)) as connection:
        aside = kept_jobs(connection, "failed", 10, alarmed=True)
        kept = [payload_of(connection, one) for one in aside]
        assert depth(connection).alarms == 2
        assert depth(connection).events == 0
    assert kept == [b"[" + events[7] + b"]", b"[" + events[23] + b"]"]
    assert all(one.id in str(job.refused) for one in aside)
    assert all(one.failure is not None and job_id in one.failure.message for one in aside)


async def test_all_poison_fails_as_a_whole_and_rollback_too(place: Path | str) -> None:
    ledger = FakeLedger()
    all_bad = b'[{"poison":1},{"poison":2}]'
    ids = [
        await keep(place, NewJob(CAPTURE, "FarmMSP", "scanner", "proceed", all_bad, 2)),
        await keep(place, NewJob(CAPTURE, "FarmMSP", "scanner", "rollback", b'[{"poison":1},{"n":1}]', 2)),
    ]
    await Run(place, ledger).until_idle()
    assert [job.state for job in jobs(place, ids)] == ["failed", "failed"]
    assert ledger.accepted == []


async def test_poison_is_looked_for_again_when_the_ledger_was_away(place: Path | str) -> None:
    def trouble(moment: str, call: int) -> None:
        if moment == "asked" and call in (1, 3, 4):
            raise Unavailable("no peer")

    ledger = FakeLedger(trouble)
    body = b'[{"n":1},{"poison":1},{"n":2}]'
    job_id = await keep(place, NewJob(CAPTURE, "FarmMSP", "scanner", "proceed", body, 3))
    await Run(place, ledger).until_idle()
    (job,) = jobs(place, [job_id])
    assert (job.state, job.accepted, job.rejected) == ("done", 2, 1)
    assert ledger.accepted == ["ni:///1", "ni:///2"]


async def test_a_poison_job_fails_alone(place: Path | str) -> None:
    ledger = FakeLedger()
    payloads = numbered(9)
    payloads.insert(5, b'[{"poison":1}]')
    ids = await fill(place, payloads)
    await Run(place, ledger, max_events=10).until_idle()
    found = jobs(place, ids)
    assert [job.state for job in found] == ["done"] * 5 + ["failed"] + ["done"] * 4
    failure = found[5].failure
    assert failure is not None
    assert (failure.status, failure.message) == (400, "this batch is malformed")
    assert ledger.accepted == [f"ni:///{n}" for n in range(9)]


async def test_a_batch_that_the_network_does_not_carry_is_halved(place: Path | str) -> None:
    """Job by job if need be; what is too large by itself fails, and says so."""
    ledger = FakeLedger(most_bytes=500)
    payloads = numbered(8)
    payloads.insert(5, b'[{"n":"%s"}]' % (b"x" * 500))
    ids = await fill(place, payloads)
    await Run(place, ledger, max_events=10).until_idle()
    found = jobs(place, ids)
    assert [job.state for job in found] == ["done"] * 5 + ["failed"] + ["done"] * 3
    failure = found[5].failure
    assert failure is not None
    assert (failure.status, failure.code) == (413, "too_large")
    assert "at most 500 bytes" in failure.message
    assert ledger.accepted == [f"ni:///{n}" for n in range(8)]


async def test_an_identity_that_cannot_write_waits_and_nobody_else_does(place: Path | str) -> None:
    """Until its certificate is renewed or the clock put right: what was accepted is not lost to a date."""
    ledger = FakeLedger()
    expired = await fill(place, [b'[{"n":8}]', b'[{"n":9}]'], identity="expired")
    good = await fill(place, numbered(3))
    run = Run(place, ledger)
    renewed = False

    def identity_of(lane: Lane) -> object:
        if lane.identity == "expired" and not renewed:
            raise InvalidIdentity("its certificate ended on 2026-05-04")
        return IDENTITY

    run.submitter._identity_of = identity_of  # type: ignore[assignment]
    task = asyncio.create_task(run.submitter.run())
    while any(job.running for job in jobs(place, good)) or not run.batches.troubles():
        await asyncio.sleep(0.002)
    (trouble,) = run.batches.troubles()
    assert (trouble.lane.identity, trouble.error) == (
        "expired",
        "InvalidIdentity: its certificate ended on 2026-05-04",
    )
    assert all(job.running for job in jobs(place, expired))
    renewed = True
    while any(job.running for job in jobs(place, expired)):
        await asyncio.sleep(0.002)
    assert {(job.state, job.accepted) for job in jobs(place, expired + good)} == {("done", 1)}
    await cancelled(task)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_the_contract_breaks_on_is_set_aside_and_the_rest_goes_on(place: Path | str) -> None:
    ledger = FakeLedger()
    payloads = numbered(9)
    payloads.insert(5, b'[{"breaks":1}]')
    ids = await fill(place, payloads)
    run = Run(place, ledger)
    task = asyncio.create_task(run.submitter.run())
    while sum(job.state == "done" for job in jobs(place, ids)) < 9:
        await asyncio.sleep(0.002)
    assert jobs(place, ids)[5].running  # what passed may have passed before: it is tried again
    (later,) = await fill(place, [b'[{"n":10}]'])
    while jobs(place, ids)[5].running or jobs(place, [later])[0].state != "done":
        await asyncio.sleep(0.002)
    failure = jobs(place, ids)[5].failure
    assert failure is not None
    assert (failure.status, failure.message) == (500, "KeyError: 'breaks'")
    assert depth(run.connection).alarms == 1
    await cancelled(task)


async def test_a_contract_that_breaks_on_everything_fails_nothing(place: Path | str) -> None:

    def trouble(moment: str, call: int) -> None:
        if moment == "before" and call < 60:
            raise RejectedByContract(500, "state database away")

    ids = await fill(place, numbered(6))
    await Run(place, ledger := FakeLedger(trouble)).until_idle()
    assert {(job.state, job.accepted) for job in jobs(place, ids)} == {("done", 1)}
    assert len(ledger.accepted) == 6


@pytest.mark.parametrize("error", [RejectedByContract(500, "away"), Unavailable("they differ", disputed=True)])
async def test_a_fault_of_everything_does_not_take_a_backlog_apart(place: Path | str, error: LedgerError) -> None:
    """What waited goes in few transactions when it is over, as it would have before."""

    def trouble(moment: str, call: int) -> None:
        if moment == "before" and call < 60:
            raise error

    ids = await fill(place, numbered(24))
    await Run(place, ledger := FakeLedger(trouble), max_events=24).until_idle()
    assert {(job.state, job.accepted) for job in jobs(place, ids)} == {("done", 1)}
    assert len(ledger.transactions) < 16


async def test_many_that_nobody_digests_stop_the_others_only_for_a_while(place: Path | str) -> None:
    ledger = FakeLedger()
    ids = await fill(place, [*[b'[{"differs":%d}]' % n for n in range(6)], *numbered(5)])
    run = Run(place, ledger, max_events=20)
    task = asyncio.create_task(run.submitter.run())
    while sum(job.state == "done" for job in jobs(place, ids)) < 5:
        await asyncio.sleep(0.002)
    assert [job.running for job in jobs(place, ids)] == [True] * 6 + [False] * 5
    await cancelled(task)


async def test_what_the_peers_do_not_agree_on_is_held_and_never_failed(place: Path | str) -> None:
    ledger = FakeLedger()
    payloads = numbered(9)
    payloads.insert(5, b'[{"n":99,"differs":1}]')
    ids = await fill(place, payloads)
    run = Run(place, ledger, max_events=10)
    task = asyncio.create_task(run.submitter.run())
    while sum(job.state == "done" for job in jobs(place, ids)) < 9 or run.batches.failures()[0][1] < 10:
        await asyncio.sleep(0.002)
    (held,) = run.batches.troubles()
    assert (held.job_id, held.held) == (ids[5], True)
    ledger.agreed = True
    while jobs(place, ids)[5].running:
        await asyncio.sleep(0.002)
    assert jobs(place, ids)[5].accepted == 1
    await cancelled(task)


async def test_a_scan_does_not_wait_for_the_whole_of_a_bulk_upload(place: Path | str) -> None:
    ledger = FakeLedger()
    many = [b"[" + b",".join(b'{"n":%d}' % (upload * 20 + n) for n in range(20)) + b"]" for upload in range(5)]
    await put(place, many, events=20)
    await put(place, [b'[{"n":1000}]', b'[{"n":1001}]'])
    await Run(place, ledger, max_events=20).until_idle()
    order = [int(name.removeprefix("ni:///")) for name in ledger.accepted]
    assert order.index(1000) <= 20
    assert order.index(1001) == order.index(1000) + 1
    assert sorted(order) == [*range(100), 1000, 1001]


async def test_a_scan_that_was_refused_ahead_of_its_turn_is_judged_in_it(place: Path | str) -> None:
    ledger = FakeLedger()
    many = [b"[" + b",".join(b'{"n":%d}' % (upload * 20 + n) for n in range(20)) + b"]" for upload in range(5)]
    await put(place, many, events=20)
    (scan, vain) = await put(place, [b'[{"n":1000,"needs":99}]', b'[{"n":1001,"needs":5000}]'])
    await Run(place, ledger, max_events=20).until_idle()
    assert ledger.accepted[-1] == "ni:///1000"
    accepted, refused = jobs(place, [scan, vain])
    assert (accepted.state, accepted.accepted, accepted.rejected) == ("done", 1, 0)
    assert (refused.state, refused.accepted, refused.rejected) == ("done", 0, 1)


async def put(place: Path | str, payloads: list[bytes], events: int = 1) -> list[str]:
    """Jobs of as many events as they say."""
    inbox = Inbox(place, limit_events=10_000)
    try:
        new = [NewJob(CAPTURE, "FarmMSP", "scanner", "rollback", payload, events) for payload in payloads]
        return [(await inbox.put(job)).job_id for job in new]
    finally:
        await inbox.close()


@pytest.mark.parametrize("place", ["file"], indirect=True)
async def test_an_inbox_that_cannot_be_written_is_waited_for(place: Path | str) -> None:
    ledger = FakeLedger()
    ids = await fill(place, numbered(3))
    run = Run(place, ledger)
    run.connection.execute("PRAGMA query_only = 1")  # every write fails, as on a full disk
    task = asyncio.create_task(run.submitter.run())
    while not run.submitter.trouble:
        await asyncio.sleep(0.002)
    assert "cannot write the inbox" in run.submitter.trouble
    run.connection.execute("PRAGMA query_only = 0")
    while any(job.running for job in jobs(place, ids)):
        await asyncio.sleep(0.002)
    assert (len(ledger.accepted), run.submitter.trouble) == (3, "")
    await cancelled(task)


async def test_one_lane_in_trouble_does_not_hold_up_another(place: Path | str) -> None:
    stuck = await fill(place, numbered(1), identity="stuck")
    free = await fill(place, [b'[{"n":7}]'])
    run = Run(place, ledger := FakeLedger())

    def identity_of(lane: Lane) -> object:
        if lane.identity == "stuck":
            raise Unavailable("its peer is away")
        return IDENTITY

    run.submitter._identity_of = identity_of  # type: ignore[assignment]
    task = asyncio.create_task(run.submitter.run())
    while jobs(place, free)[0].running:
        await asyncio.sleep(0.002)
    assert jobs(place, stuck)[0].running
    assert ledger.accepted == ["ni:///7"]
    assert run.batches.failures()[0][0] == "Unavailable: its peer is away"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class CrashingConnection:
    """A connection to the inbox that dies before, or right after, its n-th commit."""

    def __init__(self, connection: sqlite3.Connection, dies: Callable[[], bool], after: bool) -> None:
        self._connection = connection
        self._dies = dies
        self._after = after

    def commit(self) -> None:
        dies = self._dies()
        if dies and not self._after:
            raise SimulatedCrash
        self._connection.commit()
        if dies:
            raise SimulatedCrash

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_at_any_commit_of_the_inbox_loses_and_doubles_nothing(tmp_path: Path, after: bool) -> None:
    """Every commit of the worker in turn is its last one; the next worker ends the work."""
    for fatal in range(1, 12):
        place, ledger = tmp_path / f"{after}-{fatal}.db", FakeLedger()
        ids = await fill(place, numbered(10))
        run = Run(place, ledger)
        assert isinstance(run.connection, sqlite3.Connection)
        commits = iter(range(1, 10_000))
        run.batches._connection = CrashingConnection(  # type: ignore[assignment]
            run.connection,
            partial(_is_fatal, commits, fatal),
            after,
        )
        crashed = await crashes(run)
        await Run(place, ledger).until_idle()
        assert sorted(ledger.accepted) == sorted({f"ni:///{n}" for n in range(10)}), fatal
        assert {(job.state, job.accepted, job.duplicate) for job in jobs(place, ids)} == {("done", 1, 0)}, fatal
        if not crashed:
            assert fatal > 9
            return
    pytest.fail("the worker has more commits than were tried")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_call_of_the_ledger_loses_and_doubles_nothing(place: Path | str, when: str) -> None:
    for fatal in range(1, 5):
        ledger = FakeLedger(lambda moment, call, fatal=fatal: die(moment == when and call == fatal))  # type: ignore[misc]
        ids = await fill(place, numbered(10))
        crashed = await crashes(Run(place, ledger))
        assert crashed == (fatal <= 3)
        ledger.trouble = lambda moment, call: None
        await Run(place, ledger).until_idle()
        assert ledger.accepted == [f"ni:///{n}" for n in range(10)]
        assert {(job.state, job.accepted, job.duplicate) for job in jobs(place, ids)} == {("done", 1, 0)}


def die(now: bool) -> None:
    if now:
        raise SimulatedCrash


async def crashes(run: Run) -> bool:
    """Drain the lane as the worker does, until it is empty or dead."""
    try:
        while (batch := run.batches.next(Lane("FarmMSP", "scanner"))) is not None:
            await run.submitter.send(batch)
    except SimulatedCrash:
        return True
    finally:
        run.connection.close()
    return False


def _is_fatal(commits: Iterator[int], fatal: int) -> bool:
    """Whether this is the commit to die at."""
    return next(commits) == fatal
