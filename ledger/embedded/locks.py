"""One writer at a time."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from ledger.errors import Unavailable


def writer_lock(directory: Path) -> IO[str]:
    """Held until it is closed, or its process ends, however that happens. Raises Unavailable if another holds it."""
    file = (directory / "writer.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Unavailable(f"another process writes to the ledger in {directory}") from None
    return file
