"""Batches: a verdict for each event, groups that stand or fall together, and the same on every peer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chaincode import keys
from chaincode.answers import verdicts_of
from chaincode.contract import Lotline
from epcis import parse_event
from tests.unit.chaincode.peer import NOW, Call, Peer, commission, item, pack, pallet, ship

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
    assert peer.last.writes == {}
    assert [one["verdict"] for one in peer.capture(good, BAD, last)] == ["accepted", "rejected", "accepted"]


def test_groups_do_not_share_their_fate() -> None:
    peer = Peer()
    groups = [
        {"id": "a", "onError": "rollback", "events": [commission(1, item(1)), BAD]},
        {"id": "b", "onError": "rollback", "events": [commission(1, item(1))]},
    ]
    answer = json.loads(peer.call("capture", {"groups": groups}).payload)["groups"]
    assert [(one["id"], one["committed"]) for one in answer] == [("a", False), ("b", True)]
    assert verdicts(verdicts_of(answer[1])) == ["accepted"]  # what was rolled back left no trace


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


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_utc_does_not_have_is_refused_and_nothing_else_with_it(time: str) -> None:
    told = Peer().capture({**commission(1, item(1)), "eventTime": time}, commission(1, item(2)))
    assert [(one["verdict"], one.get("code"), one.get("field")) for one in told] == [
        ("rejected", "date_time", "/eventTime"),
        ("accepted", None, None),
    ]


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
        b'{"groups": [{"id": "a", "onError": "ignore", "events": []}]}', b"\xff\xfe", b"[" * 5000,
        b'{"groups": {"a": []}}', b'{"groups": "abc"}', b'{"groups": [3]}', b'{"groups": [null]}',
        b'{"groups": [["a"]]}', b'{"groups": [{"events": []}]}', b'{"groups": [{"id": "a", "events": "abc"}]}',
        b'{"groups": [{"id": "a", "events": {"b": 1}}]}', b'{"groups": [{"id": "a", "onError": null, "events": []}]}',
    ],
)  # fmt: skip
def test_batches_that_are_none(batch: bytes) -> None:
    peer = Peer()
    answer = peer.call("capture", batch)
    assert answer.status == 400
    assert "onError" in answer.message  # says what a batch is
    assert peer.last.writes == {}


def test_one_malformed_group_refuses_the_whole_batch() -> None:
    peer = Peer()
    answer = peer.call("capture", {"groups": [{"id": "a", "events": [commission(1, item(1))]}, {"id": "b"}]})
    assert answer.status == 400
    assert peer.last.writes == {}


@pytest.mark.parametrize("creator", [b"", b"\xff\xff", b"\x0a\x04AMSP"])
def test_a_submitter_that_cannot_be_read_is_refused(creator: bytes) -> None:
    call = Call({}, "capture", b'{"groups": []}', creator, NOW)
    assert Lotline().invoke(call).status == 403
    assert call.writes == {}


@pytest.mark.parametrize(
    "broken",
    [
        None, 3, [], {}, {"type": "ObjectEvent"}, {**commission(1, item(1)), "action": "ERASE"},
        {**commission(1, item(1)), "eventTime": "yesterday"}, {**commission(1, item(1)), "epcList": [["a"]]},
        {**commission(1, item(2)), "example:deep": json.loads("[" * 400 + "]" * 400)},
    ],
)  # fmt: skip
def test_events_that_are_none_are_rejected_by_themselves(broken: Any) -> None:
    peer = Peer()
    answer = peer.capture(broken, commission(1, item(1)))
    assert [one["verdict"] for one in answer] == ["rejected", "accepted"]
    assert answer[0]["code"]
    assert answer[0]["detail"]
