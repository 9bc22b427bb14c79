"""Every peer must come to the same bytes: what was read, what was written, what was answered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from chaincode.answers import verdicts_of
from tests.unit.chaincode.peer import (
    C,
    Peer,
    commission,
    event,
    item,
    lot,
    make_lot,
    observe,
    pack,
    pallet,
    party,
    receive,
    ship,
    unpack,
)  # fmt: skip

ITEMS = [item(n) for n in range(20)]
BAD = commission(2, "https://id.gs1.org/01/09506000134350/21/1")  # a wrong check digit
STORY: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "AMSP",
        [
            commission(1, *ITEMS),
            make_lot(1, lot(1), 100.1),
            BAD,
            pack(2, pallet(1), *ITEMS, childQuantityList=[{"epcClass": lot(1), "quantity": 0.2}]),
            event("ObjectEvent", 2.5, "inspecting", action="OBSERVE", epcList=[pallet(1)]),
            ship(3, pallet(1), pallet(2), document="D1", lots={lot(1): 10}),
        ],
    ),
    ("BMSP", [receive(5, pallet(1), document="D1", lots={lot(1): 9.5, lot(2): 1}), receive(4, item(99), item(98))]),
    ("CMSP", [observe(5.5, *ITEMS[:3], site=C)]),
    ("BMSP", [unpack(6, pallet(1), site=receive_site) for receive_site in [("https://example.org/gate", party(2))]]),
]


def told() -> list[Any]:
    """For each call of a story: the answer, the keys read, and the writes, all in order."""
    peer, record = Peer(), []
    for msp, events in STORY:
        batch = {"groups": [{"id": "g", "onError": "proceed", "events": events}]}
        answer = peer.call("capture", batch, msp)
        writes = [(key, None if value is None else value.decode()) for key, value in peer.last.writes.items()]
        record.append([answer.status, answer.payload.decode(), peer.last.reads, writes])
    return record


def _in_a_process_of_its_own(seed: str) -> bytes:
    code = "import json; from tests.unit.chaincode.test_determinism import told; print(json.dumps(told()))"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": seed, "PATH": ""},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        check=True,
    ).stdout.strip()


def test_two_peers_read_write_and_answer_the_same() -> None:
    assert told() == told()


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_peers_agree_whatever_their_hash_seed(seed: str) -> None:
    assert _in_a_process_of_its_own(seed) == json.dumps(told()).encode()


def test_the_story_leaves_something_of_every_kind() -> None:
    """Or the tests above would compare little."""
    written = [key for _, _, _, writes in told() for key, _ in writes]
    kinds = {key[1:3] for key in written}
    assert kinds >= {"EV", "TH", "IN", "IQ", "LT", "LB", "HO", "HX", "HR", "HD", "EX"}
    verdicts = [one["verdict"] for answer in told() for one in verdicts_of(json.loads(answer[1])["groups"][0])]
    assert set(verdicts) == {"accepted", "rejected"}


def test_writes_go_out_in_the_order_of_their_keys() -> None:
    for _, _, _, writes in told():
        assert [key for key, _ in writes] == sorted(key for key, _ in writes)


def test_a_peer_that_knows_more_than_it_needs_reads_no_more() -> None:
    """The cost and the conflicts of an event depend on what it names, not on how much the ledger holds."""
    small, large = Peer(), Peer()
    large.accept(*(commission(1, *(item(f"{n}-{m}") for m in range(20))) for n in range(10)))
    statement = commission(2, item(1))
    for peer in (small, large):
        peer.accept(statement)
    assert small.last.reads == large.last.reads
    assert keys.thing(item(1)) in small.last.reads
