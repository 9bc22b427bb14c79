"""Copies of files, each with what it takes to see later that it is the same: databases while others write to them."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from instance.folders import sync
from ledger.readonly import open_reader

_CHUNK = 1 << 20
_MAGIC = b"SQLite format 3\0"


class Copied(BaseModel):
    """What is known of a file that was copied."""

    model_config = ConfigDict(frozen=True)

    size: int = Field(ge=0)
    sha256: str
    mode: int = Field(ge=0)
    """The owner's rights: others have none."""


def is_database(file: Path) -> bool:
    """Whether a file is one of SQLite's."""
    with file.open("rb") as content:
        return content.read(len(_MAGIC)) == _MAGIC


def copy_database(source: Path, target: Path) -> Copied:
    """A database as it is at one moment, in one file, whoever writes to it meanwhile: nobody waits for the other."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(open_reader(source)) as reader, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        reader.backup(copy)  # in one go: begun anew at each commit of others, it would never end
        copy.execute("PRAGMA journal_mode=DELETE")  # no files beside it, so that it can be read where nobody may write
    return _sealed(target, source)


def seal_database(target: Path) -> Copied:
    """A database that was just made, and that nobody has open."""
    with closing(sqlite3.connect(target, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=DELETE")
    return _sealed(target, target)


def copy_file(source: Path, target: Path) -> Copied:
    """A file that is not a database, or a database that nobody has open."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as given, os.fdopen(handle, "wb") as copy:
        while chunk := given.read(_CHUNK):
            copy.write(chunk)
    return _sealed(target, source)


def _sealed(target: Path, source: Path) -> Copied:
    mode = stat.S_IMODE(source.stat().st_mode) & 0o700
    target.chmod(mode | 0o400)
    sync(target)
    digest = hashlib.sha256()
    with target.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
        return Copied(size=content.tell(), sha256=digest.hexdigest(), mode=mode)
