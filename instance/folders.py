"""Folders that are filled whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from instance.settings import SettingsError
from ledger.private import close_to_others

_UNFINISHED = ".unfinished"
_OF_THE_FILE_SYSTEM = "lost+found"


@contextmanager
def vacant(folder: Path, hint: str, beside: Collection[str] = ()) -> Iterator[Path]:
    """A place inside a folder in which there is nothing yet, for what `move_up` makes the folder's: nobody else gets
    one meanwhile. If nothing is moved up, the folder is as before.

    What is named in ``beside`` may be there. Raises `SettingsError` with ``hint`` for a folder that holds anything else.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError):
        raise SettingsError(f"{folder} is no folder", hint) from None
    with _alone(folder):
        allowed = {_UNFINISHED, _OF_THE_FILE_SYSTEM, *beside}
        if there := sorted(entry.name for entry in folder.iterdir() if entry.name not in allowed):
            more = ", …" if len(there) > 3 else ""
            raise SettingsError(f"{folder} is not empty: it holds {', '.join(there[:3])}{more}", hint)
        place = folder / _UNFINISHED
        shutil.rmtree(place, ignore_errors=True)  # of one that was killed
        try:
            place.mkdir(mode=0o700)
            yield place
            close_to_others(folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            if made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def move_up(place: Path, last: str) -> None:
    """Everything in a place of `vacant` becomes the folder's; what says that it is whole goes ``last``."""
    sync(place)
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name == last):
        entry.rename(place.parent / entry.name)
    sync(place.parent)


def sync(path: Path) -> None:
    """What was written to a file, or which files a folder holds, survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SettingsError(f"another command is filling {folder}", "Wait until it is done.") from None
    finally:
        os.close(descriptor)
