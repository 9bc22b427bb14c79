"""Shipping documents: where one side named one lot or consignee under a document, and the other side another one.

Under each document the lots are kept of which only one side has spoken. A release and an acceptance left over under the
same document are about the same goods: either the lot differs, or who got it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaincode import keys
from chaincode.claims import Claim
from chaincode.context import Context, product_of
from chaincode.handoffs import Faults
from chaincode.lanes import Lane
from chaincode.matching import Hop
from chaincode.state import Record

_Name = tuple[str, str]
"""A lane: item and consignee."""


def contradicted(context: Context, claim: Claim, lane: Lane) -> list[Lane]:
    """Bring the leftovers of documents up to date after a claim was added to a lane.

    The lane learns what contradicts it; returned are the other lanes that have learnt something.
    """
    lanes = {(lane.item, lane.consignee): lane}
    for document in _touched(claim, lane):
        _update(context, document, lane, lanes)
    return [other for other in lanes.values() if other is not lane]


def _touched(claim: Claim, lane: Lane) -> list[tuple[str, str]]:
    """The claim's own document, and those of earlier claims that it has given another partner or number."""
    named = {one.documents[0] for one in lane.claims if one.documents}
    moved = {one for one in named if _leftovers(one, lane, lane.hops) != _leftovers(one, lane, lane.before)}
    return sorted(moved.union(claim.documents[:1]))


def _update(context: Context, document: tuple[str, str], lane: Lane, lanes: dict[_Name, Lane]) -> None:
    key = keys.document(*document)
    record = context.state.get(key) or {"open": [], "faults": {}}
    others = [entry for entry in record["open"] if _name_of(entry) != (lane.item, lane.consignee)]
    entries = sorted([*others, *_leftovers(document, lane, lane.hops)], key=lambda entry: str(entry["handoff"]))
    before, after = record["faults"], _contradictions(entries, document[1])
    context.state.put(key, {"open": entries, "faults": after})
    names = {entry["handoff"]: _name_of(entry) for entry in [*record["open"], *entries]}
    changed = {identity for identity in before.keys() | after.keys() if before.get(identity) != after.get(identity)}
    for identity in sorted(changed):
        name = names[identity]
        if name not in lanes:
            lanes[name] = Lane(context, *name, is_lot=True)
        lanes[name].contradictions = _with(lanes[name].contradictions, identity, after.get(identity))


def _with(known: dict[str, Faults], identity: str, faults: Faults | None) -> dict[str, Faults]:
    left = {other: found for other, found in known.items() if other != identity}
    return {**left, identity: faults} if faults else left


def _name_of(entry: Record) -> _Name:
    return entry["item"], entry["lane"]


def _leftovers(document: tuple[str, str], lane: Lane, hops: Sequence[Hop]) -> list[Record]:
    """A lane's handoffs under a document of which only one side has spoken."""
    found: list[Record] = []
    for index, hop in enumerate(hops):
        claims = [*hop.releases, *hop.acceptances]
        one_sided = not (hop.releases and hop.acceptances) and not hop.voided
        if one_sided and any(document in claim.documents for claim in claims):
            entry: Record = {"item": lane.item, "lane": lane.consignee, "handoff": lane.identifier(index)}
            found.append({**entry, "side": "released" if hop.releases else "accepted"})
    return found


def _contradictions(entries: list[Record], document: str) -> dict[str, Faults]:
    """What contradicts each handoff that was accepted only."""
    found: dict[str, Faults] = {}
    for accepted in [entry for entry in entries if entry["side"] == "accepted"]:
        faults: Faults = {}
        for released in [entry for entry in entries if entry["side"] == "released"]:
            faults |= _contradiction(accepted, released, document)
        if faults:
            found[accepted["handoff"]] = faults
    return found


def _contradiction(accepted: Record, released: Record, document: str) -> Faults:
    item, meant = accepted["item"], released["item"]
    if item == meant:
        whom = released["lane"] or "an unnamed party"
        return {
            "wrong_consignee": f"{item} was released to {whom}, and accepted by {accepted['lane']}, under {document}"
        }
    if released["lane"] == accepted["lane"] and product_of(item) == product_of(meant):
        return {"wrong_lot": f"{meant} was released, and {item} accepted, under {document}"}
    return {}
