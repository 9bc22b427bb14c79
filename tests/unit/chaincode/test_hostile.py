"""Strangers say anything, in any order, about an organisation's goods, places and parties: it is never locked out of its own,
and they never get a say.

What they can do is said in docs/contract.md: whoever says first that they made something has made it, and that it ended has ended it; so
they say that here only of what is A's already where custody is enforced.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chaincode import keys
from tests.effort import examples
from tests.unit.chaincode.peer import (
    A,
    B,
    C,
    Peer,
    at,
    commission,
    event,
    item,
    lot,
    make_lot,
    observe,
    pack,
    pallet,
    party,
    place,
    quantities,
    receive,
    ship,
    unpack,
)  # fmt: skip

MADE, UNMADE = [item(1), item(2)], [item(3)]
PALLET, FOREIGN = pallet(1), pallet(2)
LOT, UNMADE_LOT = lot(1), lot(2)
THINGS = [*MADE, *UNMADE, PALLET, FOREIGN]
STORE = (place(4), party(4))
"""Registered by A before it makes a lot there: of what was made where nobody is registered, nobody knows whose it is."""
NOWHERE = (place(7), party(7))
strangers = st.sampled_from(["BMSP", "CMSP"])
uris = st.sampled_from(THINGS)
sites = st.sampled_from([A, B, C, STORE, NOWHERE])
hours = st.integers(1, 200).map(lambda quarter: quarter / 4)
Said = dict[str, Any]


def _shipped(hour: float, uri: str, site: Any, to: Any) -> Said:
    return ship(hour, uri, site=site, to=to)


def _received(hour: float, uri: str, site: Any, to: Any) -> Said:
    return receive(hour, uri, site=site)


def _packed(hour: float, uri: str, site: Any, to: Any) -> Said:
    return pack(hour, FOREIGN if uri != FOREIGN else PALLET, uri, site=site)


def _packed_into(hour: float, uri: str, site: Any, to: Any) -> Said:
    return pack(hour, uri, pallet(9), site=site, childQuantityList=quantities({LOT: 3}))


def _unpacked(hour: float, uri: str, site: Any, to: Any) -> Said:
    return unpack(hour, PALLET if uri != PALLET else FOREIGN, uri, site=site)


def _emptied(hour: float, uri: str, site: Any, to: Any) -> Said:
    return unpack(hour, uri, site=site)


def _looked_at(hour: float, uri: str, site: Any, to: Any) -> Said:
    return observe(hour, uri, site=site)


def _ended(hour: float, uri: str, site: Any, to: Any) -> Said:
    return event("ObjectEvent", hour, "destroying", site, action="DELETE", epcList=[uri])


def _used_up(hour: float, uri: str, site: Any, to: Any) -> Said:
    return event(
        "TransformationEvent", hour, None, site, inputEPCList=[uri], outputEPCList=[item(f"x{hour}{uri[-3:]}")]
    )


def _of_the_lot(hour: float, uri: str, site: Any, to: Any) -> Said:
    return ship(hour, site=site, to=to, lots={LOT: 50})


def _lot_received(hour: float, uri: str, site: Any, to: Any) -> Said:
    return receive(hour, site=site, lots={LOT: 70})


def _lot_used(hour: float, uri: str, site: Any, to: Any) -> Said:
    return event("ObjectEvent", hour, "destroying", site, action="DELETE", quantityList=quantities({LOT: 60}))


LIES = [
    _shipped, _received, _packed, _packed_into, _unpacked, _emptied, _looked_at, _of_the_lot, _lot_received, _lot_used,
]  # fmt: skip


class Strangers(RuleBasedStateMachine):
    """A makes two items and a pallet where it has registered nothing yet, and a lot at its store. D, E and F administer."""

    @initialize(policy=st.sampled_from(["flag", "enforce"]))
    def set_up(self, policy: str) -> None:
        self.peer, self.enforced = Peer(), policy == "enforce"
        self.peer.call("configure", {"custodyPolicy": policy, "admins": ["DMSP", "EMSP", "FMSP"]}, "DMSP")
        self.peer.call("registerParty", {"id": STORE[1], "name": "A"})
        self.peer.call("registerPlace", {"id": STORE[0], "party": STORE[1]})
        self.peer.accept(commission(20, *MADE), commission(20, PALLET), make_lot(20, LOT, 100, STORE))

    @rule(who=strangers, lie=st.sampled_from(LIES), hour=hours, uri=uris, site=sites, to=sites)
    def lie(self, who: str, lie: Any, hour: float, uri: str, site: Any, to: Any) -> None:
        self.peer.capture(lie(hour, uri, site, to), msp=who)

    @rule(who=strangers, lie=st.sampled_from(LIES), hour=hours, uri=uris, site=sites, to=sites)
    def lie_and_say_that_it_was_a_mistake(self, who: str, lie: Any, hour: float, uri: str, site: Any, to: Any) -> None:
        said = lie(hour, uri, site, to)
        declared = {**said, "errorDeclaration": {"declarationTime": at(300), "reason": "did_not_occur"}}
        self.peer.capture(said, declared, msp=who)

    @rule(
        who=strangers,
        lie=st.sampled_from([_ended, _used_up]),
        hour=hours,
        uri=st.sampled_from([*MADE, PALLET]),
        site=sites,
    )
    def say_that_it_ended(self, who: str, lie: Any, hour: float, uri: str, site: Any) -> None:
        if self.enforced:
            (verdict,) = self.peer.capture(lie(20.25 + hour, uri, site, None), msp=who)
            assert verdict["verdict"] == "rejected"

    @rule(who=strangers, number=st.integers(1, 3))
    def register(self, who: str, number: int) -> None:
        self.peer.call("registerParty", {"id": party(number), "name": who}, who)
        for uri in (place(number), place(number) + "/254/gate"):
            self.peer.call("registerPlace", {"id": uri, "party": party(number)}, who)

    @rule(who=strangers, uri=st.sampled_from([*THINGS, LOT]))
    def try_to_get_a_say(self, who: str, uri: str) -> None:
        what = {"lot" if uri == LOT else "thing": uri}
        answer = self.peer.call("protect", {**what, "organisations": [who]}, who)
        assert answer.status in ((403, 404) if uri != FOREIGN else (200, 403, 404)), (uri, answer.message)
        for function in ("release", "reassign"):
            assert self.peer.call(function, {**what, "organisation": "AMSP"}, who).status == 403

    @invariant()
    def nothing_was_registered_by_a_mention(self) -> None:
        records = self.peer.all("PY") + self.peer.all("PL")
        assert all("adopted" not in record for record in records)

    @rule(hour=st.sampled_from([22, 49.9, 90]))
    def its_owner_goes_on(self, hour: float) -> None:
        """On a copy: A's own things can be registered, made, protected, packed and shipped, whatever was said before."""
        peer = Peer()
        peer.state, peer.policies = dict(self.peer.state), dict(self.peer.policies)
        _claim(peer)
        for uri in (*MADE, PALLET):
            answer = peer.call("protect", {"thing": uri, "organisations": ["AMSP"]})
            assert answer.status == 200, answer.message
        assert peer.call("protect", {"lot": LOT, "organisations": ["AMSP"]}).status == 200
        assert peer.refuse(observe(hour, MADE[0], site=A), msp="BMSP") == "not_your_place"
        peer.accept(commission(hour, *UNMADE), make_lot(hour, UNMADE_LOT, 5, STORE))
        assert peer.call("protect", {"thing": UNMADE[0], "organisations": ["AMSP"]}).status == 200
        peer.accept(ship(hour + 0.01, MADE[0]), ship(hour + 0.01, UNMADE[0]), ship(hour + 0.02, PALLET))
        peer.accept(ship(hour + 0.03, site=STORE, lots={LOT: 10}))
        peer.accept(event("ObjectEvent", hour + 0.04, "destroying", A, action="DELETE", epcList=[MADE[1]]))
        assert peer.get(keys.thing(MADE[1]))["status"] == "destroyed"


def _claim(peer: Peer) -> None:
    """A registers its party and its place; what was squatted, an administrator gives back."""
    for function, uri, more in (
        ("registerParty", party(1), {"name": "A"}),
        ("registerPlace", place(1), {"party": party(1)}),
    ):
        answer = peer.call(function, {"id": uri, **more})
        if answer.status == 403:
            assert "belongs to" in answer.message
            assert peer.call("reassign", {"id": uri, "msp": "AMSP"}, "EMSP").status == 200
            answer = peer.call(function, {"id": uri, **more})
        assert answer.status == 200, answer.message


Strangers.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=15, deadline=None)
TestStrangers = Strangers.TestCase
