"""Identities and signatures as Fabric wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from fabric.words.identity import serialise_identity
from fabric.words.keys import CURVE_ORDERS, load_private, low_s

Signer = Callable[[bytes], bytes]
"""Signs a digest (or, with ``no_hash``, the message itself) and returns the signature."""

Hash = Callable[[bytes], bytes]


def sha256(message: bytes) -> bytes:
    """What Fabric signs with every elliptic curve, P-384 included, when the MSP's hash family is SHA2."""
    return hashlib.sha256(message).digest()


def no_hash(message: bytes) -> bytes:
    """For Ed25519, which signs the message itself."""
    return message


@dataclass(frozen=True)
class Identity:
    """Who submits: an MSP's name and a certificate in PEM."""

    msp_id: str
    credentials: bytes

    @property
    def creator(self) -> bytes:
        """The serialised identity that proposals carry."""
        return serialise_identity(self.msp_id, self.credentials)


def private_key_signer(pem: bytes) -> tuple[Signer, Hash]:
    """A signer for a private key in PEM, and the hash to use with it.

    P-256, P-384 and Ed25519 keys; raises ValueError for any other.
    """
    key = load_private(pem)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign, no_hash
    order = CURVE_ORDERS[key.curve.name]
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    return lambda digest: low_s(key.sign(digest, algorithm), order), sha256
