"""Waves keep every order that matters and no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epcis import parse_event
from lotline.waves import Said, cut, things_of

STREAMS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.lists(st.sampled_from("tuvw"), max_size=3, unique=True)), max_size=40
)


def stream(events: list[tuple[str, list[str]]]) -> list[Said]:
    return [Said(msp, str(number).encode(), tuple(things)) for number, (msp, things) in enumerate(events)]


def number(said: Said) -> int:
    return int(said.stored)


@given(STREAMS)
def test_every_event_is_sent_once(events: list[tuple[str, list[str]]]) -> None:
    sent = [said for wave in cut(stream(events)) for lane in wave.values() for said in lane]
    assert sorted(map(number, sent)) == list(range(len(events)))


@given(STREAMS)
def test_an_organisation_tells_of_a_thing_in_order(events: list[tuple[str, list[str]]]) -> None:
    waves = cut(stream(events))
    for msp in "ABC":
        for thing in "tuvw":
            told = [said for wave in waves for said in wave.get(msp, []) if thing in said.things]
            assert told == sorted(told, key=number)


@given(STREAMS)
def test_nobody_tells_of_a_thing_before_who_had_it_first(events: list[tuple[str, list[str]]]) -> None:
    waves = cut(stream(events))
    for thing in "tuvw":
        about = [said for said in stream(events) if thing in said.things]
        if not about:
            continue
        first = about[0]
        begins = next(index for index, wave in enumerate(waves) if first in wave.get(first.msp, []))
        for index, wave in enumerate(waves[: begins + 1]):
            others = [said for msp, lane in wave.items() for said in lane if msp != first.msp and thing in said.things]
            assert not others, (thing, index)


def test_a_long_stream_through_few_hands_needs_few_waves() -> None:
    plant_to_shop = [("A", ["t"]), ("B", ["t"])] * 500
    assert len(cut(stream(plant_to_shop))) == 2
    assert cut([]) == []


def test_things_of_an_event_are_all_it_names() -> None:
    event = parse_event(
        {
            "type": "AggregationEvent", "eventTime": "2026-05-04T09:00:00Z", "eventTimeZoneOffset": "+00:00",
            "action": "ADD", "bizStep": "packing", "parentID": "urn:epc:id:sscc:0614141.1234567890",
            "childEPCs": ["https://id.gs1.org/01/09506000134352/21/1"],
            "childQuantityList": [{"epcClass": "https://id.gs1.org/01/09506000134352/10/A", "quantity": 2}],
        }
    )  # fmt: skip
    assert things_of(event) == (
        "https://id.gs1.org/00/106141412345678908",
        "https://id.gs1.org/01/09506000134352/21/1",
        "https://id.gs1.org/01/09506000134352/10/A",
    )
