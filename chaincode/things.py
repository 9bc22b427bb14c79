"""Instances: who holds them, where they are, what they are in.

A packed thing has no holder or place of its own: those of its outermost parent are its own. So moving a pallet is one
write, however much is on it.

What a thing's record says is made of registers that keep what was told last by event time (place, disposition, parent)
and of what follows from its handoffs (holder, transit). So events that arrive late find their place in its history.
"""

from __future__ import annotations

from typing import Any

from chaincode import custody, handoffs, keys, rules
from chaincode.claims import Claim
from chaincode.context import Context, identify
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact, hash_hex
from chaincode.handoffs import Faults
from chaincode.lanes import Lane
from chaincode.matching import Hop
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis.identifiers import lot as lot_link

# of two statements about one moment, the later in this order stands
RELEASED, OBSERVED, ACCEPTED = 0, 1, 2
_DEEPEST = 32
_ALWAYS = "9999"
_LONG_AGO: list[Any] = ["", ""]
_TIE = 16
"""Digits of its hash by which an event comes before another of the same moment: a record keeps several of them."""


def load(context: Context, uri: str) -> Record | None:
    """A thing's state, None if it was never seen."""
    return context.state.get(keys.thing(uri))


def begin(context: Context, fact: Fact, uri: str, *, commissioned: bool, lot: str | None = None) -> Record:
    """A thing seen for the first time: it is held by whoever reports it, where they report it from."""
    thing = blank(context, fact, uri, lot)
    thing["origin"] = _origin(context, fact, commissioned=commissioned)
    thing["commissioned"] = commissioned
    if not commissioned:
        _note_uncommissioned(context, fact, uri)
    return thing


def blank(context: Context, fact: Fact, uri: str, lot: str | None = None) -> Record:
    """A thing's record before anything is said in it."""
    return {
        "id": uri,
        "msp": context.msp,
        "maker": context.msp,
        "holder": fact.party,
        "place": None,
        "status": "active",
        "disposition": None,
        "parent": None,
        "commissioned": False,
        "lot": lot,
        "open": [],
        "event": "",
        "time": "",
        "since": "",
        "sent": None,
        "handoffs": 0,
        "origin": None,
        "touches": {},
    }


def _origin(context: Context, fact: Fact, *, commissioned: bool) -> Record:
    return {"time": fact.time, "msp": context.msp, "party": fact.party, "commissioned": commissioned}


def is_product(uri: str) -> bool:
    """Whether a thing is of a product, which somebody makes; logistic units and assets only get a label."""
    known_as = identify(uri)
    return known_as is not None and known_as.gtin is not None


def _note_uncommissioned(context: Context, fact: Fact, uri: str) -> None:
    fact.flags.add("uncommissioned")
    if is_product(uri):
        detail = f"{uri} is in use; nobody reported its making"
        open_exception(context, fact, "uncommissioned", uri, detail, item=uri, parties=(fact.party,))


def known(context: Context, fact: Fact, uri: str, *, by_claim: bool = False) -> Record:
    """A thing's state; one never seen is adopted. ``by_claim``: by a release or an acceptance, which says by itself who had
    it and counts by its own time. Raises Rejection after its end."""
    thing = load(context, uri)
    if thing is None:
        adopted = begin(context, fact, uri, commissioned=False)
        return {**adopted, "origin": None} if by_claim else adopted
    rules.is_alive(uri, thing, fact)
    if not thing["commissioned"]:
        fact.flags.add("uncommissioned")
        origin = thing["origin"]
        if not by_claim and (origin is None or fact.time < origin["time"]):
            return {**thing, "origin": _origin(context, fact, commissioned=False)}
    return thing


def outermost(context: Context, thing: Record) -> Record:
    """The parent of the parent of … a thing; the thing itself if nothing holds it."""
    at = thing
    for _ in range(_DEEPEST):
        if at["parent"] is None:
            return at
        parent = load(context, at["parent"])
        if parent is None:
            return at
        at = parent
    raise Rejection("too_deep", f"{thing['id']} is packed more than {_DEEPEST} deep")


def lane_of(context: Context, thing: Record) -> Lane:
    """The claims about a thing; nothing is read for one that nobody has shipped or received."""
    return Lane(context, thing["id"], known_empty=not thing["handoffs"], of=thing)


# --- registers


def told(context: Context, fact: Fact, thing: Record, rank: int, **place: str | None) -> Record:
    """The thing with what an event says of it in passing: time, disposition, and ``place`` if it is given."""
    changed = dict(thing)
    tie = fact.hex[:_TIE]
    mark = [fact.time, tie]
    if [thing["time"], thing["event"]] <= [fact.time, fact.hash]:
        changed["time"], changed["event"] = fact.time, fact.hash
    else:
        fact.flags.add("late")
    if fact.disposition is not None and thing.get("disposed", _LONG_AGO) <= mark:
        changed["disposition"], changed["disposed"] = fact.disposition, mark
    if "place" in place and thing.get("seen", _LONG_AGO)[:3] <= [fact.time, rank, tie]:
        changed["seen"] = [fact.time, rank, tie, place["place"]]
    if changed["parent"] is None:
        changed["place"] = changed["seen"][3] if "seen" in changed else None
    return changed


