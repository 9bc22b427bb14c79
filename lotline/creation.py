"""Making an instance whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from instance.creation import CustodyPolicy, create_instance
from instance.settings import CONFIG_FILE, LedgerSettings, OrganisationConfig, SettingsError


def create(
    home: Path,
    organisations: Sequence[OrganisationConfig],
    *,
    custody_policy: CustodyPolicy = "flag",
    port: int = 8700,
    database_url: str = "",
    join: Callable[[Path], LedgerSettings] | None = None,
) -> None:
    """Make an instance beside ``home`` and move it there in one step, so that an interruption leaves nothing behind.

    In a directory that holds something already it is made in place. ``join`` puts the identities and connection files
    of an existing channel into a home and says how to reach it; without it there is an embedded ledger. Raises
    `SettingsError` if that is an instance.
    """
    if (home / CONFIG_FILE).exists():
        raise SettingsError(f"there is an instance at {home} already")
    vacant = not home.exists() or not any(home.iterdir())
    place = home.with_name(f".{home.name}.{os.getpid()}.new") if vacant else home
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.mkdir(exist_ok=True, mode=0o700)
        create_instance(
            place,
            organisations=organisations,
            custody_policy=custody_policy,
            port=port,
            database_url=database_url,
            ledger=None if join is None else join(place),
        )
        if vacant:
            place.rename(home)
    finally:
        if vacant:
            shutil.rmtree(place, ignore_errors=True)
