"""Who signs: an X.509 certificate of an MSP with its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from fabric_protos.msp import identities_pb2

from ledger import keys

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""Where Fabric CA puts attributes: JSON ``{"attrs": {name: value}}``."""


@dataclass(frozen=True)
class Identity:
    """A member of an organisation. ``certificate`` is PEM; the key never leaves the object."""

    name: str
    msp_id: str
    certificate: bytes
    key: keys.PrivateKey = field(repr=False, compare=False)

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
        """A signature as Fabric demands it of this kind of key."""
        return keys.sign(self.key, message)


def certificate_attributes(certificate: x509.Certificate) -> dict[str, str]:
    """The attributes in a certificate; none if it carries none."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    assert isinstance(extension, x509.UnrecognizedExtension)
    attributes: dict[str, str] = json.loads(extension.value)["attrs"]
    return attributes
