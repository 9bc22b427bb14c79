"""Which organisations, peers and orderers a network has, and on which ports."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

HOST = "localhost"


class TopologyError(ValueError):
    """The topology file is wrong; the message says where."""


class Consensus(StrEnum):
    """How orderers agree."""

    RAFT = "raft"
    BFT = "bft"


@dataclass(frozen=True)
class Peer:
    """A peer: gRPC, operations, chaincode-listen (unused by external chaincode, yet bound) and chaincode server ports."""

    name: str
    msp_id: str
    domain: str
    port: int

    @property
    def host(self) -> str:
        """The name in its certificate."""
        return f"{self.name}.{self.domain}"

    @property
    def address(self) -> str:
        """Where it is dialled."""
        return f"{HOST}:{self.port}"

    @property
    def operations_port(self) -> int:
        """Health and metrics."""
        return self.port + 1

    @property
    def internal_port(self) -> int:
        """The peer's own chaincode listener."""
        return self.port + 2

    @property
    def chaincode_port(self) -> int:
        """Where this peer's chaincode server listens."""
        return self.port + 3


@dataclass(frozen=True)
class Orderer:
    """An orderer: gRPC, operations and admin ports."""

    name: str
    number: int
    domain: str
    port: int

    @property
    def host(self) -> str:
        """The name in its certificate."""
        return f"{self.name}.{self.domain}"

    @property
    def address(self) -> str:
        """Where it is dialled."""
        return f"{HOST}:{self.port}"

    @property
    def operations_port(self) -> int:
        """Health and metrics."""
        return self.port + 1

    @property
    def admin_port(self) -> int:
        """Channel participation."""
        return self.port + 2


@dataclass(frozen=True)
class Organisation:
    """An organisation of the channel with its certificate authority's port and its peers."""

    name: str
    msp_id: str
    domain: str
    ca_port: int
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True)
class Blocks:
    """When a block is cut. BFT does not use ``timeout`` and ``preferred_bytes`` but cuts every ``bft_interval``."""

    timeout: str = "250ms"
    messages: int = 100
    absolute_bytes: str = "98 MB"
    preferred_bytes: str = "4 MB"
    bft_interval: str = "100ms"


@dataclass(frozen=True)
class Topology:
    """A whole network."""

    channel: str = "lotline"
    chaincode: str = "lotline"
    consensus: Consensus = Consensus.RAFT
    organisations: tuple[Organisation, ...] = ()
    orderer_organisation: Organisation = field(
        default_factory=lambda: Organisation("orderer", "OrdererMSP", "orderer.local", 0)
    )
    orderers: tuple[Orderer, ...] = ()
    blocks: Blocks = field(default_factory=Blocks)

    def peers(self) -> Iterator[Peer]:
        """Every peer."""
        for organisation in self.organisations:
            yield from organisation.peers

    def organisation(self, msp_id: str) -> Organisation:
        """An organisation by its MSP's name; raises TopologyError for one that is not there."""
        for organisation in (*self.organisations, self.orderer_organisation):
            if organisation.msp_id == msp_id:
                return organisation
        raise TopologyError(f"no organisation {msp_id} in this network")


DEFAULT_ORGANISATIONS = ("supplier", "carrier", "distributor", "retailer")
_PORTS_A_NODE = 10


def build(
    organisations: dict[str, int] | None = None,
    *,
    consensus: Consensus = Consensus.RAFT,
    orderers: int | None = None,
    base_port: int = 17000,
    channel: str = "lotline",
    chaincode: str = "lotline",
    blocks: Blocks | None = None,
) -> Topology:
    """A network of organisations (name -> number of peers); every node has ten ports of its own from ``base_port`` on.

    Raises TopologyError for a number of orderers that cannot work.
    """
    organisations = organisations or dict.fromkeys(DEFAULT_ORGANISATIONS, 1)
    count = orderers if orderers is not None else (4 if consensus is Consensus.BFT else 3)
    _check(organisations, consensus, count, base_port)
    ports = iter(range(base_port, 65000, _PORTS_A_NODE))
    orderer_domain = "orderer.local"
    nodes = tuple(Orderer(f"orderer{n}", n, orderer_domain, next(ports)) for n in range(1, count + 1))
    orderer_organisation = Organisation("orderer", "OrdererMSP", orderer_domain, next(ports))
    members = tuple(_organisation(name, peers, ports) for name, peers in organisations.items())
    return Topology(channel, chaincode, consensus, members, orderer_organisation, nodes, blocks or Blocks())


def _check(organisations: dict[str, int], consensus: Consensus, orderers: int, base_port: int) -> None:
    if consensus is Consensus.BFT and orderers < 4:
        raise TopologyError(f"BFT needs at least 4 orderers to bear one faulty: {orderers} given")
    if orderers < 1:
        raise TopologyError("a network needs an orderer")
    for name, peers in organisations.items():
        if not name.isidentifier() or not name.islower():
            raise TopologyError(f"organisation {name!r}: lower-case letters, digits and underscores only")
        if peers < 1:
            raise TopologyError(f"organisation {name!r} needs a peer")
    last = base_port + _PORTS_A_NODE * (orderers + 1 + len(organisations) + sum(organisations.values()))
    if base_port < 1024 or last > 65000:
        raise TopologyError(f"ports {base_port} to {last} are not all between 1024 and 65000")


def _organisation(name: str, peers: int, ports: Iterator[int]) -> Organisation:
    msp_id, domain = f"{name.capitalize()}MSP", f"{name}.local"
    ca_port = next(ports)
    nodes = tuple(Peer(f"peer{n}", msp_id, domain, next(ports)) for n in range(peers))
    return Organisation(name, msp_id, domain, ca_port, nodes)


def load(path: Path) -> Topology:
    """Read a topology file (TOML). Raises TopologyError saying what is wrong in it.

    ``[network] channel, chaincode, consensus, orderers, base_port``, ``[organisations] name = peers``, ``[blocks]``.
    """
    try:
        document = tomllib.loads(path.read_text())
        network = document.get("network", {})
        return build(
            {str(name): int(peers) for name, peers in document.get("organisations", {}).items()} or None,
            consensus=Consensus(network.get("consensus", "raft")),
            orderers=network.get("orderers"),
            base_port=int(network.get("base_port", 17000)),
            channel=str(network.get("channel", "lotline")),
            chaincode=str(network.get("chaincode", "lotline")),
            blocks=Blocks(**document.get("blocks", {})),
        )
    except (tomllib.TOMLDecodeError, ValueError, TypeError) as error:
        raise TopologyError(f"{path}: {error}") from error
