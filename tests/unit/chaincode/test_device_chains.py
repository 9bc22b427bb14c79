"""The chain of what a device signed: nothing withheld, lost or cloned goes unseen, in whatever order it is uploaded."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode import keys
from chaincode.devices import id_of_key
from epcis import LOTLINE_NAMESPACE, parse_event
from epcis.signatures import succession
from tests.effort import examples
from tests.unit.chaincode.peer import NOW, Peer, commission, item, party, place
from tests.unit.chaincode.test_signatures import GS1, public

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
P256, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def raw_signature(key: Key, message: bytes) -> bytes:
    """As RFC 7518 and browsers write it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


@dataclass
class Reader:
    """A device that signs in a chain."""

    key: Key = P256
    id: str = ""
    counter: int = 0
    previous: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alg = "Ed25519" if isinstance(self.key, ed25519.Ed25519PrivateKey) else "ES256"
        self.id = self.id or id_of_key(self.alg, public(self.key))

    def entry(self, **more: Any) -> dict[str, Any]:
        said = {"id": self.id, "party": party(1), "algorithm": self.alg, "publicKey": public(self.key)}
        return {**said, "chained": True, **more}

    def sign(self, event: dict[str, Any], at: str = "2025-06-01T11:00:00.000Z", **changes: Any) -> dict[str, Any]:
        """The event with the next signature."""
        self.counter += 1
        name = parse_event(event).hash
        said = {"device": self.id, "alg": self.alg, "counter": self.counter, "previous": self.previous, "signedAt": at}
        said |= changes
        text = f"lotline-event/2\n{said['device']}\n{said['counter']}\n{said['previous'] or ''}\n{said['signedAt']}\n{name}"
        value = base64.b64encode(raw_signature(self.key, text.encode())).decode()
        self.previous = name
        signed = {
            **event,
            "@context": [GS1, {"lotline": LOTLINE_NAMESPACE}],
            "lotline:signature": {**said, "value": value},
        }
        self.events.append(signed)
        return signed


def enrolled(reader: Reader, **more: Any) -> Peer:
    peer = Peer()
    assert peer.call("registerDevice", reader.entry(**more)).status == 200
    return peer


def scans(count: int) -> Reader:
    """A device that signed so many events."""
    reader = Reader()
    for number in range(count):
        reader.sign(commission(1 + number / 100, item(number)))
    return reader


def open_about_devices(peer: Peer) -> list[str]:
    return sorted(
        one["kind"] for one in peer.all("EX") if one["status"] == "open" and one["kind"].startswith("device_")
    )


def chain(peer: Peer, reader: Reader) -> Any:
    return peer.get(keys.device_chain(reader.id))


@pytest.mark.parametrize("key", [P256, ed25519.Ed25519PrivateKey.generate()])
def test_what_a_browser_signs_is_taken(key: Key) -> None:
    reader = Reader(key)
    peer = enrolled(reader)
    peer.accept(reader.sign(commission(1, item(1))), reader.sign(commission(2, item(2))))
    assert (chain(peer, reader)["counter"], chain(peer, reader)["known"]) == (2, 2)
    assert open_about_devices(peer) == []


def test_base64url_is_taken_and_der_still() -> None:
    reader = Reader()
    peer = enrolled(reader)
    event = reader.sign(commission(1, item(1)))
    signature = event["lotline:signature"]
    signature["value"] = signature["value"].replace("+", "-").replace("/", "_").rstrip("=")
    peer.accept(event)
    event = reader.sign(commission(2, item(2)))
    said = event["lotline:signature"]
    text = f"lotline-event/2\n{reader.id}\n2\n{said['previous']}\n{said['signedAt']}\n{reader.previous}"
    said["value"] = base64.b64encode(P256.sign(text.encode(), ec.ECDSA(hashes.SHA256()))).decode()
    peer.accept(event)


