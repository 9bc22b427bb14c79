"""What a pallet costs, and parts of quantities in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chaincode import keys
from epcis.identity import hash_hex
from tests.unit.chaincode.peer import (
    B,
    Peer,
    commission,
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

ON_THE_WAY = [("AMSP", ship(3, pallet(1))), ("BMSP", receive(5, pallet(1))), ("BMSP", observe(6, pallet(1), site=B))]


def loaded(count: int) -> Peer:
    peer = Peer()
    uris = [item(n) for n in range(count)]
    peer.accept(commission(1, *uris), pack(2, pallet(1), *uris))
    return peer


def costs(count: int) -> list[tuple[list[str], int]]:
    """For each step of a pallet's way: the kinds of keys written, and how often the peer was asked."""
    peer, found = loaded(count), []
    for msp, statement in ON_THE_WAY:
        peer.accept(statement, msp=msp)
        found.append((sorted(key[1:3] for key in peer.last.writes), peer.last.round_trips))
    return found


def test_moving_a_pallet_costs_the_same_however_much_is_on_it() -> None:
    few, many = costs(1), costs(400)
    assert few == many
    assert all(kinds.count("TH") == 1 for kinds, _ in many)


def test_contents_have_no_place_of_their_own_until_they_are_out() -> None:
    peer = loaded(3)
    for msp, statement in ON_THE_WAY:
        peer.accept(statement, msp=msp)
    assert {peer.get(keys.thing(item(n)))["holder"] for n in range(3)} == {None}
    peer.accept(unpack(7, pallet(1), item(0), site=B), msp="BMSP")
    out, still = peer.get(keys.thing(item(0))), peer.get(keys.thing(item(1)))
    assert (out["parent"], out["holder"], out["msp"], out["place"]) == (None, B[1], "BMSP", B[0])
    assert (still["parent"], still["holder"]) == (pallet(1), None)
    inside = [key for key in peer.state if key.startswith(keys.key("IN"))]
    assert inside == [keys.inside(pallet(1), item(n)) for n in (1, 2)]


def loose(amount: Any) -> dict[str, Any]:
    return {"childQuantityList": quantities({lot(1): amount})}


def balances(peer: Peer) -> dict[str, Decimal]:
    return {balance["place"]: Decimal(balance["quantity"]) for balance in peer.all("LB")}


def inside(peer: Peer) -> str | None:
    found = peer.get(keys.loose(pallet(1), lot(1)))
    return None if found is None else found["quantity"]


def test_a_part_of_a_lot_is_packed_and_a_part_of_that_taken_out() -> None:
    peer = Peer()
    peer.accept(make_lot(1, lot(1), 10), pack(2, pallet(1), **loose(0.1)), pack(3, pallet(1), **loose(0.2)))
    assert inside(peer) == "0.3"  # not 0.30000000000000004
    assert list(balances(peer).values()) == [Decimal("9.7")]
    peer.accept(unpack(4, pallet(1), **loose(0.1)))
    assert inside(peer) == "0.2"
    peer.accept(unpack(5, pallet(1), **loose(0.2)))
    assert inside(peer) is None
    assert list(balances(peer).values()) == [Decimal(10)]


def test_what_is_loose_on_a_pallet_arrives_with_it() -> None:
    peer = Peer()
    peer.accept(make_lot(1, lot(1), 10), pack(2, pallet(1), **loose(4)), ship(3, pallet(1)))
    peer.accept(receive(5, pallet(1)), unpack(6, pallet(1), site=B), msp="BMSP")
    assert sorted(balances(peer).values()) == [Decimal(4), Decimal(6)]
    assert balances(peer)[B[0]] == 4
    assert inside(peer) is None


@pytest.mark.parametrize("child", [1, 2])
def test_taking_out_what_was_never_in_is_flagged(child: int) -> None:
    peer = loaded(1)
    peer.accept(commission(1, item(2)), pack(2, pallet(2), item(2)))
    statement = unpack(4, pallet(3 - child), item(2 if child == 2 else 0))
    peer.accept(statement)
    flags = [
        record.get("flags", []) for record in peer.all("EV") if record["event"]["eventTime"].startswith("2025-03-01T04")
    ]
    assert [set(found) - {"unregistered_place"} for found in flags] == [{"not_packed"}]


def test_parents_that_a_stranger_piles_up_stop_nobody() -> None:
    """Whatever is around a thing, who holds it handles and ships it, and it arrives."""
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(1, pallet(1), item(1)))
    peer.accept(*(pack(n, pallet(n + 1), pallet(n)) for n in range(1, 43)), msp="CMSP")
    (verdict,) = peer.capture(observe(50, item(1)))
    assert verdict["verdict"] == "accepted"
    assert "too_deep" in peer.get(keys.event(hash_hex(verdict["event"])))["flags"]
    peer.accept(ship(51, item(1)))
    peer.accept(receive(52, item(1)), msp="BMSP")
    record = peer.get(keys.thing(item(1)))
    assert (record["msp"], record["parent"]) == ("BMSP", None)


def test_many_receipts_by_name_wait_for_one_late_shipment() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(2, pallet(1), item(1)))
    for n in range(300):
        peer.accept({**receive(20, item(1)), "eventTime": f"2025-03-02T00:{n // 60:02}:{n % 60:02}Z"}, msp="BMSP")
    peer.accept(ship(10, pallet(1)))
    assert peer.get(keys.thing(item(1)))["parent"] == pallet(1)
    assert peer.get(keys.thing(pallet(1)))["msp"] == "BMSP"
