"""An answer says only what is out of the ordinary, and a verdict for each event can be read from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaincode.answers import rejected, verdicts_of
from chaincode.rejection import Rejection
from epcis import parse_event
from tests.unit.chaincode.peer import Peer, commission, item, party

WRONG = {**commission(3, item(3)), "epcList": ["https://id.gs1.org/01/09506000134353/21/1"]}


def answered(peer: Peer, *events: dict[str, Any], on_error: str = "proceed") -> dict[str, Any]:
    """The contract's answer for one group."""
    call = peer.call("capture", {"groups": [{"id": "g", "onError": on_error, "events": list(events)}]})
    (group,) = json.loads(call.payload)["groups"]
    found: dict[str, Any] = group
    return found


def test_nothing_but_the_hash_is_said_of_what_was_accepted() -> None:
    said = [commission(1, item(1)), commission(2, item(2))]
    group = answered(Peer(), *said)
    hashes = [parse_event(one).hash for one in said]
    assert group["verdicts"] == []
    assert [f"ni:///sha-256;{digits}?ver=CBV2.0" for digits in group["events"]] == hashes
    assert verdicts_of(group) == [{"event": one, "verdict": "accepted"} for one in hashes]


@pytest.mark.parametrize("number", range(3))
def test_what_differs_is_listed_with_its_place(number: int) -> None:
    peer = Peer()
    peer.accept(commission(9, item(9)))
    said = [commission(1, item(1)), commission(2, item(2))]
    said.insert(number, commission(9, item(9)))
    group = answered(peer, *said)
    assert group["verdicts"] == [{"n": number, "verdict": "duplicate"}]
    words = [one["verdict"] for one in verdicts_of(group)]
    assert words == ["duplicate" if n == number else "accepted" for n in range(3)]


def test_in_a_group_that_was_rolled_back_the_others_were_rejected_for_that() -> None:
    peer = Peer()
    peer.accept(commission(9, item(9)))
    group = answered(
        peer, commission(1, item(1)), WRONG, commission(9, item(9)), {"type": "Thing"}, on_error="rollback"
    )
    assert not group["committed"]
    found = verdicts_of(group)
    assert [(one["verdict"], one.get("code")) for one in found] == [
        ("rejected", "rolled_back"),
        ("rejected", "check_digit"),
        ("duplicate", None),
        ("rejected", "uri"),
    ]
    assert found[0]["detail"].startswith("another event")
    assert found[1]["field"] == "/epcList/0"
    assert [bool(one["event"]) for one in found] == [True, True, True, False]


def test_the_answer_of_an_older_contract_is_a_list_of_all() -> None:
    whole = [{"event": "ni:///sha-256;00?ver=CBV2.0", "verdict": "accepted"}]
    assert verdicts_of({"id": "g", "committed": True, "verdicts": whole}) == whole


def test_a_rejection_says_whom_it_concerns_each_once_and_none_without_a_name() -> None:
    whole = Rejection(
        "ended",
        "too late",
        "epcList",
        item=item(1),
        parties=[party(2), None, party(1), party(2)],
        organisations=["AMSP"],
    )
    assert rejected(4, whole) == {
        "n": 4,
        "verdict": "rejected",
        "code": "ended",
        "detail": "too late",
        "field": "epcList",
        "item": item(1),
        "parties": (party(1), party(2)),
        "organisations": ("AMSP",),
    }
    assert rejected(0, Rejection("future", "not yet")).keys() == {"n", "verdict", "code", "detail"}
