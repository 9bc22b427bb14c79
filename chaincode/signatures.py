"""Signatures of reading devices over event hashes."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

ALGORITHMS = ("Ed25519", "ES256")


class SignatureError(ValueError):
    """A key or signature is not what it should be; the message says how."""


@lru_cache(maxsize=4096)
def load_key(algorithm: str, pem: str) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
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


def verify(algorithm: str, pem: str, signature: dict[str, Any], event_hash: str) -> None:
    """Check a ``lotline:signature`` over the UTF-8 text of the event's hash URI. Raises SignatureError."""
    if signature.get("alg") != algorithm:
        raise SignatureError(f"the device signs with {algorithm}, not {signature.get('alg')}")
    try:
        value = base64.b64decode(str(signature.get("value", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("the signature's value is not base64") from error
    key = load_key(algorithm, pem)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(value, event_hash.encode())
        else:
            key.verify(value, event_hash.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise SignatureError("the signature does not verify: the event was changed, or another key signed it") from None
