"""How the HTTP process reads the inbox.

A file is read at once, on the event loop: that takes microseconds. A database may be away, or not answer at all, and then only
those who asked for something wait: questions go by a thread, and what is counted is counted by another, once a second.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from instance.database import DATABASE_ERRORS, Connection, words
from relay.heartbeat import Heartbeat
from relay.schema import open_inbox
from relay.shared_schema import open_shared
from relay.tally import Depth, count_by_state, depth
from relay.workers import read_reports

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 10.0
# So long after the last count nobody knows what waits.
OLD_SECONDS = 10.0

Answer = TypeVar("Answer")
log = structlog.get_logger("lotline.inbox")


class ReadError(Exception):
    """The database does not answer."""


class FileReader:
    """Reads an inbox file."""

    def __init__(self, path: Path, autocheckpoint: int) -> None:
        self._path = path
        self._connection = open_inbox(path, autocheckpoint=autocheckpoint)
        self._depth = depth(self._connection)
        self._counted = time.monotonic()
        self.trouble = ""

    async def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        """What is found by index."""
        return question(self._connection)

    async def ask_slowly(self, question: Callable[[Connection], Answer]) -> Answer:
        """What may wait for the file."""

        def elsewhere() -> Answer:
            connection = open_inbox(self._path)
            try:
                return question(connection)
            finally:
                connection.close()

        return await asyncio.to_thread(elsewhere)

    def depth(self) -> Depth:
        if time.monotonic() - self._counted > LOOK_SECONDS:
            self._counted = time.monotonic()
            try:
                self._depth, self.trouble = depth(self._connection), ""
            except DATABASE_ERRORS as error:
                self.trouble = f"the inbox cannot be read: {words(error)}"
        return self._depth

    def states(self) -> dict[str, int]:
        return count_by_state(self._connection)

    def workers(self) -> list[Heartbeat]:
        return []

    def close(self) -> None:
        self._connection.close()


class SharedReader:
    """Reads an inbox in a database. Raises `PostgresError` when that is away at the start."""

    def __init__(self, url: str) -> None:
        self._connection = open_shared(url)
        self._counting = open_shared(url)
        self._asker = ThreadPoolExecutor(1, "inbox-reader")
        self._ended = threading.Event()
        self._at = 0.0
        self._trouble = ""
        self._count()
        self._thread = threading.Thread(target=self._go_on_counting, name="inbox-counter", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        age = time.monotonic() - self._at
        if self._trouble or age < OLD_SECONDS:
            return self._trouble
        return f"the inbox's database has not answered for {age:.0f} s"

    async def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._asker, question, self._connection), ANSWER_SECONDS)
        except TimeoutError:
            raise ReadError(f"the inbox's database does not answer within {ANSWER_SECONDS:g} s") from None

    ask_slowly = ask

    def depth(self) -> Depth:
        return self._depth

    def states(self) -> dict[str, int]:
        return self._states

    def workers(self) -> list[Heartbeat]:
        """With their age as it is now, whatever their hosts' clocks say."""
        return self._workers

    def close(self) -> None:
        self._ended.set()
        self._asker.shutdown(wait=False, cancel_futures=True)
        self._connection.close()
        self._counting.close()

    def _go_on_counting(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._count()
                self._trouble = ""
            except Exception as error:
                self._trouble = f"the inbox cannot be read: {words(error)}"
                log.warning("inbox cannot be read", error=str(error))

    def _count(self) -> None:
        self._depth = depth(self._counting)
        self._states = count_by_state(self._counting)
        self._workers = read_reports(self._counting)
        self._at = time.monotonic()


Reader: TypeAlias = FileReader | SharedReader
