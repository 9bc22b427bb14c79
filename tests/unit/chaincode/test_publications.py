"""Digests of forecasts: once said, for ever said."""

from __future__ import annotations

from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import Peer

FORECAST = {"kind": "forecast", "id": "run-1", "digest": "a" * 64, "block": 7}


def test_the_first_publication_stands() -> None:
    peer = Peer()
    assert peer.call("publish", FORECAST, role="analyst").status == 200
    assert peer.call("publish", FORECAST, role="analyst").status == 200
    changed = peer.call("publish", {**FORECAST, "digest": "b" * 64}, role="analyst")
    assert changed.status == 409
    assert "a" * 64 in changed.message
    assert peer.call("publish", FORECAST, "BMSP", role="analyst").status == 409
    kept = peer.get(keys.published("forecast", "run-1"))
    assert (kept["digest"], kept["msp"], kept["block"]) == ("a" * 64, "AMSP", 7)


@pytest.mark.parametrize(
    "document",
    [
        {}, [], {**FORECAST, "kind": "rumour"}, {**FORECAST, "id": ""}, {**FORECAST, "id": "a\x00b"},
        {**FORECAST, "digest": "A" * 64}, {**FORECAST, "digest": 3}, {**FORECAST, "note": "x" * 70_000},
    ],
)  # fmt: skip
def test_what_is_no_publication(document: Any) -> None:
    peer = Peer()
    assert peer.call("publish", document, role="analyst").status == 400
    assert peer.last.writes == {}


@pytest.mark.parametrize("role", ["scanner", "auditor"])
def test_who_may_publish(role: str) -> None:
    assert Peer().call("publish", FORECAST, role=role).status == 403
