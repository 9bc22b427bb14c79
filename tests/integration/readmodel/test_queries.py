"""The other questions, asked of a chain with something of everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from readmodel import Projector
from readmodel.projector import clear
from readmodel.queries import (
    HandoffFilter,
    exception,
    exceptions,
    flows,
    handoff,
    handoffs,
    on_hand,
    overview,
    parties,
    party,
    place,
    places,
    publication,
    published,
    thing,
    transactions,
    transit_history,
)
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.integration.readmodel.stories import busy_chain


@pytest.fixture
def model(engine: Engine) -> Engine:
    Projector(engine).apply(busy_chain().blocks)
    return engine


@pytest.fixture
def connection(model: Engine) -> Iterator[Connection]:
    with model.connect() as opened:
        yield opened


def test_a_packed_thing_is_where_its_outermost_parent_is(connection: Connection) -> None:
    found = thing(connection, c.item(4))
    assert found is not None
    assert (found.parents, found.place, found.holder) == ([c.sscc(2)], c.place(1), c.party(1))
    assert (found.place_name, found.holder_name) == ("Plant", "Maker")
    assert (found.product, found.lot, found.status) == (c.GTIN, c.lot("A"), "active")
    assert [one.id for one in found.handoffs] == ["h2"]


def test_a_parent_shows_what_is_in_it(connection: Connection) -> None:
    found = thing(connection, c.sscc(2))
    assert found is not None
    assert [one.id for one in found.contents] == [c.item(4), c.item(5), c.item(6), c.lot("A")]
    assert (found.contents[3].quantity, found.contents[3].uom, found.contents_total) == ("10", "KGM", 4)
    few = thing(connection, c.sscc(2), contents=2, events=1)
    assert few is not None
    assert (len(few.contents), few.contents_total, len(few.events)) == (2, 4, 1)
    assert few.events[0].event_time == c.moment(10)


def test_a_lot_shows_how_much_who_has_where(connection: Connection) -> None:
    for name in (c.lot("A"), c.GTIN):
        found = thing(connection, name)
        assert found is not None
        have = [(one.thing, one.holder, one.place, one.quantity, one.uom) for one in found.balances]
        assert have == [
            (c.lot("A"), c.party(1), c.place(1), "50", "KGM"),
            (c.lot("A"), c.party(2), c.place(2), "28", "KGM"),
        ]
        assert found.total == {"KGM": "78"}
        assert found.instances == ({} if name == c.GTIN else {"active": 6})
    found = thing(connection, c.lot("A"))
    assert found is not None
    assert [one.id for one in found.handoffs] == ["h3"]
    assert (found.msp, found.exceptions) == (c.MSP, [])


def test_a_thing_nobody_named_is_unknown(connection: Connection) -> None:
    assert thing(connection, c.item(99)) is None


def test_handoffs_by_what_is_asked(connection: Connection) -> None:
    def found(**asked: object) -> list[str]:
        return [one.id for one in handoffs(connection, HandoffFilter(**asked)).items]  # type: ignore[arg-type]

    assert found() == ["h3", "h2", "h1"]
    assert found(statuses=["released"]) == ["h2"]
    assert found(late_at=c.moment(61)) == ["h2"]
    assert found(late_at=c.moment(59)) == []
    assert found(party=c.party(1)) == ["h3", "h2", "h1"]
    assert found(from_party=c.party(2)) == []
    assert found(place=c.place(2), item=c.sscc(1)) == ["h1"]
    assert found(reference="urn:d:1") == ["h2", "h1"]
    assert found(product=c.GTIN) == ["h3", "h2", "h1"]
    assert found(product=c.OTHER_GTIN) == []
    assert found(released_since=c.moment(11)) == ["h3"]
    assert found(released_before=c.moment(11)) == ["h2", "h1"]
    assert found(order="promised") == ["h1", "h2"]
    assert found(order="lastPromised") == ["h2", "h1"]
    assert found(party=c.party(77)) == []


@pytest.mark.parametrize("order", ["newest", "promised", "lastPromised"])
def test_handoffs_page_by_page(connection: Connection, order: str) -> None:
    wanted = HandoffFilter(order=order)  # type: ignore[arg-type]
    whole = handoffs(connection, wanted).items
    seen, token = [], None
    while True:
        page = handoffs(connection, wanted, per_page=1, token=token)
        seen.extend(page.items)
        token = page.next
        if token is None:
            break
    assert seen == whole


def test_a_handoff_says_what_it_carries(connection: Connection) -> None:
    first = handoff(connection, "h1")
    assert first is not None
    # Three items and, told late, a fourth; and ten kilograms of the lot.
    assert [(line.product, line.uom, line.released, line.accepted) for line in first.lines] == [
        (c.GTIN, None, 4.0, 4.0),
        (c.GTIN, "KGM", 10.0, 10.0),
    ]
    second = handoff(connection, "h2")
    assert second is not None
    assert [(line.uom, line.released, line.accepted) for line in second.lines] == [
        (None, 2.0, None),
        ("KGM", 10.0, None),
    ]
    third = handoff(connection, "h3")
    assert third is not None
    assert [(line.released, line.accepted) for line in third.lines] == [(30.0, 28.0)]
    assert (third.from_place_name, third.to_place_name, third.to_party_name) == ("Plant", "Shop", "Shop")
    assert handoff(connection, "nonesuch") is None


def test_flows_are_counted_where_and_when(connection: Connection) -> None:
    counted = {
        (one.flow, one.day, one.product, one.place, one.uom): (one.quantity, one.movements) for one in flows(connection)
    }
    march1, march2, march3 = (date(2024, 3, day) for day in (1, 2, 3))
    assert counted == {
        ("produced", march1, c.GTIN, c.place(1), ""): (7.0, 7),
        ("consumed", march1, c.OTHER_GTIN, c.place(1), ""): (1.0, 1),
        ("shipped", march1, c.GTIN, c.place(1), ""): (6.0, 2),
        ("shipped", march1, c.GTIN, c.place(1), "KGM"): (50.0, 3),
        ("received", march2, c.GTIN, c.place(2), ""): (4.0, 1),
        ("received", march2, c.GTIN, c.place(2), "KGM"): (10.0, 1),
        ("received", march3, c.GTIN, c.place(2), "KGM"): (28.0, 1),
        ("sold", march2, c.GTIN, c.place(2), ""): (1.0, 1),
    }


def test_flows_by_what_is_asked(connection: Connection) -> None:
    assert {one.flow for one in flows(connection, flow=["sold", "consumed"])} == {"sold", "consumed"}
    assert {one.product for one in flows(connection, products=[c.OTHER_GTIN])} == {c.OTHER_GTIN}
    assert {one.place for one in flows(connection, places=[c.place(2)])} == {c.place(2)}
    assert {one.party for one in flows(connection, parties=[c.party(2)])} == {c.party(2)}
    assert {one.country for one in flows(connection, countries=["DE"])} == {"DE"}
    assert {one.day.day for one in flows(connection, since=date(2024, 3, 2), before=date(2024, 3, 3))} == {2}


def test_transit_history(connection: Connection) -> None:
    first, third = transit_history(connection)
    assert (first.handoff, first.product, first.quantity) == ("h1", None, None)
    assert (third.handoff, third.product, third.quantity) == ("h3", c.GTIN, 30.0)  # 28 arrived
    assert (first.from_country, first.to_country, first.reference) == ("FR", "DE", "urn:d:1")
    assert first.days == pytest.approx(30 / 24)
    assert first.days_late == pytest.approx(-20 / 24)
    assert third.days_late is None
    everything = transit_history(connection, accepted_only=False)
    assert [one.handoff for one in everything] == ["h1", "h2", "h3"]
    assert everything[1].days is None
    assert [one.handoff for one in transit_history(connection, since=c.moment(50))] == ["h3"]
    assert [one.handoff for one in transit_history(connection, before=c.moment(50))] == ["h1"]
    assert transit_history(connection, party=c.party(9)) == []


def test_stock_is_what_stands_on_a_shelf(connection: Connection) -> None:
    stock = {(one.product, one.party, one.place, one.uom): one.quantity for one in on_hand(connection)}
    assert stock == {
        (c.GTIN, c.party(1), c.place(1), "KGM"): 50.0,
        (c.GTIN, c.party(2), c.place(2), "KGM"): 28.0,
        (c.GTIN, c.party(1), c.place(1), ""): 3.0,
        (c.GTIN, c.party(2), c.place(2), ""): 3.0,
    }
    assert {one.place for one in on_hand(connection, [c.place(2)])} == {c.place(2)}


def test_exceptions_and_what_closed_them(connection: Connection) -> None:
    (found,) = exceptions(connection).items
    assert (found.id, found.kind, found.status, found.handoff) == ("x1", "shortage", "closed", "h3")
    assert (found.item, found.parties) == (c.lot("A"), [c.party(1), c.party(2)])
    assert found.event == "ni:///sha-256;" + "ab" * 32 + "?ver=CBV2.0"
    assert exception(connection, "x1") == found
    for asked, expected in (
        ({"status": "open"}, []),
        ({"status": "closed", "kind": "shortage"}, [found]),
        ({"party": c.party(2)}, [found]),
        ({"party": c.party(3)}, []),
        ({"item": c.lot("A"), "handoff": "h3"}, [found]),
    ):
        assert exceptions(connection, **asked).items == expected  # type: ignore[arg-type]


def test_parties_and_places(connection: Connection) -> None:
    assert [(one.id, one.name, one.registered) for one in parties(connection).items] == [
        (c.party(1), "Maker", True),
        (c.party(2), "Shop", True),
    ]
    assert [one.id for one in parties(connection, msp="ShopMSP").items] == [c.party(2)]
    found = party(connection, c.party(1))
    assert found is not None
    assert found.detail["name"] == "Maker"
    assert [(one.id, one.country) for one in places(connection).items] == [(c.place(1), "FR"), (c.place(2), "DE")]
    assert [one.id for one in places(connection, country="DE").items] == [c.place(2)]
    assert [one.id for one in places(connection, party=c.party(1), registered=True).items] == [c.place(1)]
    shop = place(connection, c.place(2))
    assert shop is not None
    assert (shop.latitude, shop.longitude, shop.party) == (52.5, 13.4, c.party(2))
    first = places(connection, per_page=1)
    assert first.next is not None
    assert [one.id for one in places(connection, per_page=1, token=first.next).items] == [c.place(2)]
    assert (party(connection, c.party(9)), place(connection, c.place(9))) == (None, None)


def test_publications_and_transactions(connection: Connection) -> None:
    (one,) = published(connection)
    assert (one.kind, one.id, one.digest) == ("forecast", "f1", "00")
    assert publication(connection, "forecast", "f1") == one
    assert publication(connection, "model", "f1") is None
    assert published(connection, kind="model") == []
    (invalid,) = transactions(connection, invalid_only=True).items
    assert (invalid.code, invalid.valid, invalid.events) == (11, False, 0)
    (same,) = transactions(connection, tx_id=one.tx_id).items
    assert (same.block, same.valid) == (one.block, True)


def test_overview(connection: Connection) -> None:
    now = overview(connection, c.moment(61))
    assert (now.events, now.invalid_transactions) == (13, 1)
    assert (now.handoffs, now.in_transit, now.late) == (3, 1, 1)
    assert [one.id for one in now.most_late] == ["h2"]
    assert [(one.from_name, one.to_name, one.handoffs, one.late) for one in now.lanes] == [("Plant", "Shop", 1, 1)]
    assert now.open_exceptions == {}
    assert {(one.day.day, one.flow, one.movements) for one in now.movements} >= {(1, "produced", 7), (2, "sold", 1)}
    assert (now.forecast_run, now.risks) == (None, [])
    assert overview(connection, c.moment(24 * 40)).movements == []


def test_nothing_recorded_is_no_error(engine: Engine) -> None:
    with engine.connect() as connection:
        now = overview(connection, c.moment(0))
        assert (now.block, now.events, now.recorded_at) == (None, 0, None)
        assert flows(connection) == []
        assert on_hand(connection) == []
        assert transit_history(connection) == []


def test_a_handoff_whose_other_end_changes_moves_its_flow(engine: Engine) -> None:
    """A day and place that nothing moved on after all is gone, not zero."""
    chain, projector = ChainBuilder(), Projector(engine)
    lots: dict[str, Any] = {"kind": "lot", "released": "5", "uom": "KGM"}
    projector.apply(chain.add([c.handoff("h", c.lot("A"), releasedAt=c.at(1), **lots)]))
    projector.apply(chain.add([c.handoff("h", c.lot("A"), releasedAt=c.at(30), hops=(3, 2), **lots)]))
    with engine.connect() as connection:
        assert [(one.day.day, one.place, one.quantity) for one in flows(connection)] == [(2, c.place(3), 5.0)]
    clear(engine)
