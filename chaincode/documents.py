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
_Document = tuple[str, str]
"""Type and id."""


def contradicted(context: Context, claim: Claim, lane: Lane) -> list[Lane]:
    """Bring the leftovers of documents up to date after a claim was added to a lane.

    The lane learns what contradicts it; returned are the other lanes that have learnt something.
    """
    before: dict[str, Faults] = {}
    after: dict[str, Faults] = {}
    names: dict[str, _Name] = {}
    for document in _touched(claim, lane):
        was, entries, now = _update(context, document, lane)
        before |= was["faults"]
        after |= now
        names |= {entry["handoff"]: _name_of(entry) for entry in [*was["open"], *entries]}
    lanes = {(lane.item, lane.consignee): lane}
    for identity in sorted(before.keys() | after.keys()):  # not by document: a number may pass from one to another
        if before.get(identity) != after.get(identity):
            name = names[identity]
            if name not in lanes:
                lanes[name] = Lane(context, *name, is_lot=True)
            lanes[name].contradictions = _with(lanes[name].contradictions, identity, after.get(identity))
    return [other for other in lanes.values() if other is not lane]


def _touched(claim: Claim, lane: Lane) -> list[_Document]:
    """The claim's own document, and those of earlier claims that it has given another partner or number."""
    before, after = _leftovers(lane, lane.before), _leftovers(lane, lane.hops)
    first = {one.documents[0] for one in lane.claims if one.documents}  # an order may have many shipments
    moved = {one for one in first if before.get(one) != after.get(one)}
    return sorted(moved.union(claim.documents[:1]))


def _update(context: Context, document: _Document, lane: Lane) -> tuple[Record, list[Record], dict[str, Faults]]:
    """The document's record as it was; its leftovers and what contradicts them now, which are written."""
    key = keys.document(*document)
    record = context.state.get(key) or {"open": [], "faults": {}}
    others = [entry for entry in record["open"] if _name_of(entry) != (lane.item, lane.consignee)]
    entries = sorted([*others, *_leftovers(lane, lane.hops).get(document, ())], key=lambda entry: str(entry["handoff"]))
    faults = _contradictions(entries, document[1])
    context.state.put(key, {"open": entries, "faults": faults})
    return record, entries, faults


def _with(known: dict[str, Faults], identity: str, faults: Faults | None) -> dict[str, Faults]:
    left = {other: found for other, found in known.items() if other != identity}
    return {**left, identity: faults} if faults else left


def _name_of(entry: Record) -> _Name:
    return entry["item"], entry["lane"]


def _leftovers(lane: Lane, hops: Sequence[Hop]) -> dict[_Document, list[Record]]:
    """A lane's handoffs of which only one side has spoken, by the documents named in them."""
    found: dict[_Document, list[Record]] = {}
    for index, hop in enumerate(hops):
        if hop.voided or (hop.releases and hop.acceptances):
            continue
        entry: Record = {"item": lane.item, "lane": lane.consignee, "handoff": lane.identifier(index)}
        entry["side"] = "released" if hop.releases else "accepted"
        for document in {one for claim in [*hop.releases, *hop.acceptances] for one in claim.documents}:
            found.setdefault(document, []).append(entry)
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
