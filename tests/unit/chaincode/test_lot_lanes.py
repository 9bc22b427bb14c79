"""Handoffs of lots: which acceptance belongs to which release, what it costs, and what is too late."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from chaincode import keys
from chaincode.lots import filling, lane
from tests.unit.chaincode.lot_model import Statement
from tests.unit.chaincode.peer import A, B, C, Peer, event, lot, make_lot, quantities, receive, ship
from tests.unit.chaincode.telling import declared_wrong
from tests.unit.chaincode.test_lot_model import expected, registered, state_of, take_back, visible

LANE = keys.claims(lot(1), B[1])


def stocked(policy: str = "flag") -> Peer:
    peer = registered()
    peer.call("configure", {"custodyPolicy": policy})
    peer.accept(make_lot(0, lot(1), 1_000_000))
    return peer


def statuses(peer: Peer) -> Any:
    return Counter(one["status"] for one in peer.all("HO"))


def balance(peer: Peer, site: tuple[str, str]) -> Any:
    return sum((Decimal(one["quantity"]) for one in peer.all("LB") if one["place"] == site[0]), Decimal(0))


def accepted(hour: float, amount: Any, document: str | None = None, **more: Any) -> dict[str, Any]:
    return {**receive(hour, lots={lot(1): amount}, document=document, **more), "bizStep": "accepting"}


def taken_back(hour: float, amount: Any = None, document: str | None = None) -> dict[str, Any]:
    made = {**ship(hour, lots={lot(1): amount or 1}, document=document), "bizStep": "void_shipping"}
    return made if amount else {**made, "quantityList": [{"epcClass": lot(1)}]}


def test_nothing_is_forgotten() -> None:
    """Two releases, of which one acceptance answers more than one: after hundreds of rounds as after the first."""
    peer, hour = stocked(), 1.0
    for number in range(300):
        peer.accept(ship(hour, lots={lot(1): 10}), ship(hour + 0.1, lots={lot(1): 10}))
        peer.accept(receive(hour + 0.2, lots={lot(1): 15}), receive(hour + 0.3, lots={lot(1): 5}), msp="BMSP")
        hour += 1
        if number in (0, 15, 16, 17, 100, 299):
            assert peer.open_exceptions() == []
            assert statuses(peer) == {"complete": 2 * (number + 1)}
    assert balance(peer, B) == 6_000
    assert {tuple(one["faults"]) for one in peer.all("HO")} == {()}


def cost(peer: Peer) -> tuple[int, int, int]:
    writes = peer.last.writes.values()
    return len(peer.last.reads), len(writes), sum(len(value or b"") for value in writes)


FLOWS = ["never received", "never received, with documents", "all received", "all received, with documents",
         "a shortage at first", "never announced", "one order for all", "one despatch advice for all"]  # fmt: skip


def step(peer: Peer, flow: str, number: int) -> None:
    hour, document = 1 + number * 0.01, f"D{number}" if "documents" in flow else None
    if flow == "one order for all":
        released = ship(hour, lots={lot(1): 10})
        order = [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9506000000018:P"}]
        peer.accept({**released, "bizTransactionList": order})
    elif flow != "never announced":
        peer.accept(ship(hour, lots={lot(1): 10}, document="D" if "advice" in flow else document))
    if flow.startswith("never received"):
        return
    amount = 9 if flow == "a shortage at first" and number == 0 else 10
    peer.accept(
        receive(hour + 0.005, lots={lot(1): amount}, document="D" if "advice" in flow else document), msp="BMSP"
    )


@pytest.mark.parametrize("flow", FLOWS)
def test_an_event_costs_what_the_first_ones_did(flow: str) -> None:
    peer, costs = stocked(), []
    for number in range(400):
        step(peer, flow, number)
        costs.append(cost(peer))
    early, late = costs[50:150], costs[300:]
    for which in range(3):
        assert max(one[which] for one in late) <= 1.25 * max(one[which] for one in early) + 2
        assert sum(one[which] for one in late) / len(late) <= 1.25 * sum(one[which] for one in early) / len(early) + 1
    assert len(peer.state.get(LANE, b"")) < 2_500


def test_who_never_reports_may_report_at_last() -> None:
    """In the order of their own reports, each before nearly all releases; and with the documents of the first ones."""
    peer = stocked()
    for number in range(600):
        peer.accept(ship(1 + number, lots={lot(1): 10}, document=f"D{number}" if number % 2 else None))
    peer.accept(receive(1.5, lots={lot(1): 10}), msp="BMSP")
    assert len(peer.last.writes) < 10
    peer.accept(receive(700, lots={lot(1): 10}, document="D1"), msp="BMSP")
    assert len(peer.last.writes) < 10
    assert statuses(peer) == {"complete": 2, "released": 598}
    peer.accept(receive(701, lots={lot(1): 5_980}), msp="BMSP")
    assert statuses(peer) == {"complete": 600}


def test_what_would_match_too_much_anew_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MOST_AGAIN", 20)
    peer = stocked()
    for number in range(30):
        peer.accept(ship(2 + number, lots={lot(1): 10}))
        peer.accept(receive(2.5 + number, lots={lot(1): 10}), msp="BMSP")
    assert peer.refuse(ship(1, lots={lot(1): 10})) == "too_late"
    peer.accept(ship(20.25, lots={lot(1): 10}), ship(1, lots={lot(1): 7}, document="D1", to=C))


def test_the_oldest_are_filled_first_but_for_one_of_just_the_size() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}), ship(2, lots={lot(1): 20}), ship(3, lots={lot(1): 30}))
    peer.accept(receive(4, lots={lot(1): 20}), msp="BMSP")
    assert [one["released"] for one in peer.all("HO") if one["status"] == "complete"] == ["20"]
    peer.accept(receive(5, lots={lot(1): 25}), msp="BMSP")
    found = sorted((one["released"], one["accepted"], one["status"]) for one in peer.all("HO"))
    assert found == [("10", "10", "complete"), ("20", "20", "complete"), ("30", "15", "disputed")]
    assert peer.open_exceptions() == ["shortage"]


@pytest.mark.parametrize(("later", "kinds"), [(23.9, []), (24, []), (24.1, ["unannounced"]), (200, ["unannounced"])])
def test_a_release_may_be_dated_a_day_after_its_acceptance(later: float, kinds: list[str]) -> None:
    peer = stocked()
    peer.accept(receive(1, lots={lot(1): 10}), msp="BMSP")
    assert peer.open_exceptions() == ["unannounced"]
    peer.accept(ship(1 + later, lots={lot(1): 10}))
    assert peer.open_exceptions() == kinds
    assert len(peer.all("HO")) == 1 + len(kinds)


def test_under_a_document_no_time_is_too_late() -> None:
    peer = stocked()
    peer.accept(receive(1, lots={lot(1): 10}, document="D1"), msp="BMSP")
    peer.accept(ship(1_000, lots={lot(1): 10}, document="D1"))
    assert statuses(peer) == {"complete": 1}


@pytest.mark.parametrize("document", [None, "D1"])
@pytest.mark.parametrize("parts", [(10,), (6, 4), (6,), (12,)])
def test_accepting_what_was_received_counts_once(document: str | None, parts: tuple[int, ...]) -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}, document=document))
    peer.accept(receive(2, lots={lot(1): 10}, document=document), msp="BMSP")
    for number, part in enumerate(parts):
        peer.accept(accepted(3 + number, part, document), msp="BMSP")
    more = max(0, sum(parts) - 10)
    assert balance(peer, B) == 10 + more
    assert peer.open_exceptions() == (["overage" if document else "unannounced"] if more else [])
    complete = [one for one in peer.all("HO") if one["status"] == "complete"]
    if not more:
        (handoff,) = complete
        assert len(handoff["acceptEvents"]) == 1 + len(parts)


def test_accepting_stands_for_receiving_where_nobody_received() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}))
    peer.accept(accepted(3, 10), msp="BMSP")
    assert (balance(peer, B), statuses(peer)) == (10, {"complete": 1})


def test_two_receipts_and_two_acceptances() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}), ship(2, lots={lot(1): 10}))
    for statement in (receive(3, lots={lot(1): 10}), accepted(4, 10), receive(5, lots={lot(1): 10}), accepted(6, 10)):
        peer.accept(statement, msp="BMSP")
    assert (balance(peer, B), statuses(peer)) == (20, {"complete": 2})


@pytest.mark.parametrize("document", [None, "D1"])
def test_a_damaged_acceptance_of_what_was_received_is_told(document: str | None) -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}, document=document))
    said = accepted(3, 10, document, disposition="damaged")
    peer.accept(receive(2, lots={lot(1): 10}, document=document), said, msp="BMSP")
    assert peer.open_exceptions() == ["damaged"]
    peer.accept(declared_wrong(said, 500), msp="BMSP")
    assert peer.open_exceptions() == []


@pytest.mark.parametrize("document", [None, "D1"])
@pytest.mark.parametrize(("amount", "left"), [(4, 6), (10, 0), (None, 0), (12, 0)])
def test_a_shipping_is_taken_back_in_part_or_whole(document: str | None, amount: int | None, left: int) -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}, document=document), taken_back(2, amount, document))
    assert balance(peer, A) == 1_000_000 - left
    (handoff,) = peer.all("HO")
    assert (handoff["status"], handoff["released"]) == (("released", "6") if left else ("void", None))
    assert peer.open_exceptions() == []


def test_what_was_taken_back_cannot_be_accepted() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}), taken_back(2))
    peer.accept(receive(3, lots={lot(1): 10}), msp="BMSP")
    assert peer.open_exceptions() == ["unannounced"]


@pytest.mark.parametrize("when", [2, 4], ids=["before", "after"])
def test_taking_back_what_was_accepted_under_the_document_is_contested(when: float) -> None:
    peer, said = stocked(), taken_back(when, None, "D1")
    peer.accept(ship(1, lots={lot(1): 10}, document="D1"), said)
    peer.accept(receive(3, lots={lot(1): 10}, document="D1"), msp="BMSP")
    assert (peer.open_exceptions(), balance(peer, A), balance(peer, B)) == (["taken_back"], 999_990, 10)
    peer.accept(declared_wrong(said, 500))
    assert (peer.open_exceptions(), statuses(peer)) == ([], {"complete": 1})


def test_only_ones_own_shipping_is_taken_back() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}))
    foreign = {**ship(2, lots={lot(1): 10}, site=C), "bizStep": "void_shipping"}
    peer.accept(foreign, msp="CMSP")
    assert (statuses(peer), balance(peer, C)) == ({"released": 1}, 0)


def test_a_strangers_release_under_the_document_is_a_handoff_of_its_own() -> None:
    peer = stocked()
    peer.accept(ship(1, lots={lot(1): 10}, document="D1"))
    peer.accept(ship(0.5, lots={lot(1): 5}, document="D1", site=C), msp="CMSP")
    said = receive(2, lots={lot(1): 10}, document="D1")
    said["sourceList"] = [{"type": "owning_party", "source": A[1]}]
    peer.accept(said, msp="BMSP")
    found = {one["from"]: (one["status"], one["released"], one["accepted"]) for one in peer.all("HO")}
    assert found == {A[1]: ("complete", "10", "10"), C[1]: ("released", "5", None)}


def test_a_quantity_that_was_corrected() -> None:
    """50 shipped was declared wrong, 40 is right, and 40 arrived."""
    for order in ((0, 1, 2, 3), (0, 2, 1, 3), (3, 0, 1, 2), (2, 3, 0, 1), (3, 2, 0, 1)):
        wrong = ship(2, lots={lot(1): 50}, document="D1")
        said = [
            ("AMSP", wrong),
            ("AMSP", declared_wrong(wrong, 500)),
            ("AMSP", ship(2, lots={lot(1): 40}, document="D1")),
            ("BMSP", receive(4, lots={lot(1): 40}, document="D1")),
        ]
        peer = registered()
        peer.accept(make_lot(1, lot(1), 100))
        for number in order:
            peer.accept(said[number][1], msp=said[number][0])
        (handoff,) = peer.all("HO")
        assert (handoff["status"], handoff["released"], handoff["accepted"]) == ("complete", "40", "40")
        assert (balance(peer, A), balance(peer, B), peer.open_exceptions()) == (60, 40, [])


def test_a_consignee_that_was_corrected() -> None:
    wrong = ship(2, lots={lot(1): 10}, to=C, document="D1")
    peer = stocked()
    peer.accept(wrong)
    peer.accept(receive(3, lots={lot(1): 10}, document="D1"), msp="BMSP")
    assert peer.open_exceptions() == ["unannounced", "wrong_consignee"]
    peer.accept(declared_wrong(wrong, 500), ship(2, lots={lot(1): 10}, document="D1"))
    assert (peer.open_exceptions(), statuses(peer)) == ([], {"complete": 1})


def test_ten_thousand_leftovers_of_one_document_cost_no_more_than_few() -> None:
    """An order with so many shipments of one product, none of which anybody has received."""
    peer, costs = stocked(), []
    for number in range(400):
        peer.accept(ship(1 + number * 0.01, lots={lot(number + 2): 1}, document="D1"))
        costs.append(cost(peer))
    assert max(costs[300:])[0] <= max(costs[20:120])[0] + 2
    peer.accept(receive(50, lots={lot(1_000): 1}, document="D1"), msp="BMSP")
    assert {"wrong_lot", "unannounced"} <= set(peer.open_exceptions())


def test_a_lot_whose_making_nobody_reported_is_not_counted_under_enforce() -> None:
    peer = stocked("enforce")
    peer.accept(ship(2, lots={lot(7): 10}))
    assert {"overdrawn", "uncommissioned"} <= set(peer.open_exceptions())
    assert peer.refuse(ship(2, lots={lot(1): 1_000_001})) == "insufficient_quantity"


def test_the_making_of_a_lot_that_was_declared_wrong() -> None:
    made = make_lot(1, lot(2), 10)
    peer = registered()
    peer.accept(ship(2, lots={lot(2): 4}), made)
    assert peer.open_exceptions() == []
    peer.accept(declared_wrong(made, 500))
    assert peer.open_exceptions() == ["overdrawn", "uncommissioned"]
    header = peer.get(keys.lot(lot(2)))
    assert (header["commissioned"], header["created"][11:13]) == (False, "02")
    peer.accept(make_lot(1.5, lot(2), 10))
    assert peer.open_exceptions() == []
    assert peer.get(keys.lot(lot(2)))["commissioned"]


def test_a_lot_made_in_ten_thousand_parts_has_a_small_header() -> None:
    peer = registered()
    for number in range(500):
        peer.accept(make_lot(1 + number * 0.01, lot(1), 1))
    assert len(peer.state[keys.lot(lot(1))]) < 5_000
    assert len(peer.last.writes) <= 5
    assert peer.get(keys.lot(lot(1)))["created"] == "2025-03-01T01:00:00.000000Z"


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)], ids=str)
def test_what_is_in_nobodys_name_is_its_holders(order: tuple[int, ...]) -> None:
    """Made where nobody is registered, shipped by a party that is named: in whatever order."""
    nobody = event("ObjectEvent", 3, "retail_selling", A, action="OBSERVE", quantityList=quantities({lot(1): 5}))
    said = [make_lot(1, lot(1), 100), ship(2, lots={lot(1): 40}), nobody]
    peer = Peer()
    for number in order:
        peer.accept(said[number])
    held = {(one["holder"], one["place"]): one["quantity"] for one in peer.all("LB")}
    assert held == {(A[1], A[0]): "55"}
    peer.accept(declared_wrong(said[1], 500))
    held = {(one["holder"], one["place"]): one["quantity"] for one in peer.all("LB")}
    assert held == {(None, A[0]): "95"}
    assert not [key for key in peer.state if key[1:3] == "LU"]


def _random_story(dice: random.Random) -> list[Statement]:
    kinds = ["ship", "ship", "ship", "receive", "receive", "accept", "void"]
    said = []
    for number in range(14):
        kind = dice.choice(kinds)
        releasing = kind in ("ship", "void")
        documents = dice.choice([(), (), (("desadv", "D1"),), (("desadv", "D2"),), (("po", "P1"),)])
        msp = dice.choice(["AMSP", "AMSP", "CMSP"]) if releasing else "BMSP"
        amount, to = dice.choice([5, 10, 10, 15]), "BMSP" if releasing else None
        sender = None if releasing else dice.choice([None, "AMSP"])
        said.append(Statement(kind, 1 + number * 0.1, msp, amount, to=to, documents=documents, sender=sender))
    return said


@pytest.mark.parametrize("seed", range(60))
def test_what_is_looked_at_is_a_function_of_the_set_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With so few that are looked at that it matters: any order, and taking back, end the same."""
    monkeypatch.setattr(filling, "LOOK", 2)
    monkeypatch.setattr(lane, "LOOK", 2)
    dice = random.Random(seed)
    said = _random_story(dice)
    wrong = said[-5:]
    outcomes = []
    for number in range(4):
        dice.shuffle(said)
        peer = registered()
        for one in said if number else [one for one in said if one not in wrong]:
            peer.accept(one.event(), msp=one.msp)
        for one in wrong if number else []:
            take_back(peer, one)
        outcomes.append(visible(state_of(peer)))
    assert outcomes[0] == outcomes[1] == outcomes[2] == outcomes[3]


