"""Items that are named with their lot, and what stands open of their handoffs."""

from __future__ import annotations

from itertools import permutations

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import Peer, commission, item, observe, receive, ship

ITEM = item(1)


def of_lot(number: str) -> str:
    """The same item, with its lot in its link."""
    product, serial = ITEM.split("/21/")
    return f"{product}/10/{number}/21/{serial}"


def lot_of(peer: Peer) -> str | None:
    found = peer.get(keys.thing(ITEM))
    assert found is not None
    lot: str | None = found["lot"]
    return None if lot is None else lot.rpartition("/")[2]


def test_the_first_who_names_the_lot_has_said_it() -> None:
    peer = Peer()
    peer.accept(commission(1, ITEM))
    assert lot_of(peer) is None
    peer.accept(observe(2, of_lot("L1")), observe(3, of_lot("L2")), observe(4, ITEM))
    assert lot_of(peer) == "L1"


def test_the_makers_word_comes_before_it() -> None:
    said = [
        ("AMSP", commission(2, of_lot("L1"))),
        ("BMSP", observe(1, of_lot("L2"))),
        ("BMSP", observe(3, of_lot("L3"))),
    ]
    for order in permutations(said):
        peer = Peer()
        for msp, statement in order:
            peer.accept(statement, msp=msp)
        assert lot_of(peer) == "L1"


def test_a_maker_who_names_no_lot_leaves_what_was_said() -> None:
    peer = Peer()
    peer.accept(observe(1, of_lot("L2")), msp="BMSP")
    peer.accept(commission(2, ITEM))
    assert lot_of(peer) == "L2"


@pytest.mark.parametrize(
    ("statements", "open_"),
    [
        ([], False),
        ([("AMSP", ship(2, ITEM))], True),
        ([("BMSP", receive(4, ITEM))], True),
        ([("AMSP", ship(2, ITEM)), ("BMSP", receive(4, ITEM))], False),
        ([("AMSP", ship(2, ITEM)), ("AMSP", {**ship(3, ITEM), "bizStep": "void_shipping"})], False),
    ],
)
def test_a_thing_names_the_handoff_that_stands_open(
    statements: list[tuple[str, dict[str, object]]], open_: bool
) -> None:
    peer = Peer()
    peer.accept(commission(1, ITEM))
    for msp, statement in statements:
        peer.accept(statement, msp=msp)
    found = peer.get(keys.thing(ITEM))
    assert found is not None
    assert found["open"] == ([handoff["id"] for handoff in peer.all("HO")] if open_ else [])
