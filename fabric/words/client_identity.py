"""Who submits: the certificate in a transaction's creator, as Fabric's client identity library reads it."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID

from fabric.words.certificates import attributes, read_certificate
from fabric.words.identity import parse_identity


class ClientIdentity:
    """The submitter. Raises ValueError where the creator cannot be read."""

    def __init__(self, creator: bytes) -> None:
        self.msp_id, pem = parse_identity(creator)
        self.certificate = read_certificate(pem)
        self._attributes = attributes(self.certificate)
        self.id = _go_id(self.certificate)

    def attribute(self, name: str) -> str | None:
        """The value of a certificate attribute, None if it has none of that name."""
        return self._attributes.get(name)

    @property
    def organisational_units(self) -> list[str]:
        """The subject's organisational units: NodeOUs put client, peer, admin or orderer there."""
        found = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        return [str(entry.value) for entry in found]


@lru_cache(maxsize=1024)
def client_identity(creator: bytes) -> ClientIdentity:
    """The identity of a creator; certificates are parsed once."""
    return ClientIdentity(creator)


# RFC 4514 short names as Go's crypto/x509/pkix prints them; any other type is printed as its number.
_SHORT = {
    NameOID.COUNTRY_NAME: "C",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COMMON_NAME: "CN",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.STREET_ADDRESS: "STREET",
    NameOID.POSTAL_CODE: "POSTALCODE",
}
_GO_ORDER = ["SERIALNUMBER", "CN", "OU", "O", "POSTALCODE", "STREET", "L", "ST", "C"]


def _go_id(certificate: x509.Certificate) -> str:
    """base64("x509::subject::issuer") as Go's ``cid.GetID`` makes it, so that ids agree across languages."""
    text = f"x509::{_go_name(certificate.subject)}::{_go_name(certificate.issuer)}"
    return base64.b64encode(text.encode()).decode()


def _go_name(name: x509.Name) -> str:
    """A name as ``cid`` prints it: known types in Go's reversed order, several values joined by ``+``."""
    by_type: dict[str, list[str]] = {}
    for attribute in name:
        short = _SHORT.get(attribute.oid)
        if short is not None:
            by_type.setdefault(short, []).append(_escape(str(attribute.value)))
    return ",".join("+".join(f"{short}={value}" for value in by_type[short]) for short in _GO_ORDER if short in by_type)


def _escape(value: str) -> str:
    escaped = "".join("\\" + char if char in ',+"\\<>;' else char for char in value)
    if escaped[:1] in ("#", " "):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if escaped.endswith(" ") and len(escaped) > 1 else escaped
