"""How much there is of a lot, packed at any depth and on its way, and whether it adds up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from fabric.words.blocks import Write
from readmodel import Projector
from readmodel.queries import ThingRecord, thing
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

LOT = c.lot("A")


def balance(holder: int, quantity: str, uom: str | None = "KGM", lot: str = LOT) -> Write:
    value = {"class": lot, "quantity": quantity, "uom": uom, "time": c.at(1)}
    return c.write("LB", lot, c.party(holder), c.place(holder), value=value)


def inside(pallet: int, quantity: str, lot: str = LOT) -> Write:
    return c.write("IQ", c.sscc(pallet), lot, value={"quantity": quantity, "uom": "KGM"})


def counted(hours: float, action: str, step: str, quantity: float, uom: str = "KGM") -> dict[str, Any]:
    listed = [{"epcClass": LOT, "quantity": quantity, "uom": uom}]
    return c.object_event(hours, action, step, quantityList=listed)


def asked(engine: Engine, events: list[dict[str, Any]], *also: Write, of: str = LOT) -> ThingRecord:
    chain = ChainBuilder()
    chain.capture(*events, also=also)
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = thing(connection, of)
    assert found is not None
    return found


def test_everything_of_a_lot_is_counted_once(engine: Engine) -> None:
    """600 made: 100 loose, 100 in a case on a pallet, 200 on two pallets, 100 on a truck, 50 on their way loose, 20 used,
    20 sold, 10 destroyed."""
    gone = [counted(5, "OBSERVE", "retail_selling", 20), counted(6, "DELETE", "destroying", 10)]
    used = c.transform(4, [], [c.lot("SOUP", c.OTHER_GTIN)], inputQuantityList=[_some(20)])
    moving: dict[str, Any] = {"kind": "lot", "uom": "KGM", "released": "50", "releasedAt": c.at(7)}
    found = asked(
        engine,
        [counted(0, "ADD", "commissioning", 500), used, *gone],
        balance(1, "100"),
        *(inside(1, "100"), inside(2, "100"), inside(3, "100"), inside(4, "50")),
        c.state(c.sscc(1), parent=c.sscc(10)),
        *(c.state(c.sscc(n), holder=c.party(2), place=c.place(2)) for n in (10, 2)),
        c.state(c.sscc(3), holder=c.party(3), place=c.place(3)),
        c.state(c.sscc(4), holder=c.party(3), place=c.place(3), status="in_transit"),
        c.handoff("h1", LOT, **moving),
    )
    assert [(one.holder, one.place, one.quantity, one.carriers) for one in found.packed] == [
        (c.party(2), c.place(2), "200", 2),
        (c.party(3), c.place(3), "100", 1),
    ]
    assert [(one.quantity, one.handoff, one.carrier) for one in found.in_transit] == [
        ("50", "h1", None),
        ("50", None, c.sscc(4)),
    ]
    (total,) = found.sums
    assert (total.uom, total.loose, total.packed, total.in_transit, total.total) == ("KGM", "100", "300", "100", "500")
    (mass,) = found.mass_balance
    assert (mass.made, mass.used, mass.sold, mass.removed) == ("500", "20", "20", "10")
    assert (mass.expected, mass.on_hand, mass.difference) == ("450", "500", "50")
    assert (found.status, found.recalled) == ("active", False)


def _some(quantity: float) -> dict[str, Any]:
    return {"epcClass": LOT, "quantity": quantity, "uom": "KGM"}


def test_what_ended_with_its_pallet_is_removed(engine: Engine) -> None:
    found = asked(
        engine,
        [counted(0, "ADD", "commissioning", 10)],
        inside(1, "10"),
        c.state(c.sscc(1), status="destroyed"),
    )
    (mass,) = found.mass_balance
    assert (mass.removed, mass.on_hand, mass.difference) == ("10", "0", "0")
    assert (found.packed, found.status) == ([], "ended")


def test_what_was_not_accepted_with_the_rest_is_missing(engine: Engine) -> None:
    short: dict[str, Any] = {"kind": "lot", "uom": "KGM", "released": "10", "accepted": "8", "status": "disputed"}
    found = asked(engine, [counted(0, "ADD", "commissioning", 10)], balance(2, "8"), c.handoff("h1", LOT, **short))
    (mass,) = found.mass_balance
    assert (mass.missing, mass.expected, mass.difference) == ("2", "8", "0")
    assert found.in_transit == []


def test_grams_and_kilograms_add_up_exactly(engine: Engine) -> None:
    events = [counted(0, "ADD", "commissioning", 1.5), counted(1, "ADD", "commissioning", 500, "GRM")]
    found = asked(engine, [*events, counted(2, "OBSERVE", "retail_selling", 0.1)], balance(1, "1.9"))
    (mass,) = found.mass_balance
    assert (mass.uom, mass.made, mass.sold, mass.expected, mass.difference) == ("KGM", "2", "0.1", "1.9", "0")


def test_a_lot_whose_rest_is_on_its_way_is_in_transit(engine: Engine) -> None:
    moving: dict[str, Any] = {"kind": "lot", "uom": "KGM", "released": "10", "releasedAt": c.at(7)}
    found = asked(engine, [counted(0, "ADD", "commissioning", 10)], balance(1, "0"), c.handoff("h1", LOT, **moving))
    assert found.status == "in_transit"
    assert [one.total for one in found.sums] == ["10"]


def test_a_lot_nobody_counted_has_no_status(engine: Engine) -> None:
    found = asked(engine, [c.object_event(1, quantityList=[{"epcClass": LOT}], disposition="damaged")])
    assert (found.status, found.disposition, found.sums, found.mass_balance) == (None, "damaged", [], [])


def test_a_product_sums_its_lots(engine: Engine) -> None:
    found = asked(
        engine,
        [],
        balance(1, "3"),
        balance(1, "4", lot=c.lot("B")),
        inside(1, "5", c.lot("B")),
        c.state(c.sscc(1), holder=c.party(1), place=c.place(1)),
        of=c.GTIN,
    )
    (total,) = found.sums
    assert (total.loose, total.packed, total.total) == ("7", "5", "12")
    assert found.mass_balance == []


def test_a_circle_of_packing_ends(engine: Engine) -> None:
    found = asked(
        engine, [], inside(1, "5"), c.state(c.sscc(1), parent=c.sscc(2)), c.state(c.sscc(2), parent=c.sscc(1))
    )
    assert [one.total for one in found.sums] == ["5"]
