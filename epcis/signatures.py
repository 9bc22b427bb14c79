"""Signatures of reading devices over events.

Two forms of ``lotline:signature``, which is neither stored in the event nor hashed:

- ``{device, alg, value}``: over the UTF-8 text of the event's hash URI;
- ``{device, alg, counter, previous, signedAt, value}``: over ``message``, so that a device's events are a chain of their own.

``value`` is base64 or base64url; of ES256 it is r and s (RFC 7518, section 3.4), or DER.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from epcis.formats import utc_microseconds

ALGORITHMS = ("Ed25519", "ES256")
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
_P1363_BYTES = 64
_MOST = 1 << 53  # what every JSON reader keeps exactly
_LONGEST_TIME = 40


class SignatureError(ValueError):
    """A key or signature is not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a signed event stands in its device's chain."""

    counter: int
    """From 1, one more for each event that the device signs."""
    previous: str | None
    """The hash URI of the event before, None for the first."""
    signed_at: str
    """As the device writes it."""

    @property
    def moment(self) -> datetime:
        """When the device says that it signed."""
        return datetime.fromisoformat(utc_microseconds(self.signed_at).replace("Z", "+00:00"))


@lru_cache(maxsize=4096)
def load_key(algorithm: str, pem: str) -> PublicKey:
    """A device's public key (PEM, SubjectPublicKeyInfo). Raises SignatureError if it does not fit the algorithm."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError) as error:
        raise SignatureError(f"publicKey is not a public key in PEM: {error}") from error
    if algorithm == "Ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise SignatureError(f"publicKey is not a key for {algorithm}; known are {' and '.join(ALGORITHMS)}")


def link_of(signature: dict[str, Any]) -> Link | None:
    """Where a signature says that its event stands; None if it says nothing of a chain. Raises SignatureError."""
    if "counter" not in signature:
        return None
    counter, previous, at = (signature.get(name) for name in ("counter", "previous", "signedAt"))
    if not isinstance(counter, int) or isinstance(counter, bool) or not 1 <= counter < _MOST:
        raise SignatureError("counter is a whole number from 1")
    if (previous is None) != (counter == 1) or not isinstance(previous, str | None):
        raise SignatureError("previous is the hash of the event that the device signed before, and null for its first")
    if previous is not None and not previous.startswith("ni:///sha-256;"):
        raise SignatureError("previous is an event hash, ni:///sha-256;…")
    link = Link(counter, previous, at if isinstance(at, str) else "")
    try:
        if len(link.signed_at) > _LONGEST_TIME or link.moment.tzinfo is None:
            raise ValueError(at)
    except ValueError as error:
        raise SignatureError("signedAt is a time with its zone, like 2026-05-04T09:12:33.000Z") from error
    return link


def message(device: str, link: Link, event_hash: str) -> bytes:
    """The bytes that a device signs of an event in its chain."""
    return f"lotline-event/2\n{device}\n{link.counter}\n{link.previous or ''}\n{link.signed_at}\n{event_hash}".encode()


def succession(old: str, new: str) -> bytes:
    """The bytes by which an old key names the device that succeeds it."""
    return f"lotline-succeeds/1\n{old}\n{new}".encode()


def verify(algorithm: str, pem: str, signature: dict[str, Any], signed: bytes) -> None:
    """Check a signature over ``signed``. Raises SignatureError."""
    if signature.get("alg") != algorithm:
        raise SignatureError(f"the device signs with {algorithm}, not {signature.get('alg')}")
    verify_value(algorithm, pem, signature.get("value"), signed)


def verify_value(algorithm: str, pem: str, value: object, signed: bytes) -> None:
    """Check a signature's value in base64. Raises SignatureError."""
    raw, key = _decoded(value), load_key(algorithm, pem)
    for form in _forms(key, raw):
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(form, signed)
            else:
                key.verify(form, signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return
    raise SignatureError("the signature does not verify: the event was changed, or another key signed it")


def _forms(key: PublicKey, raw: bytes) -> tuple[bytes, ...]:
    """What a value may be: of ES256 r and s, or DER, which may have the same length."""
    if isinstance(key, ed25519.Ed25519PublicKey) or len(raw) != _P1363_BYTES:
        return (raw,)
    half = _P1363_BYTES // 2
    r, s = int.from_bytes(raw[:half]), int.from_bytes(raw[half:])
    return (encode_dss_signature(r, s), raw)


def _decoded(value: object) -> bytes:
    text = str(value or "").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("the signature's value is not base64") from error
