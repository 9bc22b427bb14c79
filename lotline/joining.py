"""Making an instance's organisations members of a Fabric network: their identities and connection files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509

from instance.settings import ROLES, LedgerSettings, OrganisationConfig
from ledger.private import write_private
from lotline.errors import UsageError
from network.network import Network

_ORGANISATIONS = Path("ledger") / "organisations"


def join_network(
    place: Path, network: Network, organisations: Sequence[OrganisationConfig], home: Path | None = None
) -> LedgerSettings:
    """One identity per role and organisation from the network's authorities, copied into ``place``, which will be moved to
    ``home``; what to configure.

    Raises `UsageError` for an organisation that the network does not have.
    """
    topology = network.topology
    known = {organisation.msp_id: organisation for organisation in topology.organisations}
    for member in organisations:
        if member.msp_id not in known:
            raise UsageError(
                f"the network has no organisation {member.msp_id}",
                hint=f"It has {', '.join(known)}.",
            )
        folder = _folder(place, member)
        shutil.copy(network.layout.connection(known[member.msp_id]), folder / "connection.json")
        for role in ROLES:
            _copy_identity(network.issue(member.msp_id, role, role), folder / "identities" / role)
    return LedgerSettings(
        kind="fabric",
        channel=topology.channel,
        chaincode=topology.chaincode,
        network=os.path.relpath(network.layout.home, home or place),
        organisations=tuple(organisations),
    )


def join_by_files(
    home: Path, connections: Sequence[Path], identities: Sequence[Path], say: Callable[[str], None] = lambda _: None
) -> LedgerSettings:
    """Members of a network that others run: a connection file each, and a folder with an MSP folder per role.

    ``identities[n]/ROLE`` is an MSP folder as Fabric CA's client writes it (``signcerts``, ``keystore``). Raises
    `UsageError` for files that are missing or wrong.
    """
    from ledger.network.connection import read_connection

    members = []
    for file, folder in zip(connections, identities, strict=True):
        try:
            connection = read_connection(file)
            member = OrganisationConfig(msp_id=connection.msp_id, name=connection.msp_id)
            target = _folder(home, member)
            (target / "connection.json").write_bytes(orjson.dumps(inlined(file), option=orjson.OPT_INDENT_2))
            for peer in connection.peers:
                if peer.tls is None:
                    say(f"{peer.address} is spoken to without TLS: {file} names no certificate for it")
            for role in ROLES:
                _copy_identity(folder / role, target / "identities" / role)
        except (ValueError, OSError) as error:
            raise UsageError(str(error), hint="docs/fabric.md says what the files hold.") from error
        members.append((member, connection))
    (_, first), *_ = members
    return LedgerSettings(
        kind="fabric",
        channel=first.channel,
        chaincode=first.chaincode,
        organisations=tuple(member for member, _ in members),
    )


def add_identity(home: Path, msp_id: str, name: str, msp: Path) -> None:
    """Let the instance of ``home`` use an identity, if it speaks for its organisation."""
    member = home / _ORGANISATIONS / msp_id
    if member.is_dir():
        _copy_identity(msp, member / "identities" / name)


def inlined(file: Path) -> dict[str, Any]:
    """A connection file with the certificates that it names in it: it will lie elsewhere than they do."""
    document: dict[str, Any] = orjson.loads(file.read_bytes())
    for peer in document["peers"]:
        if "tlsCaFile" in peer:
            named = file.parent / peer.pop("tlsCaFile")
            peer.setdefault("tlsCaPem", _certificates(named))  # as `read_connection`: what is in the file goes first
    return document


def _certificates(file: Path) -> str:
    content = file.read_bytes()
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise ValueError(f"{file} holds no certificate in PEM") from error
    return content.decode()


def _folder(home: Path, member: OrganisationConfig) -> Path:
    folder = home / _ORGANISATIONS / member.msp_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "organisation.json").write_text(json.dumps({"mspId": member.msp_id, "name": member.name}))
    return folder


def _copy_identity(msp: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(target / "key.pem", _only(msp / "keystore").read_bytes())
    write_private(target / "cert.pem", _only(msp / "signcerts").read_bytes())


def _only(folder: Path) -> Path:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    if len(files) != 1:
        raise FileNotFoundError(f"{folder} should hold one file and holds {len(files)}")
    return files[0]
