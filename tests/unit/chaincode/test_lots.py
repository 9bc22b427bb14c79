"""Lots: balances by holder and place, in one unit, never minted out of nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import A, B, Peer, event, lot, make_lot, pack, pallet, quantities, receive, ship


def balance(peer: Peer, site: tuple[str, str], holder: str | None = None) -> str | None:
    found = [one["quantity"] for one in peer.all("LB") if one["place"] == site[0] and holder in (None, one["holder"])]
    return found[0] if found else None


def sold(hour: float, amount: Any, site: tuple[str, str] = A, uom: str | None = None) -> dict[str, Any]:
    statement = event("ObjectEvent", hour, "retail_selling", site, action="OBSERVE")
    return {**statement, "quantityList": quantities({lot(1): amount}, uom)}


def transformed(used: Any, gained: Any) -> dict[str, Any]:
    statement = event("TransformationEvent", 2, None)
    return {
        **statement,
        "inputQuantityList": quantities({lot(1): used}),
        "outputQuantityList": quantities({lot(2): gained}),
    }


def made(policy: str = "flag") -> Peer:
    """A hundred of a lot, at a place of a registered party."""
    peer = Peer()
    peer.call("configure", {"custodyPolicy": policy})
    peer.call("registerParty", {"id": A[1], "name": "Farm"})
    peer.call("registerPlace", {"id": A[0], "party": A[1], "name": "Barn"})
    peer.accept(make_lot(1, lot(1), 100))
    return peer


def test_a_part_is_released_and_a_part_of_it_accepted() -> None:
    peer = made()
    peer.accept(ship(2, lots={lot(1): 40}, document="D1"))
    assert balance(peer, A) == "60"
    peer.accept(receive(4, lots={lot(1): 12.5}, document="D1"), msp="BMSP")
    assert balance(peer, B) == "12.5"
    (handoff,) = peer.all("HO")
    assert (handoff["released"], handoff["accepted"], handoff["faults"]) == ("40", "12.5", ["shortage"])
    peer.accept(receive(6, lots={lot(1): 27.5}, document="D1"), msp="BMSP")
    (handoff,) = peer.all("HO")
    assert (handoff["accepted"], handoff["status"], handoff["faults"]) == ("40", "complete", [])
    assert balance(peer, B) == "40"


def test_more_of_a_lot_may_be_made_later_but_only_by_its_maker() -> None:
    peer = made()
    peer.accept(make_lot(2, lot(1), 0.5))
    assert balance(peer, A) == "100.5"
    assert peer.refuse(make_lot(3, lot(1), 5, site=B), msp="BMSP") == "not_your_lot"


def test_a_lot_is_counted_in_one_dimension() -> None:
    peer = Peer()
    peer.accept(make_lot(1, lot(1), 10, uom="KGM"))
    assert peer.refuse(make_lot(2, lot(1), 10, uom="LTR")) == "unit_differs"
    assert peer.refuse(sold(2, 1)) == "unit_differs"
    peer.accept(sold(2, 1, uom="KGM"))
    assert balance(peer, A) == "9"


def test_overdrawing_opens_an_exception_under_flag_until_the_goods_are_explained() -> None:
    peer = made()
    peer.accept(sold(2, 130))
    assert (balance(peer, A), peer.open_exceptions()) == ("-30", ["overdrawn"])
    peer.accept(make_lot(1.5, lot(1), 30))
    assert (balance(peer, A), peer.open_exceptions()) == ("0", [])


@pytest.mark.parametrize(
    "statement",
    [sold(2, 101), ship(2, lots={lot(1): 101}), pack(2, pallet(1), childQuantityList=quantities({lot(1): 101}))],
    ids=["sold", "shipped", "packed"],
)
def test_overdrawing_is_refused_under_enforce(statement: dict[str, Any]) -> None:
    assert made("enforce").refuse(statement) == "insufficient_quantity"


def test_all_of_it_may_go_under_enforce() -> None:
    peer = made("enforce")
    peer.accept(ship(2, lots={lot(1): 60}), sold(3, 40))
    assert balance(peer, A) == "0"


@pytest.mark.parametrize("policy", ["flag", "enforce"])
def test_what_was_made_before_anybody_registered_is_there_afterwards(policy: str) -> None:
    peer = Peer()
    peer.call("configure", {"admins": ["AMSP"], "custodyPolicy": policy})
    peer.accept(make_lot(1, lot(1), 10))
    place, party = A
    peer.call("registerParty", {"id": party, "name": "A"})
    peer.call("registerPlace", {"id": place, "party": party})
    peer.accept(ship(3, lots={lot(1): 4}))
    assert (balance(peer, A), peer.open_exceptions()) == ("6", [])


@pytest.mark.parametrize("policy", ["flag", "enforce"])
@pytest.mark.parametrize(
    "statement",
    [
        make_lot(2, lot(1), -5), sold(2, -0.1), ship(2, lots={lot(1): -5}), receive(2, lots={lot(1): -5}, site=A),
        pack(2, pallet(1), childQuantityList=quantities({lot(1): -5})),
        transformed(-5, 1), transformed(1, -5),
    ],
    ids=["made", "sold", "shipped", "received", "packed", "used", "transformed"],
)  # fmt: skip
def test_less_than_nothing_is_refused(statement: dict[str, Any], policy: str) -> None:
    assert made(policy).refuse(statement) == "negative_quantity"


def test_a_transformation_uses_one_lot_up_and_makes_another() -> None:
    peer = made()
    peer.accept(transformed(30, 24))
    amounts = {one["class"]: Decimal(one["quantity"]) for one in peer.all("LB")}
    assert amounts == {lot(1): 70, lot(2): 24}
    assert peer.get(keys.lot(lot(2)))["commissioned"]
