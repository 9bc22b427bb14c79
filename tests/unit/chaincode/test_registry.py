"""Who there is, what belongs to whom, and who may say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import Peer, commission, item, party, place

FARM = {"id": party(1), "name": "Farm"}
DOCK = {"id": place(1), "party": party(1), "name": "Dock", "latitude": 48.1, "longitude": 11.5}


def registered() -> Peer:
    peer = Peer()
    assert peer.call("registerParty", FARM).status == 200
    return peer


def test_the_first_to_name_a_party_owns_it() -> None:
    peer = registered()
    assert peer.get(keys.party(party(1))) == {**FARM, "msp": "AMSP", "adopted": False}
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


def test_what_an_event_adopted_can_be_registered_by_its_owner_only() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)))
    (site,) = [record for record in peer.all("PL") if record["adopted"]]
    peer.call("registerParty", FARM)
    entry = {"id": site["id"], "party": party(1), "name": "Plant"}
    assert peer.call("registerPlace", entry, "BMSP").status == 403
    assert peer.call("registerPlace", entry).status == 200
    assert peer.get(keys.place(site["id"]))["adopted"] is False


@pytest.mark.parametrize("function", ["registerParty", "registerPlace", "registerDevice", "revokeDevice", "configure"])
@pytest.mark.parametrize("role", ["scanner", "analyst", "auditor", "none"])
def test_only_admins_register(function: str, role: str) -> None:
    peer = Peer()
    answer = peer.call(function, {}, role=role)
    assert answer.status == 403
    assert "role admin" in answer.message
    assert peer.state == {}


@pytest.mark.parametrize(
    ("function", "entry", "says"),
    [
        ("registerParty", {"id": "https://id.gs1.org/417/9506000111110", "name": "x"}, "417"),
        ("registerParty", {"id": place(1).replace("/414/", "/01/"), "name": "x"}, "id"),
        ("registerParty", {"id": party(1)}, "name"),
        ("registerParty", {"id": party(1), "name": "  "}, "name"),
        ("registerParty", {"id": party(1), "name": "a\x00b"}, "name"),
        ("registerPlace", {**DOCK, "latitude": 91}, "latitude"),
        ("registerPlace", {**DOCK, "longitude": True}, "longitude"),
        ("registerDevice", {"id": "d", "party": party(1), "algorithm": "RSA", "publicKey": "x"}, "publicKey"),
        ("configure", {"custodyPolicy": "trust"}, "custodyPolicy"),
        ("configure", {"clockToleranceSeconds": 10**6}, "clockToleranceSeconds"),
        ("configure", {"colour": "red"}, "colour"),
    ],
)
def test_bad_entries_name_the_field_and_write_nothing(function: str, entry: dict[str, Any], says: str) -> None:
    peer = registered()
    before = dict(peer.state)
    answer = peer.call(function, entry)
    assert answer.status == 400
    assert says in answer.message
    assert peer.state == before


@pytest.mark.parametrize("argument", [b"", b"{", b"[]", b"3", b"[1]", b"\xff"])
def test_arguments_that_are_none(argument: bytes) -> None:
    assert Peer().call("registerParty", argument).status == 400


def test_one_bad_entry_spoils_the_list_and_is_numbered() -> None:
    peer = Peer()
    answer = peer.call("registerParty", [FARM, {"id": party(2)}])
    assert "entry 1" in answer.message
    assert peer.state == {}


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


def test_lookups() -> None:
    peer = registered()
    assert json.loads(peer.call("party", party(1).encode()).payload)["name"] == "Farm"
    missing = peer.call("party", party(2).encode())
    assert (missing.status, missing.message) == (404, f"there is no party {party(2)}")
    unknown = peer.call("drop", b"")
    assert unknown.status == 404
    assert "registerParty" in unknown.message
