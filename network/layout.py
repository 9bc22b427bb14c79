"""Where everything of a network lies under its home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from network.topology import Orderer, Organisation, Peer


@dataclass(frozen=True)
class Layout:
    """Paths; nothing is created here."""

    home: Path

    @property
    def topology(self) -> Path:
        return self.home / "topology.json"

    @property
    def genesis(self) -> Path:
        return self.home / "channel" / "genesis.block"

    @property
    def configtx(self) -> Path:
        return self.home / "channel"

    @property
    def builder(self) -> Path:
        """The external builder that takes chaincode-as-a-service packages."""
        return self.home / "builder"

    @property
    def packages(self) -> Path:
        return self.home / "packages"

    @property
    def definitions(self) -> Path:
        """Which chaincodes are on the channel."""
        return self.home / "definitions.json"

    def organisation(self, organisation: Organisation) -> Path:
        return self.home / "organisations" / organisation.name

    def authority(self, organisation: Organisation) -> Path:
        """The Fabric CA server's home."""
        return self.organisation(organisation) / "ca"

    def authority_certificate(self, organisation: Organisation) -> Path:
        """The root certificate of the organisation: of its identities and of its TLS certificates."""
        return self.authority(organisation) / "ca-cert.pem"

    def connection(self, organisation: Organisation) -> Path:
        """The organisation's connection file."""
        return self.organisation(organisation) / "connection.json"

    def msp(self, organisation: Organisation) -> Path:
        """The organisation's public MSP folder."""
        return self.organisation(organisation) / "msp"

    def identities(self, organisation: Organisation) -> Path:
        """The folders of an organisation's identities."""
        return self.organisation(organisation) / "identities"

    def identity(self, organisation: Organisation, name: str) -> Path:
        """An identity's folder: ``msp`` and, for nodes, ``tls``."""
        return self.identities(organisation) / name

    def registrar(self, organisation: Organisation) -> Path:
        """The MSP folder of the identity that registers all others."""
        return self.organisation(organisation) / "ca-client" / "msp"

    def peer(self, peer: Peer) -> Path:
        return self.home / "nodes" / peer.host

    def orderer(self, orderer: Orderer) -> Path:
        return self.home / "nodes" / orderer.host
