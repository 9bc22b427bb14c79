"""The kinds of keys that Fabric's members sign with: ECDSA on P-256 and P-384, and Ed25519.

Fabric hashes with SHA-256 whatever the curve (an MSP's hash family is SHA2), and takes of two equal ECDSA signatures the
one with the smaller s only. Ed25519 signs the message itself; it needs the channel capability V3_0.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CURVE_ORDERS = {
    "secp256r1": P256_ORDER,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}
_FIT = "a signing key is an elliptic curve key on P-256 or P-384, or an Ed25519 key"


class KeyType(StrEnum):
    """What a new key is."""

    P256 = "p256"
    P384 = "p384"
    ED25519 = "ed25519"

    def generate(self) -> PrivateKey:
        """A new key."""
        if self is KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        return ec.generate_private_key(ec.SECP256R1() if self is KeyType.P256 else ec.SECP384R1())


def load_private(pem: bytes) -> PrivateKey:
    """A key from PEM; raises ValueError for one that Fabric does not know."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, PrivateKey) or not _fits(key.public_key()):
        raise ValueError(_FIT)
    return key


def private_pem(key: PrivateKey) -> bytes:
    """A key as PEM (PKCS 8, not encrypted)."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def public_key(certificate: x509.Certificate) -> PublicKey:
    """A certificate's key; raises ValueError for one that Fabric does not know."""
    key = certificate.public_key()
    if not isinstance(key, PublicKey) or not _fits(key):
        raise ValueError(_FIT)
    return key


def _fits(key: PublicKey) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey) or key.curve.name in CURVE_ORDERS


def sign(key: PrivateKey, message: bytes) -> bytes:
    """Sign as Fabric demands.

    >>> key = KeyType.P256.generate()
    >>> verify(key.public_key(), b"message", sign(key, b"message"))
    """
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    return low_s(key.sign(message, ec.ECDSA(hashes.SHA256())), CURVE_ORDERS[key.curve.name])


def verify(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Raises InvalidSignature for a signature that is wrong, or that has the larger s."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, message)
        return
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    _, s = utils.decode_dss_signature(signature)
    if s > CURVE_ORDERS[key.curve.name] // 2:
        raise InvalidSignature("the signature has the larger s")


def low_s(signature: bytes, order: int) -> bytes:
    """The same ECDSA signature with the smaller s."""
    r, s = utils.decode_dss_signature(signature)
    return utils.encode_dss_signature(r, min(s, order - s))
