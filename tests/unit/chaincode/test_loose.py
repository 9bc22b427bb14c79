"""Loose quantities in a parent: what is taken out was put in, in whatever order it is told."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import A, B, Peer, checked, lot, make_lot, pack, pallet, quantities, unpack
from tests.unit.chaincode.telling import declared_wrong
from tests.unit.chaincode.test_lot_model import registered

Step = tuple[str, dict[str, Any]]


def packed(hour: float, amount: Any, site: tuple[str, str] = A, of: int = 1) -> dict[str, Any]:
    return pack(hour, pallet(1), site=site, childQuantityList=quantities({lot(of): amount}))


def unpacked(hour: float, amount: Any, site: tuple[str, str] = A) -> dict[str, Any]:
    return unpack(hour, pallet(1), site=site, childQuantityList=quantities({lot(1): amount}))


def told(*said: dict[str, Any], policy: str = "flag") -> Peer:
    peer = registered()
    peer.call("configure", {"custodyPolicy": policy})
    peer.accept(make_lot(1, lot(1), 100), *said)
    return peer


def inside(peer: Peer) -> str | None:
    found = peer.get(keys.loose(pallet(1), lot(1)))
    return None if found is None else found["quantity"]


def outcome(peer: Peer) -> Any:
    balances = {(one["holder"], one["place"]): Decimal(one["quantity"]) for one in peer.all("LB")}
    return balances, inside(peer), [kind for kind in peer.open_exceptions() if kind != "custody"]


def has(peer: Peer, site: tuple[str, str] = A) -> Any:
    return sum((Decimal(one["quantity"]) for one in peer.all("LB") if one["place"] == site[0]), Decimal(0))


def test_unpacking_takes_out_what_is_in_there_at_most() -> None:
    peer = told(packed(2, 10), unpacked(3, 1_000_000))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (100, None, ["not_packed"])
    (flagged,) = (one for one in peer.all("EV") if "not_packed" in one.get("flags", ()))
    assert flagged["event"]["action"] == "DELETE"


def test_what_was_never_packed_makes_no_goods() -> None:
    peer = told(unpacked(3, 500))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (100, None, ["not_packed"])
    peer.accept(packed(2, 500))
    assert (has(peer), inside(peer)) == (100, None)
    assert peer.open_exceptions() == []  # the packing was late; its goods are out again


def test_taking_out_more_than_there_is_is_refused_under_enforce() -> None:
    peer = told(packed(2, 10), policy="enforce")
    assert peer.refuse(unpacked(3, 11)) == "not_packed"
    peer.accept(unpacked(3, 10))
    assert peer.refuse(unpacked(4, 1)) == "not_packed"
    assert peer.refuse(unpacked(2.5, 1)) == "not_packed"  # it would leave too little for the later one
    assert (has(peer), inside(peer)) == (100, None)


def test_the_exception_closes_when_the_unpacking_is_declared_wrong() -> None:
    said = unpacked(3, 20)
    peer = told(packed(2, 10), said)
    assert peer.open_exceptions() == ["not_packed"]
    peer.accept(declared_wrong(said, 500))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (90, "10", [])


def test_a_packing_that_was_declared_wrong_never_was() -> None:
    said = packed(2, 10)
    peer = told(said, unpacked(3, 4))
    assert (has(peer), inside(peer)) == (94, "6")
    peer.accept(declared_wrong(said, 500))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (100, None, ["not_packed"])


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=str)
def test_order_does_not_matter(order: tuple[int, ...]) -> None:
    """Packed by A, some taken out by B, packed again, emptied by A, and some taken out that is not there any more."""
    said: list[Step] = [
        ("AMSP", packed(2, 10)),
        ("BMSP", unpacked(3, 4, B)),
        ("AMSP", packed(4, 2.5)),
        ("AMSP", unpack(5, pallet(1))),
        ("BMSP", unpacked(6, 1, B)),
    ]
    peer = told()
    for number in order:
        msp, statement = said[number]
        peer.accept(statement, msp=msp)
    assert outcome(peer) == ({(A[1], A[0]): 96, (B[1], B[0]): 4}, None, ["not_packed", "overdrawn"][:1])


def test_a_packing_that_comes_after_its_parent_was_emptied() -> None:
    peer = told(packed(2, 10), unpack(5, pallet(1)))
    assert (has(peer), inside(peer)) == (100, None)
    peer.accept(packed(4, 7), packed(6, 3))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (97, "3", [])


def test_emptying_is_declared_wrong() -> None:
    emptied = unpack(5, pallet(1))
    peer = told(packed(2, 10), emptied, packed(4, 7))
    peer.accept(declared_wrong(emptied, 500))
    assert (has(peer), inside(peer), peer.open_exceptions()) == (83, "17", [])


def test_an_event_that_names_a_lot_twice_means_both() -> None:
    twice = quantities({lot(1): 3}) + quantities({lot(1): 4})
    said = pack(2, pallet(1), childQuantityList=twice)
    peer = told(said)
    assert (has(peer), inside(peer)) == (93, "7")
    peer.accept(declared_wrong(said, 500))
    assert (has(peer), inside(peer)) == (100, None)
    assert not [key for key in peer.state if key[1:3] in ("IL", "IQ")]


def test_a_parent_packed_ten_thousand_times_costs_what_it_did_at_first() -> None:
    peer, costs = told(), []
    for number in range(1_000):
        peer.accept(packed(2 + number, 1), unpacked(2.5 + number, 1))
        writes = sum(len(value or b"") for value in peer.last.writes.values())
        costs.append((len(peer.last.reads), len(peer.last.writes), writes))
    assert max(costs[900:])[:2] <= max(costs[50:150])[:2]
    assert max(one[2] for one in costs[900:]) < 1.02 * max(one[2] for one in costs[50:150])
    assert len(peer.state[keys.loose_history(pallet(1), lot(1))]) < 6_000
    peer.accept(unpacked(700.75, 1))  # late: one too many from there on
    assert peer.open_exceptions() == ["not_packed"]
    assert len(peer.last.writes) < 100  # the pages of what follows


def test_what_was_not_unpacked_after_all_was_there_when_the_parent_was_emptied() -> None:
    elsewhere = (f"https://id.gs1.org/414/{checked('950600000999')}", A[1])
    once = unpacked(3, 4, site=elsewhere)
    peer = told(packed(2, 10))
    peer.accept(once, unpack(4, pallet(1), site=A))
    assert (has(peer), has(peer, elsewhere), inside(peer)) == (96, 4, None)
    peer.accept(declared_wrong(once, 5))
    assert (has(peer), has(peer, elsewhere), inside(peer), peer.open_exceptions()) == (100, 0, None, [])
