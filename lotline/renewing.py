"""Keeps the certificates of an instance's own network fresh: ``python -m lotline.renewing --home DIR``, beside the others.

Once an hour it renews what ends within a month and gives the instance what is its own; a worker takes up a renewed
identity by itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from instance import logs
from instance.settings import Settings, SettingsError, load_settings
from ledger import ca
from ledger.private import write_private
from lotline.errors import CommandError
from lotline.networks import network_of, told
from network.network import Network
from network.renewal import DUE_BEFORE, Renewed

EVERY_SECONDS = 3600.0
log = structlog.get_logger("lotline.certificates")


def renew(settings: Settings, network: Network, say: Callable[[str], None] = lambda _: None) -> Renewed:
    """Renew what ends soon, in the network and in the home. Raises `CommandError`."""
    with told():
        renewed = network.renew(DUE_BEFORE, say)
    take_renewed(settings, network)
    return renewed


def take_renewed(settings: Settings, network: Network) -> list[str]:
    """Copy into the home what the network has renewed: certificates of keys that the home has. Returns whose."""
    taken = []
    for organisation in settings.ledger.organisations:
        home = settings.organisation_dir(organisation.msp_id)
        member = network.topology.organisation(organisation.msp_id)
        for name in ca.identities(home):
            mine = home / "identities" / name
            theirs = network.layout.identity(member, name) / "msp"
            for certificate in (theirs / "signcerts").glob("*.pem"):
                keys = [key.read_bytes() for key in (theirs / "keystore").iterdir()]
                new = certificate.read_bytes()
                if (mine / "key.pem").read_bytes() in keys and (mine / "cert.pem").read_bytes() != new:
                    write_private(mine / "cert.pem", new)
                    taken.append(f"{name} of {organisation.msp_id}")
    return taken


def keep_fresh(home: Path, stopping: threading.Event) -> None:
    """Look again every hour, until told to stop. What fails is written to the log and tried again."""
    while not stopping.is_set():
        try:
            settings = load_settings(home)
            network = network_of(settings)
            if network is not None:
                renew(settings, network, log.info)
        except (CommandError, SettingsError, OSError, ValueError) as error:
            log.warning("certificates could not be renewed", error=str(error))
        stopping.wait(EVERY_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Until SIGTERM or SIGINT."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m lotline.renewing", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the instance's directory")
    home: Path = parser.parse_args(arguments).home
    logs.configure("certificates")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    keep_fresh(home, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
