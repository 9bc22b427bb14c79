"""The instance a command works on, made on the spot for commands that bring a network of their own."""

from __future__ import annotations

from collections.abc import Mapping

from instance.creation import load_settings
from instance.settings import OrganisationConfig, Settings, SettingsError
from lotline.creation import create
from lotline.errors import UsageError
from lotline.output import Session


def instance_with(here: Session, members: Mapping[str, str], *, hint: str) -> Settings:
    """The instance at the home, which must have these organisations (MSP -> name); made if there is none.

    Raises `UsageError` with ``hint`` when an instance is there that lacks one of them.
    """
    if not (here.home / "config.toml").exists():
        here.say(f"making an instance at {here.home}: {', '.join(members)}")
        create(here.home, [OrganisationConfig(msp_id=msp, name=name) for msp, name in members.items()])
    settings = load_settings(here.home)
    try:
        for msp_id in members:
            settings.msp_id(msp_id)
    except SettingsError as error:
        raise UsageError(f"{here.home}: {error}", hint=hint) from None
    return settings
