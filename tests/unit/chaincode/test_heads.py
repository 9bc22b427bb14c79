"""``heads``: where trails stand, and what is explicitly not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.chaincode.peer import A, Peer, commission, event, item, lot, pallet, quantities


def _ask(peer: Peer, **question: Any) -> Any:
    answer = peer.call("heads", {"nonce": "N", **question}, role="analyst")
    assert answer.status == 200, answer.message
    assert not peer.last.writes
    return json.loads(answer.payload)


def test_trails_records_and_absence() -> None:
    peer = Peer()
    peer.accept(commission(0, item(1)))
    made = event("ObjectEvent", 1, "commissioning", action="ADD", quantityList=quantities({lot("L"): 5}))
    peer.accept(made)
    peer.accept({**made, "eventTime": "2025-03-01T02:00:00.000Z"}, msp="AMSP")
    sold = event("ObjectEvent", 3, "inspecting", A, action="OBSERVE", quantityList=quantities({lot("L"): 1}))
    peer.capture(sold, msp="BMSP")
    answer = _ask(
        peer,
        things=[item(1), pallet(9)],
        classes=[lot("L"), lot("unheard-of")],
        records={"lot": [lot("L")], "handoff": ["x"]},
    )
    assert answer["things"][item(1)][0] == 1
    assert answer["things"][pallet(9)] is None
    assert sorted(trail[0] for trail in answer["classes"][lot("L")].values()) in ([1, 2], [2])
    assert answer["classes"][lot("unheard-of")] == {}
    assert answer["records"]["lot"][lot("L")]["id"] == lot("L")
    assert answer["records"]["handoff"] == {"x": None}


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nonce":1}',
        b'{"nonce":"N","things":"x"}',
        b'{"nonce":"N","things":[1]}',
        b'{"nonce":"N","things":[""]}',
        b'{"nonce":"N","things":["a\\u0000b"]}',
        b'{"nonce":"N","records":{"secrets":[]}}',
        b'{"nonce":"N","records":[]}',
        b'{"nonce":"N","more":1}',
        b'{"nonce":"N","classes":["\xf4\x8f\xbf\xbf"]}',
        json.dumps({"nonce": "N", "things": ["x"] * 20_001}).encode(),
    ],
)
def test_a_question_of_another_form_is_refused(question: bytes) -> None:
    answer = Peer().call("heads", question)
    assert answer.status == 400
    assert "heads takes" in answer.message or "at most" in answer.message
