"""Chaincode as a service: packaged, installed, approved by each organisation, committed, and its servers started."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from network.authorities import Authorities
from network.channel import Channel
from network.files import write_whole
from network.layout import Layout
from network.packages import local_connection, package, package_id, write_builder
from network.processes import Processes
from network.tools import ToolError
from network.topology import Peer, Topology
from network.waiting import port_open, until

Item = TypeVar("Item")
SLOTS = 6  # ports of a peer from its chaincode port on


@dataclass(frozen=True)
class Definition:
    """A chaincode as the channel knows it."""

    name: str
    version: str = "1.0"
    sequence: int = 1
    signature_policy: str | None = None
    collections: Path | None = None
    init_required: bool = False
    package: str = ""
    """The package's label, for several definitions of one package; by default name and version."""

    @property
    def label(self) -> str:
        """What the package is called."""
        return self.package or f"{self.name}_{self.version}"

    def flags(self) -> list[str]:
        """As options of ``peer lifecycle chaincode``."""
        flags = ["--name", self.name, "--version", self.version, "--sequence", str(self.sequence)]
        if self.signature_policy:
            flags += ["--signature-policy", self.signature_policy]
        if self.collections:
            flags += ["--collections-config", str(self.collections)]
        return flags + (["--init-required"] if self.init_required else [])


