"""Handoffs: release and acceptance, in whatever order they come."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import (
    SITES,
    B,
    C,
    Peer,
    commission,
    item,
    lot,
    make_lot,
    pack,
    pallet,
    receive,
    ship,
)  # fmt: skip


def final(peer: Peer) -> dict[str, Any]:
    """What must not depend on the order of arrival."""
    things = {t["id"]: (t["msp"], t["holder"], t["place"], t["status"]) for t in peer.all("TH")}
    balances = {(b["class"], b["holder"], b["place"]): b["quantity"] for b in peer.all("LB")}
    fields = ("item", "from", "to", "status", "released", "accepted", "releasedAt", "acceptedAt")
    handoffs = sorted(tuple(map(str, (h[field] for field in fields))) for h in peer.all("HO"))
    return {"things": things, "balances": balances, "handoffs": handoffs, "open": peer.open_exceptions()}


def arrive(statements: list[tuple[str, dict[str, Any]]], setup: list[dict[str, Any]]) -> dict[str, Any]:
    peer = Peer()
    peer.accept(*setup)
    for msp, statement in statements:
        peer.accept(statement, msp=msp)
    return final(peer)


@pytest.mark.parametrize("document", [None, "D1"])
@pytest.mark.parametrize("to", [B, None])
def test_order_does_not_matter_for_an_instance(document: str | None, to: Any) -> None:
    setup = [commission(1, item(1))]
    release = ("AMSP", ship(2, item(1), to=to, document=document))
    acceptance = ("BMSP", receive(4, item(1), document=document))
    one, other = arrive([release, acceptance], setup), arrive([acceptance, release], setup)
    assert one == other
    assert one["open"] == []
    assert [handoff[3] for handoff in one["handoffs"]] == ["complete"]


def test_order_does_not_matter_over_two_hops() -> None:
    setup = [commission(1, item(1))]
    statements = [
        ("AMSP", ship(2, item(1))),
        ("BMSP", receive(4, item(1))),
        ("BMSP", ship(6, item(1), site=B, to=C)),
        ("CMSP", receive(8, item(1), site=C)),
    ]
    outcomes = [arrive(list(order), setup) for order in permutations(statements)]
    assert all(outcome["things"] == outcomes[0]["things"] for outcome in outcomes)
    assert all(outcome["handoffs"] == outcomes[0]["handoffs"] for outcome in outcomes)


@pytest.mark.parametrize("parts", [(100,), (60, 40), (60,), (60, 50), (10, 20, 30)])
def test_order_does_not_matter_for_a_lot_however_it_arrives(parts: tuple[int, ...]) -> None:
    setup = [make_lot(1, lot(1), 500)]
    statements = [("AMSP", ship(2, lots={lot(1): 100}, document="D1"))]
    statements += [("BMSP", receive(4 + n, lots={lot(1): part}, document="D1")) for n, part in enumerate(parts)]
    outcomes = [arrive(list(order), setup) for order in permutations(statements)]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    total = sum(parts)
    expected = [] if total == 100 else ["shortage"] if total < 100 else ["overage"]
    assert outcomes[0]["open"] == expected


def test_a_release_waits_and_an_acceptance_completes_it() -> None:
    peer = Peer()
    promise: Any = {
        "@context": [{"lotline": "https://ns.lotline.org/epcis/"}],
        "lotline:promisedAt": "2025-03-05T12:00:00Z",
    }
    peer.accept(commission(1, item(1)), ship(2, item(1), document="D1", **promise))
    (handoff,) = peer.all("HO")
    assert (handoff["status"], handoff["promisedAt"]) == ("released", "2025-03-05T12:00:00Z")
    assert handoff["reference"]["type"] == "desadv"
    assert peer.get(keys.thing(item(1)))["status"] == "in_transit"
    peer.accept(receive(4, item(1), document="D1"), msp="BMSP")
    (handoff,) = peer.all("HO")
    assert (handoff["status"], handoff["fromMsp"], handoff["toMsp"]) == ("complete", "AMSP", "BMSP")
    assert peer.get(keys.thing(item(1)))["open"] == []


def test_an_unannounced_acceptance_is_open_until_its_release_comes() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)))
    peer.accept(receive(4, item(1)), msp="BMSP")
    assert peer.open_exceptions() == ["unannounced"]
    peer.accept(ship(2, item(1)))
    assert peer.open_exceptions() == []


def test_what_was_released_together_and_did_not_arrive_is_short_until_it_does() -> None:
    peer = Peer()
    pallets = [pallet(n) for n in range(3)]
    peer.accept(commission(1, *(item(n) for n in range(3))))
    peer.accept(*(pack(1, uri, item(n)) for n, uri in enumerate(pallets)), ship(2, *pallets))
    peer.accept(receive(4, *pallets[:2]), msp="BMSP")
    assert peer.open_exceptions() == ["shortage"]
    peer.accept(receive(6, pallets[2]), msp="BMSP")
    assert peer.open_exceptions() == []


def test_shortage_is_found_whichever_side_speaks_first() -> None:
    setup = [commission(1, item(1), item(2))]
    release = ("AMSP", ship(2, item(1), item(2), document="D1"))
    acceptance = ("BMSP", receive(4, item(1), document="D1"))
    one, other = arrive([release, acceptance], setup), arrive([acceptance, release], setup)
    assert one == other
    assert one["open"] == ["shortage"]


def test_scanning_things_one_by_one_says_nothing_of_the_rest() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1), item(2)), ship(2, item(1), item(2), document="D1"))
    peer.accept(receive(4, item(1)), msp="BMSP")
    assert peer.open_exceptions() == []


def test_the_wrong_consignee_is_disputed_in_either_order() -> None:
    setup = [commission(1, item(1))]
    release, wrong = ("AMSP", ship(2, item(1), to=B)), ("CMSP", receive(4, item(1), site=C))
    one, other = arrive([release, wrong], setup), arrive([wrong, release], setup)
    assert one == other
    assert one["open"] == ["wrong_consignee"]
    assert {handoff[3] for handoff in one["handoffs"]} == {"disputed"}


def test_a_lot_that_came_to_the_wrong_consignee_is_found_by_its_document() -> None:
    setup = [make_lot(1, lot(1), 100)]
    release = ("AMSP", ship(2, lots={lot(1): 10}, to=B, document="D1"))
    wrong = ("CMSP", receive(4, site=C, lots={lot(1): 10}, document="D1"))
    one, other = arrive([release, wrong], setup), arrive([wrong, release], setup)
    assert one == other
    assert one["open"] == ["unannounced", "wrong_consignee"]


def test_the_wrong_lot_of_a_shipment_is_disputed_in_either_order() -> None:
    setup = [make_lot(1, lot(1), 100), make_lot(1, lot(2), 100)]
    release = ("AMSP", ship(2, lots={lot(1): 10}, document="D1"))
    wrong = ("BMSP", receive(4, lots={lot(2): 10}, document="D1"))
    one, other = arrive([release, wrong], setup), arrive([wrong, release], setup)
    assert one == other
    assert one["open"] == ["unannounced", "wrong_lot"]


def test_damage_opens_an_exception_on_the_handoff() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), ship(2, item(1)))
    peer.accept(receive(4, item(1), disposition="damaged"), msp="BMSP")
    (exception,) = (e for e in peer.all("EX") if e["status"] == "open")
    assert (exception["kind"], exception["handoff"]) == ("damaged", peer.all("HO")[0]["id"])


def test_only_the_sender_releases_and_only_the_consignee_accepts() -> None:
    peer = Peer()
    for msp, (_, uri) in SITES.items():
        assert peer.call("registerParty", {"id": uri, "name": msp}, msp).status == 200
    peer.accept(commission(1, item(1)), ship(2, item(1)))
    peer.accept(receive(3, item(1)), msp="BMSP")
    speaks_for_a = ship(5, item(1), site=(B[0], ship(0, item(1))["sourceList"][0]["source"]))
    assert peer.refuse(speaks_for_a, msp="BMSP") == "not_your_party"
    accepts_for_b = receive(5, item(1), site=(C[0], B[1]))
    assert peer.refuse(accepts_for_b, msp="CMSP") == "not_your_party"


def test_a_release_said_twice_is_one_handoff() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), ship(2, item(1), document="D1"), ship(2.5, item(1), document="D1"))
    (handoff,) = peer.all("HO")
    assert len(handoff["releaseEvents"]) == 2


def test_a_pallet_named_with_what_is_on_it_is_one_handoff() -> None:
    peer = Peer()
    peer.accept(pack(1, pallet(1), item(1), item(2)), ship(2, pallet(1), item(1), item(2)))
    peer.accept(receive(3, item(1), pallet(1)), msp="BMSP")
    assert [handoff["item"] for handoff in peer.all("HO")] == [pallet(1)]


@pytest.mark.parametrize("named", [{"epcs": [item(1)]}, {"lots": {lot(1): 5}}], ids=["an instance", "a lot"])
def test_only_who_shipped_takes_it_back(named: dict[str, Any]) -> None:
    goods = named.get("epcs", [])
    peer = Peer()
    peer.accept(commission(1, item(1)), make_lot(1, lot(1), 5), ship(2, *goods, lots=named.get("lots")))
    back = {**ship(3, *goods, lots=named.get("lots"), site=C, to=None), "bizStep": "void_shipping"}
    peer.capture(back, msp="CMSP")
    assert [handoff["status"] for handoff in peer.all("HO") if handoff["releaseEvents"]] == ["released"]
    peer.accept({**ship(4, *goods, lots=named.get("lots")), "bizStep": "void_shipping"})
    assert [handoff["status"] for handoff in peer.all("HO") if handoff["releaseEvents"]] == ["void"]


def test_a_lot_under_another_document_is_another_handoff() -> None:
    peer = Peer()
    peer.accept(make_lot(1, lot(1), 5), ship(2, lots={lot(1): 5}, document="D1"))
    peer.accept(receive(3, lots={lot(1): 5}, document="D2"), msp="BMSP")
    assert "complete" not in [handoff["status"] for handoff in peer.all("HO")]
    assert "unannounced" in peer.open_exceptions()
    peer.accept(ship(2.5, lots={lot(1): 5}, document="D2"))
    assert sorted(handoff["status"] for handoff in peer.all("HO")) == ["complete", "released"]


@pytest.mark.parametrize(("document", "accepted"), [("D1", 2), ("D2", 1)])
def test_what_is_received_again_under_another_document_is_no_part_of_the_handoff(document: str, accepted: int) -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), ship(2, item(1), document="D1"))
    peer.accept(receive(3, item(1), document="D1"), receive(4, item(1), document=document), msp="BMSP")
    (handoff,) = (one for one in peer.all("HO") if one["status"] == "complete")
    assert len(handoff["acceptEvents"]) == accepted
