"""Parts of lots: which way they went, and which of their siblings are none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from fabric.words.blocks import Write
from readmodel import Projector
from readmodel.projector import clear
from readmodel.queries import Trace, trace
from readmodel.queries.trace import Direction
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

RAW, LOT = c.lot("RAW", c.OTHER_GTIN), c.lot("A")
PLANT, HUB, SHOP = 1, 2, 3
Events = list[dict[str, Any]]


def at(place: int) -> dict[str, Any]:
    return {"bizLocation": {"id": c.place(place)}}


def some(lot: str, quantity: float) -> list[dict[str, Any]]:
    return [{"epcClass": lot, "quantity": quantity, "uom": "KGM"}]


def made(hours: float, quantity: float, place: int = PLANT, lot: str = LOT, raw: str | None = RAW) -> dict[str, Any]:
    if raw is None:
        return c.object_event(hours, "ADD", "commissioning", quantityList=some(lot, quantity), **at(place))
    lists = {"inputQuantityList": some(raw, 1), "outputQuantityList": some(lot, quantity)}
    return c.transform(hours, [], [], **lists, **at(place))


def pack(hours: float, pallet: int, quantity: float, place: int = PLANT, action: str = "ADD") -> dict[str, Any]:
    return c.pack(hours, c.sscc(pallet), (), action, childQuantityList=some(LOT, quantity), **at(place))


def unpack(hours: float, pallet: int, quantity: float, place: int) -> dict[str, Any]:
    return pack(hours, pallet, quantity, place, "DELETE")


def sold(hours: float, quantity: float, place: int) -> dict[str, Any]:
    return c.object_event(hours, "DELETE", "retail_selling", quantityList=some(LOT, quantity), **at(place))


def project(engine: Engine, events: Events, also: Sequence[Write] = ()) -> None:
    clear(engine)
    chain = ChainBuilder()
    chain.capture(*events, also=also)
    Projector(engine).apply(chain.blocks)


def asked(engine: Engine, start: str, direction: Direction = "both", **limits: Any) -> Trace:
    with engine.connect() as connection:
        found = trace(connection, start, direction=direction, **limits)
    assert found is not None
    return found


def ids(found: Trace) -> set[str]:
    return {node.id for node in found.nodes if node.kind != "transformation"}


def possible(found: Trace) -> set[str]:
    return {node.id for node in found.nodes if node.possible}


def happened(found: Trace) -> list[tuple[str | None, float]]:
    return [(one.biz_step, (one.event_time - c.DAY0).total_seconds() / 3600) for one in found.events]


def six_pallets() -> Events:
    return [made(0, 600), *(pack(1 + n / 100, n, 100) for n in range(1, 7))]


def test_a_sealed_pallet_names_itself_and_what_it_is_made_of(engine: Engine) -> None:
    shipped = [c.object_event(2 + n / 100, step="shipping", epcList=[c.sscc(n)]) for n in range(1, 7)]
    project(engine, [*six_pallets(), *shipped])
    found = asked(engine, c.sscc(3))
    assert ids(found) == {c.sscc(3), LOT, RAW}
    assert happened(found) == [("commissioning", 0), ("packing", 1.03), ("shipping", 2.03)]
    assert possible(found) == set()
    assert ids(asked(engine, LOT, "downstream")) == {LOT, *(c.sscc(n) for n in range(1, 7))}
    assert ids(asked(engine, RAW, "downstream")) == {RAW, LOT, *(c.sscc(n) for n in range(1, 7))}


def test_a_lot_does_not_come_from_the_pallets_it_was_packed_on(engine: Engine) -> None:
    project(engine, [*six_pallets(), unpack(5, 2, 100, SHOP), sold(6, 50, SHOP)])
    assert ids(asked(engine, LOT, "upstream")) == {LOT, RAW}
    assert happened(asked(engine, LOT, "upstream")) == [("commissioning", 0)]


def test_a_pallet_comes_from_those_that_were_unpacked_where_it_was_packed(engine: Engine) -> None:
    """Two pallets go to the hub, one to a shop; at the hub a new one is packed."""
    events = [*six_pallets(), unpack(5, 1, 100, HUB), unpack(5.5, 2, 100, HUB), unpack(6, 3, 100, SHOP)]
    project(engine, [*events, pack(7, 20, 150, HUB), unpack(9, 20, 150, SHOP)])
    up = asked(engine, c.sscc(20), "upstream")
    assert ids(up) == {c.sscc(20), c.sscc(1), c.sscc(2), LOT, RAW}
    assert possible(up) == {c.sscc(1), c.sscc(2)}  # of the lot there is no doubt
    assert ids(asked(engine, c.sscc(1), "downstream")) == {c.sscc(1), LOT, c.sscc(20)}
    assert ids(asked(engine, c.sscc(3), "downstream")) == {c.sscc(3), LOT}


def test_what_came_later_than_it_was_packed_is_none_of_it(engine: Engine) -> None:
    project(engine, [*six_pallets(), unpack(5, 1, 100, HUB), pack(6, 20, 50, HUB), unpack(8, 2, 100, HUB)])
    found = asked(engine, c.sscc(20), "upstream")
    assert ids(found) == {c.sscc(20), c.sscc(1), LOT, RAW}
    assert possible(found) == set()


def test_an_emptied_shelf_is_filled_anew(engine: Engine) -> None:
    """The first delivery was used up to the last kilogram before the second came."""
    events = [*six_pallets(), unpack(5, 1, 100, HUB), sold(6, 60, HUB), pack(7, 20, 40, HUB)]
    project(engine, [*events, unpack(8, 2, 100, HUB), pack(9, 21, 100, HUB)])
    found = asked(engine, c.sscc(21), "upstream")
    assert (ids(found), possible(found)) == ({c.sscc(21), c.sscc(2), LOT, RAW}, set())
    assert ids(asked(engine, c.sscc(1), "downstream")) == {c.sscc(1), LOT, c.sscc(20)}


def test_a_shelf_that_was_not_emptied_mixes(engine: Engine) -> None:
    events = [*six_pallets(), unpack(5, 1, 100, HUB), sold(6, 59, HUB), pack(7, 20, 40, HUB)]
    project(engine, [*events, unpack(8, 2, 100, HUB), pack(9, 21, 100, HUB)])
    found = asked(engine, c.sscc(21), "upstream")
    assert possible(found) == {c.sscc(1), c.sscc(2)}
    down = asked(engine, c.sscc(1), "downstream")
    assert (ids(down), possible(down)) == ({c.sscc(1), LOT, c.sscc(20), c.sscc(21)}, {c.sscc(21)})
    assert [edge.possible for edge in down.edges if edge.source == c.sscc(21)] == [True]


def test_what_was_used_came_on_the_pallets_unpacked_there(engine: Engine) -> None:
    soup = c.lot("SOUP", c.OTHER_GTIN)
    cooked = c.transform(7, [], [], inputQuantityList=some(LOT, 80), outputQuantityList=some(soup, 80), **at(HUB))
    project(engine, [*six_pallets(), unpack(5, 1, 100, HUB), unpack(5, 2, 100, SHOP), cooked])
    assert ids(asked(engine, soup, "upstream")) == {soup, LOT, c.sscc(1), RAW}
    assert ids(asked(engine, c.sscc(1), "downstream")) == {c.sscc(1), LOT, soup}
    assert ids(asked(engine, c.sscc(2), "downstream")) == {c.sscc(2), LOT}


def test_a_pallet_that_came_closed_is_what_was_used_there(engine: Engine) -> None:
    """Nobody reported the unpacking; only one pallet of the lot came to the hub."""
    soup = c.lot("SOUP", c.OTHER_GTIN)
    cooked = c.transform(7, [], [], inputQuantityList=some(LOT, 80), outputQuantityList=some(soup, 80), **at(HUB))
    came = [
        c.handoff(f"h{n}", c.sscc(n), hops=(PLANT, to), status="complete", releasedAt=c.at(2), acceptedAt=c.at(4))
        for n, to in ((1, HUB), (2, SHOP))
    ]
    project(engine, [*six_pallets(), cooked], came)
    found = asked(engine, soup, "upstream")
    assert ids(found) == {soup, LOT, RAW, c.sscc(1)}
    assert [one.id for one in found.handoffs] == ["h1"]
    assert ids(asked(engine, c.sscc(1), "downstream")) == {c.sscc(1), LOT, soup}
    assert ids(asked(engine, c.sscc(2), "downstream")) == {c.sscc(2), LOT}


def test_a_use_that_nothing_explains_is_of_the_lot_all_the_same(engine: Engine) -> None:
    soup = c.lot("SOUP", c.OTHER_GTIN)
    cooked = c.transform(7, [], [], inputQuantityList=some(LOT, 80), outputQuantityList=some(soup, 80), **at(HUB))
    project(engine, [*six_pallets(), cooked])
    assert ids(asked(engine, soup, "upstream")) == {soup, LOT, RAW}
    assert soup in ids(asked(engine, RAW, "downstream"))
    assert soup not in ids(asked(engine, c.sscc(1), "downstream"))


def test_loose_goods_go_from_hand_to_hand(engine: Engine) -> None:
    lots: dict[str, Any] = {"kind": "lot", "uom": "KGM", "status": "complete"}
    hops = [
        c.handoff(
            "h1", LOT, hops=(PLANT, HUB), released="50", accepted="50", releasedAt=c.at(1), acceptedAt=c.at(2), **lots
        ),
        c.handoff(
            "h2", LOT, hops=(PLANT, SHOP), released="50", accepted="50", releasedAt=c.at(1), acceptedAt=c.at(3), **lots
        ),
    ]
    project(engine, [made(0, 600), pack(5, 20, 50, HUB), pack(5, 21, 50, SHOP)], hops)
    found = asked(engine, c.sscc(20), "upstream")
    assert [(one.id, one.upstream, one.downstream) for one in found.handoffs] == [("h1", True, False)]
    assert [one.id for one in asked(engine, LOT, "downstream").handoffs] == ["h1", "h2"]


def test_two_makings_of_one_lot_are_told_apart_by_time(engine: Engine) -> None:
    other = c.lot("RAW2", c.OTHER_GTIN)
    events = [made(0, 100), pack(1, 1, 100), made(4, 100, raw=other), pack(5, 2, 60)]
    project(engine, events)
    assert ids(asked(engine, c.sscc(1), "upstream")) == {c.sscc(1), LOT, RAW}
    assert ids(asked(engine, c.sscc(2), "upstream")) == {c.sscc(2), LOT, other}
    assert ids(asked(engine, other, "downstream")) == {other, LOT, c.sscc(2)}


def test_two_makings_in_one_tank_are_both_possible(engine: Engine) -> None:
    other = c.lot("RAW2", c.OTHER_GTIN)
    project(engine, [made(0, 100), made(1, 100, raw=other), pack(2, 1, 150)])
    found = asked(engine, c.sscc(1), "upstream")
    assert ids(found) == {c.sscc(1), LOT, RAW, other}
    assert {RAW, other} <= possible(found)


def test_what_happened_where_a_part_lay_is_told(engine: Engine) -> None:
    def held(hours: float, place: int) -> dict[str, Any]:
        return c.object_event(hours, step="inspecting", quantityList=some(LOT, 1), **at(place))

    events = [*six_pallets(), held(0.5, PLANT), unpack(5, 1, 100, HUB), unpack(5, 2, 100, SHOP)]
    project(engine, [*events, held(6, HUB), held(6.5, SHOP), sold(7, 5, HUB), sold(7.5, 5, SHOP)])
    steps = happened(asked(engine, c.sscc(1), "downstream"))
    assert ("inspecting", 6) in steps
    assert ("retail_selling", 7) in steps
    assert not {6.5, 7.5} & {hours for _, hours in steps}
    assert ("inspecting", 0.5) in happened(asked(engine, c.sscc(1), "upstream"))


def test_a_pallet_emptied_without_naming_its_contents(engine: Engine) -> None:
    emptied = c.pack(5, c.sscc(1), (), "DELETE", **at(HUB))
    project(engine, [*six_pallets(), emptied, pack(6, 20, 100, HUB)])
    assert ids(asked(engine, c.sscc(20), "upstream")) == {c.sscc(20), c.sscc(1), LOT, RAW}


def test_a_pallet_in_a_container_brings_the_container(engine: Engine) -> None:
    loaded = c.pack(2, c.sscc(50), [c.sscc(1), c.sscc(2)])
    apart = [c.pack(4, c.sscc(50), [c.sscc(n)], "DELETE") for n in (1, 2)]
    project(engine, [*six_pallets(), loaded, *apart, unpack(5, 1, 100, HUB), pack(6, 20, 10, HUB)])
    assert ids(asked(engine, c.sscc(20), "upstream")) == {c.sscc(20), c.sscc(1), c.sscc(50), LOT, RAW}


def test_a_product_is_its_lots_and_the_items_without_one(engine: Engine) -> None:
    other = c.lot("B")
    events = [made(0, 10), made(1, 10, lot=other, raw=None), pack(2, 1, 5)]
    events.append(c.object_event(0, "ADD", "commissioning", epcList=[c.item(1), c.item(2)]))
    project(engine, events, [c.state(c.item(2), lot=other)])
    found = asked(engine, c.GTIN)
    assert ids(found) == {c.GTIN, LOT, other, c.item(1), c.item(2), RAW, c.sscc(1)}
    members = {edge.target for edge in found.edges if edge.source == c.GTIN}
    assert members == {LOT, other, c.item(1)}
    assert {node.id: node.depth for node in found.nodes}[RAW] == 2
    few = asked(engine, c.GTIN, max_nodes=2)
    assert (len(few.nodes), few.truncated) == (2, True)


def test_a_product_with_nothing_of_it_is_known_but_alone(engine: Engine) -> None:
    project(engine, [c.object_event(0, step="inspecting", quantityList=some(c.GTIN, 1))])
    found = asked(engine, c.GTIN)
    assert (ids(found), len(found.events)) == ({c.GTIN}, 1)


@pytest.mark.parametrize("siblings", [10, 200])
def test_a_pallets_answer_does_not_grow_with_its_siblings(engine: Engine, siblings: int) -> None:
    project(engine, [made(0, 100_000), *(pack(1 + n / 1000, n, 100) for n in range(1, siblings))])
    found = asked(engine, c.sscc(5))
    assert (len(found.nodes), len(found.events)) == (4, 2)
