"""Keys, tokens, passwords and what others said: nobody but its owner may read what Lotline writes."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OTHERS = 0o077


def write_private(path: Path, content: str | bytes) -> None:
    """A file of mode 600, there whole or not at all: nobody sees it half-written, or readable in between."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(handle)
    unfinished.replace(path)


def close_to_others(folder: Path) -> None:
    """Take everybody else's rights to a folder and all in it, whoever gave them.

    What belongs to another user stays as it is, and links are not followed.
    """
    _close(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _close(Path(parent, name))


def _close(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & _OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
