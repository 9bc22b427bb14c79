"""The Fabric network that belongs to a home, for the commands that run it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from instance.creation import CustodyPolicy
from instance.settings import InboxPlace, OrganisationConfig, Settings
from lotline.creation import create
from lotline.errors import CommandError, UnavailableError, UsageError
from lotline.joining import join_network
from lotline.output import Session
from network.binaries import BinariesError
from network.network import Network, NetworkError
from network.processes import ProcessError
from network.recovery import RecoveryError
from network.tools import ToolError
from network.topology import Topology, TopologyError, build

FOLDER = "network"
Members = Sequence[OrganisationConfig]


@contextmanager
def told() -> Iterator[None]:
    """The network's failures as a command's: what was wrong and what to do."""
    try:
        yield
    except TopologyError as error:
        raise UsageError(str(error)) from error
    except NetworkError as error:
        raise CommandError(str(error)) from error
    except RecoveryError as error:
        raise UnavailableError(str(error)) from error
    except BinariesError as error:
        raise UnavailableError(
            str(error), hint="`lotline network build` builds them and shows its progress."
        ) from error
    except (ProcessError, ToolError, TimeoutError) as error:
        raise UnavailableError(str(error), hint=_hint(str(error))) from error


def _hint(said: str) -> str:
    if "no non-loopback" in said:  # a Fabric peer looks for one at its start, though it is told where to listen
        return "Fabric's peers only start on a machine with an IPv4 address beside 127.0.0.1: connect it, or add one."
    return "`lotline network logs NAME` shows a process's log."


def open_network(home: Path, topology: Topology | None = None) -> Network:
    """The network of a home; ``topology`` makes a new one. Raises `CommandError` where there is none."""
    with told():
        return Network(home / FOLDER, topology)


def raise_network(network: Network, say: Callable[[str], None]) -> None:
    """Bring up whatever does not run: authorities, orderers, peers, the contract."""
    with told():
        network.up(say)
        network.deploy(say=say)


def create_on_network(
    here: Session,
    members: Members,
    network_home: Path,
    *,
    custody_policy: CustodyPolicy,
    port: int,
    database_url: str,
    inbox: InboxPlace = "file",
) -> Members:
    """An instance on the Fabric network of a home, which is brought up, and made if need be; returns its members.

    Without ``members`` every organisation of the network speaks through this instance.
    """
    kept = (network_home / FOLDER / "topology.json").exists()
    network = open_network(network_home, None if kept else build())
    raise_network(network, here.say)
    members = members or [
        OrganisationConfig(msp_id=organisation.msp_id, name=organisation.name.capitalize())
        for organisation in network.topology.organisations
    ]
    with told():
        create(
            here.home,
            members,
            custody_policy=custody_policy,
            port=port,
            database_url=database_url,
            inbox=inbox,
            join=lambda place: join_network(place, network, members, here.home),
        )
    return members


def network_of(settings: Settings) -> Network | None:
    """The network that an instance brings up with itself, if it has one."""
    if settings.ledger.kind != "fabric" or not settings.ledger.network:
        return None
    with told():
        return Network(Path(os.path.normpath(settings.home / settings.ledger.network)))
