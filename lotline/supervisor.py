"""Keeps the processes of an instance running: starts them in order, restarts what dies or hangs, ends them cleanly.

The supervisor holds a lock on ``HOME/run/up.lock`` for as long as it lives, so that "is it up?" has one
answer that a crash can't falsify. ``HOME/run/up.json`` says what runs, ``HOME/run/<service>.pid`` which
process it is.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import FrameType
from typing import IO

import orjson

from lotline.errors import UnavailableError
from lotline.logfiles import open_log, rotate
from lotline.pulses import Pulses

FIRST_BACKOFF = 0.5
LAST_BACKOFF = 30.0
# A service that lived this long was well; its next crash starts the back-off anew.
STEADY_SECONDS = 60.0
STOP_SECONDS = 20.0
READY_SECONDS = 90.0
LOGS_SECONDS = 5.0
_TICK = 0.2
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Service:
    """One child process. ``ready`` is asked until it says yes; it must not block for long. ``sign`` is a sign of life: None
    when there is none, else something new each time; a process without a new one for ``patience`` seconds hangs and is
    started again."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    sign: Callable[[], object | None] | None = None
    patience: float = 60.0


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes]
    started: float
    restarts: int = 0
    backoff: float = FIRST_BACKOFF
    restart_at: float | None = None
    pulses: Pulses | None = None

    def listen(self) -> None:
        """To its signs of life, from now on."""
        self.deaf()
        if self.service.sign is not None:
            self.pulses = Pulses(self.service.sign)

    def deaf(self) -> None:
        """No more."""
        if self.pulses is not None:
            self.pulses.stop()
        self.pulses = None

    @property
    def hangs(self) -> bool:
        return self.pulses is not None and self.pulses.silent_seconds > self.service.patience


