"""Certificates as Fabric reads them, and the attributes that Fabric CA puts into them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography import x509

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""Where Fabric CA puts attributes: JSON ``{"attrs": {name: value}}``."""


def read_certificate(pem: bytes) -> x509.Certificate:
    """A certificate in PEM. Raises ValueError where it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except x509.InvalidVersion as error:  # which is no ValueError, as all other faults of a certificate are
        raise ValueError(str(error)) from error


def attributes(certificate: x509.Certificate) -> dict[str, str]:
    """The attributes in a certificate; none if it carries none. Raises ValueError where they cannot be read."""
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from error
    assert isinstance(extension, x509.UnrecognizedExtension)  # no library knows it
    said = json.loads(extension.value)
    found = said.get("attrs") if isinstance(said, dict) else None
    if not isinstance(found, dict):
        raise ValueError("the certificate's attributes are not those of Fabric CA")
    return {str(name): str(value) for name, value in found.items()}


def attributes_extension(values: Mapping[str, str]) -> x509.UnrecognizedExtension:
    """The extension that carries attributes.

    >>> attributes_extension({"role": "scanner"}).value
    b'{"attrs":{"role":"scanner"}}'
    """
    content = json.dumps({"attrs": dict(sorted(values.items()))}, separators=(",", ":"))
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, content.encode())
