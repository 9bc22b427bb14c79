"""Administrators give what is registered to whose it is: who may, what goes along, and what stays in the record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from chaincode import keys
from tests.unit.chaincode.peer import A, B, Peer, commission, item, party, place

GATE = place(1) + "/254/gate-5"
PEM = (
    ed25519.Ed25519PrivateKey.from_private_bytes(b"1" * 32)
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def squatted() -> Peer:
    """C administers. B has registered A's party and A's dock, with a gate, and a reader of its own."""
    peer = Peer()
    assert peer.call("configure", {"admins": ["CMSP"]}, "CMSP").status == 200
    assert (
        peer.call("registerParty", [{"id": party(1), "name": "mine"}, {"id": party(2), "name": "B"}], "BMSP").status
        == 200
    )
    places = [{"id": place(1), "party": party(1), "name": "dock"}, {"id": GATE, "party": party(1)}]
    assert peer.call("registerPlace", [*places, {"id": place(2), "party": party(2)}], "BMSP").status == 200
    reader = {"id": "dock-3", "party": party(2), "algorithm": "Ed25519", "publicKey": PEM}
    assert peer.call("registerDevice", reader, "BMSP").status == 200
    return peer


def reassigned(peer: Peer, *entries: dict[str, Any], msp: str = "CMSP") -> list[tuple[str, str, str, str]]:
    answer = peer.call("reassign", list(entries), msp)
    assert answer.status == 200, answer.message
    return [(one["kind"], one["id"], one["from"], one["to"]) for one in json.loads(answer.payload)["reassigned"]]


def test_a_party_comes_back_with_its_places_and_its_owner_speaks_from_them() -> None:
    peer = squatted()
    assert peer.refuse(commission(1, item(1))) == "not_your_place"
    found = reassigned(peer, {"id": party(1), "msp": "AMSP"})
    assert found == [
        ("party", party(1), "BMSP", "AMSP"),
        ("place", place(1), "BMSP", "AMSP"),
        ("place", GATE, "BMSP", "AMSP"),
    ]
    peer.accept(commission(1, item(1)), commission(1, item(2), site=(GATE, party(1))))
    assert peer.refuse(commission(2, item(3)), msp="BMSP") == "not_your_place"
    peer.accept(commission(2, item(4), site=B), msp="BMSP")  # its own stay its own
    assert peer.call("registerParty", {"id": party(1), "name": "mine"}, "BMSP").status == 403


def test_who_decided_it_whose_it_was_and_when_stays_in_the_record() -> None:
    peer = squatted()
    reassigned(peer, {"id": party(1), "msp": "AMSP"})
    decided = {"by": "CMSP", "from": "BMSP", "at": "2025-06-01T12:00:00.000000Z"}
    assert peer.get(keys.party(party(1)))["reassigned"] == decided
    assert peer.get(keys.place(place(1)))["reassigned"] == decided
    assert peer.call("registerParty", {"id": party(1), "name": "A"}).status == 200
    assert peer.call("registerPlace", {"id": place(1), "party": party(1), "name": "Dock"}).status == 200
    for record in (peer.get(keys.party(party(1))), peer.get(keys.place(place(1)))):
        assert (record["msp"], record["reassigned"]) == ("AMSP", decided)


def test_a_place_by_itself_is_run_by_nobody_until_its_organisation_says_by_whom() -> None:
    peer = squatted()
    assert reassigned(peer, {"id": place(1), "msp": "AMSP"}) == [("place", place(1), "BMSP", "AMSP")]
    assert peer.get(keys.place(place(1)))["party"] is None
    peer.accept(commission(1, item(1)))
    reassigned(peer, {"id": party(1), "msp": "AMSP"})
    assert peer.call("registerPlace", {"id": place(1), "party": party(1)}).status == 200
    assert peer.get(keys.place(place(1)))["party"] == party(1)


def test_a_device_is_revoked_until_its_organisation_gives_it_a_key() -> None:
    peer = squatted()
    assert reassigned(peer, {"id": "dock-3", "msp": "AMSP"}) == [("device", "dock-3", "BMSP", "AMSP")]
    assert peer.get(keys.device("dock-3"))["status"] == "revoked"
    reader = {"id": "dock-3", "party": party(3), "algorithm": "Ed25519", "publicKey": PEM}
    assert peer.call("registerDevice", reader, "BMSP").status == 403
    assert peer.call("registerDevice", reader).status == 200
    assert peer.get(keys.device("dock-3"))["status"] == "active"


def test_one_number_of_a_party_and_of_a_place() -> None:
    """A GLN may name either; both go unless it is said which."""
    peer = squatted()
    peer.call("registerParty", {"id": place(2), "name": "B too"}, "BMSP")
    assert reassigned(peer, {"id": place(2), "msp": "AMSP", "kind": "party"}) == [("party", place(2), "BMSP", "AMSP")]
    both = reassigned(peer, {"id": place(2), "msp": "BMSP"})
    assert both == [("party", place(2), "AMSP", "BMSP"), ("place", place(2), "BMSP", "BMSP")]


def test_several_in_one_call_build_on_one_another() -> None:
    peer = squatted()
    found = reassigned(peer, {"id": place(1), "msp": "AMSP"}, {"id": party(1), "msp": "AMSP"})
    assert [one[:2] for one in found] == [("place", place(1)), ("party", party(1)), ("place", GATE)]


@pytest.mark.parametrize("msp", ["AMSP", "BMSP"])
def test_only_administrators_reassign(msp: str) -> None:
    peer = squatted()
    refused = peer.call("reassign", {"id": party(1), "msp": "AMSP"}, msp)
    assert (refused.status, peer.last.writes) == (403, {})
    assert "not among the channel's administrators (CMSP)" in refused.message
    assert Peer().call("reassign", {"id": party(1), "msp": "AMSP"}).status == 403  # nobody administers
    assert peer.call("reassign", {"id": party(1), "msp": "AMSP"}, "CMSP", "scanner").status == 403


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({}, 400),
        ({"id": party(1)}, 400),
        ({"id": party(1), "msp": " "}, 400),
        ({"id": party(1), "msp": "AMSP", "kind": "thing"}, 400),
        ({"id": party(1), "msp": "AMSP", "why": "so"}, 400),
        ({"id": 7, "msp": "AMSP"}, 400),
        ({"id": "a\x00b", "msp": "AMSP"}, 400),
        ({"id": party(9), "msp": "AMSP"}, 404),
        ({"id": party(1), "msp": "AMSP", "kind": "place"}, 404),
        ({"id": A[0] + "x", "msp": "AMSP"}, 404),
    ],
)
def test_what_is_no_reassignment(entry: dict[str, Any], status: int) -> None:
    peer = squatted()
    answer = peer.call("reassign", entry, "CMSP")
    assert (answer.status, peer.last.writes) == (status, {}), answer.message
