"""Instances: who holds them, where they are, what they are in."""

from __future__ import annotations

from typing import Any

from chaincode import keys
from tests.unit.chaincode.peer import (
    A,
    B,
    C,
    Peer,
    at,
    commission,
    event,
    item,
    observe,
    pack,
    pallet,
    receive,
    ship,
    unpack,
)  # fmt: skip


def thing(peer: Peer, uri: str) -> dict[str, Any]:
    found: dict[str, Any] | None = peer.get(keys.thing(uri))
    assert found is not None
    return found


def test_a_commissioned_item_is_held_where_it_was_made() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), msp="AMSP")
    made = thing(peer, item(1))
    assert (made["msp"], made["place"], made["status"], made["commissioned"]) == ("AMSP", A[0], "active", True)


def test_moving_a_pallet_writes_the_pallet_and_not_what_is_on_it() -> None:
    peer = Peer()
    children = [item(n) for n in range(50)]
    peer.accept(commission(1, *children), pack(2, pallet(1), *children))
    before = {child: peer.state[keys.thing(child)] for child in children}
    peer.accept(ship(3, pallet(1)))
    peer.accept(receive(5, pallet(1)), msp="BMSP")
    assert {child: peer.state[keys.thing(child)] for child in children} == before
    assert (thing(peer, pallet(1))["msp"], thing(peer, pallet(1))["holder"]) == ("BMSP", B[1])


def test_unpacking_without_naming_children_empties_the_parent_where_it_is() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1), item(2)), pack(2, pallet(1), item(1), item(2)), ship(3, pallet(1)))
    peer.accept(receive(5, pallet(1)), unpack(6, pallet(1), site=B), msp="BMSP")
    for uri in (item(1), item(2)):
        assert (thing(peer, uri)["parent"], thing(peer, uri)["msp"], thing(peer, uri)["place"]) == (None, "BMSP", B[0])
    assert peer.all("IN") == []


def test_a_second_commissioning_is_refused_and_a_late_one_is_not() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)))
    assert peer.refuse(commission(2, item(1))) == "already_commissioned"
    peer.accept(receive(5, item(2)), msp="BMSP")
    assert not thing(peer, item(2))["commissioned"]
    peer.accept(commission(1, item(2)), msp="AMSP")
    late = thing(peer, item(2))
    assert (late["commissioned"], late["maker"], late["msp"], late["place"]) == (True, "AMSP", "BMSP", B[0])


def test_nothing_happens_to_a_thing_after_its_end_but_its_past_may_still_be_told() -> None:
    peer = Peer()
    end = event("ObjectEvent", 9, "destroying", A, action="DELETE", epcList=[item(1)])
    peer.accept(commission(1, item(1)), end)
    assert thing(peer, item(1))["status"] == "destroyed"
    assert peer.refuse(observe(10, item(1))) == "ended"
    assert peer.refuse(ship(10, item(1))) == "ended"
    assert peer.refuse(pack(10, pallet(1), item(1))) == "ended"
    peer.accept(observe(5, item(1)))
    assert thing(peer, item(1))["status"] == "destroyed"


def test_handling_what_another_holds_opens_an_exception_under_flag_and_is_refused_under_enforce() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)))
    peer.accept(observe(2, item(1), site=C), msp="CMSP")
    assert peer.open_exceptions() == ["custody"]
    peer.call("configure", {"custodyPolicy": "enforce"})
    assert peer.refuse(observe(3, item(1), site=C), msp="CMSP") == "not_in_your_custody"
    assert peer.refuse(ship(3, item(1), site=C), msp="CMSP") == "not_in_your_custody"


def test_an_acceptance_explains_earlier_handling() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)))
    peer.accept(observe(4, item(1), site=B), msp="BMSP")
    assert peer.open_exceptions() == ["custody"]
    peer.accept(ship(2, item(1)))
    peer.accept(receive(3, item(1)), msp="BMSP")
    assert peer.open_exceptions() == []


def test_a_carrier_may_see_what_is_on_its_way() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), ship(2, item(1)))
    peer.accept(observe(3, item(1), site=C, step="transporting"), msp="CMSP")
    assert peer.open_exceptions() == []
    assert thing(peer, item(1))["msp"] == "AMSP"


def test_nothing_can_be_in_itself() -> None:
    peer = Peer()
    peer.accept(pack(1, pallet(1), pallet(2)), pack(2, pallet(2), pallet(3)))
    assert peer.refuse(pack(3, pallet(3), pallet(1))) == "cycle"
    assert peer.refuse(pack(3, pallet(1), pallet(1))) == "cycle"


def test_packing_what_is_packed_elsewhere_moves_it_under_flag_and_is_refused_under_enforce() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(2, pallet(1), item(1)), pack(3, pallet(2), item(1)))
    assert thing(peer, item(1))["parent"] == pallet(2)
    assert peer.open_exceptions() == ["aggregation"]
    assert len(peer.all("IN")) == 1
    peer.call("configure", {"custodyPolicy": "enforce"})
    assert peer.refuse(pack(4, pallet(3), item(1))) == "already_packed"


