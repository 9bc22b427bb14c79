"""Who there is, what belongs to whom, and who may say so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chaincode import keys
from chaincode.registered import Party
from tests.unit.chaincode.peer import Peer, commission, item, party, place, ship

FARM = {"id": party(1), "name": "Farm"}
DOCK = {"id": place(1), "party": party(1), "name": "Dock", "latitude": 48.1, "longitude": 11.5}


def registered() -> Peer:
    peer = Peer()
    assert peer.call("registerParty", FARM).status == 200
    return peer


def test_the_first_to_name_a_party_owns_it() -> None:
    peer = registered()
    assert peer.get(keys.party(party(1))) == {**FARM, "msp": "AMSP", "v": 2}
    stolen = peer.call("registerParty", {**FARM, "name": "Mine"}, "BMSP")
    assert (stolen.status, "belongs to AMSP" in stolen.message) == (403, True)
    assert peer.call("registerParty", {**FARM, "name": "Green Farm"}).status == 200
    assert peer.get(keys.party(party(1)))["name"] == "Green Farm"


def test_a_place_needs_its_party_and_its_owner() -> None:
    peer = Peer()
    assert peer.call("registerPlace", DOCK).status == 404
    peer = registered()
    assert peer.call("registerPlace", DOCK, "BMSP").status == 403
    assert peer.call("registerPlace", DOCK).status == 200
    assert peer.get(keys.place(place(1)))["latitude"] == 48.1


def test_nothing_is_registered_by_being_mentioned() -> None:
    """Not by a stranger, and not by its owner: an event gives nobody a place or a party."""
    peer = Peer()
    peer.accept(commission(1, item(1)), ship(2, item(1)))
    peer.accept(commission(1, item(2)), ship(2, item(2)), msp="BMSP")  # from A's place, in A's name
    assert peer.all("PY") + peer.all("PL") == []
    (flags,) = {tuple(record["flags"]) for record in peer.all("EV") if record["event"]["bizStep"] == "shipping"}
    assert set(flags) >= {"unregistered_place", "unregistered_party"}
    assert peer.call("registerParty", FARM).status == 200
    assert peer.call("registerPlace", DOCK).status == 200
    assert peer.refuse(commission(3, item(3)), msp="BMSP") == "not_your_place"
    peer.accept(commission(3, item(3)))
    registered = (
        peer.all("EV")[-1]
        if len(peer.all("EV")) == 1
        else next(record for record in peer.all("EV") if item(3) in record["event"]["epcList"])
    )
    assert not {"unregistered_place", "unregistered_party"} & set(registered.get("flags", ()))


def test_what_the_first_version_adopted_gives_no_power_and_is_overwritten_by_who_registers() -> None:
    peer = Peer()
    unknown = dict.fromkeys(("name", "kind", "latitude", "longitude", "address"))
    squatted = {"msp": "BMSP", "adopted": True}
    mentioned_place = json.dumps({"id": place(1), "party": party(2), **squatted, **unknown}).encode()
    mentioned_party = json.dumps({"id": party(1), "name": None, **squatted}).encode()
    peer.state = {keys.party(party(1)): mentioned_party, keys.place(place(1)): mentioned_place}
    peer.accept(commission(1, item(1)), ship(2, item(1)))
    assert peer.call("registerParty", FARM).status == 200
    assert peer.call("registerPlace", DOCK).status == 200
    assert peer.get(keys.place(place(1)))["msp"] == peer.get(keys.party(party(1)))["msp"] == "AMSP"


def test_what_the_first_version_registered_is_whose_it_was() -> None:
    peer = Peer()
    known = json.dumps({**FARM, "msp": "AMSP", "adopted": False, "country": "DE"}).encode()
    peer.state = {keys.party(party(1)): known}
    assert peer.call("registerParty", FARM, "BMSP").status == 403
    assert peer.call("registerPlace", DOCK).status == 200
    assert Party.from_record(peer.get(keys.party(party(1)))) == Party(
        id=party(1), msp="AMSP", name="Farm", more={"country": "DE"}
    )


def test_a_part_of_a_place_is_whose_the_place_is() -> None:
    """Or else a stranger who registers dock 5 of a warehouse locks the warehouse out of it."""
    peer = registered()
    peer.call("registerPlace", DOCK)
    peer.call("registerParty", {"id": party(2), "name": "B"}, "BMSP")
    gate = place(1) + "/254/gate-5"
    stolen = peer.call("registerPlace", {"id": gate, "party": party(2)}, "BMSP")
    assert (stolen.status, "belongs to AMSP" in stolen.message) == (403, True)
    assert peer.call("registerPlace", {"id": gate, "party": party(1)}).status == 200
    peer.accept(commission(1, item(1), site=(gate, party(1))))


@pytest.mark.parametrize("function", ["registerParty", "registerPlace", "registerDevice", "revokeDevice", "configure"])
@pytest.mark.parametrize("role", ["scanner", "analyst", "auditor", "none"])
def test_only_admins_register(function: str, role: str) -> None:
    peer = Peer()
    answer = peer.call(function, {}, role=role)
    assert answer.status == 403
    assert "role admin" in answer.message
    assert peer.last.writes == {}


@pytest.mark.parametrize(
    ("function", "entry", "says"),
    [
        ("registerParty", {"id": "https://id.gs1.org/417/9506000111110", "name": "x"}, "417"),
        ("registerParty", {"id": place(1).replace("/414/", "/01/"), "name": "x"}, "id"),
        ("registerParty", {"id": party(1)}, "name"),
        ("registerParty", {"id": party(1), "name": "  "}, "name"),
        ("registerParty", {"id": party(1), "name": "a\x00b"}, "name"),
        ("registerParty", {"id": party(1), "name": "a\u202eb"}, "name"),
        ("registerParty", {"id": party(1), "name": "\x1b[31m"}, "name"),
        ("registerParty", {"id": party(1), "name": "a" * 1001}, "name"),
        ("registerDevice", {"id": "d" * 201, "party": party(1), "algorithm": "ES256", "publicKey": "x"}, "id"),
        ("registerPlace", {**DOCK, "latitude": 91}, "latitude"),
        ("registerPlace", {**DOCK, "longitude": True}, "longitude"),
        ("registerDevice", {"id": "d", "party": party(1), "algorithm": "RSA", "publicKey": "x"}, "publicKey"),
        ("configure", {"custodyPolicy": "trust"}, "custodyPolicy"),
        ("configure", {"clockToleranceSeconds": 10**6}, "clockToleranceSeconds"),
        ("configure", {"clockToleranceSeconds": 1.5}, "clockToleranceSeconds"),
        ("configure", {"colour": "red"}, "colour"),
        ("configure", {"admins": "AMSP"}, "admins"),
        ("configure", {"admins": None}, "admins"),
        ("configure", {"admins": [3]}, "admins"),
        ("configure", {"admins": [" "]}, "admins"),
    ],
)
def test_bad_entries_name_the_field_and_write_nothing(function: str, entry: dict[str, Any], says: str) -> None:
    peer = registered()
    answer = peer.call(function, entry)
    assert answer.status == 400
    assert says in answer.message
    assert peer.last.writes == {}


@pytest.mark.parametrize("argument", [b"", b"{", b"[]", b"3", b"[1]", b"\xff"])
def test_arguments_that_are_none(argument: bytes) -> None:
    assert Peer().call("registerParty", argument).status == 400


def test_one_bad_entry_spoils_the_list_and_is_numbered() -> None:
    peer = Peer()
    answer = peer.call("registerParty", [FARM, {"id": party(2)}])
    assert "entry 1" in answer.message
    assert peer.last.writes == {}


def test_the_first_to_configure_administers() -> None:
    peer = Peer()
    answer = peer.call("configure", {"custodyPolicy": "enforce"})
    assert json.loads(answer.payload)["admins"] == ["AMSP"]
    assert peer.call("configure", {"custodyPolicy": "flag"}, "BMSP").status == 403
    assert peer.call("configure", {"admins": ["AMSP", "BMSP"]}).status == 200
    assert peer.call("configure", {"custodyPolicy": "flag"}, "BMSP").status == 200
    assert json.loads(peer.call("config").payload) == {
        "admins": ["AMSP", "BMSP"], "clockToleranceSeconds": 300, "custodyPolicy": "flag",
    }  # fmt: skip


def test_nobody_speaks_from_anothers_place_or_a_part_of_it() -> None:
    peer = registered()
    peer.call("registerPlace", DOCK)
    elsewhere = (place(1), party(2))
    assert peer.refuse(commission(1, item(1), site=elsewhere), msp="BMSP") == "not_your_place"
    gate = (place(1) + "/254/gate-5", party(2))
    assert peer.refuse(commission(1, item(1), site=gate), msp="BMSP") == "not_your_place"
    peer.accept(commission(1, item(1), site=gate))


def test_a_device_belongs_to_the_organisation_of_its_party() -> None:
    peer = registered()
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    reader = {"id": "dock-3", "party": party(1), "algorithm": "ES256", "publicKey": pem}
    foreign = peer.call("registerDevice", reader, "BMSP")
    assert (foreign.status, "belongs to AMSP" in foreign.message) == (403, True)
    assert peer.call("registerDevice", reader).status == 200
    assert peer.call("registerDevice", {**reader, "party": party(2)}, "BMSP").status == 403  # the id is taken
    assert peer.call("registerDevice", {**reader, "algorithm": "Ed25519"}).status == 400  # not that kind of key
    record = peer.get(keys.device("dock-3"))
    assert (record["msp"], record["status"], record["publicKey"]) == ("AMSP", "active", pem)
    peer.call("revokeDevice", {"id": "dock-3"})
    assert peer.get(keys.device("dock-3"))["status"] == "revoked"
