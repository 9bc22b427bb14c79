"""A network's life: up, down, one node at a time, and what state it is in."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from fabric.words.keys import KeyType
from ledger.private import close_to_others
from network import binaries, store
from network.authorities import Authorities
from network.channel import Channel
from network.connection import write_connections
from network.definitions import Definitions, Deployed
from network.deployment import SLOTS, Definition, Deployment
from network.files import alone
from network.layout import Layout
from network.nodes import Nodes
from network.operations import Operations
from network.processes import Processes
from network.recovery import Recovery
from network.renewal import DUE_BEFORE, Renewal, Renewed
from network.revocation import Revocation
from network.tools import ToolError
from network.topology import Orderer, Organisation, Peer, Topology
from network.waiting import port_free

Say = Callable[[str], None]


class NetworkError(RuntimeError):
    """The network cannot do that; the message says why and what to do."""


@dataclass(frozen=True)
class NodeStatus:
    """One process of the network."""

    name: str
    kind: str
    running: bool
    detail: str = ""


class Network:
    """A Fabric network under one home. Everything it owns lies there, and ``up`` after a reboot keeps its ledger."""

    def __init__(self, home: Path, topology: Topology | None = None) -> None:
        self.layout = Layout(home.resolve())
        kept = store.read(self.layout.topology)
        if kept is None and topology is None:
            raise NetworkError(f"there is no network in {home}: bring one up first")
        if kept is not None and topology is not None and kept != topology:
            raise NetworkError(f"{home} holds a network of another topology: reset it first, or use another home")
        self.topology: Topology = kept or topology  # type: ignore[assignment]
        self.processes = Processes(self.layout.home)

    @cached_property
    def binaries(self) -> Path:
        """Where Fabric's binaries are; raises BinariesError where there are none."""
        return binaries.ensure()

    @cached_property
    def authorities(self) -> Authorities:
        """The certificate authorities."""
        return Authorities(self.topology, self.layout, self.processes, self.binaries)

    @cached_property
    def nodes(self) -> Nodes:
        """Peers and orderers."""
        return Nodes(self.topology, self.layout, self.processes, self.binaries)

    @cached_property
    def operations(self) -> Operations:
        """What nodes say of themselves."""
        return Operations(self.topology, self.layout)

    @cached_property
    def channel(self) -> Channel:
        """The channel."""
        return Channel(self.topology, self.layout, self.nodes, self.binaries, self.operations)

    @cached_property
    def deployment(self) -> Deployment:
        """The chaincode."""
        return Deployment(self.topology, self.layout, self.channel, self.processes, self.authorities)

    @cached_property
    def definitions(self) -> Definitions:
        """Which chaincodes are on the channel."""
        return Definitions(self.layout.definitions)

    @cached_property
    def _recovery(self) -> Recovery:
        return Recovery(self.topology, self.layout, self.nodes, self.channel, self.deployment, self.processes)

    def up(self, say: Say = lambda _: None) -> None:
        """Start everything that does not run, and return when the channel can order and every peer has joined it."""
        if "?" in str(self.layout.home):  # the database of Fabric's authority would be another file
            raise NetworkError(f"Fabric CA can't work in a folder whose path has a question mark: {self.layout.home}")
        self._check_ports()
        self.layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        close_to_others(self.layout.home)  # also what earlier versions made
        store.write(self.layout.topology, self.topology)
        say("certificate authorities")
        self.authorities.start()
        self._renew_certificates(DUE_BEFORE, say)  # a network may have been down for long
        self.authorities.issue_all()
        self.channel.create()
        self.deployment.write_builder()
        say(f"{len(self.topology.orderers)} orderers ({self.topology.consensus.value})")
        self.channel.serve()
        peers = list(self.topology.peers())
        say(f"{len(peers)} peers of {len(self.topology.organisations)} organisations")
        for peer in peers:
            self.nodes.start_peer(peer)
        for peer in peers:
            self.channel.join(peer)
        write_connections(self.topology, self.layout)
        close_to_others(self.layout.home)

    def deploy(
        self,
        definition: Definition | None = None,
        command: list[str] | None = None,
        say: Say = lambda _: None,
        slot: int = 0,
    ) -> str:
        """Deploy a chaincode (by default Lotline's own, in its present version) and start its servers; returns the package
        id."""
        if definition is None:
            kept = self.definitions.get(self.topology.chaincode) or Deployed(Definition(self.topology.chaincode), slot)
            definition, slot = kept.definition, kept.slot
        say(f"chaincode {definition.name} {definition.version}")
        command = command or [sys.executable, "-m", "chaincode"]
        self.definitions.keep(definition, slot)  # before it is done: `up` completes what was interrupted
        identifier = self.deployment.deploy(definition, command, _import_path(), slot)
        self.deployment.retire(definition, {one.definition.label for one in self.definitions.all()})
        return identifier

    def upgrade(
        self, version: str = "", name: str = "", command: list[str] | None = None, say: Say = lambda _: None
    ) -> Definition:
        """Put the next version of a chaincode (Lotline's own by default) on the channel while the present one goes on
        serving; returns its definition.

        New servers run what is installed here now. The old ones are stopped once every peer knows the new definition.
        By default the version is the definition's number: 2.0, 3.0 and so on. Raises NetworkError for a version that
        is there already, or while an earlier upgrade is not complete.
        """
        kept = self.definitions.get(name or self.topology.chaincode)
        if kept is None or self.deployment.committed(kept.definition) != kept.definition.sequence:
            raise NetworkError("the present version is not complete on this network: `lotline network up` first")
        sequence = kept.definition.sequence + 1
        new = replace(kept.definition, version=version or f"{sequence}.0", sequence=sequence, package="")
        if (self.layout.packages / f"{new.label}.tar.gz").exists():
            raise NetworkError(f"version {new.version} has been on this network already: choose another")
        self.deploy(new, command, say, self._free_slot())
        return new

    def _free_slot(self) -> int:
        taken = {one.slot for one in self.definitions.all()}
        free = next((slot for slot in range(SLOTS) if slot not in taken), None)
        if free is None:
            raise NetworkError(f"a peer has ports for {SLOTS} chaincodes, and all are taken")
        return free

    def issue(
        self,
        msp_id: str,
        name: str,
        role: str | None,
        attributes: Mapping[str, str] | None = None,
        key_type: KeyType = KeyType.P256,
    ) -> Path:
        """A client identity of an organisation with the attribute ``role`` (and others), from its Fabric CA; once.

        Without a role the certificate says nothing of one, and the contract lets it ask only. Returns its MSP folder.
        Raises TopologyError for an organisation that is not there.
        """
        kind = "admin" if role == "admin" else "client"
        given = {**({} if role is None else {"role": role}), **(attributes or {})}
        return self.authorities.issue(self.topology.organisation(msp_id), name, kind, given, key_type) / "msp"

    def renew(self, within: timedelta = DUE_BEFORE, say: Say = lambda _: None) -> Renewed:
        """Renew every certificate that ends within that time: of identities, of nodes, which are restarted one after
        another, and of the authorities.
        """
        with alone(self.layout.home / "renewal.lock"):
            renewed = self._renew_certificates(within, say)
            self._restart_with_new_certificates(say)
            return renewed

    def _renew_certificates(self, within: timedelta, say: Say) -> Renewed:
        renewal = Renewal(self.topology, self.layout, self.authorities)
        for organisation in renewal.servers_due(within):
            say(f"renewing the TLS certificate of {Authorities.process(organisation)}")
            self.authorities.renew_server(organisation)
        renewed = Renewed()
        for one in renewal.due(within):
            try:
                renewal.renew(one)
            except ToolError as error:
                renewed.failed[one.whose] = str(error)
                say(f"the certificate of {one.whose} could not be renewed: {error}")
            else:
                renewed.done.append(one.whose)
                say(f"the certificate of {one.whose} is renewed")
        return renewed

    def _restart_with_new_certificates(self, say: Say) -> None:
        """Nodes that were started with other certificates than they have now; also those of a renewal that was interrupted."""
        for orderer in self.topology.orderers:
            read = self._certificates(self.topology.orderer_organisation, orderer.name)
            if self.processes.older_than(orderer.host, *read):
                say(f"{orderer.host} starts anew")
                self.processes.stop(orderer.host)
                self.nodes.start_orderer(orderer)
                self.channel.wait_for_leader()
        for organisation in self.topology.organisations:
            for peer in organisation.peers:
                servers = self._certificates(organisation, "chaincode")
                own = self._certificates(organisation, peer.name)
                old = [name for name in self._recovery.servers(peer) if self.processes.older_than(name, *servers)]
                if old or self.processes.older_than(peer.host, *own):
                    say(f"{peer.host} starts anew")
                    self._recovery.restart(peer)
                    self.deployment.wait_until_found(peer, [one.definition for one in self.definitions.all()])

    def _certificates(self, organisation: Organisation, name: str) -> list[Path]:
        """What a node or a chaincode server reads when it starts."""
        folder = self.layout.identity(organisation, name)
        files = [*(folder / "msp" / "signcerts").glob("*.pem"), folder / "tls" / "server.crt"]
        return [file for file in files if file.exists()]

    def revoke(self, msp_id: str, name: str) -> None:
        """Revoke an identity, at its authority and in the channel's configuration: from the next block on peers refuse it.

        Raises ToolError for a name that the authority does not know.
        """
        organisation = self.topology.organisation(msp_id)
        Revocation(self.channel).publish(organisation, self.authorities.revoke(organisation, name))

    def down(self, say: Say = lambda _: None) -> None:
        """Stop every process, chaincode first and authorities last; ledgers and keys stay."""
        names = self.processes.names()
        for kind in ("chaincode.", "peer", "orderer", "ca.", ""):
            stopping = [name for name in names if name.startswith(kind)]
            names = [name for name in names if name not in stopping]
            if stopping:
                say(f"stopping {', '.join(stopping)}")
                with ThreadPoolExecutor(len(stopping)) as pool:
                    list(pool.map(self.processes.stop, stopping))
        if strays := self.processes.end_strays():
            say(f"ended {len(strays)} processes that nothing knew of any more")

    def reset(self) -> None:
        """Stop everything and delete the home: ledgers, keys and all."""
        self.down()
        shutil.rmtree(self.layout.home)

    def stop(self, name: str, kill: bool = False) -> None:
        """Stop one process; raises NetworkError for a name that is not there."""
        if name not in self.processes.names():
            raise NetworkError(f"no process {name} runs here; there are: {', '.join(self.names())}")
        self.processes.stop(name, kill=kill)

    def start(self, name: str) -> None:
        """Start one peer, orderer, authority or chaincode server again. Raises NetworkError for an unknown name."""
        if name not in self.processes.known():
            raise NetworkError(f"no process {name}; there are: {', '.join(self.names())}")
        self.processes.start_again(name)

    def rejoin(self, name: str, snapshot_of: str = "", say: Say = lambda _: None) -> None:
        """Delete a peer's ledger and have it join the channel anew: from the first block on, or from a snapshot that
        another peer makes of its last block. Returns when it has caught up and can endorse.

        An organisation's only peer is the only one that knew its approvals. They can be given once for a definition, so
        it gets the next number, with nothing else changed.

        Raises NetworkError for a name that is no peer's, RecoveryError when nobody is there to learn from.
        """
        source = self._peer(snapshot_of) if snapshot_of else None
        peer, definitions = self._peer(name), [one.definition for one in self.definitions.all()]
        for lost in self._recovery.rejoin(peer, source, definitions, say):
            self._define_anew(lost, say)
        self.deployment.wait_until_found(peer, definitions)

    def _define_anew(self, definition: Definition, say: Say) -> None:
        kept = self.definitions.get(definition.name)
        assert kept is not None
        new = replace(definition, sequence=definition.sequence + 1)
        say(f"chaincode {new.name} {new.version}: definition {new.sequence}")
        self.definitions.keep(new, kept.slot)
        self.deployment.define(new)

    def rebuild(self, name: str, say: Say = lambda _: None) -> None:
        """Have a peer make its databases again from its own blocks. Raises NetworkError for a name that is no peer's,
        RecoveryError for a peer that joined by a snapshot."""
        self._recovery.rebuild(self._peer(name), say)

    def _peer(self, name: str) -> Peer:
        peers = {peer.host: peer for peer in self.topology.peers()}
        if name not in peers:
            raise NetworkError(f"no peer {name}; there are: {', '.join(peers)}")
        return peers[name]

    def names(self) -> list[str]:
        """Every process's name."""
        return [status.name for status in self.status()]

    def status(self) -> list[NodeStatus]:
        """Every process, whether it runs and what it says of itself."""
        return list(self._statuses())

    def _statuses(self) -> Iterator[NodeStatus]:
        for organisation in (self.topology.orderer_organisation, *self.topology.organisations):
            name = Authorities.process(organisation)
            yield NodeStatus(name, "authority", self.processes.running(name), f"port {organisation.ca_port}")
        for orderer in self.topology.orderers:
            yield self._orderer_status(orderer)
        for peer in self.topology.peers():
            yield self._peer_status(peer)
        for name in self.processes.known():
            if name.startswith("chaincode."):
                yield NodeStatus(name, "chaincode", self.processes.running(name))

    def _orderer_status(self, orderer: Orderer) -> NodeStatus:
        running = self.processes.running(orderer.host)
        leads = running and self.operations.leads(orderer)
        return NodeStatus(orderer.host, "orderer", running, f"port {orderer.port}" + (", leader" if leads else ""))

    def _peer_status(self, peer: Peer) -> NodeStatus:
        running = self.processes.running(peer.host)
        height = self.operations.height(peer)
        return NodeStatus(peer.host, "peer", running, f"port {peer.port}" + (f", height {height}" if height else ""))

    def _check_ports(self) -> None:
        """A port that somebody else holds would show up much later as a riddle."""
        wanted = [
            (Authorities.process(o), o.ca_port)
            for o in (self.topology.orderer_organisation, *self.topology.organisations)
        ]
        wanted += [(orderer.host, orderer.port) for orderer in self.topology.orderers]
        wanted += [(peer.host, peer.port) for peer in self.topology.peers()]
        taken = [
            f"{port} ({name})" for name, port in wanted if not self.processes.running(name) and not port_free(port)
        ]
        if taken:
            raise NetworkError(f"ports in use by other processes: {', '.join(taken)}; choose another base port")


def _import_path() -> dict[str, str]:
    """Chaincode servers import what this process can import."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
