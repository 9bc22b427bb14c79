"""Declarations of error, events with one hash, and events that are told more than once."""

from __future__ import annotations

from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import (
    A,
    B,
    Peer,
    at,
    commission,
    event,
    item,
    lot,
    make_lot,
    observe,
    pack,
    pallet,
    quantities,
    receive,
    ship,
    unpack,
)  # fmt: skip
from tests.unit.chaincode.telling import declared_wrong, outcome, registered

ITEM, LOT, PALLET = item(1), lot(1), pallet(1)


def thing(peer: Peer, uri: str = ITEM) -> dict[str, Any]:
    found: dict[str, Any] = peer.get(keys.thing(uri))
    return found


def about(peer: Peer, statement: dict[str, Any]) -> dict[str, Any]:
    """What the ledger says about a captured event."""
    (name,) = _names(peer, statement)
    found: dict[str, Any] = peer.get(keys.about(name))
    return found


def _names(peer: Peer, statement: dict[str, Any]) -> list[str]:
    plain = {name: value for name, value in statement.items() if name != "errorDeclaration"}
    found = []
    for key in peer.state:
        if key[1:3] == "EV":
            said = peer.get(key).get("event", {})
            if all(said.get(name) == value for name, value in plain.items()) and "errorDeclaration" not in said:
                found.append(key[1:-1].split("\x00")[1])
    return found