@pytest.mark.parametrize("kind", ["receive", "void"])
def test_a_release_that_never_was_is_not_looked_at(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer looks at two releases. Once the one that nothing met is declared wrong, it looks at one more."""
    monkeypatch.setattr(filling, "LOOK", 2)
    monkeypatch.setattr(lane, "LOOK", 2)
    other = "AMSP" if kind == "receive" else "CMSP"
    wrong = Statement("ship", 2.5, other, 30, to="BMSP")
    said = [
        Statement("ship", 1, "AMSP", 20 if kind == "receive" else 10, to="BMSP"),
        Statement("ship", 3, other, 10, to="BMSP"),
        Statement(kind, 4, "BMSP" if kind == "receive" else "AMSP", 10, to=None if kind == "receive" else "BMSP"),
    ]
    never, once = registered(), registered()
    for one in said:
        never.accept(one.event(), msp=one.msp)
    for one in [wrong, *said]:
        once.accept(one.event(), msp=one.msp)
    assert visible(state_of(once)) != visible(state_of(never))
    take_back(once, wrong)
    assert state_of(once) == state_of(never)


_D1 = (("desadv", "D1"),)
STORIES = {
    "an acceptance that confirms is undone before its receipt": [
        Statement("receive", 60, "BMSP", 20, sender="AMSP"),
        Statement("accept", 90, "BMSP", 20),
        Statement("receive", 28, "BMSP", 20, documents=_D1),
    ],
    "a late release comes before one that was met ahead of its time": [
        Statement("receive", 4, "BMSP", 15),
        Statement("ship", 22, "AMSP", 5, to="BMSP"),
        Statement("ship", 14, "AMSP", 15, to="BMSP"),
    ],
    "also where nothing waits any more": [
        Statement("receive", 4, "BMSP", 5),
        Statement("ship", 22, "AMSP", 5, to="BMSP"),
        Statement("ship", 14, "AMSP", 15, to="BMSP"),
    ],
    "and what still waits takes that first": [
        Statement("receive", 12, "BMSP", 15),
        Statement("ship", 36, "AMSP", 5, to="BMSP"),
        Statement("ship", 3, "AMSP", 5, to="BMSP", documents=(("desadv", "D2"),)),
        Statement("ship", 23, "AMSP", 10, to="BMSP", documents=(("desadv", "D3"), ("po", "P1"))),
    ],
    "a release that has grown is given back what was taken": [
        Statement("ship", 3, "AMSP", 15, to="BMSP", documents=_D1),
        Statement("ship", 1, "AMSP", 10, to="BMSP", documents=_D1),
        Statement("void", 4, "AMSP", 15, to="BMSP"),
        Statement("ship", 1, "AMSP", 5, to="BMSP", documents=_D1),
        Statement("receive", 1, "BMSP", 15),
    ],
    "a release grows that the last receipt, not a confirmation, has used up": [
        Statement("accept", 27, "BMSP", 10, sender="AMSP"),
        Statement("ship", 2, "AMSP", 15, to="BMSP", documents=_D1),
        Statement("receive", 1, "BMSP", 5),
        Statement("receive", 21, "BMSP", 10),
        Statement("ship", 27, "AMSP", 15, to="BMSP"),
        Statement("ship", 8, "AMSP", 5, to="BMSP", documents=_D1),
        Statement("receive", 5, "BMSP", 10, sender="AMSP"),
        Statement("ship", 16, "AMSP", 10, to="BMSP", documents=_D1),
    ],
}


@pytest.mark.parametrize("story", sorted(STORIES))
def test_orders_that_were_told_wrong_once(story: str) -> None:
    peer, told = registered(), list[Statement]()
    for one in STORIES[story]:
        peer.accept(one.event(), msp=one.msp)
        told.append(one)
        assert state_of(peer) == expected(told)


def test_the_model_and_the_contract_agree_on_the_worked_example() -> None:
    said = [
        Statement("make", 0, "AMSP", 500),
        Statement("ship", 1, "AMSP", 120, to="BMSP"),
        Statement("receive", 2, "BMSP", 110),
    ]
    peer = registered()
    for one in said:
        peer.accept(one.event(), msp=one.msp)
    assert state_of(peer) == expected(said)
    assert peer.open_exceptions() == ["shortage"]