class Supervisor:
    """Runs services until told to stop (`stop`, SIGTERM or SIGINT)."""

    def __init__(self, run_dir: Path, logs_dir: Path, services: Sequence[Service], tell: Callable[[str], None]) -> None:
        self._run_dir = run_dir
        self._logs_dir = logs_dir
        self._services = services
        self._tell = tell
        self._children: list[_Child] = []
        self._stopping = Event()
        self._ready = False
        self._logs_looked_at = 0.0
        for directory in (run_dir, logs_dir):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Start everything, call ``on_ready`` once all are ready, then watch until stopped.

        Raises `UnavailableError` when another supervisor holds this home or a service does not become ready.
        """
        with held_lock(self._run_dir), self._signals():
            try:
                self._start_all()
                if not self._stopping.is_set():
                    self._ready = True
                    self._record()
                    on_ready()
                while not self._stopping.wait(_TICK):
                    self._watch()
            finally:
                self._stop_all()

    def stop(self) -> None:
        """Ask the running supervisor to end its services and return."""
        self._stopping.set()

    def _start_all(self) -> None:
        for service in self._services:
            child = _Child(service, self._spawn(service), time.monotonic())
            self._children.append(child)
            self._record()
            self._await_ready(child)
            child.listen()
            if self._stopping.is_set():
                return

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        with open_log(self._log_of(service.name)) as log:
            process = start_bound(service.command, log, service.environment)
        _pid_file(self._run_dir, service.name).write_text(f"{process.pid}\n")
        return process

    def _await_ready(self, child: _Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not child.service.ready():
            if self._stopping.wait(_TICK / 2):
                return
            if child.process.poll() is not None:
                raise UnavailableError(
                    f"{child.service.name} ended with code {child.process.returncode} before it was ready",
                    hint=f"Its last words:\n{self._last_words(child.service.name)}",
                )
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{child.service.name} was not ready within {READY_SECONDS:.0f} s",
                    hint=f"Its last words:\n{self._last_words(child.service.name)}",
                )

    def _last_words(self, name: str) -> str:
        path = self._log_of(name)
        lines = path.read_text(errors="replace").splitlines()[-8:] if path.exists() else []
        return "\n".join([*lines, f"(all of it: {path})"])

    def _log_of(self, name: str) -> Path:
        return self._logs_dir / f"{name}.out"

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._logs_looked_at > LOGS_SECONDS:
            self._logs_looked_at = now
            self._rotate_logs()
        for child in self._children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    self._restart(child)
            elif child.process.poll() is not None:
                self._plan_restart(child, now)
            elif child.hangs:
                self._tell(f"{child.service.name} gave no sign of life for {child.service.patience:.0f} s and is ended")
                child.deaf()
                _kill(child.process)

    def _rotate_logs(self) -> None:
        for child in self._children:
            with suppress(OSError):
                rotate(self._log_of(child.service.name))

    def _plan_restart(self, child: _Child, now: float) -> None:
        if now - child.started > STEADY_SECONDS:
            child.backoff = FIRST_BACKOFF
        self._tell(
            f"{child.service.name} ended with code {child.process.returncode}; starting it again in {child.backoff:g} s"
        )
        child.restart_at = now + child.backoff
        child.backoff = min(LAST_BACKOFF, child.backoff * 2)

    def _restart(self, child: _Child) -> None:
        child.restart_at = None
        child.deaf()
        child.process = self._spawn(child.service)
        child.started = time.monotonic()
        child.restarts += 1
        child.listen()
        self._record()

    def _stop_all(self) -> None:
        """Last started, first ended: nobody loses what it depends on."""
        for child in reversed(self._children):
            child.deaf()
            end(child.process)
            _pid_file(self._run_dir, child.service.name).unlink(missing_ok=True)
        self._children.clear()
        (self._run_dir / "up.json").unlink(missing_ok=True)

    def _record(self) -> None:
        services = {
            child.service.name: {
                "pid": child.process.pid,
                "restarts": child.restarts,
                "url": child.service.url,
            }
            for child in self._children
        }
        content = orjson.dumps(
            {"pid": os.getpid(), "ready": self._ready, "services": services}, option=orjson.OPT_INDENT_2
        )
        scratch = self._run_dir / "up.json.new"
        scratch.write_bytes(content)
        scratch.replace(self._run_dir / "up.json")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(signum: int, frame: FrameType | None) -> None:
            self._stopping.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def held_lock(run_dir: Path) -> Iterator[None]:
    """Hold the home's supervisor lock; `UnavailableError` when another process does."""
    with (run_dir / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(
                f"this instance is up already (process {running(run_dir).get('pid', '?')})",
                hint="`lotline status` shows it, `lotline down` stops it.",
            ) from None
        (run_dir / "up.json").unlink(missing_ok=True)
        yield


def is_up(run_dir: Path) -> bool:
    """Whether a supervisor runs for this home."""
    path = run_dir / "up.lock"
    if not path.exists():
        return False
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def running(run_dir: Path) -> dict[str, object]:
    """What the supervisor wrote about itself; empty when nothing runs."""
    with suppress(FileNotFoundError, orjson.JSONDecodeError):
        content: dict[str, object] = orjson.loads((run_dir / "up.json").read_bytes())
        return content
    return {}


def stop(run_dir: Path, seconds: float = 3 * STOP_SECONDS) -> bool:
    """Stop the supervisor of this home and wait until it is gone; False when none ran."""
    if not is_up(run_dir):
        return False
    pid = running(run_dir).get("pid")
    if isinstance(pid, int):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_up(run_dir):
        if time.monotonic() > deadline:
            raise UnavailableError(f"process {pid} did not stop within {seconds:.0f} s")
        time.sleep(_TICK / 4)
    return True


def _pid_file(run_dir: Path, name: str) -> Path:
    return run_dir / f"{name}.pid"


def start_bound(
    command: Sequence[str], log: IO[bytes], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive this one, writing all its words to ``log``."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, **(environment or {})},
        start_new_session=True,  # Ctrl-C reaches the parent alone, which ends its children in order
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then insist; the whole session, since a server may have children of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


def _kill(process: subprocess.Popen[bytes]) -> None:
    """At once, with its children: one that hangs, or was stopped, does not hear a request."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)


def _die_with_parent() -> None:
    """Linux: a child whose supervisor is killed outright gets SIGTERM instead of living on unseen."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
