"""Random histories against a slow, obvious model: no sequence of events breaks an invariant."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chaincode import keys
from tests.effort import examples
from tests.unit.chaincode.peer import (
    SITES,
    Peer,
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
)

MSPS = sorted(SITES)
ITEMS = [item(n) for n in range(4)]
PALLETS = [pallet(n) for n in range(3)]
LOTS = [lot(n) for n in range(2)]
ENDED = {"consumed", "destroyed", "decommissioned"}
msps = st.sampled_from(MSPS)
things = st.sampled_from(ITEMS + PALLETS)
lots = st.sampled_from(LOTS)
amounts = st.sampled_from([1, 2, 10, 0.1, 0.2, 12.5])


class Histories(RuleBasedStateMachine):
    """Any organisation says anything about anything, in any order; the clock goes on by an hour a statement."""

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.hour = 0.0
        self.made: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.ended: set[str] = set()
        self.spoken: list[tuple[str, dict[str, Any]]] = []

    @initialize(policy=st.sampled_from(["flag", "enforce"]))
    def set_up(self, policy: str) -> None:
        self.peer.call("configure", {"custodyPolicy": policy, "admins": MSPS})
        for number, msp in enumerate(MSPS, start=1):
            self.peer.call("registerParty", {"id": party(number), "name": msp}, msp)
            self.peer.call("registerPlace", {"id": place(number), "party": party(number), "name": msp}, msp)

    def say(self, msp: str, statement: dict[str, Any]) -> bool:
        """Capture; True if it was accepted. A refusal must leave no trace, a second telling must change nothing."""
        before = dict(self.peer.state)
        (verdict,) = self.peer.capture(statement, msp=msp)
        if verdict["verdict"] != "accepted":
            assert self.peer.state == before
            return False
        after = dict(self.peer.state)
        (again,) = self.peer.capture(statement, msp=msp)
        assert again["verdict"] == "duplicate"
        assert self.peer.state == after
        self.spoken.append((msp, statement))
        return True

    def next_hour(self) -> float:
        self.hour += 1
        return self.hour

    @rule(msp=msps, uri=st.sampled_from(ITEMS))
    def begin(self, msp: str, uri: str) -> None:
        already = self.peer.get(keys.thing(uri))
        accepted = self.say(msp, commission(self.next_hour(), uri, site=SITES[msp]))
        assert accepted == (already is None or not already["commissioned"])

    @rule(msp=msps, parent=st.sampled_from(PALLETS), child=things)
    def put_in(self, msp: str, parent: str, child: str) -> None:
        self.say(msp, pack(self.next_hour(), parent, child, site=SITES[msp]))

    @rule(msp=msps, parent=st.sampled_from(PALLETS), child=st.none() | things)
    def take_out(self, msp: str, parent: str, child: str | None) -> None:
        children = [] if child is None else [child]
        self.say(msp, unpack(self.next_hour(), parent, *children, site=SITES[msp]))

    @rule(msp=msps, uri=things)
    def look(self, msp: str, uri: str) -> None:
        self.say(msp, observe(self.next_hour(), uri, site=SITES[msp]))

    @rule(msp=msps, to=msps, uri=things)
    def release(self, msp: str, to: str, uri: str) -> None:
        self.say(msp, ship(self.next_hour(), uri, site=SITES[msp], to=SITES[to]))

    @rule(msp=msps, uri=things)
    def accept(self, msp: str, uri: str) -> None:
        self.say(msp, receive(self.next_hour(), uri, site=SITES[msp]))

    @rule(msp=msps, to=msps, uris=st.lists(things, min_size=2, max_size=3, unique=True))
    def release_together(self, msp: str, to: str, uris: list[str]) -> None:
        self.say(msp, ship(self.next_hour(), *uris, site=SITES[msp], to=SITES[to]))

    @rule(msp=msps, uris=st.lists(things, min_size=2, max_size=3, unique=True))
    def accept_together(self, msp: str, uris: list[str]) -> None:
        self.say(msp, receive(self.next_hour(), *uris, site=SITES[msp]))

    @rule(msp=msps, uri=things)
    def destroy(self, msp: str, uri: str) -> None:
        hour = self.next_hour()
        end = event("ObjectEvent", hour, "destroying", SITES[msp], action="DELETE", epcList=[uri])
        if self.say(msp, end) and self.peer.get(keys.thing(uri))["ended"][3]:
            self.ended.add(uri)

    @rule(uri=lots, amount=amounts)
    def make(self, uri: str, amount: float) -> None:
        if self.say("AMSP", make_lot(self.next_hour(), uri, amount, site=SITES["AMSP"])):
            self.made[uri] += Decimal(str(amount))

    @rule(msp=msps, uri=lots, amount=amounts)
    def sell(self, msp: str, uri: str, amount: float) -> None:
        statement = event("ObjectEvent", self.next_hour(), "retail_selling", SITES[msp], action="OBSERVE")
        if self.say(msp, {**statement, "quantityList": quantities({uri: amount})}):
            self.made[uri] -= Decimal(str(amount))

    @rule(msp=msps, to=msps, uri=lots, amount=amounts, document=st.sampled_from([None, "D1", "D2"]))
    def release_some(self, msp: str, to: str, uri: str, amount: float, document: str | None) -> None:
        hour = self.next_hour()
        if self.say(msp, ship(hour, site=SITES[msp], to=SITES[to], lots={uri: amount}, document=document)):
            self.made[uri] -= Decimal(str(amount))

    @rule(msp=msps, uri=lots, amount=amounts, document=st.sampled_from([None, "D1", "D2"]))
    def accept_some(self, msp: str, uri: str, amount: float, document: str | None) -> None:
        if self.say(msp, receive(self.next_hour(), site=SITES[msp], lots={uri: amount}, document=document)):
            self.made[uri] += Decimal(str(amount))

    @rule(msp=msps, parent=st.sampled_from(PALLETS), uri=lots, amount=amounts)
    def put_some_in(self, msp: str, parent: str, uri: str, amount: float) -> None:
        loose = {"childQuantityList": quantities({uri: amount})}
        self.say(msp, pack(self.next_hour(), parent, site=SITES[msp], **loose))

    @rule(msp=msps, parent=st.sampled_from(PALLETS), uri=lots, amount=amounts)
    def take_some_out(self, msp: str, parent: str, uri: str, amount: float) -> None:
        """As much as is in there, or more: nobody has goods by it that were not made."""
        loose = {"childQuantityList": quantities({uri: amount})}
        self.say(msp, unpack(self.next_hour(), parent, site=SITES[msp], **loose))

    @invariant()
    def everything_has_one_holder(self) -> None:
        for thing in self.peer.all("TH"):
            packed = thing["parent"] is not None
            assert packed == (thing["holder"] is None)
            assert thing["msp"] in MSPS

    @invariant()
    def containment_is_a_forest_and_known_from_both_sides(self) -> None:
        parents = {thing["id"]: thing["parent"] for thing in self.peer.all("TH")}
        for start in parents:
            seen, at = set(), start
            while at is not None:
                assert at not in seen, f"{start} is in itself"
                seen.add(at)
                at = parents.get(at)
        listed = {tuple(key[1:-1].split("\x00")[1:]) for key in self.peer.state if key.startswith(keys.key("IN"))}
        assert listed == {(parent, child) for child, parent in parents.items() if parent is not None}

    @invariant()
    def quantities_add_up(self) -> None:
        there: defaultdict[str, Decimal] = defaultdict(Decimal)
        for balance in self.peer.all("LB"):
            there[balance["class"]] += Decimal(balance["quantity"])
            assert balance["overdrawn"] == (Decimal(balance["quantity"]) < 0)
        for key in self.peer.state:
            if key.startswith(keys.key("IQ")):
                amount = Decimal(self.peer.get(key)["quantity"])
                assert amount > 0
                there[key[1:-1].split("\x00")[2]] += amount
        for uri in LOTS:
            assert there[uri] == self.made[uri]

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        for uri in self.ended:
            assert self.peer.get(keys.thing(uri))["status"] in ENDED

    @invariant()
    def handoffs_and_exceptions_agree(self) -> None:
        handoffs = {handoff["id"]: handoff for handoff in self.peer.all("HO")}
        opened = defaultdict(set)
        for exception in self.peer.all("EX"):
            if exception["status"] == "open" and exception["kind"] != "damaged" and exception["handoff"] is not None:
                opened[exception["handoff"]].add(exception["kind"])
        for identifier, handoff in handoffs.items():
            assert set(handoff["faults"]) == opened[identifier]
            both = bool(handoff["releaseEvents"]) and bool(handoff["acceptEvents"])
            assert (handoff["status"] == "complete") <= both

    def teardown(self) -> None:
        """One statement a transaction, or all in one: the state is the same."""
        if not self.spoken or len({msp for msp, _ in self.spoken}) != 1:
            return
        msp = self.spoken[0][0]
        other = Peer()
        other.state = {key: value for key, value in self.peer.state.items() if key[1:3] in ("CF", "PY", "PL")}
        other.accept(*(statement for _, statement in self.spoken), msp=msp)
        ignored = keys.key("EV")[:3]
        mine = {key: value for key, value in self.peer.state.items() if not key.startswith(ignored)}
        assert {key: value for key, value in other.state.items() if not key.startswith(ignored)} == mine


Histories.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
TestHistories = Histories.TestCase
