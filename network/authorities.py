"""One Fabric CA per organisation: it issues every identity and TLS certificate of its organisation."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from fabric.words.keys import KeyType, PrivateKey
from ledger.private import write_private
from network.enrolment import certify, enrol
from network.layout import Layout
from network.processes import Processes
from network.tools import ToolError, run
from network.topology import HOST, Orderer, Organisation, Peer, Topology
from network.waiting import port_open, until

_UNITS = ("client", "peer", "admin", "orderer")


@dataclass
class Authorities:
    """Starts the CAs of a topology and enrols with them."""

    topology: Topology
    layout: Layout
    processes: Processes
    binaries: Path

    def start(self) -> None:
        """Start every CA and wait until each answers."""
        organisations = (self.topology.orderer_organisation, *self.topology.organisations)
        for organisation in organisations:
            self._start(organisation)
        for organisation in organisations:
            name = self.process(organisation)
            until(
                lambda port=organisation.ca_port: port_open(port),  # type: ignore[misc]
                60,
                f"{name} to answer",
                lambda name=name: self.processes.check(name),  # type: ignore[misc]
            )
            self._strike_password(organisation)

    @staticmethod
    def process(organisation: Organisation) -> str:
        """The name of a CA's process."""
        return f"ca.{organisation.name}"

    def _start(self, organisation: Organisation) -> None:
        home = self.layout.authority(organisation)
        home.mkdir(parents=True, exist_ok=True)
        password = self._password(organisation, "registrar")
        command = [
            str(self.binaries / "fabric-ca-server"), "start",
            "--home", str(home),
            "--address", "127.0.0.1",
            "--port", str(organisation.ca_port),
            "--ca.name", organisation.name,
            "--csr.cn", f"ca.{organisation.domain}",
            "--csr.hosts", f"localhost,127.0.0.1,ca.{organisation.domain}",
            "--tls.enabled",
        ]  # fmt: skip
        environment = {
            "FABRIC_CA_SERVER_HOME": str(home),
            "FABRIC_CA_SERVER_BOOT": f"registrar:{password}",  # a command line can be read by everybody
            "FABRIC_CA_SERVER_OPERATIONS_LISTENADDRESS": f"127.0.0.1:{organisation.ca_port + 1}",
        }
        self.processes.start(self.process(organisation), command, environment, home)

    def _strike_password(self, organisation: Organisation) -> None:
        """Take the registrar's password out of the configuration that the server wrote at its first start.

        It is in the server's database by then, as a hash. Another stands in its place, which nobody knows: with none, a
        server whose database is lost would take a registrar without a password.
        """
        file = self.layout.authority(organisation) / "fabric-ca-server-config.yaml"
        text = file.read_text()
        password = self._password(organisation, "registrar")
        if password in text:
            write_private(file, text.replace(password, secrets.token_urlsafe(24)))

    def _password(self, organisation: Organisation, name: str) -> str:
        """The enrolment secret of an identity: made once, kept in a file that only the owner reads."""
        file = self.layout.organisation(organisation) / "secrets" / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text()

    def _client(self, organisation: Organisation, *arguments: str, user: str = "", secret: str = "") -> str:
        """Run the client; ``user``'s password and a new one's (``secret``) go by environment."""
        home = self.layout.organisation(organisation) / "ca-client"
        # the CA serves TLS with a certificate that it issues to itself; the root is its own
        root = self.layout.authority_certificate(organisation)
        command = ["fabric-ca-client", *arguments, "--home", str(home), "--tls.certfiles", str(root)]
        address = f"https://{HOST}:{organisation.ca_port}"
        environment = {"FABRIC_CA_CLIENT_URL": self._url(organisation, user) if user else address}
        if secret:
            environment["FABRIC_CA_CLIENT_ID_SECRET"] = self._password(organisation, secret)
        return run(self.binaries, command, environment)

    def _url(self, organisation: Organisation, name: str) -> str:
        return f"https://{name}:{self._password(organisation, name)}@{HOST}:{organisation.ca_port}"

    def enrol_registrar(self, organisation: Organisation) -> None:
        """The identity that registers all others."""
        marker = self.layout.registrar(organisation) / "signcerts" / "cert.pem"
        if not marker.exists():
            self._client(organisation, "enroll", "-M", "msp", user="registrar")

    def issue(
        self,
        organisation: Organisation,
        name: str,
        kind: str,
        attributes: Mapping[str, str] | None = None,
        key_type: KeyType = KeyType.P256,
    ) -> Path:
        """Register (once) and enrol an identity of a kind (peer, orderer, admin, client); returns its folder."""
        folder = self.layout.identity(organisation, name)
        if (folder / "msp" / "signcerts" / "cert.pem").exists():
            return folder
        self.enrol_registrar(organisation)
        given = [f"{key}={value}:ecert" for key, value in sorted((attributes or {}).items())]
        register = [
            "register", "-M", "msp", "--id.name", name, "--id.type", kind,
        ]  # fmt: skip
        if given:
            register += ["--id.attrs", ",".join(given)]
        try:
            self._client(organisation, *register, secret=name)
        except ToolError as error:
            if "is already registered" not in str(error):
                raise
        self._enrol(organisation, name, folder / "msp", key_type)
        _finish_msp(folder / "msp", self.layout.authority_certificate(organisation))
        return folder

    def _enrol(self, organisation: Organisation, name: str, msp: Path, key_type: KeyType) -> None:
        if key_type is KeyType.ED25519:  # the server takes such keys, its client cannot make them
            root = self.layout.authority_certificate(organisation)
            address = f"https://{HOST}:{organisation.ca_port}"
            enrol(address, root, name, self._password(organisation, name), key_type, msp)
            return
        size = {KeyType.P256: "256", KeyType.P384: "384"}[key_type]
        key = ["--csr.keyrequest.algo", "ecdsa", "--csr.keyrequest.size", size]
        self._client(organisation, "enroll", "-M", str(msp), "--csr.cn", name, *key, user=name)

    def issue_tls(self, organisation: Organisation, name: str, hosts: str) -> Path:
        """A TLS certificate for a registered identity; returns the folder of server.crt, server.key and ca.crt."""
        folder = self.layout.identity(organisation, name) / "tls"
        if (folder / "server.crt").exists():
            return folder
        self._client(
            organisation, "enroll", "-M", str(folder / "enrolled"),
            "--enrollment.profile", "tls", "--csr.hosts", hosts, "--csr.cn", name, user=name,
        )  # fmt: skip
        key = next((folder / "enrolled" / "keystore").iterdir())
        shutil.copy(key, folder / "server.key")
        (folder / "server.key").chmod(0o600)
        shutil.copy(self.layout.authority_certificate(organisation), folder / "ca.crt")
        shutil.copy(folder / "enrolled" / "signcerts" / "cert.pem", folder / "server.crt")
        return folder

    def certify(
        self,
        organisation: Organisation,
        name: str,
        key: PrivateKey,
        profile: str = "",
        like: x509.Certificate | None = None,
    ) -> bytes:
        """A new certificate, ``like`` another, for a registered identity's key, which is there already."""
        root = self.layout.authority_certificate(organisation)
        address = f"https://{HOST}:{organisation.ca_port}"
        return certify(address, root, name, self._password(organisation, name), key, profile, like)

    def renew_server(self, organisation: Organisation) -> None:
        """A new TLS certificate of the authority itself, which it makes when it starts without one."""
        self.processes.stop(self.process(organisation))
        (self.layout.authority(organisation) / "tls-cert.pem").unlink(missing_ok=True)
        self.start()

    def issue_all(self) -> None:
        """Every node's and every administrator's identity, and the organisations' public MSP folders."""
        for organisation in (self.topology.orderer_organisation, *self.topology.organisations):
            _finish_msp(self.layout.msp(organisation), self.layout.authority_certificate(organisation))
            self.issue(organisation, "admin", "admin", {"role": "admin"})
            self.issue_tls(organisation, "admin", "localhost")
            for node in self._nodes(organisation):
                kind = "peer" if isinstance(node, Peer) else "orderer"
                self.issue(organisation, node.name, kind)
                self.issue_tls(organisation, node.name, f"localhost,127.0.0.1,{node.host}")

    def _nodes(self, organisation: Organisation) -> tuple[Peer | Orderer, ...]:
        return self.topology.orderers if organisation is self.topology.orderer_organisation else organisation.peers

    def revoke(self, organisation: Organisation, name: str) -> bytes:
        """Revoke an identity and return the organisation's new revocation list (PEM); the channel must be told."""
        self.enrol_registrar(organisation)
        self._client(organisation, "revoke", "-M", "msp", "-e", name)
        self._client(organisation, "gencrl", "-M", "msp")
        lists = self.layout.organisation(organisation) / "ca-client" / "msp" / "crls"
        return next(lists.iterdir()).read_bytes()


def _finish_msp(msp: Path, authority: Path) -> None:
    """The parts of an MSP folder that enrolment does not write: root, TLS root and NodeOUs."""
    for name, file in (("cacerts", "ca.pem"), ("tlscacerts", "tlsca.pem")):
        (msp / name).mkdir(parents=True, exist_ok=True)
        for stale in (msp / name).iterdir():
            stale.unlink()
        shutil.copy(authority, msp / name / file)
    units = {
        f"{unit.capitalize()}OUIdentifier": {
            "Certificate": "cacerts/ca.pem",
            "OrganizationalUnitIdentifier": unit,
        }
        for unit in _UNITS
    }
    (msp / "config.yaml").write_text(json.dumps({"NodeOUs": {"Enable": True, **units}}, indent=1))
    for key in (msp / "keystore").glob("*"):
        key.chmod(0o600)
