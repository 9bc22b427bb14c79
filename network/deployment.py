"""Chaincode as a service: packaged, installed, approved by each organisation, committed, and its servers started."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from network.authorities import Authorities
from network.channel import Channel
from network.layout import Layout
from network.packages import local_connection, package, package_id, write_builder
from network.processes import Processes
from network.tools import ToolError
from network.topology import Peer, Topology
from network.waiting import port_open, until

Item = TypeVar("Item")
_SLOTS = 6  # ports of a peer from its chaincode port on


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
        if self._committed(definition) < definition.sequence:
            organisations = self.topology.organisations
            _all(organisations, lambda organisation: self._approve(organisation.peers[0], definition, identifier))
            self._commit(definition)
        self.wait_until_known(definition)
        for peer in self.topology.peers():
            self._wait_for_server(peer, definition.label, slot)
        return identifier

    def _package(self, label: str, slot: int) -> tuple[str, Path]:
        content = package(label, local_connection(slot))
        file = self.layout.packages / f"{label}.tar.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return package_id(label, content), file

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
        if not 0 <= slot < _SLOTS:
            raise ValueError(f"a peer has ports for {_SLOTS} chaincode servers: slot {slot}")
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
        self.channel.peer_tool(
            peer, "lifecycle", "chaincode", "approveformyorg", *self.channel.orderer_flags(), "--channelID", self.topology.channel, *definition.flags(),
            "--package-id", identifier,
        )  # fmt: skip

    def _commit(self, definition: Definition) -> None:
        targets: list[str] = []
        for organisation in self.topology.organisations:
            root = self.layout.authority_certificate(organisation)
            targets += ["--peerAddresses", organisation.peers[0].address, "--tlsRootCertFiles", str(root)]
        first = self.topology.organisations[0].peers[0]
        self.channel.peer_tool(
            first,
            "lifecycle",
            "chaincode",
            "commit",
            *self.channel.orderer_flags(),
            "--channelID",
            self.topology.channel,
            *definition.flags(),
            *targets,
        )

    def _committed(self, definition: Definition, peer: Peer | None = None) -> int:
        peer = peer or self.topology.organisations[0].peers[0]
        try:
            said = self.channel.peer_tool(
                peer, "lifecycle", "chaincode", "querycommitted", "--channelID", self.topology.channel,
                "--name", definition.name,
            )  # fmt: skip
        except ToolError:
            return 0
        found = re.search(r"Sequence: (\d+)", said)
        return int(found.group(1)) if found else 0

    def wait_until_known(self, definition: Definition) -> None:
        """Wait until every peer knows the definition, and where it can be endorsed.

        Discovery learns of a chaincode later than the ledger does: gossip tells peers what the others have installed.
        """
        for peer in self.topology.peers():
            until(self._known_to(peer, definition), 60, f"{peer.host} to know {definition.name} {definition.version}")
        for peer in self.topology.peers():
            until(self._everywhere_by(peer, definition), 60, f"{peer.host} to find {definition.name} on every peer")

    def _known_to(self, peer: Peer, definition: Definition) -> Callable[[], bool]:
        return lambda: self._committed(definition, peer) >= definition.sequence

    def _everywhere_by(self, peer: Peer, definition: Definition) -> Callable[[], bool]:
        wanted = {other.address for other in self.topology.peers()}

        def known() -> bool:
            try:
                found = json.loads(self.channel.discover(peer, "peers"))
            except ToolError:
                return False
            ready = {one["Endpoint"] for one in found if definition.name in (one.get("Chaincodes") or ())}
            return wanted <= ready

        return known


def _all(items: Iterable[Item], work: Callable[[Item], None]) -> None:
    """Do it for all at once; raises the first error."""
    given = list(items)
    with ThreadPoolExecutor(max(1, len(given))) as pool:
        list(pool.map(work, given))
