"""Making an instance whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from instance.creation import CustodyPolicy, create_instance
from instance.settings import CONFIG_FILE, DEFAULT_PORT, LedgerSettings, OrganisationConfig, SettingsError
from ledger.private import close_to_others

_UNFINISHED = ".unfinished"
# What may be in a home before its instance: a network of its own, and what file systems put into their roots.
_MAY_BE_THERE = ("network", "lost+found", _UNFINISHED)


def create(
    home: Path,
    organisations: Sequence[OrganisationConfig],
    *,
    custody_policy: CustodyPolicy = "flag",
    port: int = DEFAULT_PORT,
    database_url: str = "",
    join: Callable[[Path], LedgerSettings] | None = None,
) -> None:
    """Make an instance in a folder of its own inside ``home`` and move it up once it is whole, its configuration last.

    ``join`` puts the identities and connection files of an existing channel into a folder and says how to reach it;
    without it there is an embedded ledger. Raises `SettingsError` where there is an instance, or anything else.
    """
    with vacant(home) as place:
        create_instance(
            place,
            organisations=organisations,
            custody_policy=custody_policy,
            port=port,
            database_url=database_url,
            ledger=None if join is None else join(place),
        )
        move_up(place, home)


@contextmanager
def vacant(home: Path) -> Iterator[Path]:
    """A folder inside a home in which nothing is yet, for what `move_up` makes the home of: nobody else gets one meanwhile.

    Raises `SettingsError` for a home that holds an instance or anything else. If nothing is made, the home is as before.
    """
    made = not home.exists()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError):
        raise SettingsError(f"{home} is no folder", "Name another folder with --home.") from None
    with _alone(home):
        _require_vacant(home)
        place = home / _UNFINISHED
        shutil.rmtree(place, ignore_errors=True)  # of one that was killed
        try:
            place.mkdir(mode=0o700)
            yield place
            close_to_others(home)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            if made:
                with contextlib.suppress(OSError):
                    home.rmdir()


def move_up(place: Path, home: Path) -> None:
    """Everything in ``place`` becomes the home's; with the configuration, which goes last, it is an instance."""
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name == CONFIG_FILE):
        entry.rename(home / entry.name)


def _require_vacant(home: Path) -> None:
    if (home / CONFIG_FILE).exists():
        raise SettingsError(
            f"there is an instance at {home} already",
            "`lotline status` shows it; name another folder with --home to make another.",
        )
    there = sorted(entry.name for entry in home.iterdir() if entry.name not in _MAY_BE_THERE)
    foreign = (home / "network").exists() and not (home / "network" / "topology.json").exists()
    if foreign:
        there.append("network")
    if there:
        more = ", …" if len(there) > 3 else ""
        raise SettingsError(
            f"{home} is not empty and no instance: it holds {', '.join(there[:3])}{more}",
            "Name a new or empty folder with --home; keys and ledgers are written into it.",
        )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SettingsError(f"another command is making an instance at {home}", "Wait until it is done.") from None
    finally:
        os.close(descriptor)
