"""The inbox file: what it counts is what is in it, files of earlier versions open, and its writer cannot die unseen."""

from __future__ import annotations

import asyncio
import collections
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import relay.writer
from instance.database import Connection, transaction
from instance.postgres import PostgresConnection
from ledger.schema import NewerSchemaError
from relay.batches import Batches, Lane, Outcome
from relay.inbox import Inbox, InboxFullError, NewJob
from relay.jobs import CAPTURE, Failure, find_job
from relay.schema import STEPS, open_inbox
from relay.shared_schema import fold
from relay.tally import count_by_state, depth, lanes_at_work
from relay.writer import store
from tests.effort import examples

_FIRST_FORM = """
CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, msp TEXT NOT NULL, identity TEXT NOT NULL, function TEXT NOT NULL,
  first_seq INTEGER NOT NULL, nonce BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, error TEXT) STRICT;
CREATE TABLE job (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, function TEXT NOT NULL, msp TEXT NOT NULL,
  identity TEXT NOT NULL, on_error TEXT NOT NULL, payload BLOB, events INTEGER NOT NULL, digest BLOB NOT NULL,
  idempotency_key TEXT, created_at TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
  batch INTEGER REFERENCES batch (id), tx_id TEXT, block INTEGER, accepted INTEGER, duplicate INTEGER, rejected INTEGER,
  verdicts BLOB, failure BLOB, finished_at TEXT) STRICT;
CREATE INDEX job_lane ON job (msp, identity, seq) WHERE state = 'pending';
CREATE INDEX job_batch ON job (batch, seq) WHERE batch IS NOT NULL;
"""


def new_job(payload: bytes = b'[{"n":1}]', **changes: Any) -> NewJob:
    values = {"function": CAPTURE, "msp_id": "FarmMSP", "identity": "scanner", "on_error": "rollback", "events": 1}
    return NewJob(**{**values, "payload": payload, **changes})


