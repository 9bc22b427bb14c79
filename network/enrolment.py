"""Enrolment by Fabric CA's REST interface, with a key that is made here: for keys that its client cannot make."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from fabric.words.keys import KeyType, PrivateKey, private_pem
from ledger.private import write_private
from network.tools import ToolError

_SECONDS = 30.0
_UNIT = NameOID.ORGANIZATIONAL_UNIT_NAME


def enrol(address: str, root: Path, name: str, password: str, key_type: KeyType, msp: Path) -> None:
    """Make a key and get its certificate, with the attributes that ``name`` is registered with.

    Writes ``signcerts`` and ``keystore`` of the MSP folder. ``root`` is the authority's TLS root (PEM). Raises ToolError
    with what the authority said.
    """
    key = key_type.generate()
    certificate = certify(address, root, name, password, key)
    for folder in ("signcerts", "keystore"):
        (msp / folder).mkdir(parents=True, exist_ok=True)
    write_private(msp / "keystore" / "key.pem", private_pem(key).decode())
    (msp / "signcerts" / "cert.pem").write_bytes(certificate)


def certify(
    address: str,
    root: Path,
    name: str,
    password: str,
    key: PrivateKey,
    profile: str = "",
    like: x509.Certificate | None = None,
) -> bytes:
    """A new certificate (PEM) for a key, with the attributes that ``name`` is registered with.

    ``profile`` "tls" is for servers. One that is ``like`` another has its subject and hosts. Raises ToolError with what
    the authority said.
    """
    body = json.dumps({"certificate_request": _request(name, key, like), "profile": profile}).encode()
    who = base64.b64encode(f"{name}:{password}".encode()).decode()
    request = urllib.request.Request(f"{address}/enroll", body, {"Authorization": f"Basic {who}"})  # noqa: S310
    trusted = ssl.create_default_context(cafile=str(root))
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS, context=trusted) as answer:  # noqa: S310
            return base64.b64decode(json.load(answer)["result"]["Cert"])
    except urllib.error.HTTPError as error:
        raise ToolError(f"{address} did not enrol {name}: {error.read().decode('utf-8', 'replace')}") from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ToolError(f"{address} did not enrol {name}: {error}") from error


def _request(name: str, key: PrivateKey, like: x509.Certificate | None = None) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    if like is not None:  # the units are for the authority to say
        subject = x509.Name([one for one in like.subject.rdns if one.get_attributes_for_oid(_UNIT) == []])
    hashing = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in like.extensions if like is not None else ():
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, critical=False)
    signed = builder.sign(key, hashing)
    return signed.public_bytes(serialization.Encoding.PEM).decode()
