"""A peer whose ledger is lost or not trusted gets it again: from the orderers, from a snapshot, or from its own blocks.

Steps as in "Taking ledger snapshots and using them to join channels" and "peer node" of Fabric's documentation.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from network.channel import Channel
from network.deployment import Definition, Deployment
from network.layout import Layout
from network.nodes import Nodes
from network.processes import Processes
from network.tools import ToolError, run
from network.topology import Peer, Topology
from network.waiting import port_open, until

Say = Callable[[str], None]
_STANDSTILL = 60.0
"""Seconds without a new block after which a peer is not catching up."""


class RecoveryError(RuntimeError):
    """It cannot be done; the message says why and what to do. Nothing was deleted."""


@dataclass
class Recovery:
    """Wipes, rejoins and rebuilds peers of a network that runs."""

    topology: Topology
    layout: Layout
    nodes: Nodes
    channel: Channel
    deployment: Deployment
    processes: Processes

    def rejoin(self, peer: Peer, source: Peer | None, definitions: Sequence[Definition], say: Say) -> list[Definition]:
        """Delete a peer's ledger and make it again: from the genesis block on, or from a snapshot of another peer.

        Returns, once it is as high as the others were, the definitions for which the organisation has lost its approval:
        they must be defined anew. Raises RecoveryError before anything is deleted if nobody is there to learn from.
        """
        others = self._others(peer)
        with nullcontext() if source is None else self._snapshot(source, others, say) as snapshot:
            say(f"{peer.host}: its ledger is deleted")
            self._wipe(peer)
            self.nodes.start_peer(peer)
            if snapshot is None:
                self.channel.join(peer)
            else:
                self.channel.join_by_snapshot(peer, snapshot)
        self.deployment.install_again(peer, definitions)  # packages lie with the ledger
        self._catch_up(peer, max(self.channel.height(other) for other in others), say)
        self._start_servers(peer)
        lost = self._without_approval(peer, definitions)
        if not lost or not any(other.msp_id == peer.msp_id for other in others):
            return lost
        self._learn_approvals(peer, lost, say)
        return []

    def restart(self, peer: Peer) -> None:
        """Have a peer and its chaincode servers start anew, each with its certificates as they are now."""
        self.processes.stop(peer.host)
        # how the peer reaches its chaincode, its certificate included, is what the builder made: it is asked again
        shutil.rmtree(self.layout.peer(peer) / "production" / "externalbuilder", ignore_errors=True)
        for name in self.servers(peer):
            self.processes.stop(name)
        self.nodes.start_peer(peer)
        self._start_servers(peer)
        for name in self.servers(peer):
            port = int(self.processes.environment(name)["CHAINCODE_SERVER_ADDRESS"].rpartition(":")[2])
            until(partial(port_open, port), 60, f"{name} to listen", partial(self.processes.check, name))
        self.channel.wait_until_answers(peer)

    def _wipe(self, peer: Peer) -> None:
        self.processes.stop(peer.host)
        for folder in ("production", "snapshots"):
            with suppress(FileNotFoundError):
                shutil.rmtree(self.layout.peer(peer) / folder)

    def _without_approval(self, peer: Peer, definitions: Sequence[Definition]) -> list[Definition]:
        return [definition for definition in definitions if not self.deployment.approved(peer, definition)]

    def _learn_approvals(self, peer: Peer, lost: list[Definition], say: Say) -> None:
        """Wait until another peer of the organisation has handed on its private data; a peer looks at it when it starts."""
        say(f"{peer.host}: waiting for {peer.msp_id}'s private data")
        until(lambda: not self._without_approval(peer, lost), 120, f"{peer.host} to get its organisation's approvals")
        self.processes.stop(peer.host)
        self.nodes.start_peer(peer)
        self.channel.wait_until_answers(peer)

    def rebuild(self, peer: Peer, say: Say) -> None:
        """Drop a peer's databases (state, history, indexes) and have it make them again from its own blocks.

        Raises RecoveryError for a peer that joined by a snapshot: it lacks the blocks for that.
        """
        self.processes.stop(peer.host)
        say(f"{peer.host}: its databases are dropped")
        try:
            environment = {"FABRIC_CFG_PATH": str(self.layout.peer(peer)), "FABRIC_LOGGING_SPEC": "error"}
            run(self.channel.binaries, ["peer", "node", "rebuild-dbs"], environment)
        except ToolError as error:
            if "bootstrapped from snapshot" not in str(error):
                raise
            raise RecoveryError(
                f"{peer.host} joined by a snapshot and lacks the blocks to rebuild from: rejoin makes its ledger again"
            ) from error
        finally:
            self.nodes.start_peer(peer)
        self.channel.wait_until_answers(peer)
        others = self._running(peer)
        self._catch_up(peer, max([self.channel.height(other) for other in others], default=0), say)

    def _running(self, peer: Peer) -> list[Peer]:
        """The other peers that run."""
        return [one for one in self.topology.peers() if one != peer and self.processes.running(one.host)]

    def _others(self, peer: Peer) -> list[Peer]:
        running = self._running(peer)
        if not running:
            raise RecoveryError(f"no other peer runs that {peer.host} could learn from: `lotline network up` first")
        if not any(self.processes.running(orderer.host) for orderer in self.topology.orderers):
            raise RecoveryError(f"no orderer runs that {peer.host} could get blocks from: `lotline network up` first")
        return running

    @contextmanager
    def _snapshot(self, source: Peer, others: list[Peer], say: Say) -> Iterator[Path]:
        """Have a peer make a snapshot of its last block: its folder, for as long as it is needed."""
        if source not in others:
            raise RecoveryError(f"{source.host} is not another peer that runs: a snapshot comes from one that does")
        done = self.layout.peer(source) / "snapshots" / "completed" / self.topology.channel
        before = _folders(done)
        root = self.layout.authority_certificate(self.topology.organisation(source.msp_id))
        try:
            self.channel.peer_tool(
                source, "snapshot", "submitrequest", "-c", self.topology.channel,
                "--peerAddress", source.address, "--tlsRootCertFile", str(root),
            )  # fmt: skip
        except ToolError as error:
            if "snapshot already generated" not in str(error):
                raise
            yield _newest(before)  # somebody's, who may want it still
            return
        until(lambda: _folders(done) > before, 600, f"{source.host} to write its snapshot")
        made = _newest(_folders(done) - before)
        say(f"{source.host}: snapshot of block {made.name}")
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _catch_up(self, peer: Peer, wanted: int, say: Say) -> None:
        """Wait until the peer is that high, for as long as it gets higher."""
        height, moved = 0, time.monotonic()
        while (found := self.channel.height(peer)) < wanted:
            if found > height:
                height, moved = found, time.monotonic()
                say(f"{peer.host}: block {height} of {wanted}")
            self.processes.check(peer.host)
            if time.monotonic() - moved > _STANDSTILL:
                raise TimeoutError(f"{peer.host} got no block after {height - 1} for {_STANDSTILL:.0f} s")
            time.sleep(0.3)

    def _start_servers(self, peer: Peer) -> None:
        """The peer's chaincode servers, if they went down with it."""
        for name in self.servers(peer):
            self.processes.start_again(name)

    def servers(self, peer: Peer) -> list[str]:
        """The names of a peer's chaincode servers."""
        return [
            name for name in self.processes.known() if name.startswith("chaincode.") and name.endswith(f".{peer.host}")
        ]


def _folders(parent: Path) -> set[Path]:
    return {folder for folder in parent.iterdir() if folder.is_dir()} if parent.is_dir() else set()


def _newest(folders: set[Path]) -> Path:
    return max(folders, key=lambda folder: int(folder.name))
