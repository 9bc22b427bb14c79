"""Lots that the first version's contract left go on.

``first_version_lots.json`` is what that contract wrote for a story of its own: of a hundred, 10 and 7 were shipped without document and 20
under D1; 10 and, under D1, 15 arrived; 3 were taken back; 4 were shipped to B under D2 and arrived at C. Of another lot, 1500 of 5000 g
were packed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaincode import keys
from tests.unit.chaincode.lot_model import Statement
from tests.unit.chaincode.peer import A, B, C, Peer, at, lot, make_lot, pallet, quantities, receive, ship, unpack
from tests.unit.chaincode.telling import declared_wrong
from tests.unit.chaincode.test_lot_model import expected, registered, state_of, visible

_RECORDS = json.loads((Path(__file__).parent / "first_version_lots.json").read_text())
_DESPATCH = (("desadv", "D1"),)
STORY = [
    Statement("make", 1, "AMSP", 100),
    Statement("make", 1, "AMSP", 5000, of=2, uom="GRM"),
    Statement("ship", 2, "AMSP", 10, to="BMSP"),
    Statement("ship", 3, "AMSP", 20, to="BMSP", documents=_DESPATCH),
    Statement("ship", 4, "AMSP", 7, to="BMSP"),
    Statement("receive", 5, "BMSP", 10),
    Statement("receive", 6, "BMSP", 15, documents=_DESPATCH),
    Statement("void", 7, "AMSP", 3, to="BMSP"),
    Statement("receive", 8, "CMSP", 4, documents=(("desadv", "D2"),)),
    Statement("ship", 8, "AMSP", 4, to="BMSP", documents=(("desadv", "D2"),)),
    Statement("pack", 3, "AMSP", 1500, of=2, uom="GRM"),
]


def left() -> Peer:
    """A peer with the old state."""
    peer = registered()
    peer.state |= {key.replace("|", "\x00"): json.dumps(record).encode() for key, record in _RECORDS.items()}
    return peer


def test_what_comes_next_ends_as_if_all_had_been_told_to_this_version() -> None:
    more = [
        Statement("receive", 20, "BMSP", 5, documents=_DESPATCH),
        Statement("receive", 21, "BMSP", 4),
        Statement("ship", 22, "AMSP", 1, to="CMSP"),
        Statement("unpack", 23, "AMSP", 1, of=2, uom="KGM"),
        Statement("make", 24, "AMSP", 1, of=2, uom="KGM"),
    ]
    peer = left()
    for one in more:
        peer.accept(one.event(), msp=one.msp)
    assert visible(state_of(peer)) == visible(expected([*STORY, *more]))
    assert not [key for key in peer.state if key.startswith(keys.key("HO")) and key[-3:-2] == "-"]
    assert not [key for key in peer.state if key[1:3] == "HD" and len(key.split("\x00")) == 5]


def test_a_lane_that_nobody_touches_stays_as_it_is() -> None:
    before = left()
    peer = left()
    peer.accept(ship(20, lots={lot(1): 1}, to=A))
    untouched = [key for key in before.state if key[1:3] in ("HX", "HO", "HD")]
    assert {key: peer.state[key] for key in untouched} == {key: before.state[key] for key in untouched}


def test_claims_of_the_first_version_can_be_declared_wrong() -> None:
    peer = left()
    wrong = ship(3, lots={lot(1): 20}, document="D1")
    peer.state[keys.event(_hex(peer, 20))] = _event(wrong)
    peer.accept(declared_wrong(wrong, 500))
    story = [one for one in STORY if one.amount != 20]
    touched = [Statement("ship", 22, "AMSP", 1, to="CMSP"), Statement("pack", 23, "AMSP", 1, of=2, uom="KGM")]
    peer.accept(*(one.event() for one in touched))
    assert visible(state_of(peer)) == visible(expected([*story, *touched]))


def _hex(peer: Peer, amount: int) -> str:
    (claim,) = (
        one
        for one in peer.get(keys.claims(lot(1), B[1]))["claims"]
        if one["kind"] == "release" and one["quantity"] == str(amount)
    )
    digits: str = claim["event"].partition(";")[2].partition("?")[0]
    return digits


def _event(statement: dict[str, Any]) -> bytes:
    """As the ledger holds it."""
    other = Peer()
    other.accept(statement)
    (record,) = other.all("EV")
    return json.dumps({**record, "party": A[1]}).encode()


def test_the_making_of_the_first_version_can_be_declared_wrong() -> None:
    peer = left()
    made = make_lot(1, lot(1), 100)
    other = Peer()
    other.accept(made)
    (name,) = (key for key in other.state if key.startswith(keys.key("EV")))
    peer.state[name] = _event(made)
    peer.accept(declared_wrong(made, 500))
    assert {"uncommissioned", "overdrawn"} <= set(peer.open_exceptions())
    assert not peer.get(keys.lot(lot(1)))["commissioned"]


def test_what_was_packed_in_grams_comes_out_in_kilograms() -> None:
    peer = left()
    assert peer.get(keys.loose(pallet(1), lot(2))) == {"quantity": "1500", "uom": "GRM"}
    peer.accept(unpack(10, pallet(1), childQuantityList=quantities({lot(2): 2}, "KGM")))
    assert peer.get(keys.loose(pallet(1), lot(2))) is None
    assert "not_packed" in peer.open_exceptions()
    held = {one["class"]: (one["quantity"], one["uom"]) for one in peer.all("LB") if one["place"] == A[0]}
    assert held[lot(2)] == ("5", "KGM")


def test_only_the_maker_of_the_first_version_makes_more() -> None:
    peer = left()
    assert peer.refuse(make_lot(30, lot(1), 1, site=C), msp="CMSP") == "not_your_lot"
    assert peer.refuse(make_lot(30, lot(2), 1, uom="LTR")) == "unit_differs"
    assert at(1)[:10] in peer.get(keys.lot(lot(1)))["created"]
    peer.accept(receive(31, lots={lot(1): 1}), msp="BMSP")
