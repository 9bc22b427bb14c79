"""The scenarios of Hyperledger's own suite for gateway clients are all here: sixty without hardware keys, each under its id."""

from __future__ import annotations

import re
from collections import Counter

from tests.fabric.scenarios import test_endorsement, test_errors, test_events, test_transactions

# (scenarios, variants of each): blocks come whole, filtered and with private data
FEATURES = {
    "transactions": (6, 1),
    "chaincodeevents": (5, 1),
    "blockevents": (5, 3),
    "offlinesign": (4, 1),
    "discovery": (2, 1),
    "endorsement": (6, 1),
    "privatedata": (8, 1),
    "sbe": (5, 1),
    "errors": (9, 1),
}


def test_every_scenario_is_here_once() -> None:
    found: Counter[tuple[str, int]] = Counter()
    for module in (test_transactions, test_events, test_endorsement, test_errors):
        for name, test in vars(module).items():
            if match := re.fullmatch(r"test_([a-z]+)_(\d+)_\w+", name):
                marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
                found[match[1], int(match[2])] += len(marks[0].args[1]) if marks else 1
    expected = {(name, n): variants for name, (count, variants) in FEATURES.items() for n in range(1, count + 1)}
    assert found == expected
    assert found.total() == 60
