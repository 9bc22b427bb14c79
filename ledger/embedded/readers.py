"""Threads that read the ledger's file, each over a connection of its own, so that nobody waits for a long question."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ledger.embedded.store import Store, file_errors

Answer = TypeVar("Answer")
Question = Callable[[Store], Answer]
_THREADS = 4


class Readers:
    """Questions to the file at ``path``, answered off the event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()
        self._stores: list[Store] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledger-reader")

    async def ask(self, question: Question[Answer]) -> Answer:
        """The answer; raises Unavailable where the file can't be read."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    def _answer(self, question: Question[Answer]) -> Answer:
        with file_errors():
            store: Store | None = getattr(self._mine, "store", None)
            if store is None:
                store = self._mine.store = Store(self._path, read_only=True)
                self._stores.append(store)
            return question(store)

    def close(self) -> None:
        """Wait for questions under way, then let go of the file."""
        self._threads.shutdown()
        for store in self._stores:
            store.close()
