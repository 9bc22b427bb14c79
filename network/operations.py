"""The nodes' operations endpoints: health, metrics, and log levels that can be set there.

They speak TLS only, and only with who shows a certificate of their organisation's authority.
"""

from __future__ import annotations

import ssl
import urllib.request
from dataclasses import dataclass

from network.layout import Layout
from network.topology import Consensus, Orderer, Organisation, Peer, Topology

_LEADS = {Consensus.RAFT: "consensus_etcdraft_is_leader", Consensus.BFT: "consensus_BFT_is_leader"}


@dataclass(frozen=True)
class Operations:
    """Asks nodes about themselves, as the administrator of their organisation."""

    topology: Topology
    layout: Layout

    def leads(self, orderer: Orderer) -> bool:
        """Whether an orderer is the leader, by its own word; False if it does not answer."""
        metric = f'{_LEADS[self.topology.consensus]}{{channel="{self.topology.channel}"}}'
        return self._metric(self.topology.orderer_organisation, orderer.operations_port, metric) == "1"

    def height(self, peer: Peer) -> str:
        """How many blocks a peer has, by its own word; empty if it does not answer."""
        metric = f'ledger_blockchain_height{{channel="{self.topology.channel}"}}'
        return self._metric(self.topology.organisation(peer.msp_id), peer.operations_port, metric)

    def _metric(self, organisation: Organisation, port: int, name: str) -> str:
        lines = self._get(organisation, f"https://127.0.0.1:{port}/metrics").splitlines()
        return next((line.rpartition(" ")[2] for line in lines if line.startswith(name)), "")

    def _get(self, organisation: Organisation, url: str) -> str:
        tls = self.layout.identity(organisation, "admin") / "tls"
        try:
            context = ssl.create_default_context(cafile=str(tls / "ca.crt"))
            context.load_cert_chain(tls / "server.crt", tls / "server.key")
            with urllib.request.urlopen(url, timeout=2, context=context) as answer:  # noqa: S310
                text: str = answer.read().decode()
                return text
        except OSError:
            return ""
