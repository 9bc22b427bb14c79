"""Organisations that must agree to every change of a thing or lot: who may say so, what is protected, and for how long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, rule

from chaincode import keys
from chaincode.endorsement import Protection
from tests.effort import examples
from tests.unit.chaincode.peer import (
    A,
    B,
    C,
    Peer,
    commission,
    event,
    item,
    lot,
    make_lot,
    pack,
    pallet,
    party,
    place,
    receive,
    ship,
    unpack,
)  # fmt: skip
from tests.unit.chaincode.test_state_machine import ITEMS, LOTS, MSPS, PALLETS, Histories

THING = keys.thing(item(1))
BOTH = ["AMSP", "BMSP"]


def told() -> Peer:
    """An item and a lot of A; three organisations that have registered a party and a place."""
    peer = Peer()
    for number, msp in enumerate(MSPS, start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number)}, msp)
    peer.accept(commission(1, item(1)), make_lot(1, lot(1), 100))
    return peer


def protect(peer: Peer, *organisations: str, msp: str = "AMSP", **what: str) -> Any:
    """Protect an item, or what is named; returns the answer. A refusal leaves nothing."""
    before = dict(peer.state), dict(peer.policies)
    answer = peer.call("protect", {**(what or {"thing": item(1)}), "organisations": list(organisations)}, msp)
    if answer.status >= 400:
        assert (peer.state, peer.policies) == before
        assert (peer.last.writes, peer.last.policies) == ({}, {})
    return answer


def custody(peer: Peer, uri: str) -> dict[str, Any]:
    """Everything that records a thing's or lot's custody, by key."""
    found = {key: peer.get(key) for key in peer.state if key[1:3] in ("TH", "LT", "LB", "HA", "HX", "HO", "LU", "HP")}
    parts = [keys.key(*kind, uri) for kind in (["HA"], ["HX"], ["LU"], ["HP", "TH"], ["HP", "LT"])]
    parts += [keys.key("HP", kind, f"{uri}\n")[:-1] for kind in ("HA", "HX")]
    return {
        key: one
        for key, one in found.items()
        if uri in (one.get("id"), one.get("class"), one.get("item")) or key.startswith(tuple(parts))
    }


def check_protected(peer: Peer, uri: str, organisations: list[str], *, guardians: Sequence[str] = ()) -> None:
    """Every record names the endorsers and who can stand in for them, and every key demands just these."""
    records = custody(peer, uri)
    assert records
    for key, record in records.items():
        assert (record["endorsers"], record.get("guardians", [])) == (organisations, list(guardians)), key
        assert peer.policies[key] == Protection(tuple(organisations), tuple(guardians)).policy(), key


def test_its_maker_demands_that_others_agree() -> None:
    peer = told()
    answer = protect(peer, "BMSP", "AMSP")
    assert json.loads(answer.payload) == {"protected": [{"id": item(1), "endorsers": BOTH}]}
    check_protected(peer, item(1), BOTH)
    assert list(peer.policies) == [THING]  # nothing else


def test_its_history_and_handoffs_too_those_to_come_and_those_that_were() -> None:
    peer = told()
    peer.accept(ship(2, item(1), document="D1"))
    peer.accept(receive(3, item(1), document="D1"), msp="BMSP")
    protect(peer, *BOTH, msp="BMSP")
    assert {key[1:3] for key in peer.policies} == {"TH", "HO"}
    peer.accept(ship(4, item(1), site=B, to=C), msp="BMSP")
    peer.accept(receive(5, item(1), site=C), msp="CMSP")
    assert len([key for key in peer.policies if key[1:3] == "HO"]) == 2
    for hour in range(6, 40):
        peer.accept(event("ObjectEvent", hour, "inspecting", C, action="OBSERVE", epcList=[item(1)]), msp="CMSP")
    assert any(key[1:3] == "HP" for key in peer.policies)  # the older parts of its history
    check_protected(peer, item(1), BOTH)


def test_a_lots_balances_claims_and_handoffs() -> None:
    peer = told()
    peer.accept(ship(2, lots={lot(1): 20}, document="D1"), ship(2.5, lots={lot(1): 1}, to=A))
    protect(peer, *BOTH, lot=lot(1))
    assert peer.last.round_trips <= 10  # however many consignees there are
    peer.accept(ship(3, lots={lot(1): 10}, to=C, document="D2"), make_lot(4, lot(1), 5))
    peer.accept(receive(5, lots={lot(1): 20}, document="D1"), msp="BMSP")
    peer.accept(receive(6, lots={lot(1): 10}, site=C, document="D1"), msp="CMSP")  # the wrong document
    assert {key[1:3] for key in peer.policies} == {"LT", "LB", "HA", "HX", "HO"}
    assert len([key for key in peer.policies if key[1:3] == "LB"]) == 3
    check_protected(peer, lot(1), BOTH)
    assert protect(peer, "AMSP", "CMSP", msp="BMSP", lot=lot(1)).status == 200
    check_protected(peer, lot(1), ["AMSP", "CMSP"])


def test_a_lot_belongs_to_who_made_it_and_not_to_who_spoke_of_it_first() -> None:
    peer = told()
    peer.accept(ship(2, lots={lot(2): 5}, site=B, to=A), msp="BMSP")
    for msp in MSPS:
        refused = protect(peer, msp, msp=msp, lot=lot(2))
        assert (refused.status, "nobody reported the making" in refused.message) == (403, True)
    peer.accept(make_lot(1, lot(2), 50))
    assert protect(peer, "BMSP", msp="BMSP", lot=lot(2)).status == 403
    assert protect(peer, "AMSP", lot=lot(2)).status == 200
    check_protected(peer, lot(2), ["AMSP"])


def test_what_is_not_protected_has_neither_field_nor_policy() -> None:
    peer = told()
    peer.accept(ship(2, item(1), lots={lot(1): 1}))
    assert peer.policies == {}
    assert not any("endorsers" in json.loads(value) for value in peer.state.values())


def test_an_event_costs_the_same_reads_with_protection_and_without() -> None:
    plain, protected = told(), told()
    protect(protected, "AMSP")
    for peer in (plain, protected):
        peer.accept(ship(2, item(1), document="D1"))
    assert plain.last.reads == protected.last.reads
    assert plain.last.round_trips == protected.last.round_trips


GRABS = {
    "a receipt that nobody announced": [receive(2, item(1))],
    "a shipment and its receipt": [ship(2, item(1), site=B, to=B), receive(3, item(1))],
    "packing it": [pack(2, pallet(2), item(1), site=B)],
    "packing and unpacking it": [pack(2, pallet(2), item(1), site=B), unpack(3, pallet(2), item(1), site=B)],
    "unpacking it from what it is not in": [commission(2, pallet(2), site=B), unpack(3, pallet(2), item(1), site=B)],
    "looking at it": [event("ObjectEvent", 2, "inspecting", B, action="OBSERVE", epcList=[item(1)])],
}


@pytest.mark.parametrize("statements", GRABS.values(), ids=GRABS.keys())
@pytest.mark.parametrize("made_first", [True, False])
def test_no_mention_gives_power_over_anothers_thing(statements: list[dict[str, Any]], *, made_first: bool) -> None:
    peer = told() if made_first else Peer()
    peer.capture(*statements, msp="BMSP")
    assert protect(peer, "BMSP", msp="BMSP").status == 403
    if not made_first:
        peer.accept(commission(1, item(1)))
    assert protect(peer, "BMSP", msp="BMSP").status == 403
    assert protect(peer, "AMSP").status == 200


def test_title_goes_with_a_handoff_that_both_sides_attest() -> None:
    peer = told()
    peer.accept(ship(2, item(1)))
    assert protect(peer, "BMSP", msp="BMSP").status == 403
    peer.accept(receive(3, item(1)), msp="BMSP")
    assert protect(peer, "AMSP").status == 403
    assert protect(peer, "BMSP", msp="BMSP").status == 200


def test_a_handoff_in_doubt_carries_no_title() -> None:
    peer = told()
    peer.accept(ship(2, item(1), to=B))
    peer.accept(receive(3, item(1), site=C), msp="CMSP")  # who was not the consignee
    assert peer.get(keys.thing(item(1)))["title"] == "AMSP"
    assert protect(peer, "CMSP", msp="CMSP").status == 403
    assert protect(peer, "AMSP").status == 200


def test_the_record_names_who_has_title() -> None:
    """Whoever reports last: the record says what the histories say."""
    statements = [("AMSP", ship(2, item(1))), ("BMSP", receive(3, item(1)))]
    for order in (statements, statements[::-1]):
        peer = told()
        for msp, statement in order:
            peer.accept(statement, msp=msp)
        assert peer.get(keys.thing(item(1)))["title"] == "BMSP"


def test_what_is_packed_by_its_owner_is_handed_over_with_what_it_is_in() -> None:
    """A pallet that only got a label, in a container: title to the item goes along, and stays when it is taken out."""
    peer = told()
    peer.accept(pack(2, pallet(1), item(1)), pack(2.5, pallet(2), pallet(1)), ship(3, pallet(2)))
    peer.accept(receive(4, pallet(2)), msp="BMSP")
    assert protect(peer, "AMSP").status == 403
    assert protect(peer, "BMSP", msp="BMSP").status == 200
    peer.accept(unpack(5, pallet(2), pallet(1), site=B), unpack(6, pallet(1), item(1), site=B), msp="BMSP")
    assert protect(peer, "BMSP", "AMSP", msp="BMSP").status == 200
    peer.accept(pack(7, pallet(3), item(1), site=B), ship(8, pallet(3), site=B, to=C), msp="BMSP")
    peer.accept(receive(9, pallet(3), site=C), unpack(10, pallet(3), item(1), site=C), msp="CMSP")
    assert protect(peer, "AMSP", "BMSP", "CMSP", msp="CMSP").status == 200
    check_protected(peer, item(1), MSPS)


def test_nobody_gets_title_to_what_a_stranger_says_was_packed() -> None:
    """B says that A's item is on a pallet, of B's or of A's, that goes to C."""
    peer = told()
    peer.accept(commission(1, pallet(1)))
    peer.accept(commission(1, pallet(2), site=B), msp="BMSP")
    peer.accept(pack(2, pallet(2), item(1), site=B), ship(3, pallet(2), site=B, to=C), msp="BMSP")
    peer.accept(receive(4, pallet(2), site=C), unpack(5, pallet(2), item(1), site=C), msp="CMSP")
    peer.accept(pack(6, pallet(1), item(1), site=B), msp="BMSP")
    peer.accept(ship(7, pallet(1), to=C))
    peer.accept(receive(8, pallet(1), site=C), msp="CMSP")
    for msp in ("BMSP", "CMSP"):
        assert protect(peer, msp, msp=msp).status == 403
    assert protect(peer, "AMSP").status == 200


