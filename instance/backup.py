"""A copy of a home that belongs together, taken while it is at work, and a home made of one.

The order is what makes it whole. An accepted job is in the inbox until the ledger has it and the read model shows it; only
then its content leaves the inbox. So the inbox is copied first and the ledger last: a job that is no more in the one copy is in
the other. A job in both is sent again after restoring, and the ledger takes nothing twice. The read model comes in between: it
never shows a block that the ledger's copy lacks.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from instance.copies import Copied, copy_database, copy_file, is_database, seal_database
from instance.folders import move_up, vacant
from instance.settings import CONFIG_FILE, Settings
from instance.tokens import TokenStore, open_tokens
from ledger.embedded.store import Store
from ledger.private import write_private
from ledger.readonly import open_reader

MANIFEST = "manifest.json"
_INBOX, _TOKENS, _READMODEL, _LEDGER = "inbox.db", "tokens.db", "readmodel.db", "ledger/ledger.db"
_FIRST, _LAST = (_INBOX, _READMODEL), (_LEDGER,)
# What processes say of themselves, a network's own home, and what is being made.
_NOT_OF_IT = ("logs", "run", "network", "lost+found", ".unfinished")
_PASSING = ("-wal", "-shm", "-journal", ".new", "writer.lock")


class BackupError(Exception):
    """A backup that can't be taken, or that is not what it was; the message says what is wrong."""


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name != str(path) or "\\" in name or name in ("", "."):
        raise ValueError("a path that leaves its folder")
    return name


class Block(BaseModel):
    """A block, and the hash of its header."""

    number: int
    hash: str


class Manifest(BaseModel):
    """What a backup is, in `MANIFEST` beside its files."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    lotline: str
    begun: datetime
    """All that was accepted before is in it."""
    ended: datetime
    ledger: Literal["embedded", "fabric"]
    ledger_block: Block | None
    """The ledger's last block, None for a ledger that is not in the home."""
    read_model_block: Block | None
    """The last block in the read model's copy, None where it has none."""
    read_model: Literal["copied", "elsewhere"]
    files: dict[Annotated[str, AfterValidator(_inside)], Copied]


def back_up(
    settings: Settings,
    target: Path,
    say: Callable[[str], None] = lambda _: None,
    copy_shared: Callable[[Path], None] = lambda _: None,
) -> Manifest:
    """Copy a home into a new or empty folder, whether or not it is up. ``copy_shared`` is given the path of an inbox file, to
    be filled from an inbox that is in a database. Raises `BackupError`, `SettingsError`.
    """
    target = target.expanduser().resolve()
    if target.is_relative_to(settings.home):
        raise BackupError(f"{target} lies in the home that is to be copied: name a folder elsewhere")
    begun = datetime.now(UTC)
    with vacant(target, "Name a new or empty folder.") as place:
        files: dict[str, Copied] = {}
        if settings.shared:
            copy_shared(place / _INBOX)
            with closing(open_tokens(settings.tokens_place)) as tokens, closing(TokenStore(place / _TOKENS)) as copy:
                tokens.copy_to(copy)
            files |= {name: seal_database(place / name) for name in (_INBOX, _TOKENS)}
        for name in _in_order(set(_files(settings.home)) - files.keys()):
            say(name)
            try:
                copied = _copy(settings.home / name, place / name)
            except FileNotFoundError:
                continue  # gone since it was listed
            except sqlite3.Error as error:
                raise BackupError(f"{settings.home / name} can't be copied: {error}") from error
            files[name] = copied
        manifest = Manifest(
            lotline=version("lotline"),
            begun=begun,
            ended=datetime.now(UTC),
            ledger=settings.ledger.kind,
            ledger_block=_ledger_block(place / _LEDGER),
            read_model_block=_read_model_block(place / _READMODEL),
            read_model="elsewhere" if settings.database_url else "copied",
            files=files,
        )
        write_private(place / MANIFEST, manifest.model_dump_json(indent=1))
        move_up(place, MANIFEST)
    return manifest


def restore(source: Path, home: Path, beside: Collection[str] = ()) -> Manifest:
    """Make a home of a backup, once every file is seen to be what it was. Raises `BackupError`, `SettingsError`."""
    manifest = read_manifest(source)
    hint = "Name a new or empty folder with --home: restoring never writes over anything."
    with vacant(home, hint, beside) as place:
        faults = []
        for name, known in manifest.files.items():
            try:
                found = copy_file(source / name, place / name)
            except OSError as error:
                faults.append(f"{name}: {error.strerror}")
                continue
            if (found.size, found.sha256) != (known.size, known.sha256):
                faults.append(f"{name}: it is not what was copied (SHA-256 differs)")
            (place / name).chmod(known.mode & 0o700)
        if faults:
            raise BackupError(f"{source} is damaged; nothing was restored:\n  " + "\n  ".join(faults[:20]))
        move_up(place, CONFIG_FILE)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """What a backup says of itself; raises `BackupError`."""
    file = source / MANIFEST
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BackupError(f"{source} is no backup: there is no {MANIFEST} in it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BackupError(f"{file} is not one that this version can read: {where}: {first['msg']}") from None
    if CONFIG_FILE not in manifest.files:
        raise BackupError(f"{file} names no {CONFIG_FILE}: there is no instance without")
    return manifest


def _files(home: Path) -> Iterator[str]:
    seen: set[str] = set()
    for folder, folders, names in os.walk(home, followlinks=True):  # parts of a home may be links to other disks
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        if Path(folder) == home:
            folders[:] = [name for name in folders if name not in _NOT_OF_IT]
        for name in names:
            path = Path(folder, name)
            if not name.endswith(_PASSING) and path.is_file():
                yield path.relative_to(home).as_posix()


def _in_order(names: set[str]) -> list[str]:
    ordered = (*_FIRST, *sorted(names - {*_FIRST, *_LAST}), *_LAST)
    return [name for name in ordered if name in names]


def _copy(source: Path, target: Path) -> Copied:
    return copy_database(source, target) if is_database(source) else copy_file(source, target)


def _ledger_block(file: Path) -> Block | None:
    if not file.exists():
        return None
    with closing(Store(file, read_only=True)) as store:
        last = store.height() - 1
        return Block(number=last, hash=store.header_hash(last).hex())


def _read_model_block(file: Path) -> Block | None:
    if not file.exists():
        return None
    with closing(open_reader(file)) as reader:
        try:
            row = reader.execute("SELECT number, header_hash FROM block ORDER BY number DESC LIMIT 1").fetchone()
        except sqlite3.DatabaseError:  # of another version, or damaged: it is made anew from the ledger
            return None
    return None if row is None else Block(number=row[0], hash=row[1])
