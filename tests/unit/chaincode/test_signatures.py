"""Events signed by a reading device: the hash is signed, so any copy of the event can be checked."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from epcis import LOTLINE_NAMESPACE, parse_event
from tests.unit.chaincode.peer import Peer, commission, item, party

GS1 = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
KEYS: dict[str, Key] = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}


def public(key: Key) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def signed(event: dict[str, Any], algorithm: str, key: Key, device: str = "dock-3") -> dict[str, Any]:
    hash_ = parse_event(event).hash.encode()
    value = (
        key.sign(hash_) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(hash_, ec.ECDSA(hashes.SHA256()))
    )
    signature = {"device": device, "alg": algorithm, "value": base64.b64encode(value).decode()}
    return {**event, "@context": [GS1, {"lotline": LOTLINE_NAMESPACE}], "lotline:signature": signature}


def with_device(algorithm: str = "Ed25519") -> Peer:
    peer = Peer()
    entry = {"id": "dock-3", "party": party(1), "algorithm": algorithm, "publicKey": public(KEYS[algorithm])}
    assert peer.call("registerDevice", entry).status == 200
    return peer


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_good_signature_is_kept_with_the_event(algorithm: str) -> None:
    peer = with_device(algorithm)
    peer.accept(signed(commission(1, item(1)), algorithm, KEYS[algorithm]))
    (record,) = peer.all("EV")
    assert record["device"] == "dock-3"
    assert record["signature"]["alg"] == algorithm


def test_the_signature_is_no_part_of_the_hash() -> None:
    event = commission(1, item(1))
    assert parse_event(signed(event, "Ed25519", KEYS["Ed25519"])).hash == parse_event(event).hash


def test_what_is_wrong_is_said() -> None:
    peer = with_device()
    key, other = KEYS["Ed25519"], ed25519.Ed25519PrivateKey.generate()
    event = commission(1, item(1))
    assert peer.refuse(signed(event, "Ed25519", other)) == "bad_signature"
    assert peer.refuse({**signed(event, "Ed25519", key), "epcList": [item(2)]}) == "bad_signature"
    assert peer.refuse(signed(event, "ES256", KEYS["ES256"])) == "bad_signature"
    assert peer.refuse(signed(event, "Ed25519", key, "dock-4")) == "unknown_device"
    assert peer.refuse(signed(event, "Ed25519", key), msp="BMSP") == "not_your_device"
    peer.accept(signed(event, "Ed25519", key))


@pytest.mark.parametrize("garbled", ["x", 3, [], None])
def test_a_garbled_signature_is_not_taken_for_none(garbled: Any) -> None:
    event = {**signed(commission(1, item(1)), "Ed25519", KEYS["Ed25519"]), "lotline:signature": garbled}
    assert with_device().refuse(event) == "signature"


@pytest.mark.parametrize("change", [{"value": "not base64!"}, {"value": ""}, {"alg": "none"}, {"alg": None}])
def test_a_signature_that_is_none_is_a_bad_one(change: dict[str, Any]) -> None:
    event = signed(commission(1, item(1)), "Ed25519", KEYS["Ed25519"])
    event["lotline:signature"] = {**event["lotline:signature"], **change}
    assert with_device().refuse(event) == "bad_signature"


def test_a_revoked_device_signs_no_more() -> None:
    peer = with_device()
    assert peer.call("revokeDevice", {"id": "dock-3"}, "BMSP").status == 403
    assert peer.call("revokeDevice", {"id": "dock-9"}).status == 404
    assert peer.call("revokeDevice", {"id": "dock-3"}).status == 200
    assert peer.refuse(signed(commission(1, item(1)), "Ed25519", KEYS["Ed25519"])) == "device_revoked"
