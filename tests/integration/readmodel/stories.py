"""A chain with something of everything in it."""

from __future__ import annotations

from typing import Any

from fabric.words.blocks import Write
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder


def busy_chain() -> ChainBuilder:
    """Registrations, lots, packing and repacking, handoffs seen from both sides, late and invalid things."""
    chain = ChainBuilder()
    chain.add(
        [
            c.write("CF", "channel", value={"custodyPolicy": "flag", "clockToleranceSeconds": 300}),
            c.write("PY", c.party(1), value={"id": c.party(1), "msp": c.MSP, "name": "Maker", "adopted": False}),
            c.write("PY", c.party(2), value={"id": c.party(2), "msp": "ShopMSP", "name": "Shop", "adopted": False}),
        ],
        [
            _place(1, "Plant", address={"city": "Lyon", "country": "FR"}),
            _place(2, "Shop", latitude=52.5, longitude=13.4, country="DE"),
            c.write(
                "DV",
                "reader-1",
                value={"id": "reader-1", "msp": c.MSP, "party": c.party(1), "status": "active"},
            ),
        ],
    )
    items = [c.item(n) for n in range(1, 7)]
    chain.capture(
        c.object_event(0, "ADD", "commissioning", epcList=items, bizLocation={"id": c.place(1)}),
        c.transform(0.5, [c.lot("RAW", c.OTHER_GTIN)], [c.lot("A")], bizLocation={"id": c.place(1)}),
        also=[
            *(c.state(name, holder=c.party(1), place=c.place(1), lot=c.lot("A")) for name in items),
            c.write(
                "LT",
                c.lot("A"),
                value={"id": c.lot("A"), "msp": c.MSP, "commissioned": True, "created": c.at(0.5)},
            ),
            _balance("A", 1, "100"),
        ],
        by=c.party(1),
    )
    for pallet, first in ((1, 0), (2, 3)):
        names = items[first : first + 3]
        chain.capture(
            c.pack(
                1,
                c.sscc(pallet),
                names,
                childQuantityList=[{"epcClass": c.lot("A"), "quantity": 10, "uom": "KGM"}],
            ),
            also=[
                *(c.state(name, 1, parent=c.sscc(pallet), lot=c.lot("A")) for name in names),
                c.state(c.sscc(pallet), 1, holder=c.party(1), place=c.place(1)),
                c.write("IQ", c.sscc(pallet), c.lot("A"), value={"quantity": "10", "uom": "KGM"}),
            ],
            by=c.party(1),
        )
    released: dict[str, Any] = {
        "releasedAt": c.at(10),
        "promisedAt": c.at(60),
        "reference": {"type": "desadv", "id": "urn:d:1"},
    }
    lots: dict[str, Any] = {"kind": "lot", "uom": "KGM", "releasedAt": c.at(12)}
    shipping: dict[str, Any] = {
        "step": "shipping",
        "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:d:1"}],
    }
    chain.capture(
        c.object_event(10, epcList=[c.sscc(1), c.sscc(2)], **shipping),
        c.object_event(12, step="shipping", quantityList=[{"epcClass": c.lot("A"), "quantity": 30, "uom": "KGM"}]),
        also=[
            c.handoff("h1", c.sscc(1), **released),
            c.handoff("h2", c.sscc(2), **released),
            c.handoff("h3", c.lot("A"), released="30", **lots),
            _balance("A", 1, "50"),
        ],
        by=c.party(1),
    )
    chain.add(c.captured([c.object_event(20, step="receiving", epcList=[c.sscc(1)])]), code=11)
    chain.capture(
        c.object_event(40, step="receiving", epcList=[c.sscc(1)], readPoint={"id": c.place(2)}),
        c.object_event(70, step="receiving", quantityList=[{"epcClass": c.lot("A"), "quantity": 28, "uom": "KGM"}]),
        also=[
            c.handoff("h1", c.sscc(1), status="complete", acceptedAt=c.at(40), **released),
            c.handoff("h3", c.lot("A"), released="30", accepted="28", status="disputed", acceptedAt=c.at(70), **lots),
            _balance("A", 2, "28"),
            _exception("x1", "shortage", "open"),
        ],
        by=c.party(2),
    )
    chain.capture(
        c.pack(41, c.sscc(1), action="DELETE"),
        c.object_event(45, "OBSERVE", "retail_selling", epcList=[items[0]], bizLocation={"id": c.place(2)}),
        c.pack(42, c.sscc(9), [items[1]], type="AssociationEvent"),
        also=[
            c.write("IQ", c.sscc(1), c.lot("A"), delete=True),
            *(c.state(name, 41, holder=c.party(2), place=c.place(2), lot=c.lot("A")) for name in items[:3]),
        ],
        by=c.party(2),
    )
    # Told late: one more item was on the first pallet when it left, and one was taken off the second.
    chain.capture(c.pack(2, c.sscc(1), [c.item(7)]), c.pack(3, c.sscc(2), [items[5]], "DELETE"), by=c.party(1))
    chain.add(
        [
            _exception("x1", "shortage", "closed"),
            c.write("PB", "forecast", "f1", value={"digest": "00", "msp": "M"}),
        ]
    )
    return chain


def _place(n: int, name: str, **more: object) -> Write:
    value = {
        "id": c.place(n),
        "party": c.party(n),
        "msp": c.MSP,
        "name": name,
        "kind": "site",
        "adopted": False,
        **more,
    }
    return c.write("PL", c.place(n), value=value)


def _balance(name: str, holder: int, quantity: str) -> Write:
    value = {"class": c.lot(name), "quantity": quantity, "uom": "KGM", "time": c.at(1)}
    return c.write("LB", c.lot(name), c.party(holder), c.place(holder), value=value)


def _exception(key: str, kind: str, status: str) -> Write:
    value = {
        "id": key,
        "kind": kind,
        "status": status,
        "handoff": "h3",
        "item": c.lot("A"),
        "event": "ni:///sha-256;" + "ab" * 32 + "?ver=CBV2.0",
        "parties": [c.party(1), c.party(2)],
        "detail": "30 released, 28 accepted",
        "openedAt": c.at(70),
    }
    return c.write("EX", key, value=value)
