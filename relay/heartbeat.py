"""What the worker last said about itself."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

# The worker reports every second; with none for so long it is gone, hangs, or gets no turn at all.
STALE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The worker about itself. Times are seconds since 1970."""

    pid: int
    at: float
    height: int | None
    checkpoint: int | None
    failing: list[str] = field(default_factory=list)
    quarantined: int | None = None
    stopped: str = ""
    """Why the read model stands still, in words for everybody."""
    busy_seconds: float = 0.0
    """For how long its event loop has not had a turn."""
    started_at: float | None = None
    committed_at: float | None = None
    """When the ledger last took something from here."""
    projected_at: float | None = None
    """When the read model last moved, or was where the ledger is."""
    unwritable: str = ""
    """Why the inbox cannot be written, in words for everybody."""
    waiting: list[str] = field(default_factory=list)
    """Who cannot write to the ledger just now, and which single jobs are held, in words for everybody."""
    ordering: str = ""
    """Why nothing is ordered, by name (`ledger.port`)."""
    clock: str = ""
    """Why this machine's clock, or another's, seems wrong."""
    ending: list[tuple[str, str, float]] = field(default_factory=list)
    """Certificates that have ended or will soon: organisation, identity, when."""


def write_heartbeat(path: Path, heartbeat: Heartbeat) -> None:
    """Replace the report in one step, so that no reader meets half of it. On a full disk it is written over the last one:
    that takes no room, and a worker that cannot say that the disk is full would be taken for dead."""
    content = orjson.dumps(asdict(heartbeat))
    temporary = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError), path.open("r+b") as file:
            file.write(content)
            file.truncate()


def read_heartbeat(path: Path) -> Heartbeat | None:
    """The worker's last report, None if it never made one."""
    with contextlib.suppress(FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return Heartbeat(**orjson.loads(path.read_bytes()))
    return None


def process_lives(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
