"""An event is captured once, whichever way that is found out; and a new one is not looked up where that is needless."""

from __future__ import annotations

from typing import Any

import pytest

from chaincode import keys
from epcis import parse_event
from epcis.identity import hash_hex
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
    # of things never seen before, too
    ("AMSP", ship(10, pallet(2))),
    ("BMSP", receive(11, pallet(3), pallet(4))),
    ("AMSP", event("ObjectEvent", 12, "void_shipping", A, action="OBSERVE", epcList=[pallet(5)])),
    ("AMSP", event("AggregationEvent", 12, "shipping", A, action="OBSERVE", parentID=pallet(6), childEPCs=[item(11)])),
    ("AMSP", event("AggregationEvent", 12, "receiving", A, action="OBSERVE", parentID=pallet(7), childEPCs=[item(12)])),
    ("AMSP", unpack(13, pallet(8), item(13))),
    ("AMSP", pack(14, pallet(10), item(14))),
    ("AMSP", ship(15, item(14), pallet(10))),  # of both only the pallet is handed over
    ("BMSP", receive(16, item(14), pallet(10))),
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


@pytest.mark.parametrize(
    "said",
    [
        commission(1, item(1)),
        pack(1, pallet(1), item(1)),
        ship(1, pallet(1), item(1)),
        receive(1, pallet(1), item(1)),
        observe(1, item(1)),
    ],
)
def test_what_is_about_a_new_thing_is_not_looked_up_itself(said: dict[str, Any]) -> None:
    peer = Peer()
    parsed = parse_event(said)
    key = keys.event(hash_hex(parsed.hash))
    peer.accept(said)
    assert keys.thing(parsed.instances[0]) in peer.last.reads
    assert key not in peer.last.reads
    peer.capture(said)
    assert key in peer.last.reads
    assert peer.last.round_trips == 2


def test_another_event_about_a_known_thing_is_not_a_duplicate() -> None:
    peer = told()
    (verdict,) = peer.capture(commission(1.5, item(1)))
    assert (verdict["verdict"], verdict["code"]) == ("rejected", "already_commissioned")