def told_by_claim(thing: Record, claim: Claim) -> Record:
    """The thing with what an acceptance says of it, that was taken for an acceptance of something in it."""
    mark = [claim.time, ACCEPTED, hash_hex(claim.event)[:_TIE], claim.place]
    changed = {**thing, "seen": max(thing.get("seen", _LONG_AGO), mark, key=lambda one: one[:3])}
    changed["time"], changed["event"] = max((thing["time"], thing["event"]), (claim.time, claim.event))
    changed["place"] = changed["seen"][3]
    return changed


def seen(context: Context, fact: Fact, thing: Record, rank: int = OBSERVED) -> Record:
    """The thing as told by an event that saw it, where it saw it if it says so."""
    where = {"place": fact.place} if fact.place is not None else {}
    return told(context, fact, thing, rank, **where)


# --- custody


def handled(context: Context, fact: Fact, thing: Record, *, observing: bool = False) -> Record:
    """The thing, noted to be handled by the submitter. Who handles a thing must hold it, or what it is in.

    ``observing``: it was only seen, which on its way anybody may. Raises Rejection under ``enforce``; under ``flag`` an
    exception is open for as long as the submitter's last handling was at a time when it did not hold the thing.
    """
    top = outermost(context, thing)
    noted = _noted(context, fact, top, observing=observing)
    at_ease = context.msp == top["msp"] and fact.time >= top["since"]
    if not at_ease or top.get("questioned"):
        lane = lane_of(context, top)
        holdings = _holdings(context, top, lane.hops)
        if not _had(holdings, lane.hops, context.msp, [fact.time, observing]):
            _refuse_or_flag(context, fact, thing, custody.holder_at(holdings, fact.time))
        if top is not thing:
            refresh(context, fact, noted, lane)
    return noted if top is thing else thing


def _noted(context: Context, fact: Fact, top: Record, *, observing: bool) -> Record:
    before = top["touches"].get(context.msp)
    if before is not None and before[0] > fact.time:
        return top
    return {**top, "touches": {**top["touches"], context.msp: [fact.time, observing]}}


def _refuse_or_flag(context: Context, fact: Fact, thing: Record, holder: custody.Holding) -> None:
    rules.may_handle(context, thing["id"], holder)
    fact.flags.add("not_held")


def _holdings(context: Context, thing: Record, hops: list[Hop]) -> list[custody.Holding]:
    return custody.holdings(thing["origin"], thing.get("unpacked", ()), hops, confirmed=context.enforces)


def holdings_of(context: Context, thing: Record, lane: Lane | None = None) -> list[custody.Holding]:
    """Who held a thing when."""
    return _holdings(context, thing, (lane or lane_of(context, thing)).hops)


def _had(holdings: list[custody.Holding], hops: list[Hop], msp: str, touch: list[Any]) -> bool:
    time, observing = touch
    return custody.holder_at(holdings, time).msp == msp or (observing and custody.in_transit_at(holdings, hops, time))


def finish(context: Context, fact: Fact, thing: Record) -> None:
    """Write a thing whose registers changed, and work its custody out anew where that may have changed."""
    before = load(context, thing["id"])
    if before is None or _is_calm(context, fact, before, thing):
        context.state.put(keys.thing(thing["id"]), thing)
    else:
        refresh(context, fact, thing, lane_of(context, thing))


def _is_calm(context: Context, fact: Fact, before: Record, thing: Record) -> bool:
    """Whether an event by who holds a thing, of now, cannot have changed who holds it."""
    mine = before["msp"] == context.msp and fact.time >= before["since"] and not before.get("questioned")
    same = before["origin"] == thing["origin"] and "ended" not in thing
    return mine and same and "damaged" not in (before["disposition"], thing["disposition"])


def refresh(context: Context, fact: Fact, thing: Record, lane: Lane) -> None:
    """Work out from all that was said who holds a thing, whether it is on its way, and what does not add up."""
    holdings = _holdings(context, thing, lane.hops)
    for number, hop in enumerate(lane.hops):
        hop.idle = _is_idle(context, thing, lane.hops, number)
    current = holdings[-1]
    moving = custody.in_transit_at(holdings, lane.hops, _ALWAYS)
    packed, ended = thing["parent"] is not None, thing.get("ended")
    changed = {
        **thing,
        "msp": current.msp,
        "holder": None if packed else current.party,
        "since": current.since,
        "sent": lane.hops[-1].releases[0].time if moving else None,
        "status": ended[1] if ended else "in_transit" if moving and not packed else "active",
        "open": lane.open_ones(),
        "handoffs": len(lane.claims),
    }
    changed["questioned"] = _questioned(context, fact, changed, holdings, lane.hops)
    if ended and changed["time"] > ended[0] and not thing.get("misused"):
        changed["misused"] = True
        detail = f"{thing['id']} was {ended[1]} at {ended[0]}, and used at {changed['time']}"
        open_exception(context, fact, "after_end", thing["id"], detail, item=thing["id"], parties=(current.party,))
    if lane.claims or lane.written:
        lane.save(fact, lambda hops, number: _faults(changed, holdings, hops, number, lane.counted))
    context.state.put(keys.thing(thing["id"]), changed)


