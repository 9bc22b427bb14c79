"""A line becomes events that are valid, speak for the right organisation, and hide nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis import parse_event
from epcis.identifiers import parse, to_digital_link
from sources.scms.actors import Organisations, registry
from sources.scms.dates import DAYS_ON_THE_WAY, release_day, times
from sources.scms.events import SOURCE, Spoken, events_of
from sources.scms.lines import Line, usable
from sources.scms.numbering import lot_id, product_gtin
from tests.unit.sources.rows import RDC, ROW, line

ORGANISATIONS = Organisations()
DATES = st.dates(date(2006, 1, 1), date(2015, 12, 31))
NAMES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=["Cc"]), min_size=1, max_size=60
)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Any usable line."""
    rdc = draw(st.booleans())
    changes = {
        "ID": str(draw(st.integers(1, 10**6))),
        "Fulfill Via": "From RDC" if rdc else "Direct Drop",
        "Country": draw(NAMES),
        "Vendor": draw(NAMES),
        "Item Description": draw(NAMES),
        "Manufacturing Site": draw(st.sampled_from(["Not Applicable", "Roche Basel"])),
        "Shipment Mode": draw(st.sampled_from(["", *DAYS_ON_THE_WAY])),
        "PO / SO #": draw(st.sampled_from(["SO-1", "SCMS-1", "a b/c"])),
        "PO Sent to Vendor Date": draw(st.one_of(st.just("Date Not Captured"), DATES.map(str))),
        "Scheduled Delivery Date": str(draw(DATES)),
        "Delivered to Client Date": draw(st.one_of(st.just(""), DATES.map(str))),
        "Delivery Recorded Date": draw(st.one_of(st.just(""), DATES.map(str))),
        "Line Item Quantity": str(draw(st.integers(1, 10**7))),
    }
    made = usable(ROW | changes, 2)
    return made if isinstance(made, Line) else line()


def spoken(made: Line, as_of: date | None = None) -> dict[str, Spoken]:
    return {said.step: said for said in events_of(made, ORGANISATIONS, as_of)}


def extension(event: dict[str, Any], name: str) -> Any:
    return event[f"lotline:{name}"]


@given(lines())
def test_every_event_is_valid_and_its_hash_survives_storage(made: Line) -> None:
    for said in events_of(made, ORGANISATIONS):
        event = parse_event(said.event)
        assert parse_event(event.to_stored()).hash == event.hash


@given(lines())
def test_every_identifier_is_a_demonstration_number_with_a_right_check_digit(made: Line) -> None:
    parties, places = registry([made], ORGANISATIONS)
    ids = [party.id for party in parties] + [place.id for place in places]
    ids.append(lot_id(made.description, made.id))
    for identifier in ids:
        assert to_digital_link(identifier) == identifier
        digits = parse(identifier).canonical.split("/")[4]
        assert digits.lstrip("0").startswith("952")
    assert {place.party for place in places} == set(parties)


@given(lines())
def test_time_runs_forward_and_early_goods_left_before_they_came(made: Line) -> None:
    when = times(made)
    assert when.commissioned < when.released
    if when.delivered is not None:
        assert when.released < when.delivered


@given(lines(), st.integers(1, 400))
def test_the_release_does_not_betray_how_late_the_delivery_was(made: Line, days: int) -> None:
    """Late by one day or by a year: nobody could tell on the day it left."""
    late = usable_with(made, delivered=made.scheduled + timedelta(days=1))
    later = usable_with(made, delivered=made.scheduled + timedelta(days=days))
    on_its_way = usable_with(made, delivered=None)
    if made.ordered is None or made.ordered <= made.scheduled:
        assert release_day(late) == release_day(later) == release_day(on_its_way)


def usable_with(made: Line, *, delivered: date | None) -> Line:
    from dataclasses import replace

    return replace(made, delivered=delivered)


@given(lines())
def test_both_sides_tell_the_same_handoff(made: Line) -> None:
    said = spoken(made)
    if "acceptance" not in said:
        return
    for name in ("quantityList", "bizTransactionList", "sourceList", "destinationList"):
        assert said["release"].event[name] == said["acceptance"].event[name]


