"""Long-running processes that outlive the command that started them, found again by their pid files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.private import write_private
from network.strays import end_strays, mark
from network.waiting import until


@dataclass(frozen=True)
class Record:
    """What is kept of a started process: its start time tells it from another that later got the same pid."""

    pid: int
    started: str


class ProcessError(RuntimeError):
    """A process did not start or ended early; the message holds the end of its log."""


class Processes:
    """Processes by name, with pid files under ``run`` and logs under ``logs``."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        self._run = home / "run"
        self._logs = home / "logs"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start a process unless it runs already."""
        if self.running(name):
            return
        for directory in (self._run, self._logs):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_strays(self._home, name)  # of one that was killed: they hold its port
        given = {"command": list(command), "environment": dict(environment), "folder": str(folder)}
        write_private(self._run / f"{name}.command", json.dumps(given))
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**os.environ, **environment, **mark(self._home, name)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )
        record = {"pid": process.pid, "started": _start_time(process.pid)}
        self._file(name).write_text(json.dumps(record))

    def start_again(self, name: str) -> None:
        """Start a process as it was started last; raises ProcessError if it never was."""
        try:
            given = json.loads((self._run / f"{name}.command").read_text())
        except FileNotFoundError:
            raise ProcessError(f"{name} was never started here") from None
        self.start(name, given["command"], given["environment"], Path(given["folder"]))

    def environment(self, name: str) -> dict[str, str]:
        """The environment that a process was given when it was started last."""
        given: dict[str, str] = json.loads((self._run / f"{name}.command").read_text())["environment"]
        return given

    def known(self) -> list[str]:
        """Every name that was ever started."""
        return sorted(file.name.removesuffix(".command") for file in self._run.glob("*.command"))

    def running(self, name: str) -> bool:
        """Whether the process that was started under this name is alive."""
        record = self._record(name)
        return record is not None and _start_time(record.pid) == record.started

    def older_than(self, name: str, *files: Path) -> bool:
        """Whether a process runs that was started before one of these files was written."""
        started = self._file(name)
        return self.running(name) and any(file.stat().st_mtime > started.stat().st_mtime for file in files)

    def names(self) -> list[str]:
        """Every name that was started and not stopped."""
        return sorted(file.name.removesuffix(".pid") for file in self._run.glob("*.pid"))

    def stop(self, name: str, grace: float = 20.0, kill: bool = False) -> None:
        """End a process (SIGTERM, and SIGKILL after ``grace`` seconds; at once with ``kill``), and what it left behind."""
        record = self._record(name)
        if record is not None and self.running(name):
            os.kill(record.pid, signal.SIGKILL if kill else signal.SIGTERM)
            if not _gone(record, grace):
                os.kill(record.pid, signal.SIGKILL)
                _gone(record, grace)
        end_strays(self._home, name)
        self._file(name).unlink(missing_ok=True)

    def end_strays(self) -> list[int]:
        """End whatever of this home still runs, also what no pid file names; returns their ids."""
        return end_strays(self._home)

    def forget(self, name: str) -> None:
        """End a process and forget that it ever was; its log stays."""
        self.stop(name)
        (self._run / f"{name}.command").unlink(missing_ok=True)

    def pid(self, name: str) -> int:
        """A running process's id; raises ProcessError if it does not run."""
        record = self._record(name)
        if record is None or not self.running(name):
            raise ProcessError(f"{name} does not run")
        return record.pid

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal, for instance SIGSTOP and SIGCONT; raises ProcessError if it does not run."""
        os.kill(self.pid(name), number)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._logs / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of its log."""
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def check(self, name: str) -> None:
        """Raises ProcessError if the process has ended."""
        if not self.running(name):
            raise ProcessError(f"{name} ended; the end of its log ({self.log(name)}):\n{self.tail(name)}")

    def _file(self, name: str) -> Path:
        return self._run / f"{name}.pid"

    def _record(self, name: str) -> Record | None:
        try:
            return Record(**json.loads(self._file(name).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


def _gone(record: Record, seconds: float) -> bool:
    try:
        until(lambda: _start_time(record.pid) != record.started, seconds, f"process {record.pid} to end")
    except TimeoutError:
        return False
    return True


def _start_time(pid: int) -> str:
    """The kernel's start time of a process, empty when it is gone or a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours may be a zombie until somebody looks
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]
