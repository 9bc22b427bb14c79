"""A state that the first version's contract left goes on: its records are read, and become this version's when they are touched.

``first_version.json`` is what that contract wrote for a story of its own: a pallet on its way, an item handed over twice and not yet
accepted the second time, one that nobody announced, one that was destroyed, and a lot of which 40 were released and 30 arrived.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import (
    B,
    C,
    Peer,
    commission,
    event,
    item,
    lot,
    observe,
    pack,
    pallet,
    receive,
    ship,
    unpack,
)  # fmt: skip
from tests.unit.chaincode.telling import declared_wrong

_RECORDS = json.loads((Path(__file__).parent / "first_version.json").read_text())


def left() -> Peer:
    """A peer with the old state."""
    peer = Peer()
    peer.state = {key.replace("|", "\x00"): json.dumps(record).encode() for key, record in _RECORDS.items()}
    return peer


def thing(peer: Peer, uri: str) -> dict[str, Any]:
    found: dict[str, Any] = peer.get(keys.thing(uri))
    return found


def handoffs(peer: Peer, uri: str) -> list[dict[str, Any]]:
    return [handoff for handoff in peer.all("HO") if handoff["item"] == uri]


def test_a_pallet_on_its_way_arrives() -> None:
    peer = left()
    (before,) = handoffs(peer, pallet(1))
    peer.accept(receive(5, pallet(1), document="D1"), unpack(6, pallet(1), site=B), msp="BMSP")
    (after,) = handoffs(peer, pallet(1))
    assert (before["status"], after["status"], after["id"]) == ("released", "complete", before["id"])
    assert [(thing(peer, item(n))["msp"], thing(peer, item(n))["parent"]) for n in (1, 2)] == [("BMSP", None)] * 2
    assert thing(peer, item(1))["v"] == 2
    assert not [key for key in peer.state if key.startswith(keys.key("IN", pallet(1)))]


def test_a_second_handoff_is_completed_under_the_id_it_had() -> None:
    peer = left()
    before = {handoff["id"]: handoff["status"] for handoff in handoffs(peer, item(3))}
    assert sorted(before.values()) == ["complete", "released"]
    peer.accept(receive(7, item(3), site=C), msp="CMSP")
    assert {handoff["id"]: handoff["status"] for handoff in handoffs(peer, item(3))} == dict.fromkeys(
        before, "complete"
    )


def test_what_was_open_is_closed_by_what_explains_it() -> None:
    peer = left()
    opened = [(one["kind"], one["item"]) for one in peer.all("EX") if one["status"] == "open"]
    assert ("unannounced", item(5)) in opened
    assert ("uncommissioned", item(5)) in opened
    peer.accept(commission(1, item(5)), ship(2, item(5), to=C))
    still = [one["kind"] for one in peer.all("EX") if one["status"] == "open" and one["item"] == item(5)]
    assert still == []


def test_a_handoff_of_then_is_taken_back_now() -> None:
    peer = left()
    wrong = ship(3, pallet(1), document="D1")
    peer.accept(declared_wrong(wrong, 9))
    assert handoffs(peer, pallet(1)) == []
    assert thing(peer, pallet(1))["status"] == "active"


@pytest.mark.parametrize("step", ["observe", "ship", "pack"])
def test_what_ended_stays_ended(step: str) -> None:
    said = {"observe": observe(8, item(4)), "ship": ship(8, item(4)), "pack": pack(8, pallet(1), item(4))}
    assert left().refuse(said[step]) == "ended"


def test_what_was_commissioned_is_not_commissioned_again() -> None:
    assert left().refuse(commission(9, item(1))) == "already_commissioned"


def test_a_logistic_unit_that_began_by_being_packed_may_get_its_label_late() -> None:
    peer = left()
    peer.accept(commission(1.5, pallet(1)))
    assert thing(peer, pallet(1))["maker"] == "AMSP"


def test_what_is_packed_goes_on_being_packed() -> None:
    peer = left()
    peer.accept(pack(10, pallet(3), item(1)))
    assert thing(peer, item(1))["parent"] == pallet(3)
    assert "aggregation" in peer.open_exceptions()
    peer.accept(unpack(5, pallet(1), item(1)))
    assert "aggregation" not in peer.open_exceptions()


def test_a_lots_open_handoff_is_completed() -> None:
    peer = left()
    assert "shortage" in peer.open_exceptions()
    peer.accept(receive(6, lots={lot(1): 10}, document="D2"), msp="BMSP")
    assert "shortage" not in peer.open_exceptions()
    amounts = {one["place"]: one["quantity"] for one in peer.all("LB")}
    assert amounts[B[0]] == "40"


def test_what_is_loose_on_a_pallet_is_taken_off() -> None:
    peer = left()
    peer.accept(unpack(7, pallet(2)))
    assert peer.get(keys.loose(pallet(2), lot(1))) is None
    end = event("ObjectEvent", 8, "destroying", action="DELETE", epcList=[pallet(2)])
    peer.accept(end)