def _is_idle(context: Context, thing: Record, hops: list[Hop], number: int) -> bool:
    """Whether a hop is an acceptance by who had the thing before."""
    hop, earlier = hops[number], hops[:number]
    if hop.releases:
        return False
    acceptance, origin = hop.acceptances[0], thing["origin"]
    begun = origin is not None and (origin["commissioned"] or origin["time"] <= acceptance.time)
    if not begun and not earlier:
        return False
    return custody.holder_at(_holdings(context, thing, earlier), acceptance.time).msp == acceptance.msp


def _questioned(
    context: Context, fact: Fact, thing: Record, holdings: list[custody.Holding], hops: list[Hop]
) -> list[str]:
    """The organisations whose last handling is in question; opens and closes the exceptions that say so."""
    before = thing.get("questioned", ())
    now = sorted(msp for msp, touch in thing["touches"].items() if not _had(holdings, hops, msp, touch))
    for msp in now:
        if msp not in before:
            holder = custody.holder_at(holdings, thing["touches"][msp][0])
            detail = f"{msp} handled {thing['id']}, which {holder.msp} held"
            subject, between = f"{thing['id']}\n{msp}", (holder.party, fact.party if msp == context.msp else None)
            open_exception(context, fact, "custody", subject, detail, item=thing["id"], parties=between)
    for msp in before:
        if msp not in now:
            close_exception(context, fact, "custody", f"{thing['id']}\n{msp}")
    return now


def _faults(thing: Record, holdings: list[custody.Holding], hops: list[Hop], number: int, counted: set[str]) -> Faults:
    hop = hops[number]
    faults = handoffs.instance_faults(thing["id"], hops, number)
    if hop.voided or hop.idle:
        return faults
    if hop.releases and (holder := custody.releaser_held(holdings, hops, number)) is not None:
        faults["custody"] = f"{hop.releases[0].msp} released {thing['id']}, which {holder.msp} held"
    last = number + 1 == len(hops)
    if last and handoffs.was_damaged(hop) and thing["disposition"] == "damaged" and "ended" not in thing:
        faults["damaged"] = f"{thing['id']} was accepted damaged by {handoffs.name(hop.acceptances[0].consignee)}"
    if last and not hop.acceptances and not counted.isdisjoint(claim.event for claim in hop.releases):
        faults["shortage"] = f"{thing['id']} was released with others that have arrived, and has not arrived itself"
    return faults


# --- what events do


def commission(context: Context, fact: Fact, uri: str) -> None:
    """A thing begins. One that others have seen already keeps what they said: its birth was only told late."""
    before = load(context, uri)
    rules.is_not_commissioned_yet(context, uri, before)
    lot = _lot_of(fact, uri)
    if before is None:
        thing = begin(context, fact, uri, commissioned=True, lot=lot)
        thing["touches"] = {context.msp: [fact.time, False]}
        context.state.put(keys.thing(uri), seen(context, fact, thing))
        return
    if is_product(uri):
        close_exception(context, fact, "uncommissioned", uri)
    origin = _origin(context, fact, commissioned=True)
    changed = {**before, "commissioned": True, "maker": context.msp, "lot": lot or before["lot"], "origin": origin}
    changed = seen(context, fact, _noted(context, fact, changed, observing=False))
    refresh(context, fact, changed, lane_of(context, before))


def _lot_of(fact: Fact, uri: str) -> str | None:
    """The lot that an item belongs to, from the event's instance/lot master data."""
    if not fact.event.ilmd:
        return None
    known_as = identify(uri)
    if known_as is None or known_as.gtin is None:
        return None
    for name, value in fact.event.ilmd.items():
        if name.rpartition(":")[2].rpartition("/")[2] == "lotNumber" and isinstance(value, str):
            return identify_lot(known_as.gtin, value)
    return None


def identify_lot(gtin: str, lot: str) -> str | None:
    """The link of a lot; None for a lot number that GS1 does not allow."""
    try:
        return lot_link(gtin, lot)
    except ValueError:
        return None


def end(context: Context, fact: Fact, uri: str, status: str) -> None:
    """A thing's end."""
    before = known(context, fact, uri)
    rules.has_not_ended(uri, before)
    thing = seen(context, fact, handled(context, fact, before))
    if thing["parent"] is not None:
        context.state.delete(keys.inside(thing["parent"], uri))
        in_hand = {"time": fact.time, "msp": context.msp, "party": fact.party}
        thing = told(
            context,
            fact,
            {**thing, "parent": None, "unpacked": custody.taken_out(thing.get("unpacked", ()), in_hand)},
            OBSERVED,
            place=fact.place,
        )
    thing["ended"] = [fact.time, status]
    refresh(context, fact, thing, lane_of(context, before))


def observe(context: Context, fact: Fact, uri: str) -> None:
    """A thing is seen. On its way anybody may see it; elsewhere only who holds it."""
    before = known(context, fact, uri)
    thing = seen(context, fact, handled(context, fact, before, observing=True))
    finish(context, fact, thing)