def test_title_does_not_come_from_who_has_none() -> None:
    """Two that help one another to an item that is not theirs, before and after its maker speaks."""
    peer = told()
    peer.accept(ship(2, item(2), site=B, to=C), msp="BMSP")
    peer.accept(receive(3, item(2), site=C), msp="CMSP")
    assert protect(peer, "CMSP", msp="CMSP", thing=item(2)).status == 403
    peer.accept(commission(4, item(2)))
    assert protect(peer, "CMSP", msp="CMSP", thing=item(2)).status == 403
    assert protect(peer, "AMSP", thing=item(2)).status == 200


def test_a_say_ends_by_the_word_of_who_has_it_only() -> None:
    """Or else the next holder could drop the maker's."""
    peer = told()
    protect(peer, *BOTH)
    peer.accept(ship(2, item(1), to=C))
    peer.accept(receive(3, item(1), site=C), msp="CMSP")
    refused = protect(peer, "CMSP", msp="CMSP")
    assert (refused.status, "AMSP, BMSP must agree" in refused.message) == (403, True)
    assert protect(peer, "AMSP", "CMSP", msp="AMSP").status == 403  # B's is not A's to end
    assert protect(peer, "AMSP", "CMSP", msp="BMSP").status == 200  # who has a say passes it on
    assert protect(peer, "CMSP", msp="AMSP").status == 200
    check_protected(peer, item(1), ["CMSP"])
    assert protect(peer, "BMSP", msp="BMSP").status == 403  # no say, and no title
    assert protect(peer, msp="CMSP").status == 400  # it can be passed on, not taken off
    check_protected(peer, item(1), ["CMSP"])


