"""Making an instance whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from instance.creation import CustodyPolicy, create_instance
from instance.folders import move_up, vacant
from instance.settings import CONFIG_FILE, DEFAULT_PORT, InboxPlace, LedgerSettings, OrganisationConfig, SettingsError

_HINT = "Name a new or empty folder with --home; keys and ledgers are written into it."


def create(
    home: Path,
    organisations: Sequence[OrganisationConfig],
    *,
    custody_policy: CustodyPolicy = "flag",
    port: int = DEFAULT_PORT,
    database_url: str = "",
    inbox: InboxPlace = "file",
    join: Callable[[Path], LedgerSettings] | None = None,
) -> None:
    """Make an instance in a folder of its own inside ``home`` and move it up once it is whole, its configuration last.

    ``join`` puts the identities and connection files of an existing channel into a folder and says how to reach it;
    without it there is an embedded ledger. Raises `SettingsError` where there is an instance, or anything else.
    """
    require_no_instance(home)
    with vacant(home, _HINT, beside_an_instance(home)) as place:
        create_instance(
            place,
            organisations=organisations,
            custody_policy=custody_policy,
            port=port,
            database_url=database_url,
            inbox=inbox,
            ledger=None if join is None else join(place),
        )
        move_up(place, CONFIG_FILE)


def require_no_instance(home: Path) -> None:
    """`SettingsError` for the home of an instance."""
    if (home / CONFIG_FILE).exists():
        raise SettingsError(
            f"there is an instance at {home} already",
            "`lotline status` shows it; name another folder with --home to make another.",
        )


def beside_an_instance(home: Path) -> tuple[str, ...]:
    """What may be in a home before its instance is: a network of its own."""
    return ("network",) if (home / "network" / "topology.json").exists() else ()
