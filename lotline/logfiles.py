"""What processes write to, bounded in size: a log never fills the disk that scans need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO

LIMIT_BYTES = 20 * 2**20
KEPT = 3


def open_log(path: Path) -> IO[bytes]:
    """The log of a process, to be appended to."""
    rotate(path)
    return path.open("ab")


def rotate(path: Path, limit: int = LIMIT_BYTES, kept: int = KEPT) -> None:
    """Move what is in a log of more than ``limit`` bytes to ``NAME.1``, what was there to ``NAME.2``, and so on.

    The process goes on writing to the same open file, which is emptied: it appends, so its next line is the first one. On a
    full disk the old lines are dropped, not kept: room is what is wanted then.
    """
    if not path.exists() or path.stat().st_size <= limit:
        return
    for number in range(kept - 1, 0, -1):
        older = _numbered(path, number)
        if older.exists():
            older.replace(_numbered(path, number + 1))
    try:
        shutil.copyfile(path, _numbered(path, 1))
    except OSError:
        _numbered(path, 1).unlink(missing_ok=True)
    os.truncate(path, 0)


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