def test_an_organisation_nobody_knows_would_lock_it_for_ever() -> None:
    peer = told()
    refused = protect(peer, "AMSP", "TypoMSP")
    assert (refused.status, "no party of TypoMSP is registered" in refused.message) == (404, True)
    unheard_of = Peer()
    unheard_of.accept(commission(1, item(1)))
    assert protect(unheard_of, "AMSP").status == 200  # who asks is known by asking


def test_the_same_again_writes_nothing() -> None:
    peer = told()
    protect(peer, *BOTH)
    assert protect(peer, "BMSP", "AMSP", "AMSP").status == 200
    assert peer.last.writes == {}


def test_several_at_once_all_or_none() -> None:
    peer = told()
    both = [{"thing": item(1), "organisations": ["AMSP"]}, {"lot": lot(1), "organisations": ["AMSP"]}]
    refused = peer.call("protect", [*both, {"thing": item(9), "organisations": ["AMSP"]}])
    assert (refused.status, refused.message) == (404, f"entry 2: there is no thing {item(9)}")
    assert peer.policies == {}
    assert peer.call("protect", both).status == 200
    check_protected(peer, item(1), ["AMSP"])
    check_protected(peer, lot(1), ["AMSP"])


@pytest.mark.parametrize(
    ("argument", "status"),
    [
        (b"{", 400),
        ([], 400),
        ({}, 400),
        ({"thing": item(1)}, 400),
        ({"thing": item(1), "lot": lot(1), "organisations": ["AMSP"]}, 400),
        ({"thing": item(1), "organisations": []}, 400),
        ({"thing": item(1), "organisations": "AMSP"}, 400),
        ({"thing": item(1), "organisations": [""]}, 400),
        ({"thing": item(1), "organisations": [1]}, 400),
        ({"thing": item(1), "organisations": [f"M{n}" for n in range(33)]}, 400),
        ({"thing": item(1), "organisations": ["AMSP"], "until": "tomorrow"}, 400),
        ({"thing": lot(1), "organisations": ["AMSP"]}, 404),
        ({"lot": item(1), "organisations": ["AMSP"]}, 404),
        ({"thing": 7, "organisations": ["AMSP"]}, 404),
        ({"lot": None, "organisations": ["AMSP"]}, 404),
    ],
)
def test_what_is_no_protection(argument: Any, status: int) -> None:
    peer = told()
    answer = peer.call("protect", argument)
    assert answer.status == status, answer.message
    assert peer.last.writes == {}


