"""SQLite files for those who only read: beside a writer, or in a copy that nobody may write."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_BUSY_SECONDS = 30


class UnfinishedCopyError(RuntimeError):
    """A copy of a file whose last changes are still beside it, where they can't be brought in."""


def is_read_only(path: Path) -> bool:
    """Whether there is such a file and this user may not write it, or not make the files that SQLite needs beside it."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that reads. In a folder that can't be written nobody else writes either: no lock is taken.

    Raises `UnfinishedCopyError` where that would hide the last changes.
    """
    mode = "mode=ro"
    if is_read_only(path):
        unfinished = path.with_name(path.name + "-wal")
        if unfinished.exists() and unfinished.stat().st_size:
            raise UnfinishedCopyError(
                f"{path} was copied while it was written to: its last changes are in {unfinished.name}, and this folder can only be read"
            )
        mode = "immutable=1"
    # `?`, `#` and `%` mean something in a URI: never the path as it is
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)