def old_file(path: Path, later: str = "") -> None:
    """An inbox of the first version, with a job in each state."""
    connection = sqlite3.connect(path)
    connection.executescript(_FIRST_FORM + later)
    connection.execute(
        "INSERT INTO batch VALUES (7, 'FarmMSP', 'scanner', 'capture', 1, ?, 2, 'Unavailable: no')", (b"n" * 24,)
    )
    rows = [
        (1, "a" * 32, b'[{"n":1}]', 1, "sent", 7, None),
        (2, "b" * 32, b'[{"n":2},{"n":3}]', 2, "pending", None, None),
        (3, "c" * 32, None, 1, "done", None, "2026-05-04T09:00:00.000Z"),
        (4, "d" * 32, b'[{"n":4}]', 1, "failed", None, "2026-05-04T09:00:00.000Z"),
    ]
    connection.executemany(
        "INSERT INTO job (seq, id, payload, events, state, batch, finished_at, function, msp, identity, on_error, digest,"
        " created_at, failure) VALUES (?, ?, ?, ?, ?, ?, ?, 'capture', 'FarmMSP', 'scanner', 'rollback', x'00',"
        " '2026-05-04T08:00:00.000Z', ?)",
        [(*row, b'{"status":403,"code":"x","message":"y"}') for row in rows],
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "later", ["", "ALTER TABLE job ADD COLUMN refused BLOB; ALTER TABLE job ADD COLUMN master_data BLOB;"]
)
def test_a_file_of_an_earlier_version_is_taken_over_with_all_that_waits(tmp_path: Path, later: str) -> None:
    path = tmp_path / "inbox.db"
    old_file(path, later)
    connection = open_inbox(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(STEPS)
    assert count_by_state(connection) == {"sent": 1, "pending": 1, "done": 1, "failed": 1}
    waiting = depth(connection)
    assert (waiting.jobs, waiting.events, waiting.oldest, waiting.alarms) == (2, 3, "2026-05-04T08:00:00.000Z", 1)
    batches = Batches(connection, max_events=10, max_bytes=1000)
    lane = Lane("FarmMSP", "scanner")
    sent = batches.next(lane)
    assert sent is not None
    assert (sent.nonce, [job.payload for job in sent.jobs]) == (b"n" * 24, [b'[{"n":1}]'])
    batches.committed(sent, "tx", 1, {"a" * 32: Outcome(1, 0, 0)})
    fresh = batches.next(lane)
    assert fresh is not None
    assert [job.payload for job in fresh.jobs] == [b'[{"n":2},{"n":3}]']
    failed = find_job(connection, "d" * 32)
    assert failed is not None
    assert failed.failure == Failure(403, "x", "y")
    assert count_by_state(open_inbox(path)) == count_by_state(connection)


def test_a_file_of_a_later_version_is_left_alone_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    open_inbox(path).execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(NewerSchemaError, match="later version"):
        open_inbox(path)


WORK = st.lists(
    st.sampled_from(["scan", "bulk", "register", "commit", "fail", "split", "project", "prune"]), max_size=30
)


@settings(max_examples=examples(100))
@given(steps=WORK)
def test_counters_are_what_counting_would_say_and_turns_keep_their_order(steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        _work(open_inbox(Path(folder) / "inbox.db"), steps)


@pytest.fixture
def database(database_url: str) -> Iterator[Connection]:
    with closing(open_inbox(database_url)) as connection:
        yield connection


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=WORK)
def test_so_it_is_in_a_database(database: Connection, steps: list[str]) -> None:
    assert isinstance(database, PostgresConnection)
    database.execute("TRUNCATE job, batch, payload, tally RESTART IDENTITY")
    with closing(PostgresConnection(database._url)) as another:
        _work(database, steps)
        fold(another)
        check_counters(database)
        fold(database)
        check_counters(another)


def _work(connection: Connection, steps: list[str]) -> None:
    batches = Batches(connection, max_events=30, max_bytes=10**6)
    lane = Lane("FarmMSP", "scanner")
    seen: list[tuple[int, str]] = []
    for step in steps:
        if step in ("scan", "bulk", "register"):
            function = "registerParty" if step == "register" else CAPTURE
            with transaction(connection):
                store(connection, new_job(function=function, events=20 if step == "bulk" else 1))
        elif step == "project":
            batches.projected(1)
        elif step == "prune":
            batches.prune(-1)
        elif (batch := batches.next(lane)) is not None:
            if step == "split" and len(batch.jobs) > 1:
                batches.split(batch)
            elif step == "fail":
                seen += places(connection, batch.jobs)
                batches.failed(batch, Failure(400, "x", "y"), alarm=True)
            else:
                seen += places(connection, batch.jobs)
                batches.committed(batch, "tx", 1, {job.id: Outcome(1, 0, 0) for job in batch.jobs})
    check_counters(connection)
    check_order(seen)


def places(connection: Connection, jobs: Any) -> list[tuple[int, str]]:
    """Place in the order of arrival, and kind."""
    found = []
    for job in jobs:
        row = connection.execute("SELECT seq, function, scan FROM job WHERE id = ?", (job.id,)).fetchone()
        kind = "alone" if row["function"] != CAPTURE else "scan" if row["scan"] else "bulk"
        found.append((row["seq"], kind))
    return found


def check_counters(connection: Connection) -> None:
    rows = connection.execute("SELECT state, events, alarm, created_at, msp, identity FROM job").fetchall()
    assert count_by_state(connection) == dict(collections.Counter(row["state"] for row in rows))
    waiting = [row for row in rows if row["state"] in ("pending", "sent")]
    found = depth(connection)
    assert (found.jobs, found.events) == (len(waiting), sum(row["events"] for row in waiting))
    assert found.oldest == min((row["created_at"] for row in waiting), default=None)
    assert found.alarms == sum(row["alarm"] for row in rows)
    assert lanes_at_work(connection) == {Lane(row["msp"], row["identity"]) for row in waiting}


def check_order(seen: list[tuple[int, str]]) -> None:
    """Scans among themselves and uploads among themselves in the order of arrival; nothing passes a registration. (Jobs
    that failed early come again: only their last time counts.)"""
    last = {seq: index for index, (seq, _) in enumerate(seen)}
    final = [(seq, kind) for index, (seq, kind) in enumerate(seen) if last[seq] == index]
    for kinds in (("bulk",), ("alone",)):
        mine = [seq for seq, kind in final if kind in kinds]
        assert mine == sorted(mine)
    for index, (seq, kind) in enumerate(final):
        if kind == "alone":
            assert all(before < seq for before, _ in final[:index])


async def test_a_fault_while_storing_is_one_requests_and_the_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Connection, job: NewJob) -> relay.writer.Stored:
        if b"bad" in job.payload:
            raise MemoryError
        return store(connection, job)

    monkeypatch.setattr(relay.writer, "store", broken)
    inbox = Inbox(tmp_path / "inbox.db", limit_events=100)
    results = await asyncio.gather(
        *(inbox.put(new_job(payload)) for payload in (b"[1]", b"[bad]", b"[2]")), return_exceptions=True
    )
    assert [isinstance(result, InboxFullError) for result in results] == [False, True, False]
    assert inbox.depth().jobs <= 2
    with pytest.raises(InboxFullError):
        await inbox.put(new_job(b"[bad]"))
    assert "MemoryError" in inbox.trouble
    assert (await inbox.put(new_job(b"[3]"))).fresh
    assert inbox.trouble == ""
    await inbox.close()


async def test_a_fault_outside_a_commit_is_answered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: nobody waits for a thread that is gone."""

    def dies(self: relay.writer.Writer, batch: Any) -> None:
        raise SystemExit

    inbox = Inbox(tmp_path / "inbox.db", limit_events=100)
    with monkeypatch.context() as patch:
        patch.setattr(relay.writer.Writer, "_commit", dies)
        with pytest.raises(InboxFullError):
            await inbox.put(new_job(b"[1]"))
    assert "SystemExit" in inbox.trouble
    assert (await inbox.put(new_job(b"[2]"))).fresh
    assert inbox.trouble == ""
    await inbox.close()


async def test_a_writer_that_is_gone_is_told_and_started_again(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox.db", limit_events=100)
    inbox._writer._queue.put(None)
    await asyncio.to_thread(inbox._writer._thread.join)
    assert "gone" in inbox.trouble
    assert (await inbox.put(new_job())).fresh
    assert inbox.trouble == ""
    await inbox.close()
