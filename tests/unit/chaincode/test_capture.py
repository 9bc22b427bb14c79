"""Batches: a verdict for each event, groups that stand or fall together, and the same on every peer."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from epcis import parse_event
from tests.unit.chaincode.peer import NOW, Peer, commission, event, item, lot, make_lot, pack, pallet, ship

BAD = commission(2, "https://id.gs1.org/01/09506000134350/21/1")  # a wrong check digit


def verdicts(answer: list[dict[str, Any]]) -> list[str]:
    return [one.get("code", one["verdict"]) for one in answer]


def test_the_same_event_twice_is_one() -> None:
    peer = Peer()
    made = commission(1, item(1))
    assert verdicts(peer.capture(made, made)) == ["accepted", "duplicate"]
    assert verdicts(peer.capture(made, msp="BMSP")) == ["duplicate"]
    assert len(peer.all("EV")) == 1


def test_rollback_keeps_nothing_and_proceed_keeps_the_rest() -> None:
    peer = Peer()
    good, last = commission(1, item(1)), commission(3, item(3))
    answer = peer.capture(good, BAD, last, on_error="rollback")
    assert [one["verdict"] for one in answer] == ["rejected"] * 3
    assert answer[0]["code"] == answer[2]["code"] == "rolled_back"
    assert answer[1]["field"] == "/epcList/0"
    assert peer.state == {}
    assert [one["verdict"] for one in peer.capture(good, BAD, last)] == ["accepted", "rejected", "accepted"]


def test_groups_do_not_share_their_fate() -> None:
    peer = Peer()
    groups = [
        {"id": "a", "onError": "rollback", "events": [commission(1, item(1)), BAD]},
        {"id": "b", "onError": "rollback", "events": [commission(1, item(1))]},
    ]
    answer = json.loads(peer.call("capture", {"groups": groups}).payload)["groups"]
    assert [(one["id"], one["committed"]) for one in answer] == [("a", False), ("b", True)]
    assert answer[1]["verdicts"][0]["verdict"] == "accepted"  # what was rolled back left no trace


def test_an_event_of_the_same_batch_is_seen_by_the_next() -> None:
    peer = Peer()
    peer.accept(commission(1, item(1)), pack(2, pallet(1), item(1)), ship(3, pallet(1)))
    assert peer.get(keys.thing(item(1)))["parent"] == pallet(1)


def test_the_future_is_refused_beyond_the_clocks_tolerance() -> None:
    peer = Peer()
    soon, later = (NOW + timedelta(seconds=s) for s in (299, 301))
    base = commission(1, item(1))
    assert peer.refuse({**base, "eventTime": later.isoformat()}) == "future"
    assert verdicts(peer.capture({**base, "eventTime": soon.isoformat()})) == ["accepted"]


def test_an_event_id_names_one_event() -> None:
    peer = Peer()
    peer.accept({**commission(1, item(1)), "eventID": "urn:uuid:1"})
    assert peer.refuse({**commission(1, item(2)), "eventID": "urn:uuid:1"}) == "event_id_reused"
    assert verdicts(peer.capture({**commission(1, item(1)), "eventID": "urn:uuid:1"})) == ["duplicate"]


def test_an_error_declaration_is_a_statement_of_its_own() -> None:
    peer = Peer()
    made = commission(1, item(1))
    peer.accept(made)
    declared = {**made, "errorDeclaration": {"declarationTime": "2025-05-31T10:00:00Z", "reason": "incorrect_data"}}
    answer = peer.capture(declared)
    assert answer[0]["verdict"] == "accepted"
    assert answer[0]["event"] != parse_event(made).hash
    (record,) = [one for one in peer.all("EV") if "declares" in one]
    assert record["declares"] == parse_event(made).hash
    assert verdicts(peer.capture(declared)) == ["duplicate"]


@pytest.mark.parametrize("role", ["analyst", "auditor", "none"])
def test_only_scanners_and_admins_capture(role: str) -> None:
    answer = Peer().call("capture", {"groups": []}, role=role)
    assert (answer.status, "admin or scanner" in answer.message) == (403, True)


@pytest.mark.parametrize(
    "batch",
    [
        b"", b"{", b"[]", b'"x"', b"{}", b'{"groups": 3}', b'{"groups": [{}]}', b'{"groups": [{"id": "a"}]}',
        b'{"groups": [{"id": "a", "onError": "ignore", "events": []}]}', b"\xff\xfe",
    ],
)  # fmt: skip
def test_batches_that_are_none(batch: bytes) -> None:
    peer = Peer()
    assert peer.call("capture", batch).status == 400
    assert peer.state == {}


@pytest.mark.parametrize(
    "broken",
    [
        None, 3, [], {}, {"type": "ObjectEvent"}, {**commission(1, item(1)), "action": "ERASE"},
        {**commission(1, item(1)), "eventTime": "yesterday"}, {**commission(1, item(1)), "epcList": [["a"]]},
    ],
)  # fmt: skip
def test_events_that_are_none_are_rejected_by_themselves(broken: Any) -> None:
    peer = Peer()
    answer = peer.capture(broken, commission(1, item(1)))
    assert [one["verdict"] for one in answer] == ["rejected", "accepted"]
    assert answer[0]["code"]
    assert answer[0]["detail"]


def test_lookup_by_hash_uri_and_digest() -> None:
    peer = Peer()
    made = commission(1, item(1))
    peer.accept(made)
    hash_ = parse_event(made).hash
    digest = hash_.split(";")[1].split("?")[0]
    for name in (hash_, digest):
        assert json.loads(peer.call("event", name.encode()).payload)["hash"] == hash_


STORY = [
    commission(1, *(item(n) for n in range(20))),
    make_lot(1, lot(1), 100),
    pack(2, pallet(1), *(item(n) for n in range(20))),
    ship(3, pallet(1)),
    event("ObjectEvent", 4, "inspecting", action="OBSERVE", epcList=[pallet(1)]),
]


def replay() -> str:
    """The state and answer of a story, as text."""
    peer = Peer()
    answer = peer.capture(*STORY)
    state = {key: value.decode() for key, value in peer.state.items()}
    return json.dumps([answer, list(state.items())])


def test_peers_agree_whatever_their_hash_seed() -> None:
    root = Path(__file__).resolve().parents[3]
    code = "from tests.unit.chaincode.test_capture import replay; print(replay())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    # submitters have certificates of their own in each process; nothing else may differ
    assert len({_without_submitters(run) for run in runs}) == 1


def _without_submitters(run: bytes) -> str:
    answer, state = json.loads(run)
    for entry in state:
        value = json.loads(entry[1])
        if isinstance(value, dict):
            value.pop("submitter", None)
        entry[1] = json.dumps(value)
    return json.dumps([answer, state])