@settings(max_examples=examples(25), deadline=None)
@given(st.data())
def test_any_order_any_grouping_any_repetition(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    reader = scans(count)
    arrived = data.draw(st.sets(st.integers(0, count - 1)))
    order = data.draw(st.permutations(sorted(arrived)))
    order += data.draw(st.lists(st.sampled_from(sorted(arrived)), max_size=3)) if arrived else []
    peer = enrolled(reader)
    while order:
        size = data.draw(st.integers(1, len(order)))
        batch, order = order[:size], order[size:]
        verdicts = peer.capture(*(reader.events[number] for number in batch))
        assert {verdict["verdict"] for verdict in verdicts} <= {"accepted", "duplicate"}
    missing = (max(arrived) + 1 - len(arrived)) if arrived else 0
    assert open_about_devices(peer) == (["device_gap"] if missing else [])
    if arrived:
        assert (chain(peer, reader)["counter"], chain(peer, reader)["known"]) == (max(arrived) + 1, len(arrived))
    if missing:
        (gap,) = (one for one in peer.all("EX") if one["kind"] == "device_gap")
        assert gap["detail"].startswith(f"{missing} event")
        rest = [reader.events[number] for number in range(count) if number not in arrived]
        peer.accept(*data.draw(st.permutations(rest)))
        assert open_about_devices(peer) == []


def test_a_cloned_key_is_seen_and_its_event_refused() -> None:
    reader = scans(2)
    clone = Reader()
    clone.sign(commission(1, item(0)))
    stolen = clone.sign(commission(5, item(50)))
    peer = enrolled(reader)
    peer.accept(*reader.events)
    (verdict,) = peer.capture(stolen)
    assert verdict["code"] == "device_fork"
    assert open_about_devices(peer) == ["device_fork"]
    (exception,) = (one for one in peer.all("EX") if one["kind"] == "device_fork")
    assert "cloned" in exception["detail"]
    assert peer.call("explainDevice", {"id": reader.id, "why": "the reader was restored from a copy"}).status == 200
    assert open_about_devices(peer) == []


@pytest.mark.parametrize("on_error", ["proceed", "rollback"])
def test_a_clone_further_on_is_seen_by_what_it_names(on_error: str) -> None:
    reader = scans(3)
    clone = Reader()
    clone.sign(commission(1, item(0)))
    clone.sign(commission(5, item(50)))
    later = clone.sign(commission(6, item(51)))
    peer = enrolled(reader)
    peer.accept(*reader.events[:2])
    (verdict,) = peer.capture(later, on_error=on_error)
    assert verdict["code"] == "device_fork"
    assert open_about_devices(peer) == ["device_fork"]
    peer.call("revokeDevice", {"id": reader.id, "since": "2025-06-01T11:30:00Z"})
    assert open_about_devices(peer) == []
    peer.accept(reader.events[2])


def test_two_in_one_place_of_one_upload() -> None:
    reader, clone = Reader(), Reader()
    peer = enrolled(reader)
    first, second = peer.capture(reader.sign(commission(1, item(1))), clone.sign(commission(2, item(2))))
    assert (first["verdict"], second.get("code")) == ("accepted", "device_fork")
    assert open_about_devices(peer) == ["device_fork"]


def test_a_replay_is_seen() -> None:
    reader = Reader()
    event = commission(1, item(1))
    peer = enrolled(reader)
    peer.accept(reader.sign(event))
    again, more = reader.sign(event), reader.sign(commission(2, item(2)))
    (verdict,) = peer.capture(again)
    assert verdict["verdict"] == "duplicate"
    assert open_about_devices(peer) == ["device_replay"]
    peer.accept(more)
    assert open_about_devices(peer) == ["device_replay"]  # ... and no gap
    peer.call("explainDevice", {"id": reader.id, "why": "two tabs"})
    assert open_about_devices(peer) == []


@pytest.mark.parametrize("on_error", ["proceed", "rollback"])
def test_an_event_that_is_refused_has_its_place(on_error: str) -> None:
    reader = Reader()
    peer = enrolled(reader)
    peer.capture(reader.sign(commission(9999, item(1))), on_error=on_error)  # far in the future
    bad = reader.sign(commission(1, item(2), site=(place(2), party(2))))
    peer.call("registerParty", {"id": party(2), "name": "B"}, "BMSP")
    peer.call("registerPlace", {"id": place(2), "party": party(2)}, "BMSP")
    peer.capture(bad, on_error=on_error)
    peer.accept(reader.sign(commission(2, item(3))))
    assert chain(peer, reader)["counter"] == 3
    assert (chain(peer, reader)["known"], open_about_devices(peer)) == (3, [])


def test_rolled_back_with_others_it_has_its_place_and_is_taken_later() -> None:
    reader = Reader()
    peer = enrolled(reader)
    good, bad = reader.sign(commission(1, item(1))), commission(1, "https://id.gs1.org/01/09506000134350/21/1")
    verdicts = peer.capture(good, bad, on_error="rollback")
    assert {verdict["verdict"] for verdict in verdicts} == {"rejected"}
    assert chain(peer, reader)["known"] == 1
    peer.accept(good)
    assert (chain(peer, reader)["known"], open_about_devices(peer)) == (1, [])


def test_what_is_lost_is_explained_and_may_come_after_all() -> None:
    reader = scans(4)
    peer = enrolled(reader)
    peer.accept(reader.events[0], reader.events[3])
    assert peer.call("explainDevice", {"id": reader.id}).status == 400
    assert peer.call("explainDevice", {"id": reader.id, "why": "x"}, "BMSP").status == 403
    assert peer.call("explainDevice", {"id": reader.id, "why": "its storage was cleared"}).status == 200
    assert open_about_devices(peer) == []
    (gap,) = (one for one in peer.all("EX") if one["kind"] == "device_gap")
    assert "its storage was cleared" in gap["detail"]
    peer.accept(reader.events[1])
    assert open_about_devices(peer) == []
    reader.sign(commission(3, item(40)))
    peer.accept(reader.sign(commission(3, item(41))))
    assert open_about_devices(peer) == ["device_gap"]
    peer.accept(reader.events[4])
    assert open_about_devices(peer) == []
    peer.accept(reader.events[2])
    assert open_about_devices(peer) == []


def test_the_signed_copy_of_an_event_captured_unsigned_is_kept() -> None:
    reader = Reader()
    event = commission(1, item(1))
    peer = enrolled(reader)
    peer.accept(event)
    signed = reader.sign(event)
    for _ in range(3):
        (verdict,) = peer.capture(signed)
        assert verdict["verdict"] == "duplicate"
    (about,) = peer.all("EA")
    assert about["signatures"] == [signed["lotline:signature"]]
    assert (chain(peer, reader)["known"], open_about_devices(peer)) == (1, [])
    forged = json.loads(json.dumps(signed))
    forged["lotline:signature"]["counter"] = 2
    assert peer.capture(forged)[0]["verdict"] == "duplicate"
    assert peer.all("EA") == [about]


@pytest.mark.parametrize(
    "change",
    [
        {"counter": 0}, {"counter": -1}, {"counter": True}, {"counter": 1.5}, {"counter": "1"}, {"counter": None}, {"counter": 2**53},
        {"counter": 10**30}, {"previous": "ni:///sha-256;00?ver=CBV2.0"}, {"previous": 3}, {"counter": 2}, {"signedAt": "yesterday"},
        {"signedAt": None}, {"signedAt": "2025-06-01T11:00:00"}, {"signedAt": 5}, {"signedAt": "2" * 100}, {"counter": 2, "previous": "x"},
    ],
)  # fmt: skip
def test_a_garbled_place_is_a_bad_signature(change: dict[str, Any]) -> None:
    reader = Reader()
    peer = enrolled(reader)
    assert peer.refuse(reader.sign(commission(1, item(1)), **change)) == "bad_signature"


def test_nothing_else_counts_as_its_signature() -> None:
    """Or a cloned key would sign without a counter, and not show."""
    reader = Reader()
    peer = enrolled(reader)
    event = commission(1, item(1))
    plain = {"device": reader.id, "alg": "ES256"}
    plain["value"] = base64.b64encode(raw_signature(P256, parse_event(event).hash.encode())).decode()
    assert (
        peer.refuse({**event, "@context": [GS1, {"lotline": LOTLINE_NAMESPACE}], "lotline:signature": plain})
        == "bad_signature"
    )


def test_every_part_of_the_place_is_signed() -> None:
    reader = scans(2)
    peer = enrolled(reader)
    for name, value in {
        "counter": 3,
        "previous": reader.previous,
        "signedAt": "2025-06-01T10:00:00Z",
        "device": "dock-9",
    }.items():
        event = json.loads(json.dumps(reader.events[1]))
        event["lotline:signature"][name] = value
        assert peer.refuse(event) in ("bad_signature", "unknown_device"), name


def test_revoked_with_a_moment_what_was_before_is_kept() -> None:
    reader = Reader()
    peer = enrolled(reader)
    peer.accept(reader.sign(commission(1, item(1)), at="2025-06-01T08:00:00Z"))
    before = [reader.sign(commission(2, item(n)), at="2025-06-01T09:00:00Z") for n in (2, 3)]
    after = reader.sign(commission(3, item(4)), at="2025-06-01T11:00:00Z")
    assert peer.call("revokeDevice", {"id": reader.id, "since": "2025-06-01T10:00:00Z", "why": "lost"}).status == 200
    verdicts = peer.capture(*before, after)
    assert [verdict.get("code", verdict["verdict"]) for verdict in verdicts] == [
        "accepted",
        "accepted",
        "device_revoked",
    ]
    flagged = [record for record in peer.all("EV") if "revoked_later" in record.get("flags", ())]
    assert len(flagged) == 2
    peer.now = NOW + timedelta(days=31)
    late = reader.sign(commission(4, item(5)), at="2025-06-01T09:30:00Z")
    assert peer.capture(late)[0]["code"] == "device_revoked"


def test_the_events_own_time_counts_too() -> None:
    """Who has the key signs any time."""
    reader = Reader()
    peer = enrolled(reader)
    peer.call("revokeDevice", {"id": reader.id, "since": "2025-03-01T00:30:00Z"})
    event = commission(1, item(1))
    assert parse_event(event).event_time.isoformat() > "2025-03-01T00:30"
    assert peer.capture(reader.sign(event, at="2025-03-01T00:05:00Z"))[0]["code"] == "device_revoked"


def test_a_revoked_key_does_not_come_back() -> None:
    reader = Reader()
    peer = enrolled(reader)
    peer.call("revokeDevice", {"id": reader.id})
    answer = peer.call("registerDevice", reader.entry())
    assert (answer.status, "does not come back" in answer.message) == (409, True)
    assert peer.get(keys.device(reader.id))["status"] == "revoked"


def test_a_name_may_have_new_keys_and_keeps_the_old() -> None:
    peer, first, second = Peer(), Reader(P256, "dock-3"), Reader(OTHER, "dock-3")
    peer.call("registerDevice", first.entry(chained=False))
    peer.call("revokeDevice", {"id": "dock-3", "why": "broken"})
    assert peer.call("registerDevice", first.entry(chained=False)).status == 409
    assert peer.call("registerDevice", second.entry(chained=False)).status == 200
    record = peer.get(keys.device("dock-3"))
    assert (record["status"], "revocation" in record) == ("active", False)
    assert [(key["publicKey"], key["status"]) for key in record["before"]] == [(public(P256), "revoked")]
    assert peer.call("registerDevice", first.entry(chained=False)).status == 409


def test_a_device_that_is_its_key() -> None:
    reader = Reader()
    peer = Peer()
    wrong = peer.call("registerDevice", {**reader.entry(), "publicKey": public(OTHER)})
    assert (wrong.status, id_of_key("ES256", public(OTHER)) in wrong.message) == (400, True)


def test_succession_needs_the_old_key() -> None:
    old, new = scans(2), Reader(OTHER)
    peer = enrolled(old)
    peer.accept(old.events[0])
    word = base64.b64encode(raw_signature(P256, succession(old.id, new.id))).decode()
    forged = base64.b64encode(raw_signature(OTHER, succession(old.id, new.id))).decode()
    assert peer.call("registerDevice", new.entry(succeeds=old.id, succession=forged)).status == 400
    assert peer.call("registerDevice", new.entry(succeeds=old.id)).status == 400
    assert peer.call("registerDevice", new.entry(succeeds="dev:nobody", succession=word)).status == 404
    assert peer.call("registerDevice", new.entry(succeeds=old.id, succession=word)).status == 200
    assert peer.get(keys.device(old.id))["status"] == "succeeded"
    assert peer.get(keys.device(new.id))["succeeds"] == old.id
    peer.accept(old.events[1], new.sign(commission(5, item(9))))
    assert peer.capture(old.sign(commission(6, item(10)), at="2025-06-01T12:30:00Z"))[0]["code"] == "device_revoked"


def test_a_place_can_demand_signatures() -> None:
    reader = Reader()
    peer = enrolled(reader)
    peer.call("registerParty", {"id": party(1), "name": "Farm"})
    dock = {"id": place(1), "party": party(1)}
    assert peer.call("registerPlace", {**dock, "signed": "yes"}).status == 400
    assert peer.call("registerPlace", {**dock, "signed": True}).status == 200
    assert peer.refuse(commission(1, item(1))) == "unsigned"
    peer.accept(reader.sign(commission(1, item(1))))
    assert peer.call("registerPlace", {**dock, "name": "Dock"}).status == 200  # as good as demanded before
    assert peer.refuse(commission(2, item(2))) == "unsigned"
    assert peer.call("registerPlace", {**dock, "signed": False}).status == 200
    peer.accept(commission(2, item(2)))


def test_clocks_and_places_are_told() -> None:
    reader = Reader()
    peer = enrolled(reader, place=place(3))
    peer.accept(reader.sign(commission(1, item(1)), at="2025-06-03T11:00:00Z"))
    (record,) = peer.all("EV")
    assert {"clock", "other_place"} <= set(record["flags"])


def test_a_record_of_the_second_version_goes_on() -> None:
    peer = Peer()
    old = {"v": 2, "id": "dock-3", "msp": "AMSP", "party": party(1), "algorithm": "ES256", "publicKey": public(P256)}
    peer.state = {keys.device("dock-3"): json.dumps({**old, "name": None, "status": "active"}).encode()}
    event = commission(1, item(1))
    value = base64.b64encode(P256.sign(parse_event(event).hash.encode(), ec.ECDSA(hashes.SHA256()))).decode()
    signature = {"device": "dock-3", "alg": "ES256", "value": value}
    peer.accept({**event, "@context": [GS1, {"lotline": LOTLINE_NAMESPACE}], "lotline:signature": signature})
    assert peer.call("revokeDevice", {"id": "dock-3"}).status == 200


def test_the_cost_of_a_scan_does_not_grow() -> None:
    reader = scans(60)
    peer = enrolled(reader)
    reads = []
    for event in reader.events:
        peer.accept(event)
        reads.append((peer.last.round_trips, len(peer.last.reads)))
    assert reads[5] == reads[-1]