@dataclass
class Deployment:
    """Puts a chaincode on the channel and runs a server of it for each peer."""

    topology: Topology
    layout: Layout
    channel: Channel
    processes: Processes
    authorities: Authorities

    def write_builder(self) -> None:
        """The external builder that peers run for our packages."""
        write_builder(self.layout.builder)

    def deploy(
        self,
        definition: Definition,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        slot: int = 0,
    ) -> str:
        """Everything, in order; what is done already is left. ``command`` runs the server; returns the package id.

        Packages whose servers run at the same time need different slots.
        """
        identifier, file = self._package(definition.label, slot)
        for peer in self.topology.peers():
            self.start_server(peer, definition.label, identifier, command, environment, slot)
        _all(self.topology.peers(), lambda peer: self._install(peer, file, identifier))
        for peer in self.topology.peers():
            self._wait_for_server(peer, definition.label, slot)
        self.define(definition)
        return identifier

    def define(self, definition: Definition) -> None:
        """Every organisation approves the definition with its package, which is installed, and it is committed; returns
        when every peer knows it."""
        identifier, _ = self._kept_package(definition.label)
        if self.committed(definition) < definition.sequence:
            organisations = self.topology.organisations
            _all(organisations, lambda organisation: self._approve(organisation.peers[0], definition, identifier))
            self._commit(definition)
        self.wait_until_known(definition)

    def retire(self, definition: Definition, labels: Collection[str]) -> None:
        """Stop and forget the servers of the chaincode's other versions; those of packages in ``labels`` stay."""
        for name in self.processes.known():
            for peer in self.topology.peers():
                label = name.removeprefix("chaincode.").removesuffix(f".{peer.host}")
                mine = name == self.server_name(peer, label) and label.startswith(f"{definition.name}_")
                if mine and label not in labels:
                    self.processes.forget(name)

    def install_again(self, peer: Peer, definitions: Iterable[Definition]) -> None:
        """Install the packages of definitions that were deployed before, on a peer that lost them."""
        for label in sorted({definition.label for definition in definitions}):
            identifier, file = self._kept_package(label)
            self._install(peer, file, identifier)

    def approved(self, peer: Peer, definition: Definition) -> bool:
        """Whether a peer knows which package its organisation runs for a definition: without, it does not endorse.

        That is private data of the organisation, which only its own peers have.
        """
        identifier, _ = self._kept_package(definition.label)
        return identifier in self._told(peer, "queryapproved", definition)

    def _kept_package(self, label: str) -> tuple[str, Path]:
        file = self.layout.packages / f"{label}.tar.gz"
        return package_id(label, file.read_bytes()), file

    def _package(self, label: str, slot: int) -> tuple[str, Path]:
        file = self.layout.packages / f"{label}.tar.gz"
        if not file.exists():  # made once: another release of zlib would give it another id
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, package(label, local_connection(slot)))
        return self._kept_package(label)

    def start_server(
        self,
        peer: Peer,
        label: str,
        identifier: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        slot: int = 0,
    ) -> None:
        """Start a peer's chaincode server under a supervisor, unless it runs."""
        if not 0 <= slot < SLOTS:
            raise ValueError(f"a peer has ports for {SLOTS} chaincode servers: slot {slot}")
        organisation = self.topology.organisation(peer.msp_id)
        self.authorities.issue(organisation, "chaincode", "client")
        tls = self.authorities.issue_tls(organisation, "chaincode", "localhost,127.0.0.1")
        given = {
            "CHAINCODE_ID": identifier,
            "CHAINCODE_SERVER_ADDRESS": f"127.0.0.1:{peer.chaincode_port + slot}",
            "CHAINCODE_TLS_KEY": str(tls / "server.key"),
            "CHAINCODE_TLS_CERT": str(tls / "server.crt"),
            "CHAINCODE_CLIENT_CA_CERT": str(tls / "ca.crt"),
            "CORE_PEER_LOCALMSPID": peer.msp_id,
            **(environment or {}),
        }
        name = self.server_name(peer, label)
        self.processes.start(name, [sys.executable, "-m", "network.keep", *command], given, self.layout.home)

    @staticmethod
    def server_name(peer: Peer, label: str) -> str:
        """The name of a peer's chaincode server process."""
        return f"chaincode.{label}.{peer.host}"

    def _wait_for_server(self, peer: Peer, label: str, slot: int) -> None:
        name = self.server_name(peer, label)
        port = peer.chaincode_port + slot
        until(lambda: port_open(port), 30, f"{name} to listen", lambda: self.processes.check(name))

    def _install(self, peer: Peer, file: Path, identifier: str) -> None:
        if identifier in self.channel.peer_tool(peer, "lifecycle", "chaincode", "queryinstalled"):
            return
        self.channel.peer_tool(peer, "lifecycle", "chaincode", "install", str(file))

    def _approve(self, peer: Peer, definition: Definition, identifier: str) -> None:
        self.channel.order(
            peer, "lifecycle", "chaincode", "approveformyorg", "--channelID", self.topology.channel, *definition.flags(),
            "--package-id", identifier,
        )  # fmt: skip

    def _commit(self, definition: Definition) -> None:
        targets: list[str] = []
        for organisation in self.topology.organisations:
            root = self.layout.authority_certificate(organisation)
            targets += ["--peerAddresses", organisation.peers[0].address, "--tlsRootCertFiles", str(root)]
        first = self.topology.organisations[0].peers[0]
        self.channel.order(
            first,
            "lifecycle",
            "chaincode",
            "commit",
            "--channelID",
            self.topology.channel,
            *definition.flags(),
            *targets,
        )

    def committed(self, definition: Definition, peer: Peer | None = None) -> int:
        """The number of the chaincode's definition on the channel as a peer knows it, 0 if there is none."""
        peer = peer or self.topology.organisations[0].peers[0]
        found = re.search(r"Sequence: (\d+)", self._told(peer, "querycommitted", definition))
        return int(found.group(1)) if found else 0

    def _told(self, peer: Peer, query: str, definition: Definition) -> str:
        """What a peer says of a chaincode; nothing where it knows of none."""
        try:
            return self.channel.peer_tool(
                peer, "lifecycle", "chaincode", query, "--channelID", self.topology.channel, "--name", definition.name
            )
        except ToolError:
            return ""

    def wait_until_known(self, definition: Definition) -> None:
        """Wait until every peer knows the definition, and where it can be endorsed.

        Discovery learns of a chaincode later than the ledger does: gossip tells peers what the others have installed.
        """
        for peer in self.topology.peers():
            until(self._known_to(peer, definition), 60, f"{peer.host} to know {definition.name} {definition.version}")
        for peer in self.topology.peers():
            until(self._everywhere_by(peer, definition), 60, f"{peer.host} to find {definition.name} on every peer")

    def wait_until_found(self, peer: Peer, definitions: Iterable[Definition]) -> None:
        """Wait until the discovery of every peer that runs names this peer for each of these chaincodes."""
        names = {definition.name for definition in definitions}
        for asker in self.topology.peers():
            if not self.processes.running(asker.host):
                continue
            until(
                lambda asker=asker: names <= self._found(asker).get(peer.address, set()),  # type: ignore[misc]
                60,
                f"{asker.host} to find {', '.join(sorted(names))} on {peer.host}",
            )

    def _found(self, asker: Peer) -> dict[str, set[str]]:
        """Which chaincodes each peer can endorse for, by the peer's address, as one peer's discovery sees it."""
        try:
            found = json.loads(self.channel.discover(asker, "peers"))
        except ToolError:
            return {}
        return {one["Endpoint"]: set(one.get("Chaincodes") or ()) for one in found}

    def _known_to(self, peer: Peer, definition: Definition) -> Callable[[], bool]:
        return lambda: self.committed(definition, peer) >= definition.sequence

    def _everywhere_by(self, peer: Peer, definition: Definition) -> Callable[[], bool]:
        wanted = {other.address for other in self.topology.peers()}

        def known() -> bool:
            return wanted <= {
                address for address, chaincodes in self._found(peer).items() if definition.name in chaincodes
            }

        return known


def _all(items: Iterable[Item], work: Callable[[Item], None]) -> None:
    """Do it for all at once; raises the first error."""
    given = list(items)
    with ThreadPoolExecutor(max(1, len(given))) as pool:
        list(pool.map(work, given))
