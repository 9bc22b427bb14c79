"""Keys of every kind: what is signed, what verifies, and what is refused."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from fabric.words import keys
from fabric.words.keys import CURVE_ORDERS, KeyType

MESSAGES = [b"", b"a", b"x" * 100_000]


@pytest.mark.parametrize("kind", KeyType)
def test_what_is_signed_verifies_and_nothing_else_does(kind: KeyType) -> None:
    key, other = kind.generate(), kind.generate()
    for message in MESSAGES:
        signature = keys.sign(key, message)
        keys.verify(key.public_key(), message, signature)
        for wrong_key, wrong, bad in (
            (key, message + b"!", signature),
            (other, message, signature),
            (key, message, signature[:-1]),
            (key, message, b""),
        ):
            with pytest.raises(InvalidSignature):
                keys.verify(wrong_key.public_key(), wrong, bad)


@pytest.mark.parametrize("kind", KeyType)
def test_a_key_comes_back_from_its_pem(kind: KeyType) -> None:
    key = kind.generate()
    again = keys.load_private(keys.private_pem(key))
    assert again.public_key() == key.public_key()
    assert type(again) is type(key)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_elliptic_curves_hash_with_sha256_and_take_the_smaller_s_only(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    signature = keys.sign(key, b"message")
    key.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    order = CURVE_ORDERS[curve.name]
    assert s <= order // 2
    larger = utils.encode_dss_signature(r, order - s)
    key.public_key().verify(larger, b"message", ec.ECDSA(hashes.SHA256()))  # a signature it is
    with pytest.raises(InvalidSignature, match="larger s"):
        keys.verify(key.public_key(), b"message", larger)


def test_ed25519_signs_the_message_itself() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    key.public_key().verify(keys.sign(key, b"message"), b"message")


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP521R1())], ids=["rsa", "p521"]
)
def test_other_keys_are_refused(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with pytest.raises(ValueError, match="P-256 or P-384, or an Ed25519 key"):
        keys.load_private(pem)
