"""Worker processes for pieces of work. What they answer depends on the piece alone, never on how long it took.

A process that dies (killed for want of memory) is replaced and its piece done again; one that dies on the same piece twice is the
piece's own doing, and its failure is the answer. A piece that does not end is no answer at all: ``StuckError`` after an hour.
"""

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

Work = Callable[[Any, Any], Any]
"""(what all pieces share, the piece) -> answer; a function of a module, run in another process."""
_TRIES = 2
_HANGING = 3600.0


class StuckError(RuntimeError):
    """A piece of work did not end; what is done is kept, and the same command goes on from there."""


@dataclass(frozen=True)
class Result:
    """What became of a piece of work: a value, or the reason why there is none."""

    key: Any
    value: Any = None
    failure: str | None = None


class _Worker:
    def __init__(self, context: BaseContext, work: Work, shared: Any) -> None:
        self.pipe, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far,), daemon=True)  # type: ignore[attr-defined]
        with _not_interrupted():
            self._process.start()
        far.close()
        self.piece: Any = None
        self.since = time.monotonic()
        self.pipe.send((work, shared))

    def give(self, piece: Any) -> None:
        self.piece, self.since = piece, time.monotonic()
        self.pipe.send(piece)

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
    try:
        work, shared = pipe.recv()
        while True:
            piece = pipe.recv()
            try:
                answer: tuple[Any, str | None] = (work(shared, piece), None)
            except Exception as error:
                answer = (None, f"{type(error).__name__}: {error}"[:300])
            pipe.send(answer)
    except (EOFError, BrokenPipeError):
        return


def run_all(pieces: Sequence[Any], work: Work, shared: Any, processes: int) -> Iterator[Result]:
    """Results as they come, each with its piece for a key. Raises StuckError."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # one thread each: the processes are the parallelism, and sums keep their order
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["forecasting.recipe", "statsforecast.models", "statsmodels.api", "lightgbm"])
    waiting, tries = list(reversed(pieces)), dict.fromkeys(pieces, 0)
    workers = [_Worker(context, work, shared) for _ in range(max(1, min(processes, len(pieces))))]
    try:
        while True:
            for worker in workers:
                if worker.piece is None and waiting:
                    _give(worker, waiting.pop(), waiting, workers, lambda: _Worker(context, work, shared))
            busy = [worker for worker in workers if worker.piece is not None]
            if not busy and not waiting:
                return
            yield from _collect(busy, workers, waiting, tries, lambda: _Worker(context, work, shared))
    finally:
        for worker in workers:
            worker.end()


def _give(
    worker: _Worker, piece: Any, waiting: list[Any], workers: list[_Worker], fresh: Callable[[], _Worker]
) -> None:
    try:
        worker.give(piece)
    except (BrokenPipeError, ConnectionResetError):  # died while idle: not the piece's doing
        waiting.append(piece)
        _replace(worker, workers, fresh)


def _collect(
    busy: list[_Worker],
    workers: list[_Worker],
    waiting: list[Any],
    tries: dict[Any, int],
    fresh: Callable[[], _Worker],
) -> Iterator[Result]:
    ready = multiprocessing.connection.wait([worker.pipe for worker in busy], timeout=5.0)
    for worker in busy:
        if worker.pipe not in ready:
            if time.monotonic() - worker.since > _HANGING:
                raise StuckError(f"a fit did not end within an hour ({getattr(worker.piece, 'key', worker.piece)})")
            continue
        piece, worker.piece = worker.piece, None
        try:
            value, failure = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            _replace(worker, workers, fresh)
            tries[piece] += 1
            if tries[piece] < _TRIES:
                waiting.append(piece)
                continue
            value, failure = None, "the worker process died"
        yield Result(piece, None if failure else value, failure)


def _replace(worker: _Worker, workers: list[_Worker], fresh: Callable[[], _Worker]) -> None:
    worker.end()
    workers[workers.index(worker)] = fresh()
