"""Worker processes that can be given up: a fit that hangs is killed, and the next task gets a new process."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from typing import Any

Work = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """A call of a module-level function. ``key`` comes back with the result."""

    key: Any
    work: Work
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Result:
    """What became of a task: a value, or the reason why there is none."""

    key: Any
    value: Any = None
    failure: str | None = None


class _Worker:
    def __init__(self, context: BaseContext) -> None:
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)  # type: ignore[attr-defined]
        with _not_interrupted():
            self._process.start()
        far.close()
        self.task: Task | None = None
        self.deadline = 0.0

    def give(self, task: Task, seconds: float) -> None:
        self.task, self.deadline = task, time.monotonic() + seconds
        self.pipe.send((task.work, task.arguments))

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """What is started here never gets Ctrl-C, which is for this process alone: it ends the others. One that is just starting
    would say so with a fatal error of the interpreter."""
    resource_tracker.ensure_running()  # would take the mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    while True:
        try:
            work, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer: tuple[Any, str | None] = (work(*arguments), None)
        except Exception as error:
            answer = (None, f"{type(error).__name__}: {error}"[:300])
        pipe.send(answer)


def run_all(tasks: Sequence[Task], processes: int, seconds: float, until: float | None = None) -> Iterator[Result]:
    """Results as they come. A task may take ``seconds``; none is begun after ``until`` (``time.monotonic``).

    Tasks that were not begun give no result at all.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # one thread each: the processes are the parallelism
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["forecasting.models", "statsforecast.models", "statsmodels.tsa.api"])
    waiting = list(reversed(tasks))
    workers = [_Worker(context) for _ in range(min(processes, len(tasks)))]
    try:
        while True:
            for worker in workers:
                if worker.task is None and waiting and (until is None or time.monotonic() < until):
                    worker.give(waiting.pop(), seconds)
            busy = [worker for worker in workers if worker.task is not None]
            if not busy:
                return
            yield from _collect(busy, workers, context)
    finally:
        for worker in workers:
            worker.end()


def _collect(busy: list[_Worker], workers: list[_Worker], context: BaseContext) -> Iterator[Result]:
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready = multiprocessing.connection.wait([worker.pipe for worker in busy], timeout=patience)
    now = time.monotonic()
    for worker in busy:
        task = worker.task
        assert task is not None
        if worker.pipe in ready:
            worker.task = None
            try:
                value, failure = worker.pipe.recv()
            except EOFError:
                failure = "the worker process died"
                _replace(worker, workers, context)
            yield Result(task.key, None if failure else value, failure)
        elif now >= worker.deadline:
            _replace(worker, workers, context)
            yield Result(task.key, failure="it took too long")


def _replace(worker: _Worker, workers: list[_Worker], context: BaseContext) -> None:
    worker.end()
    workers[workers.index(worker)] = _Worker(context)
