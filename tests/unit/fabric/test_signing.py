"""Signatures as Fabric's verifiers want them, whatever the key."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

from fabric.gateway.signing import private_key_signer
from fabric.words.keys import low_s

P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


@pytest.mark.parametrize(("curve", "order"), [(ec.SECP256R1(), P256), (ec.SECP384R1(), P384)])
def test_elliptic_curves_sign_sha256_with_the_smaller_s(curve: ec.EllipticCurve, order: int) -> None:
    key = ec.generate_private_key(curve)
    sign, hash_ = private_key_signer(pem(key))
    for number in range(20):
        message = str(number).encode()
        signature = sign(hash_(message))
        # Fabric hashes with SHA-256 for every curve
        key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
        assert utils.decode_dss_signature(signature)[1] <= order // 2


def test_ed25519_signs_the_message_itself() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    sign, hash_ = private_key_signer(pem(key))
    assert hash_(b"message") == b"message"
    key.public_key().verify(sign(hash_(b"message")), b"message")


def test_other_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="P-256 or P-384"):
        private_key_signer(pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(ValueError, match="P-256 or P-384"):
        private_key_signer(pem(ec.generate_private_key(ec.SECP521R1())))


@given(st.integers(1, P256 - 1), st.integers(1, P256 - 1))
def test_the_smaller_s_is_the_same_signature(r: int, s: int) -> None:
    found = utils.decode_dss_signature(low_s(utils.encode_dss_signature(r, s), P256))
    assert found in ((r, s), (r, P256 - s))
    assert found[1] <= P256 // 2


def test_the_hash_is_sha256() -> None:
    _, hash_ = private_key_signer(pem(ec.generate_private_key(ec.SECP256R1())))
    assert hash_(b"x") == hashlib.sha256(b"x").digest()
