"""Releases and acceptances of instances.

What is in a parent goes where the parent goes: only the outermost thing of those an event names is handed over.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaincode import containment, keys, rules, things
from chaincode.claims import Claim, claim_of
from chaincode.context import Context
from chaincode.custody import in_transit_at, releaser_held
from chaincode.facts import KINDS, Fact
from chaincode.lanes import Lane
from chaincode.matching import Hop
from chaincode.state import Record


def release(context: Context, fact: Fact, uris: list[str]) -> None:
    """Everything that is shipped (or whose shipping is taken back), each with what is in it."""
    tops = _tops(context, uris)
    claim = claim_of(context, fact, len(tops))
    if claim.kind == "release" and len(tops) > 1:
        context.state.put(keys.shipment(fact.hash), {"items": tops})
    _note_counted(context, fact, [_release_one(context, fact, uri, claim) for uri in tops])


def _release_one(context: Context, fact: Fact, uri: str, claim: Claim) -> Lane:
    thing = _for_handoff(context, fact, uri)
    if thing["parent"] is not None and fact.time >= thing.get("packed", ""):
        thing = containment.take_out(context, fact, thing)
    lane = things.lane_of(context, thing)
    lane.add([claim])
    _check_custody(context, thing, lane, claim)
    thing = _take_contents_back(context, fact, thing, lane)
    _save(context, fact, thing, lane, things.RELEASED, None)
    return lane


def _take_contents_back(context: Context, fact: Fact, thing: Record, lane: Lane) -> Record:
    """What was received by itself before this release was told was still in the parent: the receipt was the parent's."""
    early = thing.get("taken")
    if not early:
        return thing
    holdings = things.holdings_of(context, thing, lane)
    back = [uri for uri in sorted(early) if in_transit_at(holdings, lane.hops, early[uri]["time"])]
    claims = {claim.event: claim for uri in back for claim in containment.put_back(context, fact, uri, early[uri])}
    lane.add(claims.values())
    for claim in sorted(claims.values(), key=lambda one: one.order):
        thing = things.told_by_claim(thing, claim)
    return {**thing, "taken": {uri: taken for uri, taken in early.items() if uri not in back}}


def _for_handoff(context: Context, fact: Fact, uri: str) -> Record:
    """A thing's state. Who takes back what was not released says no more than that it is there."""
    return things.known(context, fact, uri, by_claim=KINDS[fact.step or ""] != "void")


def _check_custody(context: Context, thing: Record, lane: Lane, claim: Claim) -> None:
    if claim.kind != "release" or not context.enforces:
        return
    number = next(i for i, hop in enumerate(lane.hops) if claim in hop.releases)
    holder = releaser_held(things.holdings_of(context, thing, lane), lane.hops, number)
    if holder is not None:
        rules.may_handle(context, thing["id"], holder)


def _save(context: Context, fact: Fact, thing: Record, lane: Lane, rank: int, place: str | None) -> None:
    changed = things.told(context, fact, thing, rank, place=place)
    if changed["parent"] is None:
        changed["packed"] = max(fact.time, changed.get("packed", ""))
    things.refresh(context, fact, changed, lane)


def accept(context: Context, fact: Fact, uris: list[str]) -> None:
    """Everything that is received, each with what is in it."""
    targets = dict.fromkeys(_target(context, fact, uri) for uri in _tops(context, uris))
    claim = claim_of(context, fact, len(targets))
    _note_counted(context, fact, [_accept_one(context, fact, uri, claim) for uri in targets])


def _target(context: Context, fact: Fact, uri: str) -> str:
    """What is accepted when a thing is: its outermost parent, if that is on its way or arrived here already."""
    thing = things.load(context, uri)
    if thing is None or thing["parent"] is None or fact.time < thing.get("packed", ""):
        return uri
    top = things.outermost(context, thing)
    if top["sent"] is None and top["msp"] != context.msp:
        return uri
    things.finish(
        context, fact, things.told(context, fact, things.known(context, fact, uri, by_claim=True), things.OBSERVED)
    )
    target: str = top["id"]
    return target


def _accept_one(context: Context, fact: Fact, uri: str, claim: Claim) -> Lane:
    thing = _for_handoff(context, fact, uri)
    if thing["parent"] is not None and fact.time >= thing.get("packed", ""):
        thing = containment.take_out(context, fact, thing, received=True)
    lane = things.lane_of(context, thing)
    lane.add([claim])
    _save(context, fact, thing, lane, things.ACCEPTED, fact.place)
    return lane


def _tops(context: Context, uris: list[str]) -> list[str]:
    """Without those that are in others of the same list: they go where their parent goes."""
    listed = set(uris)
    return [uri for uri in dict.fromkeys(uris) if _above(context, uri).isdisjoint(listed)]


def _above(context: Context, uri: str) -> set[str]:
    above: set[str] = set()
    thing = things.load(context, uri)
    while thing is not None and thing["parent"] is not None and thing["parent"] not in above:
        above.add(thing["parent"])
        thing = things.load(context, thing["parent"])
    return above


def _note_counted(context: Context, fact: Fact, changed: Iterable[Lane]) -> None:
    """Where a shipment was counted on arrival, what has not arrived is missing."""
    hops = [hop for lane in changed for hop in lane.hops]
    for event in sorted({release.event for hop in hops for release in hop.releases if _is_counted(hop, release)}):
        shipment = context.state.get(keys.shipment(event))
        if shipment is not None and not shipment.get("counted"):
            context.state.put(keys.shipment(event), {**shipment, "counted": fact.hash})
            for uri in shipment["items"]:
                _mark_counted(context, fact, uri, event)


def _is_counted(hop: Hop, release: Claim) -> bool:
    """Whether several things of a shipment were received in one event, or one by the shipment's document. Things that
    are scanned one by one tell nothing about those that are not scanned yet."""
    return release.count > 1 and any(one.count > 1 or one.shares_document(release) for one in hop.acceptances)


def _mark_counted(context: Context, fact: Fact, uri: str, event: str) -> None:
    thing = things.load(context, uri)
    if thing is not None:
        lane = things.lane_of(context, thing)
        lane.counted.add(event)
        things.refresh(context, fact, thing, lane)
