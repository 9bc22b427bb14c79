"""What an answer names, for its proof; and why there may be none."""

from __future__ import annotations

from epcis.identity import hash_hex
from readmodel.queries.trace import Trace


def unprovable(found: Trace) -> str | None:
    """Why there is no proof of a trace; None if there can be one."""
    if found.truncated:
        return "the answer was cut off, and what is cut off cannot be shown to be complete: raise the limits or ask for one direction"
    if any(node.role == "start" and node.kind == "product" for node in found.nodes):
        return "a product is traced as many lots: ask for one of them"
    return None


def shown_in(found: Trace) -> dict[str, list[str]]:
    """The things and events that a trace names."""
    return {
        "nodes": [node.id for node in found.nodes if node.kind != "transformation"],
        "events": [hash_hex(event.hash) for event in found.events],
    }
