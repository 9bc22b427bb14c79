"""Work in other processes that can be waited for: it has a deadline, and whatever becomes of a process becomes of one call.

The standard library's pool is of one piece: when one of its processes is killed all calls fail, and when one is frozen
they wait for ever. Here each process has a pipe and a thread of its own; one that dies is replaced and its call tried
once more, one that takes too long is killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")
START_SECONDS = 60.0
_NICE = 5
_SPAWN = multiprocessing.get_context("spawn")


class UnavailableError(Exception):
    """The work could not be done now; the message says why."""


class BusyError(UnavailableError):
    """It would have to wait too long."""


class OverrunError(UnavailableError):
    """It took longer than it may."""


class FaultError(Exception):
    """The function raised something; the message is its traceback."""


class _DiedError(Exception):
    pass


class Processes:
    """At most so many processes, started when they are needed; bound to one event loop. ``prepare`` is called first in each."""

    def __init__(self, count: int, prepare: Callable[[], object] | None = None) -> None:
        self._prepare = prepare
        self._threads = ThreadPoolExecutor(count, "processes")
        self._all = [_Process() for _ in range(count)]
        self._idle = list(self._all)
        self._turn = asyncio.Semaphore(count)
        self._closed = False

    async def run(self, function: Callable[..., T], *arguments: Any, seconds: float) -> T:
        """``function(*arguments)`` in one of the processes; both must be picklable. It may wait as long as it may take.

        Raises:
            BusyError: no process was free for so long.
            OverrunError: it took longer than ``seconds``.
            UnavailableError: the process died, and so did the one after it.
            FaultError: the function raised an exception.
        """
        try:
            await asyncio.wait_for(self._turn.acquire(), seconds)
        except TimeoutError:
            raise BusyError(f"nothing was free for it within {seconds:g} s") from None
        process = self._idle.pop()
        try:
            return await self._tried_twice(process, function, arguments, seconds)
        finally:
            self._idle.append(process)
            self._turn.release()

    async def start(self) -> None:
        """Start the first now, so that nobody must wait for it; the others start when several calls come at once."""
        await self.run(os.getpid, seconds=START_SECONDS)

    @property
    def pids(self) -> list[int]:
        """Of those that are running."""
        return [process.pid for process in self._all if process.pid is not None]

    def close(self) -> None:
        """Whatever is under way is given up."""
        self._closed = True
        for process in self._all:
            process.end()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _tried_twice(
        self, process: _Process, function: Callable[..., T], arguments: tuple[Any, ...], seconds: float
    ) -> T:
        for last in (False, True):
            try:
                if not process.running:
                    await self._within(START_SECONDS, process, process.start, self._prepare)
                fine, answer = await self._within(seconds, process, process.ask, (function, arguments))
            except _DiedError:
                process.end()
                if last or self._closed:
                    raise UnavailableError("the process that does this died, and so did the next") from None
                continue
            if not fine:
                raise FaultError(answer)
            return answer  # type: ignore[no-any-return]
        raise AssertionError("unreachable")

    async def _within(self, seconds: float, process: _Process, call: Callable[..., Any], argument: object) -> Any:
        """``call(argument)`` in a thread. What cannot be waited for is ended with its process, so that the thread is free."""
        if self._closed:
            raise UnavailableError("the server is being stopped")
        asked = asyncio.get_running_loop().run_in_executor(self._threads, call, argument)
        try:
            await asyncio.wait([asked], timeout=seconds)
        finally:
            overrun = not asked.done()
            if overrun:
                process.end()
                await asyncio.wait([asked])
                asked.exception()
        if overrun:
            raise OverrunError(f"it took longer than {seconds:g} s")
        return asked.result()


class _Process:
    """One of them. ``start`` and ``ask`` block and are for a thread; ``end`` makes them fail from anywhere."""

    def __init__(self) -> None:
        self._process: Any = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()
        self._ends = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.running else None

    def start(self, prepare: Callable[[], object] | None) -> None:
        """Returns when it is ready for work."""
        self.end()
        ends = self._ends
        ours, its = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(its, prepare), daemon=True)
        self._pipe = ours
        try:
            process.start()
        except OSError as error:
            raise _DiedError from error
        finally:
            its.close()
        with self._lock:
            self._process = process
            ended = self._ends != ends
        if ended:
            self.end()
        self._received(ours)

    def ask(self, task: object) -> Any:
        """Its answer to a task."""
        pipe = self._pipe
        if pipe is None:
            raise _DiedError
        try:
            pipe.send(task)
        except OSError as error:
            raise _DiedError from error
        return self._received(pipe)

    def end(self) -> None:
        """Kill it, if it is there."""
        with self._lock:
            self._ends += 1
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()

    @staticmethod
    def _received(pipe: Connection) -> Any:
        try:
            return pipe.recv()
        except (OSError, EOFError) as error:
            pipe.close()
            raise _DiedError from error


def _work(pipe: Connection, prepare: Callable[[], object] | None) -> None:
    """The life of a process: it ends when nobody is at the other end of its pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a whole terminal: the parent ends it
    if hasattr(os, "nice"):
        os.nice(_NICE)
    if prepare is not None:
        prepare()
    pipe.send(None)
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*arguments))
        except Exception:
            answer = (False, traceback.format_exc())
        try:
            pipe.send(answer)
        except BrokenPipeError:
            return
