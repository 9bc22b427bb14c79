"""Identities and signatures as Fabric wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from fabric_protos.msp import identities_pb2

Signer = Callable[[bytes], bytes]
"""Signs a digest (or, with ``no_hash``, the message itself) and returns the signature."""

Hash = Callable[[bytes], bytes]
_CURVE_ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


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
        return identities_pb2.SerializedIdentity(mspid=self.msp_id, id_bytes=self.credentials).SerializeToString()


def low_s(signature: bytes, order: int) -> bytes:
    """The same ECDSA signature with the smaller s: Fabric refuses the other one."""
    r, s = utils.decode_dss_signature(signature)
    return utils.encode_dss_signature(r, min(s, order - s))


def private_key_signer(pem: bytes) -> tuple[Signer, Hash]:
    """A signer for a private key in PEM, and the hash to use with it.

    P-256, P-384 and Ed25519 keys; raises ValueError for any other.
    """
    key = serialization.load_pem_private_key(pem, password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign, no_hash
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVE_ORDERS:
        order = _CURVE_ORDERS[key.curve.name]
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        ec_key = key
        return lambda digest: low_s(ec_key.sign(digest, algorithm), order), sha256
    raise ValueError("a signing key is an elliptic curve key on P-256 or P-384, or an Ed25519 key")
