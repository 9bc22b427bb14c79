"""What several workers on one database say about themselves, and what of that is true of the instance.

Times are those of the database's clock: hosts may differ.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

import orjson
import structlog

from instance.database import Connection, transaction
from instance.postgres import PostgresError
from instance.settings import Settings
from relay.heartbeat import STALE_SECONDS, Heartbeat
from relay.shared_schema import open_shared

Number = TypeVar("Number", int, float)
One = TypeVar("One")
# A worker that has not reported for so long is forgotten.
FORGOTTEN_SECONDS = 3600
REPORT_SECONDS = 1.0

log = structlog.get_logger("lotline.worker")


class Sender:
    """Puts a worker's report into the database once a second, on a thread of its own: whatever becomes of the database, the
    worker's file tells the supervisor that it lives."""

    def __init__(self, settings: Settings, report: Callable[[], Heartbeat]) -> None:
        self._url = settings.database_url
        self._name = f"{socket.gethostname()} {settings.home}"
        self._report = report
        self._ended = threading.Event()
        threading.Thread(target=self._send, name="report-sender", daemon=True).start()

    def stop(self) -> None:
        """No more reports."""
        self._ended.set()

    def _send(self) -> None:
        connection = None
        while not self._ended.is_set():
            try:
                connection = connection or open_shared(self._url)
                write_report(connection, self._name, self._report())
            except PostgresError as error:
                log.warning("report could not be shared", error=str(error))
            self._ended.wait(REPORT_SECONDS)
        if connection is not None:
            connection.close()


def write_report(connection: Connection, name: str, heartbeat: Heartbeat) -> None:
    """Replace the report of the worker of that name."""
    with transaction(connection, durable=False):
        connection.execute(
            "INSERT INTO worker VALUES (?, now(), ?) ON CONFLICT (name) DO UPDATE SET at = now(), report = excluded.report",
            (name, orjson.dumps(asdict(heartbeat))),
        )
        connection.execute("DELETE FROM worker WHERE at < now() - make_interval(secs => ?)", (FORGOTTEN_SECONDS,))


def read_reports(connection: Connection) -> list[Heartbeat]:
    """The last report of each, the newest first, as if this host's clock had measured."""
    now = time.time()
    found = []
    for age, report in connection.execute("SELECT extract(epoch FROM now() - at), report FROM worker ORDER BY at DESC"):
        heartbeat = Heartbeat(**orjson.loads(report))
        shift = now - float(age) - heartbeat.at
        found.append(
            replace(
                heartbeat,
                at=heartbeat.at + shift,
                started_at=_shifted(heartbeat.started_at, shift),
                committed_at=_shifted(heartbeat.committed_at, shift),
                projected_at=_shifted(heartbeat.projected_at, shift),
            )
        )
    return found


def together(heartbeats: Sequence[Heartbeat], at: float | None = None) -> Heartbeat | None:
    """The state of an instance with several workers: that of the newest report, with what only another one that is alive
    knows."""
    at = time.time() if at is None else at
    alive = [heartbeat for heartbeat in heartbeats if at - heartbeat.at < STALE_SECONDS]
    if not alive:
        return max(heartbeats, key=lambda heartbeat: heartbeat.at, default=None)
    newest = max(alive, key=lambda heartbeat: heartbeat.at)
    return replace(
        newest,
        height=_most(heartbeat.height for heartbeat in alive),
        checkpoint=_most(heartbeat.checkpoint for heartbeat in alive),
        quarantined=_most(heartbeat.quarantined for heartbeat in alive),
        started_at=_least(heartbeat.started_at for heartbeat in alive),
        committed_at=_most(heartbeat.committed_at for heartbeat in alive),
        projected_at=_most(heartbeat.projected_at for heartbeat in alive),
        busy_seconds=min(heartbeat.busy_seconds for heartbeat in alive),
        failing=_all(heartbeat.failing for heartbeat in alive),
        waiting=_all(heartbeat.waiting for heartbeat in alive),
        ending=_all(heartbeat.ending for heartbeat in alive),
        stopped=_first(heartbeat.stopped for heartbeat in alive),
        unwritable=_first(heartbeat.unwritable for heartbeat in alive),
        ordering=_first(heartbeat.ordering for heartbeat in alive),
        clock=_first(heartbeat.clock for heartbeat in alive),
    )


def _shifted(moment: float | None, shift: float) -> float | None:
    return None if moment is None else moment + shift


def _most(values: Iterable[Number | None]) -> Number | None:
    return max((value for value in values if value is not None), default=None)


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _all(lists: Iterable[list[One]]) -> list[One]:
    """Each once, in their order."""
    found: list[One] = []
    for one in (one for many in lists for one in many):
        if one not in found:
            found.append(one)
    return found


def _first(words: Iterable[str]) -> str:
    return next(filter(None, words), "")
