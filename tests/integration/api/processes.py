"""Real processes of an instance, to be killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx


class Process:
    """A child process with its output in a file."""

    def __init__(self, module: str, home: Path, *arguments: str) -> None:
        self.log = home / "logs" / f"{module}.out"
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", module, "--home", str(home), *arguments]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)

    def kill(self) -> None:
        """No last words."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> int:
        """A polite end; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self.alive:
            self.kill()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition; AssertionError when it never comes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.01)


def answers(url: str) -> bool:
    """Whether the HTTP process is there."""
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False
