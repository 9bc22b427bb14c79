"""A throw-away PostgreSQL on loopback, for as long as the tests run."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Where initdb and pg_ctl are, or None."""
    on_path = shutil.which("pg_ctl")
    if on_path and shutil.which("initdb"):
        return Path(on_path).parent
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return packaged[-1].parent if packaged else None


class Server:
    """A PostgreSQL server in a directory of its own. ``url`` lacks the name of the database, e.g. ``postgres``."""

    def __init__(self, programs: Path, home: Path) -> None:
        self._programs = programs
        self._home = home
        self._user = _unprivileged()
        if self._user is not None:
            shutil.chown(home, self._user)
        self._port = _free_port()
        self.url = f"postgresql://lotline@127.0.0.1:{self._port}"
        self.running = False
        self._run("initdb", "-U", "lotline", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self._port} -c unix_socket_directories={self._home} -c fsync=off"
        )
        self._run("pg_ctl", "-w", "-l", self._home / "log", "-o", options, "start")
        self.running = True

    def stop(self) -> None:
        """Every connection is cut."""
        if self.running:
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
            self.running = False

    def _run(self, program: str, *arguments: object) -> None:
        _run(self._user, self._programs / program, "-D", self._home / "data", *arguments)


@contextmanager
def server(programs: Path) -> Iterator[Server]:
    """A server that runs, and is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="lotline-pg-"))
    try:
        made = Server(programs, home)
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Start a cluster and give the URL of its database ``postgres``, without the name of the database."""
    with server(programs) as made:
        yield made.url


def _unprivileged() -> str | None:
    """PostgreSQL will not run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(user: str | None, *command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
