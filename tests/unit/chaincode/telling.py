"""Stories of three organisations about a few things, and what must be the same however they are told."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import hypothesis.strategies as st

from tests.unit.chaincode.peer import (
    SITES,
    Peer,
    at,
    commission,
    event,
    item,
    observe,
    pack,
    pallet,
    party,
    place,
    receive,
    ship,
    unpack,
)  # fmt: skip

Said = tuple[str, dict[str, Any]]
"""Who says what."""
MSPS = sorted(SITES)
ITEMS = [item(n) for n in range(3)]
PALLETS = [pallet(n) for n in range(3)]
THINGS = ITEMS + PALLETS
_VISIBLE = (
    *("msp", "maker", "title", "holder", "place", "status", "disposition"),
    *("parent", "commissioned", "time", "event", "lot", "ended"),
)
_OPEN = ("kind", "item", "detail", "parties", "handoff", "event", "openedAt")


def registered(policy: str = "flag") -> Peer:
    """A peer that knows the organisations' parties and places."""
    peer = Peer()
    peer.state = dict(_registered(policy))
    return peer


@cache
def _registered(policy: str) -> dict[str, bytes]:
    peer = Peer()
    peer.call("configure", {"admins": MSPS, "custodyPolicy": policy})
    for number, msp in enumerate(MSPS, start=1):
        peer.call("registerParty", {"id": party(number), "name": msp}, msp)
        peer.call("registerPlace", {"id": place(number), "party": party(number), "name": msp}, msp)
    return peer.state


def outcome(peer: Peer) -> dict[str, Any]:
    """What is true: things, what is in what, balances, handoffs and open exceptions, each to the last field."""
    return {
        "things": {one["id"]: {name: one.get(name) for name in _VISIBLE} for one in peer.all("TH") if one["time"]},
        "inside": {key: value for key, value in peer.state.items() if key[1:3] in ("IN", "IQ")},
        "balances": {
            (one["class"], one["holder"], one["place"]): one["quantity"]
            for one in peer.all("LB")
            if one["quantity"] != "0"
        },
        "handoffs": sorted(json.dumps(one, sort_keys=True) for one in peer.all("HO")),
        "open": sorted(
            json.dumps({name: one[name] for name in _OPEN}, sort_keys=True)
            for one in peer.all("EX")
            if one["status"] == "open"
        ),
        "declared": sorted(
            key for key, value in peer.state.items() if key[1:3] == "EA" and json.loads(value)["declarations"]
        ),
    }


def told(story: list[Said], policy: str = "flag") -> Peer | None:
    """A peer that was told a story; None where one of the statements was refused, as what contradicts another may be."""
    peer = registered(policy)
    for msp, statement in story:
        (verdict,) = peer.capture(statement, msp=msp)
        if verdict["verdict"] != "accepted":
            return None
    return peer


def declared_wrong(statement: dict[str, Any], hour: float, **more: Any) -> dict[str, Any]:
    """The declaration that a statement was in error."""
    declaration = {"declarationTime": at(hour), "reason": "did_not_occur", **more}
    return {**statement, "errorDeclaration": declaration}


_WHO = st.integers(0, len(MSPS) - 1)
_THING = st.sampled_from(THINGS)
_SOME = st.lists(_THING, min_size=1, max_size=3, unique=True)
_PALLET = st.sampled_from(PALLETS)
_DOCUMENT = st.sampled_from([None, None, "D1", "D2"])
_STEP = st.one_of(
    st.tuples(st.just("pack"), _PALLET, _SOME),
    st.tuples(st.just("unpack"), _PALLET, _SOME),
    st.tuples(st.just("empty"), _PALLET),
    st.tuples(st.just("ship"), _SOME, _WHO, _DOCUMENT),
    st.tuples(st.just("receive"), _SOME, _DOCUMENT, st.booleans()),
    st.tuples(st.just("accept"), _SOME),
    st.tuples(st.just("void"), _SOME),
    st.tuples(st.just("observe"), _SOME),
    st.tuples(st.just("sell"), st.sampled_from(ITEMS), st.sampled_from(["DELETE", "OBSERVE"])),
    st.tuples(st.just("tie"), _SOME),
)
_WAIT = st.sampled_from([0, 0.5, 1, 30])


@st.composite
def stories(draw: st.DrawFn, most: int = 8, *, declarations: bool = False) -> list[Said]:
    """What organisations say, in order of time; moments may be equal, clocks a day apart."""
    story: list[Said] = [
        (MSPS[0], commission(1, uri, site=SITES[MSPS[0]]))
        for uri in draw(st.lists(st.sampled_from(ITEMS), unique=True))
    ]
    hour = 2.0
    for _ in range(draw(st.integers(2, most))):
        hour += draw(_WAIT)
        msp = MSPS[draw(_WHO)]
        story.append((msp, _statement(draw(_STEP), hour, SITES[msp])))
        if declarations and draw(st.integers(0, 5)) == 0:
            who, wrong = draw(st.sampled_from(story))
            if "errorDeclaration" not in wrong:
                story.append((who, declared_wrong(wrong, hour + 0.25)))
    return [said for n, said in enumerate(story) if said not in story[:n]]


def _statement(step: tuple[Any, ...], hour: float, site: tuple[str, str]) -> dict[str, Any]:
    kind, *rest = step
    if kind == "pack":
        return pack(hour, rest[0], *_below(rest[0], rest[1]), site=site)
    if kind == "unpack":
        return unpack(hour, rest[0], *_below(rest[0], rest[1]), site=site)
    if kind == "empty":
        return unpack(hour, rest[0], site=site)
    if kind == "ship":
        return ship(hour, *rest[0], site=site, to=SITES[MSPS[rest[1]]], document=rest[2])
    if kind == "receive":
        damaged: dict[str, Any] = {"disposition": "damaged"} if rest[2] else {}
        return receive(hour, *rest[0], site=site, document=rest[1], **damaged)
    if kind == "observe":
        return observe(hour, *rest[0], site=site)
    if kind == "sell":
        return event("ObjectEvent", hour, "retail_selling", site, action=rest[1], epcList=[rest[0]])
    if kind == "tie":
        order = [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9506000000018:P1"}]
        return event("TransactionEvent", hour, None, site, action="ADD", bizTransactionList=order, epcList=rest[0])
    step_name = {"accept": "accepting", "void": "void_shipping"}[kind]
    to = {"destinationList": [{"type": "owning_party", "destination": site[1]}]} if kind == "accept" else {}
    return event("ObjectEvent", hour, step_name, site, action="OBSERVE", epcList=rest[0], **to)


def _below(parent: str, uris: list[str]) -> list[str]:
    """Without what could not be in it, so that nothing is in itself."""
    return [uri for uri in uris if uri not in PALLETS or uri > parent] or [ITEMS[0]]
