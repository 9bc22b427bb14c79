"""The simulation's numbers: valid, each its own, and nobody's in the real world."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epcis.identifiers import parse
from simulation import numbering, world


@given(st.integers(0, 99_999), st.integers(0, 99_999), st.integers(0, 1))
def test_numbers_have_valid_check_digits(one: int, other: int, level: int) -> None:
    gtin = numbering.gtin14(one, level)
    made = (
        numbering.place(one), numbering.party(one), numbering.pallet(one),
        numbering.case(gtin, other), numbering.lot(gtin, other),
    )  # fmt: skip
    assert len(gtin) == 14
    for identifier in made:
        assert parse(identifier).has_valid_check_digit
        assert "9524001" in identifier
    assert (numbering.pallet(one) == numbering.pallet(other)) == (one == other)
    assert (numbering.case(gtin, one) == numbering.case(gtin, other)) == (one == other)


def test_no_two_places_or_goods_share_a_number() -> None:
    places = [record["id"] for record in world.places(len(world.SHOPS))]
    gtins = [goods.gtin for goods in (*world.PRODUCTS, *world.MATERIALS)]
    assert len(set(places)) == len(places)
    assert len(set(gtins)) == len(gtins)


def test_every_place_belongs_to_a_registered_party_of_its_organisation() -> None:
    parties = {record["id"]: record["msp"] for record in world.parties()}
    assert {record["party"] for record in world.places(3)} <= set(parties)
    assert all(parties[record["party"]] == record["msp"] for record in world.places(len(world.SHOPS)))
