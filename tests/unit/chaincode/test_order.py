"""Whatever the order in which statements reach the ledger, the handoffs, balances and exceptions are the same."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from tests.effort import examples
from tests.unit.chaincode.peer import SITES as BY_MSP
from tests.unit.chaincode.peer import (
    A,
    B,
    Peer,
    commission,
    event,
    item,
    lot,
    make_lot,
    observe,
    party,
    place,
    receive,
    ship,
)
from tests.unit.chaincode.test_handoffs import final

MSPS = sorted(BY_MSP)
SITES = [BY_MSP[msp] for msp in MSPS]
Said = list[tuple[str, dict[str, Any]]]
ORGANISATIONS = st.integers(0, len(MSPS) - 1)
DOCUMENTS = st.sampled_from([None, "D1", "D2"])


def steps_of(*kinds: str) -> st.SearchStrategy[list[tuple[str, int, int, str | None]]]:
    """What is done, by whom, to whom, under which document."""
    step = st.tuples(st.sampled_from(kinds), ORGANISATIONS, ORGANISATIONS, DOCUMENTS)
    return st.lists(step, min_size=2, max_size=5)


STEPS = steps_of("ship", "receive")
INSTANCE_STEPS = steps_of("ship", "receive", "void", "observe")


def registered() -> Peer:
    peer = Peer()
    peer.call("configure", {"admins": MSPS})
    for number, msp in enumerate(MSPS, start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number), "name": msp}, msp)
    return peer


def outcome(said: Said) -> dict[str, Any]:
    """Without handoffs that are void: their numbers are left over where claims were matched anew."""
    peer = registered()
    for msp, statement in said:
        peer.accept(statement, msp=msp)
    found = final(peer)
    return {**found, "handoffs": [handoff for handoff in found["handoffs"] if "void" not in handoff]}


@settings(max_examples=examples(80), deadline=None)
@given(steps=INSTANCE_STEPS, was_made=st.booleans(), data=st.data())
def test_instances(steps: list[tuple[str, int, int, str | None]], was_made: bool, data: st.DataObject) -> None:
    said: Said = [("AMSP", commission(1, item(1)))] if was_made else []
    for hour, (step, who, to, document) in enumerate(steps, start=2):
        site = SITES[who]
        if step == "ship":
            statement = ship(hour, item(1), site=site, to=SITES[to], document=document)
        elif step == "receive":
            statement = receive(hour, item(1), site=site, document=document)
        elif step == "void":
            statement = event("ObjectEvent", hour, "void_shipping", site, action="OBSERVE", epcList=[item(1)])
        else:
            statement = observe(hour, item(1), site=site)
        said.append((MSPS[who], statement))
    assert outcome(data.draw(st.permutations(said))) == outcome(said)


@settings(max_examples=examples(40), deadline=None)
@given(steps=STEPS, data=st.data())
def test_lots(steps: list[tuple[str, int, int, str | None]], data: st.DataObject) -> None:
    said: Said = []
    for hour, (step, who, to, document) in enumerate(steps, start=2):
        amount = {lot(1): 10 * hour}
        if step == "ship":
            statement = ship(hour, site=SITES[who], to=SITES[to], document=document, lots=amount)
        else:
            statement = receive(hour, site=SITES[who], document=document, lots=amount)
        said.append((MSPS[who], statement))
    beginning: Said = [("AMSP", make_lot(1, lot(1), 100))]
    assert outcome(beginning + data.draw(st.permutations(said))) == outcome(beginning + said)


def test_a_release_without_document_frees_what_was_received_under_one() -> None:
    """The late release takes the receipt's partner away, which is then a leftover of its document."""
    said: Said = [
        ("AMSP", ship(3, site=A, to=B, document="D1", lots={lot(1): 20})),
        ("AMSP", receive(4, site=A, document="D1", lots={lot(1): 30})),
        ("AMSP", ship(2, site=A, to=A, lots={lot(1): 10})),
    ]
    beginning: Said = [("AMSP", make_lot(1, lot(1), 100))]
    assert outcome(beginning + said) == outcome(beginning + said[::-1])


def test_a_contradiction_stays_when_its_handoff_takes_the_number_of_another() -> None:
    """The earlier receipt is told last: it becomes the first handoff, and the one known as the first the second."""
    said: Said = [
        ("AMSP", ship(4, site=A, to=A, document="D1", lots={lot(1): 30})),
        ("AMSP", ship(5, site=A, to=A, document="D2", lots={lot(1): 40})),
        ("BMSP", receive(3, document="D2", lots={lot(1): 20})),
        ("BMSP", receive(2, document="D1", lots={lot(1): 10})),
    ]
    beginning: Said = [("AMSP", make_lot(1, lot(1), 100))]
    found = outcome(beginning + said)
    assert found == outcome(beginning + said[::-1])
    assert found["open"].count("wrong_consignee") == 2