def test_a_late_statement_does_not_undo_a_newer_one() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), observe(5, item(1), site=B), msp="BMSP")
    peer.accept(observe(3, item(1), site=(B[0] + "/254/dock", B[1])), msp="BMSP")
    assert thing(peer, item(1))["place"] == B[0]
    assert thing(peer, item(1))["time"].startswith(at(5)[:19])


def test_receiving_what_is_on_a_released_pallet_is_receiving_the_pallet() -> None:
    release, receipt = ("AMSP", ship(3, pallet(1))), ("BMSP", receive(5, item(1), item(2)))
    for statements in ([release, receipt], [receipt, release]):
        peer = Peer()
        peer.accept(commission(1, item(1), item(2)), pack(2, pallet(1), item(1), item(2)))
        for msp, statement in statements:
            peer.accept(statement, msp=msp)
        (handoff,) = (handoff for handoff in peer.all("HO") if handoff["status"] != "void")
        assert (handoff["item"], handoff["status"], handoff["toMsp"]) == (pallet(1), "complete", "BMSP")
        assert thing(peer, item(1))["parent"] == pallet(1)
        assert thing(peer, pallet(1))["holder"] == B[1]
        assert peer.open_exceptions() == []


def test_what_is_shipped_without_its_pallet_was_taken_off_it() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(2, pallet(1), item(1)), ship(3, item(1)))
    assert thing(peer, item(1))["parent"] is None
    assert thing(peer, item(1))["status"] == "in_transit"
    assert thing(peer, pallet(1))["status"] == "active"
    assert not peer.all("IN")


def test_custody_by_unpacking_lasts_until_the_next_one_takes_it() -> None:
    """Two changes of hands inside pallets: the first holder's handling in between stays right."""
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(2, pallet(1), item(1)), ship(3, pallet(1)))
    again = [unpack(6, pallet(1), site=B), pack(7, pallet(2), item(1), site=B), ship(8, pallet(2), site=B, to=C)]
    peer.accept(receive(5, pallet(1)), *again, msp="BMSP")
    peer.accept(receive(9, pallet(2), site=C), unpack(10, pallet(2), site=C), msp="CMSP")
    assert peer.all("EX") == []
    assert (thing(peer, item(1))["msp"], thing(peer, item(1))["place"]) == ("CMSP", C[0])


def test_a_stranger_who_says_that_it_ended_stops_nobody() -> None:
    """Its maker goes on; an exception names both."""
    for policy, hour in (("flag", 2), ("enforce", 0.1)):
        peer = Peer()
        peer.call("configure", {"custodyPolicy": policy})
        end = event("ObjectEvent", hour, "destroying", B, action="DELETE", epcList=[item(1)])
        if policy == "flag":
            peer.accept(commission(1, item(1)))
            peer.accept(end, msp="BMSP")
        else:
            peer.accept(end, msp="BMSP")
            peer.accept(commission(1, item(1)))
        assert "custody" in peer.open_exceptions() or policy == "enforce"
        peer.accept(observe(3, item(1)), pack(4, pallet(1), item(1)))
        assert (thing(peer, item(1))["status"], thing(peer, item(1))["parent"]) == ("active", pallet(1))
        assert "after_end" in peer.open_exceptions()


def test_what_was_released_to_another_is_not_taken_by_a_stranger_under_enforce() -> None:
    peer = Peer()
    for number, msp in enumerate(["AMSP", "BMSP", "CMSP"], start=1):
        peer.call("registerParty", {"id": (A, B, C)[number - 1][1], "name": msp}, msp)
    peer.call("configure", {"custodyPolicy": "enforce"})
    peer.accept(commission(1, item(1)), pack(1.5, pallet(1), item(1)), ship(2, pallet(1), document="D1"))
    assert peer.refuse(receive(3, pallet(1), site=C), msp="CMSP") == "not_in_your_custody"
    peer.accept(receive(5, pallet(1), document="D1"), msp="BMSP")
    assert thing(peer, pallet(1))["msp"] == "BMSP"


def test_one_thing_received_out_of_a_pallet_that_went_to_another_is_not_the_pallet() -> None:
    peer = Peer()
    for number, msp in enumerate(["AMSP", "BMSP", "CMSP"], start=1):
        peer.call("registerParty", {"id": (A, B, C)[number - 1][1], "name": msp}, msp)
    peer.accept(commission(1, item(1), item(2)), pack(1.5, pallet(1), item(1), item(2)), ship(2, pallet(1)))
    peer.accept(receive(3, item(1), site=C), msp="CMSP")
    assert (thing(peer, item(1))["msp"], thing(peer, pallet(1))["msp"]) == ("CMSP", "AMSP")
    peer.accept(receive(5, pallet(1)), msp="BMSP")
    assert thing(peer, pallet(1))["msp"] == "BMSP"
