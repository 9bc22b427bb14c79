"""An authority per organisation, as files: ``ca.pem``, ``ca.key`` and ``identities/NAME/{cert.pem,key.pem}``.

Certificates follow Fabric CA: P-256 unless another kind of key is asked for, the kind of node as organisational unit (NodeOUs), attributes in their extension.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fabric.words.certificates import attributes_extension
from fabric.words.identity import Identity
from fabric.words.keys import KeyType, PublicKey, load_private, private_pem
from ledger.private import write_private

_ROOT_LIFE = dt.timedelta(days=15 * 365)
_LEAF_LIFE = dt.timedelta(days=5 * 365)
_NODE_UNITS = {"admin": "admin", "peer": "peer", "orderer": "orderer"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""Names become folders and common names: nothing that could leave the folder, and at most 64 characters (RFC 5280)."""
_BACKDATED = dt.timedelta(minutes=5)  # Fabric CA's allowance for clocks that differ


def create_organisation(directory: Path, msp_id: str, name: str | None = None) -> None:
    """A new authority in ``directory``; what is there already stays. Raises ValueError for an unfit MSP name."""
    check_name(msp_id)
    if (directory / "ca.pem").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name or msp_id),
            x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{msp_id}"),
        ]
    )
    builder = _builder(subject, subject, key.public_key(), _ROOT_LIFE)
    usage = _usage(key_cert_sign=True, crl_sign=True, digital_signature=True)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(directory / "ca.key", private_pem(key))
    (directory / "organisation.json").write_text(json.dumps({"mspId": msp_id, "name": name or msp_id}))
    (directory / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def issue(
    directory: Path,
    name: str,
    role: str,
    attributes: Mapping[str, str] | None = None,
    *,
    valid_for: dt.timedelta = _LEAF_LIFE,
    valid_from: dt.datetime | None = None,
    key_type: KeyType = KeyType.P256,
) -> Identity:
    """A certificate with the attribute ``role`` (and others) for a new key; an identity of that name is replaced.

    ``peer`` and ``orderer`` are nodes and ``admin`` an administrator for Fabric, every other role is a client. A
    certificate never outlives its authority's. Raises ValueError for an unfit name.
    """
    check_name(name)
    authority = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    authority_key = load_private((directory / "ca.key").read_bytes())
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = key_type.generate()
    unit = _NODE_UNITS.get(role, "client")
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    given = {"hf.Affiliation": "", "hf.EnrollmentID": name, "hf.Type": unit, "role": role, **(attributes or {})}
    certificate = (
        _builder(subject, authority.subject, key.public_key(), valid_for, valid_from, authority.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(attributes_extension(given), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    folder = directory / "identities" / name
    folder.mkdir(parents=True, exist_ok=True)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    write_private(folder / "key.pem", private_pem(key))
    (folder / "cert.pem").write_bytes(pem)
    return Identity(name, msp_id(directory), pem, key)


def load_identity(directory: Path, name: str) -> Identity:
    """An identity from its files; raises FileNotFoundError where there is none."""
    folder = directory / "identities" / name
    key = load_private((folder / "key.pem").read_bytes())
    return Identity(name, msp_id(directory), (folder / "cert.pem").read_bytes(), key)


def identities(directory: Path) -> list[str]:
    """The names of an organisation's identities."""
    return sorted(folder.name for folder in (directory / "identities").glob("*") if (folder / "cert.pem").exists())


def msp_id(directory: Path) -> str:
    """The MSP of the organisation in a directory."""
    found: str = json.loads((directory / "organisation.json").read_text())["mspId"]
    return found


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: PublicKey,
    valid_for: dt.timedelta,
    valid_from: dt.datetime | None = None,
    latest: dt.datetime | None = None,
) -> x509.CertificateBuilder:
    start = valid_from or dt.datetime.now(dt.UTC) - _BACKDATED
    end = start + valid_for
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end if latest is None else min(end, latest))
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def check_name(name: str) -> None:
    """Raises ValueError for what can't be the name of an identity."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't be a name: letters, digits and . _ @ + - only, at most 64, no leading mark")