@given(lines(), DATES)
def test_an_earlier_view_is_a_part_of_the_later_one(made: Line, day: date) -> None:
    """So that importing as of a day and then everything adds events and changes none."""
    before, after = spoken(made, day), spoken(made)
    assert before.items() <= after.items()
    for said in before.values():
        assert said.event["eventTime"][:10] <= str(day)


def test_each_side_is_spoken_by_the_organisation_entitled() -> None:
    direct, rdc = spoken(line()), spoken(line(RDC))
    assert [direct[step].msp for step in direct] == ["VendorsMSP", "VendorsMSP", "ClientsMSP"]
    assert [rdc[step].msp for step in rdc] == ["ProgrammeMSP", "ProgrammeMSP", "ClientsMSP"]


def test_no_place_of_another_organisation_is_spoken_for() -> None:
    for made in (line(), line(RDC)):
        _, places = registry([made], ORGANISATIONS)
        owner = {place.id: place.party.msp for place in places}
        for said in events_of(made, ORGANISATIONS):
            spoken_of = [said.event[name]["id"] for name in ("readPoint", "bizLocation") if name in said.event]
            assert {owner[place] for place in spoken_of} == {said.msp}


def test_the_promise_lasts_to_the_end_of_the_scheduled_day() -> None:
    release = spoken(line())["release"].event
    assert extension(release, "promisedAt") == "2006-06-02T23:59:59.000Z"


@pytest.mark.parametrize(
    ("mode", "ordered", "delivered", "released"),
    [
        ("Air", "", "2010-06-20", date(2010, 6, 8)),
        ("Ocean", "", "2010-06-20", date(2010, 5, 4)),
        ("", "", "2010-06-20", date(2010, 6, 1)),
        ("Ocean", "2010-05-20", "2010-06-20", date(2010, 5, 20)),
        ("Air", "", "2010-06-01", date(2010, 6, 1)),
        ("Air", "", "", date(2010, 6, 8)),
    ],
)
def test_the_release_day_rule(mode: str, ordered: str, delivered: str, released: date) -> None:
    made = line(
        {
            "Shipment Mode": mode,
            "PO Sent to Vendor Date": ordered,
            "Scheduled Delivery Date": "2010-06-15",
            "Delivered to Client Date": delivered,
        }
    )
    assert release_day(made) == released


def test_a_delivery_counts_from_the_day_it_was_written_down() -> None:
    made = line({"Delivered to Client Date": "2006-06-02", "Delivery Recorded Date": "2006-06-09"})
    assert "acceptance" not in spoken(made, date(2006, 6, 8))
    assert "acceptance" in spoken(made, date(2006, 6, 9))
    assert spoken(made, date(2006, 5, 25)) == {}


def test_what_is_estimated_or_invented_is_said_in_the_event() -> None:
    for said in events_of(line(), ORGANISATIONS):
        provenance = extension(said.event, "provenance")
        assert provenance["lotline:source"] == SOURCE
        assert provenance["lotline:recordId"] == "1"
        assert "prefix 952" in provenance["lotline:invented"]
        assert "lotline:eventTime" in provenance["lotline:estimated"]
    assert "lotline:promisedAt" in extension(spoken(line())["release"].event, "provenance")["lotline:estimated"]
    assert "lotline:quantityList" in extension(spoken(line())["acceptance"].event, "provenance")["lotline:estimated"]


def test_a_sales_order_is_not_called_a_purchase_order() -> None:
    papers = [paper["type"] for paper in spoken(line(RDC))["release"].event["bizTransactionList"]]
    assert papers == ["desadv"]
    papers = [paper["type"] for paper in spoken(line())["release"].event["bizTransactionList"]]
    assert papers == ["desadv", "po"]


def test_numbers_depend_on_the_name_only() -> None:
    assert product_gtin("Nevirapine") == product_gtin("Nevirapine") != product_gtin("Nevirapin")
    assert lot_id("Nevirapine", "7").endswith("/10/L7")
