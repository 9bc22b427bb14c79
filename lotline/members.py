"""The instance a command works on, made on the spot for commands that bring a network of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from instance.creation import load_settings
from instance.settings import DEFAULT_PORT, OrganisationConfig, Settings, SettingsError
from lotline.creation import create
from lotline.errors import UsageError
from lotline.output import Session

Port = Annotated[
    int | None,
    typer.Option(
        min=1, max=65535, help=f"Port of the API, if an instance is made here (default {DEFAULT_PORT}).", metavar="PORT"
    ),
]
"""An option of every command that makes an instance where there is none."""


def instance_with(here: Session, members: Mapping[str, str], *, hint: str, port: int | None = None) -> Settings:
    """The instance at the home, which must have these organisations (MSP -> name); made if there is none.

    Raises `UsageError` with ``hint`` when an instance is there that lacks one of them.
    """
    if not (here.home / "config.toml").exists():
        here.say(f"making an instance at {here.home}: {', '.join(members)}")
        organisations = [OrganisationConfig(msp_id=msp, name=name) for msp, name in members.items()]
        create(here.home, organisations, port=port or DEFAULT_PORT)
    settings = load_settings(here.home)
    require_port(settings, port)
    try:
        for msp_id in members:
            settings.msp_id(msp_id)
    except SettingsError as error:
        raise UsageError(f"{here.home}: {error}", hint=hint) from None
    return settings


def require_port(settings: Settings, port: int | None) -> None:
    """`UsageError` where an instance is there already and has another port than asked for."""
    if port not in (None, settings.http.port):
        raise UsageError(
            f"the instance at {settings.home} has port {settings.http.port}, not {port}",
            hint=f"Leave --port out, or change `port` in {settings.home / 'config.toml'}.",
        )
