"""Who signs: an X.509 certificate of an MSP with its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from fabric_protos.msp import identities_pb2

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""Where Fabric CA puts attributes: JSON ``{"attrs": {name: value}}``."""

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Identity:
    """A member of an organisation. ``certificate`` is PEM; the key never leaves the object."""

    name: str
    msp_id: str
    certificate: bytes
    key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    @cached_property
    def creator(self) -> bytes:
        """The serialised identity that transactions carry."""
        serialised = identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate)
        return bytes(serialised.SerializeToString())

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The certificate's attributes, such as ``role`` and ``gln``."""
        return certificate_attributes(x509.load_pem_x509_certificate(self.certificate))

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 with the smaller s, as Fabric demands."""
        r, s = utils.decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return utils.encode_dss_signature(r, min(s, P256_ORDER - s))


def certificate_attributes(certificate: x509.Certificate) -> dict[str, str]:
    """The attributes in a certificate; none if it carries none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    assert isinstance(extension, x509.UnrecognizedExtension)
    attributes: dict[str, str] = json.loads(extension.value)["attrs"]
    return attributes
