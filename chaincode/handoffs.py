"""What all handoffs have in common: kinds, ids, names in sentences."""

from __future__ import annotations

import hashlib

from epcis.identifiers import LONGEST_KEY
from epcis.remembering import remember

INSTANCE, LOT = "instance", "lot"


def lane_name(item: str, consignee: str) -> str:
    """What the ids of an item's handoffs (a lot's: to one consignee) begin with."""
    return hashlib.sha256(f"{item}\n{consignee}".encode()).hexdigest()[:24]


@remember(1 << 12, LONGEST_KEY)
def instance_name(item: str) -> str:
    """What the ids of a single thing's handoffs begin with."""
    return lane_name(item, "")


def name(party: str | None) -> str:
    """A party in a sentence."""
    return party or "an unnamed party"
