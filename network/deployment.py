"""Chaincode as a service: packaged, installed, approved by each organisation, committed, and its servers started."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from network.channel import Channel
from network.layout import Layout
from network.processes import Processes
from network.tools import ToolError
from network.topology import Peer, Topology
from network.waiting import until

_BUILDER = {
    # whether a package is ours: its type says so
    "detect": """#!{python}
import json, pathlib, sys
sys.exit(json.loads((pathlib.Path(sys.argv[2]) / "metadata.json").read_text())["type"].lower() != "ccaas")
""",
    # connection.json of the package, with this peer's own port put in
    "build": """#!{python}
import os, pathlib, shutil, sys
source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
text = (source / "connection.json").read_text().replace("{{port}}", os.environ.get("LOTLINE_CCAAS_PORT", ""))
(target / "connection.json").write_text(text)
if (source / "META-INF").is_dir():
    shutil.copytree(source / "META-INF", target / "META-INF")
""",
    "release": """#!{python}
import pathlib, shutil, sys
built, release = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
server = release / "chaincode" / "server"
server.mkdir(parents=True, exist_ok=True)
shutil.copy(built / "connection.json", server)
indexes = built / "META-INF" / "statedb"
if indexes.is_dir():
    shutil.copytree(indexes, release / "statedb", dirs_exist_ok=True)
""",
}


@dataclass(frozen=True)
class Definition:
    """A chaincode as the channel knows it."""

    name: str
    version: str = "1.0"
    sequence: int = 1
    signature_policy: str | None = None
    collections: Path | None = None
    init_required: bool = False

    def flags(self) -> list[str]:
        """As options of ``peer lifecycle chaincode``."""
        flags = ["--name", self.name, "--version", self.version, "--sequence", str(self.sequence)]
        if self.signature_policy:
            flags += ["--signature-policy", self.signature_policy]
        if self.collections:
            flags += ["--collections-config", str(self.collections)]
        return flags + (["--init-required"] if self.init_required else [])


def package(label: str, connection: dict[str, Any]) -> bytes:
    """A chaincode-as-a-service package; the same input gives the same bytes, hence the same package id."""
    code = _archive({"connection.json": json.dumps(connection, sort_keys=True).encode()})
    metadata = json.dumps({"type": "ccaas", "label": label}, sort_keys=True).encode()
    return _archive({"metadata.json": metadata, "code.tar.gz": code})


def package_id(label: str, content: bytes) -> str:
    """What peers call the package: ``label:sha256``."""
    return f"{label}:{hashlib.sha256(content).hexdigest()}"


def _archive(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


@dataclass
class Deployment:
    """Puts a chaincode on the channel and runs a server of it for each peer."""

    topology: Topology
    layout: Layout
    channel: Channel
    processes: Processes

    def write_builder(self) -> None:
        """The external builder that peers run for our packages."""
        for name, text in _BUILDER.items():
            file = self.layout.builder / "bin" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("{python}", sys.executable))
            file.chmod(0o755)

    def deploy(self, definition: Definition, command: Sequence[str], environment: dict[str, str] | None = None) -> str:
        """Everything, in order; what is done already is left. ``command`` runs the server; returns the package id."""
        label = f"{definition.name}_{definition.version}"
        connection = {"address": "127.0.0.1:{{port}}", "dial_timeout": "10s", "tls_required": False}
        content = package(label, connection)
        file = self.layout.packages / f"{label}.tar.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        identifier = package_id(label, content)
        for peer in self.topology.peers():
            self.start_server(peer, identifier, command, environment)
            self._install(peer, file, identifier)
        if self._committed(definition) != definition.sequence:
            for organisation in self.topology.organisations:
                self._approve(organisation.peers[0], definition, identifier)
            self._commit(definition)
        self.wait_until_known(definition)
        return identifier

    def start_server(
        self, peer: Peer, identifier: str, command: Sequence[str], environment: dict[str, str] | None = None
    ) -> None:
        """Start a peer's chaincode server."""
        given = {
            "CHAINCODE_ID": identifier,
            "CHAINCODE_SERVER_ADDRESS": f"127.0.0.1:{peer.chaincode_port}",
            "CORE_PEER_LOCALMSPID": peer.msp_id,
            **(environment or {}),
        }
        self.processes.start(self.server_name(peer), command, given, self.layout.home)

    @staticmethod
    def server_name(peer: Peer) -> str:
        """The name of a peer's chaincode server process."""
        return f"chaincode.{peer.host}"

    def _install(self, peer: Peer, file: Path, identifier: str) -> None:
        if identifier in self.channel.peer_tool(peer, "lifecycle", "chaincode", "queryinstalled"):
            return
        self.channel.peer_tool(peer, "lifecycle", "chaincode", "install", str(file))

    def _orderer_flags(self) -> list[str]:
        root = self.layout.authority_certificate(self.topology.orderer_organisation)
        return [
            "-o",
            self.topology.orderers[0].address,
            "--tls",
            "--cafile",
            str(root),
            "--channelID",
            self.topology.channel,
        ]

    def _approve(self, peer: Peer, definition: Definition, identifier: str) -> None:
        self.channel.peer_tool(
            peer, "lifecycle", "chaincode", "approveformyorg", *self._orderer_flags(), *definition.flags(),
            "--package-id", identifier,
        )  # fmt: skip

    def _commit(self, definition: Definition) -> None:
        targets: list[str] = []
        for organisation in self.topology.organisations:
            root = self.layout.authority_certificate(organisation)
            targets += ["--peerAddresses", organisation.peers[0].address, "--tlsRootCertFiles", str(root)]
        first = self.topology.organisations[0].peers[0]
        self.channel.peer_tool(
            first, "lifecycle", "chaincode", "commit", *self._orderer_flags(), *definition.flags(), *targets
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
        """Wait until every peer knows the definition."""
        for peer in self.topology.peers():
            until(
                lambda peer=peer: self._committed(definition, peer) >= definition.sequence,  # type: ignore[misc]
                60,
                f"{peer.host} to know {definition.name} {definition.version}",
            )
