"""Quantities of lots: units that convert, exact sums, what does not fit is refused; dates and half pieces are flagged."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import A, Peer, checked, event, lot, make_lot, pack, pallet, quantities, receive, ship
from tests.unit.chaincode.telling import declared_wrong
from tests.unit.chaincode.test_lot_model import registered


def sold(hour: float, amount: Any, uom: str | None = None, **more: Any) -> dict[str, Any]:
    statement = event("ObjectEvent", hour, "retail_selling", A, action="OBSERVE", **more)
    return {**statement, "quantityList": quantities({lot(1): amount}, uom)}


def only(peer: Peer) -> tuple[str, str | None]:
    (balance,) = peer.all("LB")
    return balance["quantity"], balance["uom"]


def flags(peer: Peer) -> set[str]:
    return {flag for one in peer.all("EV") for flag in one.get("flags", ())}


def test_grams_and_kilograms_add_up() -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 500, uom="GRM"), make_lot(2, lot(1), 2, uom="KGM"), sold(3, 1, "LBR"))
    assert only(peer) == ("2.04640763", "KGM")
    assert peer.get(keys.lot(lot(1)))["uom"] == "KGM"


def test_a_handoff_in_grams_of_what_was_released_in_kilograms() -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 10, uom="KGM"))
    released = ship(2, document="D1")
    released["quantityList"] = quantities({lot(1): 1.5}, "KGM")
    peer.accept(released)
    received = receive(3, document="D1")
    received["quantityList"] = quantities({lot(1): 1500}, "GRM")
    peer.accept(received, msp="BMSP")
    (handoff,) = peer.all("HO")
    assert (handoff["released"], handoff["accepted"], handoff["uom"], handoff["status"]) == (
        "1.5", "1.5", "KGM", "complete",
    )  # fmt: skip


def test_what_is_packed_in_dozens_comes_out_by_the_piece() -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 100))
    peer.accept(pack(2, pallet(1), childQuantityList=quantities({lot(1): 2}, "DZN")))
    assert peer.get(keys.loose(pallet(1), lot(1))) == {"v": 2, "quantity": "24", "uom": None}
    assert only(peer) == ("76", None)


@pytest.mark.parametrize(
    ("first", "other"), [("KGM", None), (None, "KGM"), ("KGM", "LTR"), ("MTR", "MTK"), ("KT", "SET")]
)
def test_what_does_not_convert_is_refused(first: str | None, other: str | None) -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 10, uom=first))
    assert peer.refuse(make_lot(2, lot(1), 10, uom=other)) == "unit_differs"


def test_an_unknown_code_is_a_unit_of_its_own() -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 10, uom="KT"), make_lot(2, lot(1), 1, uom="KT"))
    assert only(peer) == ("11", "KT")


def test_a_mention_without_quantity_decides_no_unit() -> None:
    peer = registered()
    named = event("ObjectEvent", 1, "inspecting", A, action="OBSERVE", quantityList=[{"epcClass": lot(1)}])
    peer.accept(named, make_lot(2, lot(1), 10, uom="KGM"))
    assert only(peer) == ("10", "KGM")


def test_a_unit_that_was_declared_wrong_binds_nobody() -> None:
    peer = registered()
    wrong = make_lot(1, lot(1), 10, uom="KGM")
    peer.accept(wrong)
    assert peer.refuse(make_lot(2, lot(1), 10)) == "unit_differs"
    peer.accept(declared_wrong(wrong, 500), make_lot(2, lot(1), 10))
    assert only(peer) == ("10", None)


def as_written(hour: float, number: str, uom: str | None = None) -> bytes:
    statement = json.dumps(make_lot(hour, lot(1), "Q", uom=uom)).replace('"Q"', number)
    return f'{{"groups": [{{"id": "g", "onError": "proceed", "events": [{statement}]}}]}}'.encode()


@pytest.mark.parametrize(
    "number",
    ["1e30", "1000000000000", "1234567890123.5", "0.0000001", "1e-9", "1e308", "123456789012.12345678", "9" * 300],
)
def test_what_does_not_fit_is_refused_and_not_rounded(number: str) -> None:
    peer = registered()
    answer = peer.call("capture", as_written(1, number))
    assert answer.status == 200, answer.message
    (verdict,) = json.loads(answer.payload)["groups"][0]["verdicts"]
    assert verdict["verdict"] == "rejected"
    assert peer.all("LB") == []


@pytest.mark.parametrize("number", ["999999999999", "999999999.999999", "0.000001", "0", "0.1e1", "12e3"])
def test_what_fits_is_kept_to_the_last_digit(number: str) -> None:
    peer = registered()
    assert peer.call("capture", as_written(1, number, "KGM")).status == 200
    assert Decimal(only(peer)[0]) == Decimal(number)


def test_sums_are_exact_however_far_apart() -> None:
    peer = registered()
    for hour in range(1, 51):
        peer.accept(make_lot(hour, lot(1), 999_999_999_999, uom="KTN"))
    peer.accept(make_lot(60, lot(1), 1, uom="MC"))
    for hour in range(101, 151):
        peer.accept(sold(hour, 999_999_999_999, "KTN"))
    assert only(peer) == ("0.000000001", "KGM")


def test_half_a_piece_is_flagged() -> None:
    peer = registered()
    peer.accept(make_lot(1, lot(1), 10), sold(2, 0.5))
    assert "fractional_pieces" in flags(peer)


@pytest.mark.parametrize(("uri", "uom"), [(lot(1, checked("9950600013435")), None), (lot(1), "KGM")])
def test_half_of_what_is_measured_is_not(uri: str, uom: str | None) -> None:
    peer = registered()
    peer.accept(make_lot(1, uri, 10.5, uom=uom))
    assert "fractional_pieces" not in flags(peer)


@pytest.mark.parametrize("member", ["cbvmda:itemExpirationDate", "urn:epcglobal:cbv:mda#bestBeforeDate"])
def test_goods_past_their_date_are_flagged(member: str) -> None:
    peer = registered()
    made = make_lot(1, lot(1), 10)
    context = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"cbvmda": "urn:epcglobal:cbv:mda#"}]
    peer.accept({**made, "ilmd": {member: "2025-03-02"}, "@context": context})
    peer.accept(sold(20, 1))
    peer.accept(ship(47.9, lots={lot(1): 1}))
    assert "past_date" not in flags(peer)
    peer.accept(sold(48.1, 1))
    assert "past_date" in flags(peer)


def test_a_class_of_the_companys_own_is_counted_like_any_other() -> None:
    """Only a GTIN says by its first digit that a number without unit may be of kilograms."""
    peer, own = Peer(), "https://goods.example/class/nails"
    peer.accept(make_lot(1, own, 5), make_lot(2, own, 2.5))
    (balance,) = peer.all("LB")
    assert (balance["class"], balance["quantity"], balance["uom"]) == (own, "7.5", None)
    assert "fractional_pieces" in flags(peer)
