"""An event is captured once, whichever way that is found out; and a new one is not looked up where that is needless."""

from __future__ import annotations

from typing import Any

import pytest

from chaincode import keys
from epcis import parse_event
from tests.unit.chaincode.peer import (
    A,
    B,
    Peer,
    commission,
    event,
    item,
    lot,
    make_lot,
    observe,
    pack,
    pallet,
    receive,
    ship,
    unpack,
)  # fmt: skip

STORY: list[tuple[str, dict[str, Any]]] = [
    ("AMSP", commission(1, item(1), item(2))),
    ("AMSP", make_lot(1, lot(1), 10)),
    ("AMSP", pack(2, pallet(1), item(1), item(2))),
    ("AMSP", event("AggregationEvent", 2, "packing", A, action="OBSERVE", parentID=pallet(1), childEPCs=[item(1)])),
    ("AMSP", event("AssociationEvent", 3, None, A, action="ADD", parentID=pallet(9), childEPCs=[item(7)])),
    ("AMSP", ship(4, pallet(1), lots={lot(1): 4})),
    ("AMSP", event("ObjectEvent", 4.5, "shipping", A, action="ADD", epcList=[item(8)])),
    ("BMSP", receive(6, pallet(1), lots={lot(1): 4})),
    ("BMSP", unpack(7, pallet(1), site=B)),
    ("BMSP", observe(8, item(1), site=B)),
    ("BMSP", event("ObjectEvent", 9, "destroying", B, action="DELETE", epcList=[item(2)])),
    (
        "BMSP",
        {**observe(8, item(1), site=B), "errorDeclaration": {"declarationTime": "2025-05-01T00:00:00Z"}},
    ),
]


def told() -> Peer:
    peer = Peer()
    for msp, said in STORY:
        peer.accept(said, msp=msp)
    return peer


@pytest.mark.parametrize("number", range(len(STORY)))
def test_every_kind_of_event_is_known_again(number: int) -> None:
    peer = told()
    msp, said = STORY[number]
    before = dict(peer.state)
    (verdict,) = peer.capture(said, msp=msp)
    assert verdict["verdict"] == "duplicate"
    assert peer.state == before


@pytest.mark.parametrize("number", range(len(STORY)))
def test_twice_in_one_batch_is_once(number: int) -> None:
    peer = Peer()
    for msp, said in STORY[:number]:
        peer.accept(said, msp=msp)
    msp, said = STORY[number]
    assert [one["verdict"] for one in peer.capture(said, said, msp=msp)] == ["accepted", "duplicate"]


def test_the_beginning_of_a_new_thing_does_not_read_the_event() -> None:
    peer = Peer()
    said = commission(1, item(1))
    key = keys.event(parse_event(said).hash.removeprefix("ni:///sha-256;").partition("?")[0])
    peer.accept(said)
    assert keys.thing(item(1)) in peer.last.reads
    assert key not in peer.last.reads
    peer.capture(said)
    assert key in peer.last.reads


def test_another_event_about_a_known_thing_is_not_a_duplicate() -> None:
    peer = told()
    (verdict,) = peer.capture(commission(1.5, item(1)))
    assert (verdict["verdict"], verdict["code"]) == ("rejected", "already_commissioned")
