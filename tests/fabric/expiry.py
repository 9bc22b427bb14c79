"""Certificates that an organisation's own authority might have issued, and whose time is over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fabric.words.certificates import ATTRIBUTES_OID
from fabric.words.identity import Identity
from network.network import Network


def expired_identity(network: Network, msp_id: str, name: str = "late") -> Identity:
    """A client with the role of an administrator, whose certificate ended a second ago."""
    home = network.layout.authority(network.topology.organisation(msp_id))
    authority = x509.load_pem_x509_certificate((home / "ca-cert.pem").read_bytes())
    signing = _key_of(network, msp_id, authority)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
                    x509.NameAttribute(NameOID.COMMON_NAME, name),
                ]
            )
        )
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # not before its authority's own certificate, which would make it as good as forged
        .not_valid_before(authority.not_valid_before_utc)
        .not_valid_after(datetime.now(UTC) - timedelta(seconds=1))
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
        .add_extension(
            x509.UnrecognizedExtension(ATTRIBUTES_OID, json.dumps({"attrs": {"role": "admin"}}).encode()),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    return Identity(name, msp_id, certificate.public_bytes(serialization.Encoding.PEM), key)


def _key_of(network: Network, msp_id: str, authority: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    """The key of an organisation's Fabric CA, among those of its home."""
    folder = network.layout.authority(network.topology.organisation(msp_id)) / "msp" / "keystore"
    for file in folder.glob("*_sk"):
        key = serialization.load_pem_private_key(file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == authority.public_key():
            return key
    raise AssertionError(f"the key of {authority.subject} is not in {folder}")