@pytest.mark.parametrize("role", ["scanner", "analyst", "auditor", "none"])
def test_only_admins_protect(role: str) -> None:
    peer = told()
    answer = peer.call("protect", {"thing": item(1), "organisations": ["AMSP"]}, role=role)
    assert (answer.status, peer.last.writes) == (403, {})


def test_a_pallet_without_protection_takes_what_is_in_it_along() -> None:
    """Packing is the change that was agreed to; the pallet's journey is the pallet's."""
    peer = told()
    peer.accept(pack(2, pallet(1), item(1)))
    protect(peer, "AMSP")
    peer.accept(ship(3, pallet(1)))
    assert keys.thing(item(1)) not in peer.last.writes
    assert peer.policies.keys() == {THING}


def test_its_end_keeps_it() -> None:
    peer = told()
    protect(peer, *BOTH)
    peer.accept(event("ObjectEvent", 2, "destroying", A, action="DELETE", epcList=[item(1)]))
    assert peer.get(THING)["status"] == "destroyed"
    check_protected(peer, item(1), BOTH)


class Protections(Histories):
    """The random histories of the contract's own test, and among them anybody protects anything."""

    @initialize()
    def nothing_yet(self) -> None:
        self.protected: dict[str, list[str]] = {}

    @rule(
        msp=st.sampled_from(MSPS),
        uri=st.sampled_from(ITEMS + PALLETS + LOTS),
        who=st.sets(st.sampled_from(MSPS), min_size=1),
    )
    def protect(self, msp: str, uri: str, who: set[str]) -> None:
        before = dict(self.peer.state)
        what = {"lot" if uri in LOTS else "thing": uri}
        answer = self.peer.call("protect", {**what, "organisations": sorted(who)}, msp)
        if answer.status == 200:
            assert set(self.protected.get(uri, ())) - who <= {msp}
            self.protected[uri] = sorted(who)
            changed = {key for key in self.peer.state if self.peer.state[key] != before[key]}
            assert changed <= custody(self.peer, uri).keys()

    @invariant()
    def no_protection_is_ever_lost_and_nothing_else_is_protected(self) -> None:
        demanded: dict[str, bytes] = {}
        for uri, organisations in self.protected.items():
            check_protected(self.peer, uri, organisations, guardians=MSPS)
            wanted = Protection(tuple(organisations), tuple(MSPS)).policy()
            demanded |= dict.fromkeys(custody(self.peer, uri), wanted)
        assert self.peer.policies == demanded

    def teardown(self) -> None:
        """No verdict depends on it: without protection the same statements leave the same."""
        other = Peer()
        other.state = {key: value for key, value in self.peer.state.items() if key[1:3] in ("CF", "PY", "PL")}
        for msp, statement in self.spoken:
            other.accept(statement, msp=msp)
        assert _plain(self.peer) == _plain(other)


def _plain(peer: Peer) -> dict[str, Any]:
    records = {key: json.loads(value) for key, value in peer.state.items()}
    return {
        key: {name: one[name] for name in one if name not in ("endorsers", "guardians")} for key, one in records.items()
    }


Protections.TestCase.settings = settings(max_examples=examples(15), stateful_step_count=25, deadline=None)
TestProtections = Protections.TestCase
