"""Lots against the slow model: whatever is said, in whatever order, and taken back again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from chaincode import keys, lots
from chaincode.context import Context
from chaincode.facts import Fact, fact_of
from epcis import parse_value
from tests.effort import examples
from tests.unit.chaincode.lot_model import Statement, World
from tests.unit.chaincode.peer import Call, Peer, at, party, place

MSPS = ["AMSP", "BMSP", "CMSP"]
DOCUMENTS: list[tuple[tuple[str, str], ...]] = [
    (),
    (),
    (("desadv", "D1"),),
    (("desadv", "D2"),),
    (("po", "P1"),),
    (("desadv", "D1"), ("po", "P1")),
    (("desadv", "D3"), ("po", "P1")),
]


def registered() -> Peer:
    peer = Peer()
    peer.call("configure", {"admins": MSPS})
    for number, msp in enumerate(MSPS, start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number), "name": msp}, msp)
    return peer


def take_back(peer: Peer, said: Statement) -> None:
    """What a declaration of error does to quantities."""
    call = Call(peer.state, "", None, peer.creator(said.msp, "admin"), peer.now)
    context = Context(call)
    fact = fact_of(parse_value(said.event()))
    fact.party = peer.get(keys.event(fact.hex))["party"]
    wrong = {"declarationTime": at(1_000), "reason": "did_not_occur"}
    declaration = fact_of(parse_value({**said.event(), "errorDeclaration": wrong}))
    for element in [*fact.event.quantity_list, *fact.event.child_quantity_list]:
        _function(said, fact)(context, fact, element, retracted_by=declaration)
    context.state.flush()
    peer._commit(call)


def _function(said: Statement, fact: Fact) -> Callable[..., None]:
    if said.kind in ("pack", "unpack"):
        does = lots.pack if said.kind == "pack" else lots.unpack

        def loose(context: Context, fact: Fact, element: Any, *, retracted_by: Fact) -> None:
            assert fact.event.parent_id is not None
            does(context, fact, fact.event.parent_id, element, retracted_by=retracted_by)

        return loose
    return {"make": lots.make, "sell": lots.use}.get(said.kind, lots.hand_over)


def state_of(peer: Peer) -> dict[str, Any]:
    handoffs = sorted(
        (
            (
                one["item"], one["from"], one["to"], one["status"], one["released"], one["accepted"],
                one["releasedAt"], one["acceptedAt"], tuple(one["faults"]),
            )
            for one in peer.all("HO")
            if one["kind"] == "lot"
        ),
        key=str,
    )  # fmt: skip
    loose = {
        tuple(key[1:-1].split("\x00")[1:]): Decimal(peer.get(key)["quantity"])
        for key in peer.state
        if key.startswith(keys.key("IQ"))
    }
    balances = {(one["class"], one["holder"], one["place"]): Decimal(one["quantity"]) for one in peer.all("LB")}
    lots_only = [one for one in peer.all("EX") if one["status"] == "open" and "/10/" in one["item"]]
    opened = sorted(one["kind"] for one in lots_only)
    return {"balances": balances, "loose": loose, "handoffs": handoffs, "open": opened}


def visible(found: dict[str, Any]) -> dict[str, Any]:
    """Without balances of nothing: the first version left them, and one is left while somebody speaks of it."""
    return {**found, "balances": {key: amount for key, amount in found["balances"].items() if amount}}


def expected(statements: list[Statement]) -> dict[str, Any]:
    world = World(statements)
    return {"balances": world.balances, "loose": world.loose, "handoffs": world.handoffs, "open": world.open}


AMOUNTS = st.sampled_from([10, 10, 10, 5, 15, 2.5, None])


@st.composite
def statements(draw: st.DrawFn, most: int = 12) -> list[Statement]:
    """What organisations say of two lots. Hours repeat, and some are more than a day apart."""
    said = []
    kinds = st.sampled_from(["make", "sell", "pack", "unpack"] + 4 * ["ship", "receive"] + 2 * ["accept", "void"])
    for _ in range(draw(st.integers(2, most))):
        kind = draw(kinds)
        msp = "AMSP" if kind == "make" else draw(st.sampled_from(MSPS))
        handing = kind in ("ship", "receive", "accept", "void")
        said.append(
            Statement(
                kind,
                draw(st.sampled_from([1, 2, 3, 4, 5, 6, 20, 26, 28, 60, 90])),
                msp,
                draw(AMOUNTS),
                of=draw(st.sampled_from([1, 1, 1, 2])),
                to=draw(st.sampled_from(["BMSP", "BMSP", "CMSP", None])) if kind in ("ship", "void") else None,
                documents=draw(st.sampled_from(DOCUMENTS)) if handing else (),
                sender=draw(st.sampled_from([None, None, "AMSP", "CMSP"])) if kind in ("receive", "accept") else None,
                damaged=kind == "receive" and draw(st.integers(0, 5)) == 0,
            )
        )
    return list(dict.fromkeys(said))


@settings(max_examples=examples(60), deadline=None)
@given(said=statements(), data=st.data())
def test_any_order_and_any_taking_back(said: list[Statement], data: st.DataObject) -> None:
    """Each statement is captured; some are taken back after that, at any time."""
    wrong = data.draw(st.lists(st.sampled_from(said), max_size=4, unique=True))
    steps = data.draw(st.permutations([(one, False) for one in said] + [(one, True) for one in wrong]))
    peer, there, later = registered(), list[Statement](), list[Statement]()
    for one, is_taken_back in steps:
        if not is_taken_back:
            peer.accept(one.event(), msp=one.msp)
            there.append(one)
            if one in later:
                take_back(peer, one)
                there.remove(one)
        elif one in there:
            take_back(peer, one)
            there.remove(one)
        else:
            later.append(one)
        assert state_of(peer) == expected(there)
    for one in there:
        take_back(peer, one)
    left = {key[1:3] for key in peer.state} & {"HX", "HA", "HD", "HO", "HP", "IL", "IQ", "LT", "LB", "LU"}
    assert left <= {"LT"}, (
        "nothing is left of what nobody says any more but that lots were named more often than is kept"
    )
    if all(sum(one.of == number for one in said) <= 4 for number in (1, 2)):
        assert not left
        assert state_of(peer)["open"] == []
