"""An organisation that leaves locks nothing for ever: who can stand in for it, and how administrators strike it out."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import pytest

from chaincode import keys
from chaincode.endorsement import Protection
from fabric.words.membership import Member, Membership
from fabric.words.policies import signature_policy
from tests.unit.chaincode.peer import Peer, commission, item, lot, make_lot, party, place, ship
from tests.unit.chaincode.test_protection import check_protected, protect, told
from tests.unit.fabric.forge import Authority

FIVE = ["AMSP", "BMSP", "CMSP", "DMSP", "EMSP"]


@cache
def peer_of(msp: str) -> tuple[bytes, Member]:
    """A peer's serialised identity, and who that is."""
    authority = Authority(msp)
    creator = authority.issue("peer0", "peer").creator
    return creator, Membership({msp: [authority.root]}).member(creator)


def enough(policy: bytes) -> set[frozenset[str]]:
    """The smallest sets of five organisations whose peers are enough."""
    wanted = signature_policy(policy)
    sets = [frozenset(some) for count in range(6) for some in itertools.combinations(FIVE, count)]
    met = [some for some in sets if wanted.met_by(dict(map(peer_of, some)))]
    return {some for some in met if not any(other < some for other in met)}


def administered(*admins: str) -> Peer:
    """An item and a lot of A; three organisations in the registry."""
    peer = told()
    assert peer.call("configure", {"admins": list(admins)}, admins[0]).status == 200
    return peer


def release(peer: Peer, organisation: str, msp: str = "CMSP", role: str = "admin", **what: str) -> Any:
    return peer.call("release", {**(what or {"thing": item(1)}), "organisation": organisation}, msp, role)


def test_the_endorsers_or_a_majority_of_the_administrators() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    protect(peer, "AMSP", "BMSP")
    check_protected(peer, item(1), ["AMSP", "BMSP"], guardians=["CMSP", "DMSP", "EMSP"])
    assert enough(peer.policies[keys.thing(item(1))]) == {
        frozenset({"AMSP", "BMSP"}), frozenset({"CMSP", "DMSP"}), frozenset({"CMSP", "EMSP"}), frozenset({"DMSP", "EMSP"}),
    }  # fmt: skip


def test_of_few_administrators_no_majority_is_left_so_everybody_registered_is_one() -> None:
    """One alone could otherwise change what three must agree to."""
    peer = administered("CMSP")
    protect(peer, "BMSP")
    check_protected(peer, item(1), ["BMSP"], guardians=["AMSP", "BMSP", "CMSP"])
    assert enough(peer.policies[keys.thing(item(1))]) == {
        frozenset({"BMSP"}), frozenset({"AMSP", "CMSP"}),
    }  # fmt: skip


def test_where_nobody_administers_nobody_stands_in_until_somebody_does() -> None:
    peer = told()
    protect(peer, "BMSP")
    check_protected(peer, item(1), ["BMSP"])
    peer.call("configure", {"admins": ["CMSP", "DMSP", "EMSP"]}, "CMSP")
    peer.accept(ship(2, item(1), document="D1"))  # the next change brings it up to date
    check_protected(peer, item(1), ["BMSP"], guardians=["CMSP", "DMSP", "EMSP"])


def test_new_administrators_stand_in_with_the_next_change() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    protect(peer, "BMSP")
    peer.call("configure", {"admins": ["AMSP", "CMSP", "EMSP"]}, "CMSP")
    assert peer.get(keys.thing(item(1)))["guardians"] == ["CMSP", "DMSP", "EMSP"]
    peer.accept(ship(2, item(1)))
    assert peer.get(keys.thing(item(1)))["guardians"] == ["AMSP", "CMSP", "EMSP"]
    check_protected(peer, item(1), ["BMSP"], guardians=["AMSP", "CMSP", "EMSP"])


def test_administrators_strike_out_who_has_left() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    protect(peer, "AMSP", "BMSP")
    protect(peer, "BMSP", lot=lot(1))
    answer = release(peer, "BMSP")
    assert json.loads(answer.payload) == {"released": [{"id": item(1), "endorsers": ["AMSP"]}]}
    check_protected(peer, item(1), ["AMSP"], guardians=["CMSP", "DMSP", "EMSP"])
    assert release(peer, "BMSP", lot=lot(1)).status == 200
    check_protected(peer, lot(1), [], guardians=["CMSP", "DMSP", "EMSP"])  # a key keeps a policy for ever
    assert enough(peer.policies[keys.lot(lot(1))]) == {
        frozenset({"CMSP", "DMSP"}), frozenset({"CMSP", "EMSP"}), frozenset({"DMSP", "EMSP"}),
    }  # fmt: skip
    peer.accept(make_lot(3, lot(1), 5))
    assert protect(peer, "AMSP", lot=lot(1)).status == 200  # whose it is begins anew
    check_protected(peer, lot(1), ["AMSP"], guardians=["CMSP", "DMSP", "EMSP"])


def test_who_has_left_does_not_stand_in() -> None:
    peer = administered("BMSP", "CMSP")
    protect(peer, "AMSP", "BMSP")
    release(peer, "BMSP")
    check_protected(peer, item(1), ["AMSP"], guardians=["AMSP", "CMSP"])


def test_only_administrators_release_and_only_who_has_a_say() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    protect(peer, "AMSP", "BMSP")
    for msp in ("AMSP", "BMSP"):
        assert release(peer, "BMSP", msp).status == 403
    assert release(peer, "BMSP", role="scanner").status == 403
    assert release(peer, "EMSP").status == 404
    assert release(peer, "BMSP", thing=item(9)).status == 404
    bad: list[Any] = [{"thing": item(1)}, {"organisation": "BMSP"}, {"thing": item(1), "organisation": ["BMSP"]}, [], 7]
    for argument in bad:
        assert peer.call("release", argument, "CMSP").status == 400
    check_protected(peer, item(1), ["AMSP", "BMSP"], guardians=["CMSP", "DMSP", "EMSP"])


def test_no_administrator_protects_what_is_anothers() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    assert protect(peer, "CMSP", msp="CMSP").status == 403


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_however_many_administer_a_policy_stays_small(count: int) -> None:
    """Discovery on a peer weighs every majority."""
    names = [f"M{number:02d}" for number in range(count)]
    peer = told()
    peer.call("configure", {"admins": names}, names[0])
    protect(peer, "AMSP")
    assert 0 < len(peer.get(keys.thing(item(1)))["guardians"]) <= 7


def test_endorsers_that_are_a_majority_of_the_guardians_are_no_way_of_their_own() -> None:
    """A way that contains another makes Fabric's discovery lose the other."""
    both = Protection(("AMSP", "BMSP", "CMSP"), ("AMSP", "BMSP", "DMSP")).policy()
    assert both == Protection((), ("AMSP", "BMSP", "DMSP")).policy()
    assert Protection(("AMSP",), ("AMSP", "BMSP", "DMSP")).policy() != both


def test_what_an_organisation_had_registered_goes_to_who_goes_on() -> None:
    peer = administered("CMSP", "DMSP", "EMSP")
    assert peer.refuse(commission(1, item(5)), msp="BMSP") == "not_your_place"
    assert peer.call("reassign", {"id": party(1), "msp": "BMSP"}, "CMSP").status == 200
    peer.accept(commission(1, item(5)), msp="BMSP")
    assert peer.get(keys.place(place(1)))["msp"] == "BMSP"
