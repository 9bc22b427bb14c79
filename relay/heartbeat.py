"""What the worker last said about itself."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

# The worker reports every second; three missed reports and it counts as gone.
STALE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The worker about itself."""

    pid: int
    at: float
    height: int | None
    checkpoint: int | None
    failing: list[str] = field(default_factory=list)
    quarantined: int | None = None
    stopped: str = ""
    """Why the read model stands still, in words for everybody."""


def write_heartbeat(path: Path, heartbeat: Heartbeat) -> None:
    """Replace the report in one step, so that no reader meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(orjson.dumps(asdict(heartbeat)))
    os.replace(temporary, path)


def read_heartbeat(path: Path) -> Heartbeat | None:
    """The worker's last report, None if it never made one."""
    with contextlib.suppress(FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return Heartbeat(**orjson.loads(path.read_bytes()))
    return None