MADE = commission(1, ITEM)
STORIES: dict[str, tuple[list[tuple[str, dict[str, Any]]], tuple[str, dict[str, Any]]]] = {
    "shipping": ([("AMSP", MADE)], ("AMSP", ship(2, ITEM))),
    "receiving": ([("AMSP", MADE), ("AMSP", ship(2, ITEM))], ("BMSP", receive(4, ITEM))),
    "commissioning": ([("AMSP", observe(3, ITEM))], ("AMSP", MADE)),
    "packing": ([("AMSP", MADE)], ("AMSP", pack(2, PALLET, ITEM))),
    "packing a quantity": (
        [("AMSP", make_lot(1, LOT, 10))],
        ("AMSP", pack(2, PALLET, childQuantityList=quantities({LOT: 4}))),
    ),
    "unpacking": ([("AMSP", MADE), ("AMSP", pack(2, PALLET, ITEM))], ("AMSP", unpack(3, PALLET, ITEM))),
    "unpacking all": ([("AMSP", MADE), ("AMSP", pack(2, PALLET, ITEM))], ("AMSP", unpack(3, PALLET))),
    "transformation": (
        [("AMSP", MADE), ("AMSP", make_lot(1, LOT, 10))],
        (
            "AMSP",
            event(
                "TransformationEvent", 5, None, inputEPCList=[ITEM], inputQuantityList=quantities({LOT: 4}),
                outputEPCList=[item(7)], outputQuantityList=quantities({lot(2): 3}),
            ),
        ),
    ),
    "an end": ([("AMSP", MADE)], ("AMSP", event("ObjectEvent", 5, "destroying", action="DELETE", epcList=[ITEM]))),
    "a quantity made": ([("AMSP", make_lot(1, LOT, 10))], ("AMSP", make_lot(2, LOT, 5))),
    "a quantity shipped": ([("AMSP", make_lot(1, LOT, 10))], ("AMSP", ship(2, lots={LOT: 5}))),
    "a quantity received": (
        [("AMSP", make_lot(1, LOT, 10)), ("AMSP", ship(2, lots={LOT: 5}, document="D1"))],
        ("BMSP", receive(4, lots={LOT: 4}, document="D1")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("first", ["event", "declaration"])
def test_what_was_declared_wrong_never_was(name: str, first: str) -> None:
    before, (who, wrong) = STORIES[name]
    without, peer = registered(), registered()
    for msp, statement in before:
        without.accept(statement, msp=msp)
        peer.accept(statement, msp=msp)
    said = [wrong, declared_wrong(wrong, 9)]
    for statement in said if first == "event" else reversed(said):
        peer.accept(statement, msp=who)
    assert {**outcome(peer), "declared": []} == outcome(without)


def test_a_corrected_quantity() -> None:
    wrong, right = ship(2, lots={LOT: 50}, document="D1"), ship(2, lots={LOT: 40}, document="D1")
    said = [
        ("AMSP", wrong),
        ("AMSP", declared_wrong(wrong, 3)),
        ("AMSP", right),
        ("BMSP", receive(5, lots={LOT: 40}, document="D1")),
    ]
    for order in (said, said[::-1], [said[3], said[0], said[2], said[1]]):
        peer = registered()
        peer.accept(make_lot(1, LOT, 100))
        for msp, statement in order:
            peer.accept(statement, msp=msp)
        (handoff,) = peer.all("HO")
        assert (handoff["released"], handoff["accepted"], handoff["status"]) == ("40", "40", "complete")
        assert {one["place"]: one["quantity"] for one in peer.all("LB")} == {A[0]: "60", B[0]: "40"}
        assert peer.open_exceptions() == []


def test_only_who_said_it_declares_it_wrong() -> None:
    peer = registered()
    statement = observe(2, ITEM, site=None)
    peer.accept(MADE, statement)
    assert peer.refuse(declared_wrong(statement, 3), msp="BMSP") == "not_your_event"


def test_a_stranger_who_declares_first_changes_nothing_when_the_event_comes() -> None:
    peer, without = registered(), registered()
    statement = observe(2, ITEM, site=None)
    peer.accept(declared_wrong(statement, 3), msp="BMSP")
    assert peer.open_exceptions() == ["declared_unknown"]
    for one in (peer, without):
        one.accept(MADE, statement)
    assert outcome(peer) == outcome(without)


def test_a_declaration_without_its_event_is_an_exception_until_it_comes() -> None:
    peer = registered()
    wrong = ship(2, ITEM)
    peer.accept(MADE, declared_wrong(wrong, 3))
    assert peer.open_exceptions() == ["declared_unknown"]
    (verdict,) = peer.capture(wrong)
    assert verdict["verdict"] == "accepted"
    assert peer.open_exceptions() == []
    assert thing(peer)["status"] == "active"
    assert "declared" in [flag for one in peer.all("EV") for flag in one.get("flags", ())]


def test_a_second_declaration_with_other_corrections_is_not_lost() -> None:
    peer = registered()
    wrong = ship(2, ITEM)
    one = declared_wrong(wrong, 3, correctiveEventIDs=["urn:uuid:11111111-1111-4111-8111-111111111111"])
    other = declared_wrong(wrong, 3, correctiveEventIDs=["urn:uuid:22222222-2222-4222-8222-222222222222"])
    peer.accept(MADE, wrong, one, other)
    assert len(about(peer, wrong)["declarations"]) == 2
    assert peer.capture(one)[0]["verdict"] == "duplicate"
    assert thing(peer)["status"] == "active"


def test_a_declaration_never_takes_an_event_id_over() -> None:
    peer = registered()
    identifier = "urn:uuid:33333333-3333-4333-8333-333333333333"
    said = {**MADE, "eventID": identifier}
    peer.accept(said)
    before = peer.get(keys.event_id(identifier))
    peer.accept(declared_wrong(said, 5))
    assert peer.get(keys.event_id(identifier)) == before
    assert before is not None


def test_an_event_may_be_declared_by_its_id_alone() -> None:
    """Sent again with the mistake mended in the same document: the id says which event is meant."""
    peer = registered()
    identifier = "urn:uuid:44444444-4444-4444-8444-444444444444"
    peer.accept(MADE, {**ship(2, ITEM), "eventID": identifier})
    peer.accept(declared_wrong({**ship(2, ITEM, document="D9"), "eventID": identifier}, 5))
    assert thing(peer)["status"] == "active"


def test_two_events_with_one_hash_are_told_apart() -> None:
    peer = registered()
    context = {"@context": [{"ex": "https://example.org/x/"}]}
    one = {**observe(2, ITEM), **context, "ex:batch": "007"}
    other = {**observe(2, ITEM), **context, "ex:batch": "7"}
    peer.accept(MADE, one, other)
    assert [verdict["verdict"] for verdict in peer.capture(one, other)] == ["duplicate", "duplicate"]
    said = sorted(one["event"]["ex:batch"] for one in peer.all("EV") if "ex:batch" in one["event"])
    assert said == ["007", "7"]
    assert len([one for one in peer.all("EV") if "hash" in one]) == 1
    peer.accept(declared_wrong(other, 5))
    assert len(about(peer, other)["declarations"]) == 1
    assert about(peer, one) is None


def test_who_else_reports_an_event_and_by_which_ids_it_is_found() -> None:
    peer = registered()
    statement = observe(2, ITEM, site=None)
    peer.accept(MADE, statement)
    identifiers = [f"urn:uuid:{n}5555555-5555-4555-8555-555555555555" for n in "12"]
    assert peer.capture({**statement, "eventID": identifiers[0]}, msp="BMSP")[0]["verdict"] == "duplicate"
    assert peer.capture({**statement, "eventID": identifiers[1]})[0]["verdict"] == "duplicate"
    known = about(peer, statement)
    assert (known["reporters"], known["ids"]) == (["BMSP"], identifiers)
    assert len({peer.get(keys.event_id(one))["event"] for one in identifiers}) == 1


def test_an_id_of_another_event_stays_with_it() -> None:
    peer = registered()
    identifier = "urn:uuid:66666666-6666-4666-8666-666666666666"
    statement = observe(2, ITEM, site=None)
    peer.accept({**MADE, "eventID": identifier}, statement)
    before = peer.get(keys.event_id(identifier))
    assert peer.capture({**statement, "eventID": identifier}, msp="BMSP")[0]["verdict"] == "duplicate"
    assert peer.get(keys.event_id(identifier)) == before


@pytest.mark.parametrize("action", ["OBSERVE", "DELETE"])
@pytest.mark.parametrize("step", ["retail_selling", "dispensing"])
def test_what_was_sold_is_not_shipped_on_in_silence(action: str, step: str) -> None:
    peer = registered()
    peer.accept(MADE, event("ObjectEvent", 2, step, action=action, epcList=[ITEM]))
    (verdict,) = peer.capture(ship(3, ITEM))
    refused = verdict["verdict"] == "rejected" and verdict["code"] == "ended"
    assert refused == (action == "DELETE")
    assert refused or peer.open_exceptions() == ["after_end"]


def test_what_was_returned_may_be_shipped() -> None:
    peer = registered()
    peer.accept(
        MADE,
        event("ObjectEvent", 2, "retail_selling", action="OBSERVE", epcList=[ITEM]),
        observe(3, ITEM, step="holding", disposition="returned"),
        ship(4, ITEM),
    )
    assert peer.open_exceptions() == []


def test_the_declaration_time_is_part_of_its_name() -> None:
    peer = registered()
    wrong = ship(2, ITEM)
    peer.accept(MADE, wrong, declared_wrong(wrong, 3))
    later = {**wrong, "errorDeclaration": {"declarationTime": at(4), "reason": "did_not_occur"}}
    peer.accept(later)
    assert len(about(peer, wrong)["declarations"]) == 2
