"""What anybody may ask of the contract: one record by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaincode.contract import FUNCTIONS
from epcis import parse_event
from tests.unit.chaincode.peer import B, Peer, commission, item, lot, make_lot, party, place, receive, ship

LOOKUPS = ["device", "event", "exception", "handoff", "lot", "party", "place", "thing"]


def told() -> Peer:
    peer = Peer()
    for number, msp in enumerate(("AMSP", "BMSP"), start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number)}, msp)
    peer.accept(commission(1, item(1)), make_lot(1, lot(1), 12.5, uom="KGM"), ship(2, item(1)))
    peer.accept(receive(4, item(1), item(2)), msp="BMSP")  # nobody has released item 2
    return peer


def ask(peer: Peer, function: str, name: str) -> dict[str, object]:
    answer = peer.call(function, name.encode(), "CMSP", role="none")
    assert answer.status == 200, answer.message
    assert peer.last.writes == {}
    found: dict[str, object] = json.loads(answer.payload)
    return found


def test_things_lots_parties_and_places() -> None:
    peer = told()
    assert ask(peer, "thing", item(1))["holder"] == B[1]
    assert ask(peer, "lot", lot(1))["uom"] == "KGM"
    assert ask(peer, "party", party(1))["msp"] == "AMSP"
    assert ask(peer, "place", place(2))["msp"] == "BMSP"


def test_handoffs_and_exceptions_by_the_ids_in_other_records() -> None:
    peer = told()
    statuses = {str(record["item"]): ask(peer, "handoff", record["id"])["status"] for record in peer.all("HO")}
    assert statuses == {item(1): "complete", item(2): "accepted"}
    (unannounced,) = (record for record in peer.all("EX") if record["kind"] == "unannounced")
    assert ask(peer, "exception", unannounced["id"])["handoff"] == unannounced["handoff"]


def test_an_event_by_its_hash_or_the_digits_of_it() -> None:
    peer = told()
    hash_ = parse_event(commission(1, item(1))).hash
    for name in (hash_, hash_.split(";")[1].split("?")[0]):
        found: Any = ask(peer, "event", name)
        assert (found["event"]["bizStep"], found["msp"]) == ("commissioning", "AMSP")


@pytest.mark.parametrize("function", LOOKUPS)
def test_what_is_not_there(function: str) -> None:
    peer = told()
    answer = peer.call(function, b"nothing")
    assert (answer.status, answer.message) == (404, f"there is no {function} nothing")
    assert peer.call(function, None).status == 400


def test_the_configuration_needs_no_argument() -> None:
    peer = Peer()
    defaults = {"admins": [], "clockToleranceSeconds": 300, "custodyPolicy": "flag"}
    assert json.loads(peer.call("config", None).payload) == defaults
    assert json.loads(peer.call("config", b"").payload) == defaults


def test_an_unknown_function_is_told_the_known_ones() -> None:
    answer = Peer().call("drop", b"")
    assert answer.status == 404
    assert all(name in answer.message for name in FUNCTIONS)
