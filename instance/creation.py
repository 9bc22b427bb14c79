"""Setting up an instance, and the few things an operator does to one without HTTP.

create_instance(home, organisations=[OrganisationConfig(msp_id="FarmMSP", name="Farm")])
settings = load_settings(home)
token = create_token(settings, "scanner", "scanner", "FarmMSP", label="dock 3")
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import orjson

import readmodel
from instance.identities import load_identity
from instance.ledgers import open_ledger
from instance.settings import (
    DEFAULT_PORT,
    ROLES,
    InboxPlace,
    LedgerSettings,
    OrganisationConfig,
    Role,
    Settings,
    SettingsError,
    load_settings,
    settings_of,
    write_config,
)
from instance.tokens import TokenInfo, open_tokens
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.errors import LedgerError
from ledger.private import close_to_others, write_private

__all__ = [
    "OrganisationConfig",
    "Settings",
    "SettingsError",
    "create_instance",
    "create_token",
    "list_tokens",
    "load_settings",
    "revoke_token",
]

CustodyPolicy = Literal["flag", "enforce"]


def create_instance(
    home: Path,
    *,
    organisations: Sequence[OrganisationConfig],
    custody_policy: CustodyPolicy = "flag",
    port: int = DEFAULT_PORT,
    database_url: str = "",
    inbox: InboxPlace = "file",
    ledger: LedgerSettings | None = None,
) -> None:
    """Make a new instance at ``home``: configuration, ledger, read model, inbox, identities and a first
    token.

    With ``ledger`` (of kind fabric, its organisations included) the channel is there already and every organisation's
    connection file and identities are in ``HOME/ledger/organisations``. Otherwise an embedded ledger is made. Every organisation gets one identity per role, named like it. The first organisation's admin gets a token,
    kept in ``HOME/admin.token`` (mode 600). Raises `SettingsError` when an instance is there already; the
    configuration is written last, so that a half-made instance isn't taken for one.
    """
    home = Path(home).expanduser().resolve()
    if (home / "config.toml").exists():
        raise SettingsError(f"there is an instance at {home} already")
    if ledger is None and (home / "ledger").exists():
        raise SettingsError(f"{home / 'ledger'} is the rest of an unfinished set-up: remove {home} and try again")
    ledger = ledger or LedgerSettings(organisations=tuple(organisations))
    if not ledger.organisations:
        raise SettingsError("an instance needs at least one organisation")
    for directory in (home, home / "logs", home / "run", home / "forecasts"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = settings_of(home, ledger=ledger, database_url=database_url, inbox=inbox)
    asyncio.run(_create_embedded(settings) if ledger.kind == "embedded" else _greet(settings))
    asyncio.run(_configure(settings, custody_policy))
    engine = readmodel.open_engine(settings.readmodel_url)
    readmodel.migrate(engine)
    engine.dispose()
    write_private(settings.admin_token_file, create_token(settings, "admin", "admin", label="first set-up") + "\n")
    close_to_others(home)
    write_config(home, settings.ledger, port=port, database_url=database_url, inbox=inbox)


def create_token(settings: Settings, identity: str, role: Role, msp_id: str | None = None, label: str = "") -> str:
    """A new bearer token for an identity of an organisation (None: the first); shown once, stored hashed.

    The contract trusts the certificate, so a token can't have more rights than its identity: only an admin
    identity may be bound to another role than its own.
    """
    msp_id = settings.msp_id(msp_id)
    known = load_identity(settings, msp_id, identity)
    certified = known.attributes.get("role")
    if certified not in (role, "admin"):
        raise SettingsError(f"{identity} of {msp_id} is certified as {certified}, not as {role}")
    with contextlib.closing(open_tokens(settings.tokens_place)) as store:
        return store.create(identity, role, msp_id, label)


def list_tokens(settings: Settings) -> list[TokenInfo]:
    """All tokens of the instance, without the tokens themselves."""
    with contextlib.closing(open_tokens(settings.tokens_place)) as store:
        return store.tokens()


def revoke_token(settings: Settings, token_id: str) -> bool:
    """Works at once, also in running processes. False when there is no such valid token."""
    with contextlib.closing(open_tokens(settings.tokens_place)) as store:
        return store.revoke(token_id)


async def _create_embedded(settings: Settings) -> None:
    msp_ids = [organisation.msp_id for organisation in settings.ledger.organisations]
    ledger = await EmbeddedLedger.create(settings.ledger_dir, organisations=msp_ids, channel=settings.ledger.channel)
    await ledger.close()
    for msp_id in msp_ids:
        for role in ROLES:
            ca.issue(settings.organisation_dir(msp_id), role, role, {})


async def _greet(settings: Settings) -> None:
    """Every organisation reaches the channel with its own identity; better told now than by a failing worker."""
    ledger = await open_ledger(settings)
    try:
        for organisation in settings.ledger.organisations:
            admin = load_identity(settings, organisation.msp_id, "admin")
            await ledger.evaluate("config", [], identity=admin)
    except LedgerError as error:
        raise SettingsError(f"{organisation.msp_id} can't speak to the network: {error}") from error
    finally:
        await ledger.close()


async def _configure(settings: Settings, custody_policy: CustodyPolicy) -> None:
    """Set the rules of a new channel; one that has rules keeps them."""
    msp_ids = [organisation.msp_id for organisation in settings.ledger.organisations]
    admin = load_identity(settings, msp_ids[0], "admin")
    ledger = await open_ledger(settings)
    try:
        if orjson.loads(await ledger.evaluate("config", [], identity=admin))["admins"]:
            return
        rules = {"custodyPolicy": custody_policy, "admins": msp_ids}
        await ledger.submit("configure", [orjson.dumps(rules)], identity=admin)
    finally:
        await ledger.close()
