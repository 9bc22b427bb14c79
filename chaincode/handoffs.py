"""What all handoffs have in common: kinds, ids, names in sentences."""

from __future__ import annotations

import hashlib

INSTANCE, LOT = "instance", "lot"


def lane_name(item: str, consignee: str) -> str:
    """What the ids of an item's handoffs (a lot's: to one consignee) begin with."""
    return hashlib.sha256(f"{item}\n{consignee}".encode()).hexdigest()[:24]


def name(party: str | None) -> str:
    """A party in a sentence."""
    return party or "an unnamed party"
