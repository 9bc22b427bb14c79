"""The channel: its genesis block, the orderers that serve it and the peers that join it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from network.layout import Layout
from network.nodes import Nodes
from network.operations import Operations
from network.tools import ToolError, run
from network.topology import Consensus, Orderer, Organisation, Peer, Topology
from network.waiting import until

_PROFILE = "Channel"
_ELECTION_SECONDS = 60.0


def configtx(topology: Topology, layout: Layout) -> dict[str, Any]:
    """configtx.yaml: one profile, the whole channel."""
    profile = {
        "Policies": _implicit("ANY Readers", "ANY Writers", "MAJORITY Admins"),
        "Capabilities": {"V3_0": True},
        "Orderer": _orderer(topology, layout),
        "Application": {
            "Organizations": [_member(organisation, layout) for organisation in topology.organisations],
            "Policies": {
                **_implicit("ANY Readers", "ANY Writers", "MAJORITY Admins"),
                "LifecycleEndorsement": {"Type": "ImplicitMeta", "Rule": "MAJORITY Endorsement"},
                "Endorsement": {"Type": "ImplicitMeta", "Rule": "MAJORITY Endorsement"},
            },
            "Capabilities": {"V2_5": True},
        },
    }
    return {"Profiles": {_PROFILE: profile}}


def _implicit(readers: str, writers: str, admins: str) -> dict[str, Any]:
    rules = {"Readers": readers, "Writers": writers, "Admins": admins}
    return {name: {"Type": "ImplicitMeta", "Rule": rule} for name, rule in rules.items()}


def _signature(*principals: str) -> dict[str, str]:
    return {"Type": "Signature", "Rule": f"OR({', '.join(repr(principal) for principal in principals)})"}


def _member(organisation: Organisation, layout: Layout) -> dict[str, Any]:
    msp = organisation.msp_id
    return {
        "Name": msp,
        "ID": msp,
        "MSPDir": str(layout.msp(organisation)),
        "Policies": {
            "Readers": _signature(f"{msp}.admin", f"{msp}.peer", f"{msp}.client"),
            "Writers": _signature(f"{msp}.admin", f"{msp}.client"),
            "Admins": _signature(f"{msp}.admin"),
            "Endorsement": _signature(f"{msp}.peer"),
        },
        "AnchorPeers": [{"Host": "localhost", "Port": peer.port} for peer in organisation.peers[:1]],
    }


def _orderer(topology: Topology, layout: Layout) -> dict[str, Any]:
    organisation = topology.orderer_organisation
    msp = organisation.msp_id
    blocks = topology.blocks
    config: dict[str, Any] = {
        "Organizations": [
            {
                "Name": msp,
                "ID": msp,
                "MSPDir": str(layout.msp(organisation)),
                "Policies": {
                    "Readers": _signature(f"{msp}.member"),
                    "Writers": _signature(f"{msp}.member"),
                    "Admins": _signature(f"{msp}.admin"),
                },
                "OrdererEndpoints": [orderer.address for orderer in topology.orderers],
            }
        ],
        "BatchTimeout": blocks.timeout,
        "BatchSize": {
            "MaxMessageCount": blocks.messages,
            "AbsoluteMaxBytes": blocks.absolute_bytes,
            "PreferredMaxBytes": blocks.preferred_bytes,
        },
        "Policies": {
            **_implicit("ANY Readers", "ANY Writers", "MAJORITY Admins"),
            "BlockValidation": {"Type": "ImplicitMeta", "Rule": "ANY Writers"},
        },
        "Capabilities": {"V2_0": True},
    }
    return config | (_bft(topology, layout) if topology.consensus is Consensus.BFT else _raft(topology, layout))


def _raft(topology: Topology, layout: Layout) -> dict[str, Any]:
    consenters = [
        {"Host": "localhost", "Port": node.port, **_tls(topology, layout, node)} for node in topology.orderers
    ]
    options = {
        "TickInterval": "500ms",
        "ElectionTick": 10,
        "HeartbeatTick": 1,
        "MaxInflightBlocks": 5,
        "SnapshotIntervalSize": "16 MB",
    }
    return {"OrdererType": "etcdraft", "EtcdRaft": {"Consenters": consenters, "Options": options}}


def _bft(topology: Topology, layout: Layout) -> dict[str, Any]:
    organisation = topology.orderer_organisation
    mapping = [
        {
            "ID": node.number,
            "Host": "localhost",
            "Port": node.port,
            "MSPID": organisation.msp_id,
            "Identity": str(layout.identity(organisation, node.name) / "msp" / "signcerts" / "cert.pem"),
            **_tls(topology, layout, node),
        }
        for node in topology.orderers
    ]
    options = {
        "RequestBatchMaxInterval": topology.blocks.bft_interval,
        "RequestForwardTimeout": "2s",
        "RequestComplainTimeout": "10s",
        "RequestAutoRemoveTimeout": "3m",
        "ViewChangeResendInterval": "3s",
        "ViewChangeTimeout": "10s",
        # the sample's minute is how long nothing is ordered after a leader dies
        "LeaderHeartbeatTimeout": "5s",
        "LeaderHeartbeatCount": 10,
        "CollectTimeout": "1s",
        "IncomingMessageBufferSize": 200,
        "RequestPoolSize": 100000,
    }
    return {"OrdererType": "BFT", "ConsenterMapping": mapping, "SmartBFT": options}


def _tls(topology: Topology, layout: Layout, orderer: Orderer) -> dict[str, str]:
    certificate = str(layout.identity(topology.orderer_organisation, orderer.name) / "tls" / "server.crt")
    return {"ClientTLSCert": certificate, "ServerTLSCert": certificate}


@dataclass
class Channel:
    """Creates the channel and brings nodes into it."""

    topology: Topology
    layout: Layout
    nodes: Nodes
    binaries: Path
    operations: Operations

    def create(self) -> None:
        """Write the genesis block, once: its hash is the network's identity."""
        if self.layout.genesis.exists():
            return
        self.layout.configtx.mkdir(parents=True, exist_ok=True)
        (self.layout.configtx / "configtx.yaml").write_text(json.dumps(configtx(self.topology, self.layout), indent=1))
        unfinished = self.layout.genesis.with_suffix(".new")
        run(
            self.binaries,
            ["configtxgen", "-profile", _PROFILE, "-outputBlock", str(unfinished), "-channelID", self.topology.channel],
            {"FABRIC_CFG_PATH": str(self.layout.configtx)},
        )
        unfinished.replace(self.layout.genesis)

    def serve(self) -> None:
        """Start the orderers, make each one join, and wait until they have a leader."""
        for orderer in self.topology.orderers:
            self.nodes.start_orderer(orderer)
        for orderer in self.topology.orderers:
            self._join_orderer(orderer)
        self.wait_for_leader()

    def _osnadmin(self, orderer: Orderer, *arguments: str) -> str:
        organisation = self.topology.orderer_organisation
        tls = self.layout.identity(organisation, "admin") / "tls"
        return run(
            self.binaries,
            [
                "osnadmin", "channel", *arguments,
                "--orderer-address", f"localhost:{orderer.admin_port}",
                "--ca-file", str(tls / "ca.crt"),
                "--client-cert", str(tls / "server.crt"),
                "--client-key", str(tls / "server.key"),
            ],
        )  # fmt: skip

    def _join_orderer(self, orderer: Orderer) -> None:
        def answers() -> bool:
            try:
                self._osnadmin(orderer, "list")
            except ToolError:
                return False
            return True

        until(answers, 60, f"{orderer.host} to answer", lambda: self.nodes.processes.check(orderer.host))
        listed = self._osnadmin(orderer, "list")
        if f'"{self.topology.channel}"' not in listed:
            said = self._osnadmin(
                orderer, "join", "--channelID", self.topology.channel, "--config-block", str(self.layout.genesis)
            )
            if "Status: 201" not in said:
                raise ToolError(f"{orderer.host} did not join {self.topology.channel}:\n{said}")

    def status(self, orderer: Orderer) -> dict[str, Any]:
        """What an orderer says of the channel: status, consensus relation, height."""
        said = self._osnadmin(orderer, "list", "--channelID", self.topology.channel)
        answer: dict[str, Any] = json.loads(said[said.index("{") :])
        return answer

    def wait_for_leader(self, seconds: float = 60.0) -> None:
        """Wait until an orderer's own metrics name a leader: an open port says nothing of that."""
        until(self._has_leader, seconds, "the orderers to elect a leader", self._check_orderers)

    def _check_orderers(self) -> None:
        for orderer in self.topology.orderers:
            self.nodes.processes.check(orderer.host)

    def _has_leader(self) -> bool:
        return any(self.operations.leads(orderer) for orderer in self.topology.orderers)

    def join(self, peer: Peer) -> None:
        """Make a peer join the channel, once it answers."""
        self.wait_until_answers(peer)
        if not self._joined(peer):
            self.peer_tool(peer, "channel", "join", "-b", str(self.layout.genesis))
            self._wait_until_joined(peer, 30)

    def join_by_snapshot(self, peer: Peer, snapshot: Path) -> None:
        """Make a peer that has no ledger join the channel with the state of a snapshot, once it answers."""
        self.wait_until_answers(peer)
        self.peer_tool(peer, "channel", "joinbysnapshot", "--snapshotpath", str(snapshot))
        self._wait_until_joined(peer, 600)

    def wait_until_answers(self, peer: Peer) -> None:
        """Wait until a peer that was just started serves."""

        def answers() -> bool:
            try:
                self.peer_tool(peer, "channel", "list")
            except ToolError:
                return False
            return True

        until(answers, 60, f"{peer.host} to answer", lambda: self.nodes.processes.check(peer.host))

    def _joined(self, peer: Peer) -> bool:
        try:
            return self.topology.channel in self.peer_tool(peer, "channel", "list").split()
        except ToolError:
            return False

    def _wait_until_joined(self, peer: Peer, seconds: float) -> None:
        until(
            lambda: self._joined(peer),
            seconds,
            f"{peer.host} to have joined {self.topology.channel}",
            lambda: self.nodes.processes.check(peer.host),
        )

    def height(self, peer: Peer) -> int:
        """How many blocks a peer has. Raises ToolError where it does not answer."""
        said = self.peer_tool(peer, "channel", "getinfo", "-c", self.topology.channel)
        return int(json.loads(said[said.index("{") :])["height"])

    def peer_tool(self, peer: Peer, *arguments: str) -> str:
        """Run the ``peer`` command as the administrator of a peer's organisation."""
        organisation = self.topology.organisation(peer.msp_id)
        identity = self.layout.identity(organisation, "admin")
        environment = {
            "FABRIC_CFG_PATH": str(self.layout.peer(peer)),
            "FABRIC_LOGGING_SPEC": "error",
            "CORE_PEER_LOCALMSPID": peer.msp_id,
            "CORE_PEER_MSPCONFIGPATH": str(identity / "msp"),
            "CORE_PEER_ADDRESS": peer.address,
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_ROOTCERT_FILE": str(self.layout.authority_certificate(organisation)),
        }
        return run(self.binaries, ["peer", *arguments], environment)

    def order(self, peer: Peer, *arguments: str) -> str:
        """Run the ``peer`` command as ``peer_tool`` does, with an orderer; with the next one while that has no leader.

        What an orderer refuses so was not ordered: asking again does no harm. Raises ToolError after a minute of it.
        """
        root = self.layout.authority_certificate(self.topology.orderer_organisation)
        deadline = time.monotonic() + _ELECTION_SECONDS
        while True:
            running = [o for o in self.topology.orderers if self.nodes.processes.running(o.host)]
            for orderer in running or self.topology.orderers:
                try:
                    return self.peer_tool(peer, *arguments, "-o", orderer.address, "--tls", "--cafile", str(root))
                except ToolError as error:
                    if "SERVICE_UNAVAILABLE" not in str(error) or time.monotonic() > deadline:
                        raise
            time.sleep(0.5)

    def discover(self, peer: Peer, what: str, *arguments: str) -> str:
        """Ask a peer's discovery service, as the administrator of its organisation."""
        organisation = self.topology.organisation(peer.msp_id)
        msp = self.layout.identity(organisation, "admin") / "msp"
        return run(
            self.binaries,
            [
                "discover", "--peerTLSCA", str(self.layout.authority_certificate(organisation)),
                "--userKey", str(next((msp / "keystore").iterdir())),
                "--userCert", str(msp / "signcerts" / "cert.pem"),
                "--MSP", peer.msp_id,
                what, "--channel", self.topology.channel, "--server", peer.address, *arguments,
            ],
        )  # fmt: skip
