"""An inbox moved, or copied, from one place to another: a file, or a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from instance.database import Connection, transaction
from instance.postgres import PostgresConnection

PAGE = 500
_BATCH = "msp, identity, function, nonce, attempts, error, doubted"
_JOB = (
    "id, function, msp, identity, on_error, events, size, scan, digest, idempotency_key, created_at, state, alarm, tx_id, block,"
    " accepted, duplicate, rejected, failure, finished_at, refused, verdicts"
)


def copy_inbox(source: Connection, target: Connection) -> int:
    """Put every job of one inbox behind those of another, in their order, with what is known of them; returns how many. Jobs that
    the target has already are left out, so that it can be done again after a failure. The source is read as it is at one
    moment."""
    count = 0
    batches: dict[int, int] = {}
    with _one_moment(source):
        for page in _pages(source):
            with transaction(target):
                count += sum(_copy(source, target, row, batches) for row in page)
    return count


def _copy(source: Connection, target: Connection, row: Any, batches: dict[int, int]) -> bool:
    values = dict(row)
    del values["seq"]
    batch, content, master_data = (values.pop(name) for name in ("batch", "content", "master_data"))
    if target.execute("SELECT 1 FROM job WHERE id = ?", (values["id"],)).fetchone() is not None:
        return False
    (place,) = target.execute(
        f"INSERT INTO job ({_JOB}) VALUES ({', '.join('?' * len(values))}) RETURNING seq", list(values.values())
    ).fetchone()
    if content is not None:
        target.execute("INSERT INTO payload VALUES (?, ?, ?)", (place, content, master_data))
    if batch is not None:
        target.execute("UPDATE job SET batch = ? WHERE seq = ?", (_batch(source, target, batch, place, batches), place))
    return True


def _batch(source: Connection, target: Connection, batch: int, place: int, known: dict[int, int]) -> int:
    """The target's copy of a batch, made with its first job: the same transaction, should it have been sent."""
    if batch not in known:
        row = source.execute(f"SELECT {_BATCH} FROM batch WHERE id = ?", (batch,)).fetchone()
        known[batch] = _known_batch(target, row["nonce"]) or _new_batch(target, tuple(row), place)
    return known[batch]


def _known_batch(target: Connection, nonce: bytes) -> int | None:
    row = target.execute("SELECT id FROM batch WHERE nonce = ?", (nonce,)).fetchone()
    return None if row is None else int(row[0])


def _new_batch(target: Connection, values: tuple[Any, ...], place: int) -> int:
    (made,) = target.execute(
        f"INSERT INTO batch ({_BATCH}, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id", (*values, place)
    ).fetchone()
    return int(made)


def _pages(source: Connection) -> Iterator[list[Any]]:
    last = 0
    while True:
        rows = source.execute(
            f"SELECT job.seq, {_JOB}, batch, content, master_data FROM job LEFT JOIN payload ON payload.seq = job.seq"
            " WHERE job.seq > ? ORDER BY job.seq LIMIT ?",
            (last, PAGE),
        ).fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1]["seq"]


@contextmanager
def _one_moment(source: Connection) -> Iterator[None]:
    if isinstance(source, PostgresConnection):
        with source.snapshot():
            yield
        return
    source.execute("BEGIN")
    try:
        yield
    finally:
        source.execute("ROLLBACK")
