"""A shipment of a lot that is taken back under a document that the shipment did not name."""

from __future__ import annotations

from tests.unit.chaincode.peer import A, B, Peer, lot, make_lot, ship


def test_what_took_it_back_is_named_by_its_event() -> None:
    peer = Peer()
    for msp, (place, party) in (("AMSP", A), ("BMSP", B)):
        peer.call("registerParty", {"id": party, "name": msp}, msp)
        peer.call("registerPlace", {"id": place, "party": party}, msp)
    peer.accept(make_lot(0, lot("L"), 10), ship(1, lots={lot("L"): 6}))
    (verdict,) = peer.capture({**ship(2, lots={lot("L"): 4}, document="D9"), "bizStep": "void_shipping"})
    (handoff,) = peer.all("HO")
    assert (handoff["status"], handoff["released"], handoff["voidEvents"]) == ("released", "2", [verdict["event"]])
