"""GS1's published documents through the contract: every one is taken, nothing is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from chaincode.answers import verdicts_of
from epcis import parse_document
from tests.unit.chaincode.peer import Peer


def test_every_document_is_captured(shared_data: Path) -> None:
    peer = Peer()
    verdicts: Counter[str] = Counter()
    files = sorted((shared_data / "epcis" / "gs1" / "JSON").rglob("*.jsonld"))
    for file in files:
        document = parse_document(file.read_bytes())
        stored = b",".join(event.to_stored() for event in document.events)
        batch = b'{"groups":[{"id":"g","onError":"rollback","events":[' + stored + b"]}]}"
        answer = peer.call("capture", batch)
        assert answer.status == 200, answer.message
        (group,) = json.loads(answer.payload)["groups"]
        assert group["committed"], (file.name, group["verdicts"])
        verdicts.update(verdict["verdict"] for verdict in verdicts_of(group))
    assert len(files) == 47
    assert verdicts == {"accepted": 48, "duplicate": 8}
    kept = peer.all("EV")
    assert sum("event" in record for record in kept) == 48
    assert sum("awaited" in record for record in kept) == 7  # declared in error, and not among the documents
