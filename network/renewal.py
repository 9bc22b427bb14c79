"""New certificates for old keys, before the old ones end: of everybody whom a network's authorities have certified.

Keys stay. So nothing that knows a node by its public key has to be told (Raft's orderers know each other so), and a
certificate that is replaced in one step fits its key at every moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from fabric.words.keys import PrivateKey, load_private
from ledger.private import write_private
from network.authorities import Authorities
from network.layout import Layout
from network.topology import Organisation, Topology

DUE_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Renewed:
    """Whose certificates were renewed, and whose were not and why: an authority renews nobody whom it has revoked."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Certified:
    """A certificate and the file that its key is in."""

    organisation: Organisation
    name: str
    certificate: Path
    key: Path
    profile: str = ""
    """"tls" for the certificate of a server."""

    @property
    def whose(self) -> str:
        """In words."""
        return f"{self.name} of {self.organisation.msp_id}{' (TLS)' if self.profile else ''}"

    @property
    def read(self) -> x509.Certificate:
        """The certificate as it is now."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())


def certified(topology: Topology, layout: Layout) -> Iterator[Certified]:
    """Everything that the network's authorities have certified and that is kept here."""
    for organisation in (topology.orderer_organisation, *topology.organisations):
        yield from _of_msp(organisation, "registrar", layout.registrar(organisation))
        for folder in sorted(layout.identities(organisation).glob("*")):
            yield from _of_msp(organisation, folder.name, folder / "msp")
            tls = folder / "tls"
            if (tls / "server.crt").exists():
                yield Certified(organisation, folder.name, tls / "server.crt", tls / "server.key", "tls")


def _of_msp(organisation: Organisation, name: str, msp: Path) -> Iterator[Certified]:
    for certificate in (msp / "signcerts").glob("*.pem"):
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        for key in (msp / "keystore").iterdir():
            if load_private(key.read_bytes()).public_key() == public:
                yield Certified(organisation, name, certificate, key)


class Renewal:
    """Renews what ends soon. Nodes go on with the certificates that they started with: see `Network.renew`."""

    def __init__(self, topology: Topology, layout: Layout, authorities: Authorities) -> None:
        self._topology = topology
        self._layout = layout
        self._authorities = authorities

    def due(self, within: timedelta) -> list[Certified]:
        """What ends within that time, or has ended."""
        until = datetime.now(UTC) + within
        return [one for one in certified(self._topology, self._layout) if one.read.not_valid_after_utc <= until]

    def servers_due(self, within: timedelta) -> list[Organisation]:
        """Organisations whose authority's own TLS certificate ends within that time."""
        until = datetime.now(UTC) + within
        found = []
        for organisation in (self._topology.orderer_organisation, *self._topology.organisations):
            file = self._layout.authority(organisation) / "tls-cert.pem"
            if file.exists() and x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc <= until:
                found.append(organisation)
        return found

    def renew(self, one: Certified) -> None:
        """A new certificate in the place of the old one. Raises ToolError with what the authority said."""
        key: PrivateKey = load_private(one.key.read_bytes())
        made = self._authorities.certify(one.organisation, one.name, key, one.profile, one.read)
        found = x509.load_pem_x509_certificate(made)
        if found.public_key() != key.public_key():
            raise ValueError(f"{one.organisation.name}'s authority certified another key than {one.name}'s")
        write_private(one.certificate, made)
