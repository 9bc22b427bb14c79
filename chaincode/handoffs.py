"""Handoffs as they stand on the ledger: their records, and the exceptions that must be open for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal

from chaincode.claims import DOCUMENTS, Claim
from chaincode.context import decimal_text
from chaincode.matching import Hop
from chaincode.state import Record

INSTANCE, LOT = "instance", "lot"
Faults = dict[str, str]
"""Kinds of exceptions and what they say."""


def lane_name(item: str, consignee: str) -> str:
    """What the ids of an item's handoffs (a lot's: to one consignee) begin with; ``-`` and a number follow, counted from
    the first one on, whichever side opened it."""
    return hashlib.sha256(f"{item}\n{consignee}".encode()).hexdigest()[:24]


def record_of(identity: str, item: str, kind: str, hop: Hop, faults: Faults) -> Record:
    """The handoff as JSON (docs/contract.md)."""
    release = hop.releases[0] if hop.releases else None
    acceptance = hop.acceptances[0] if hop.acceptances else None
    sender = release.sender if release is not None else _value(acceptance, "sender")
    consignee = _value(release, "consignee") or _value(acceptance, "consignee")
    return {
        "id": identity,
        "item": item,
        "kind": kind,
        "status": status_of(hop, faults),
        "from": sender,
        "to": consignee,
        "acceptedBy": _value(acceptance, "consignee"),
        "fromPlace": _value(release, "place"),
        "toPlace": _value(acceptance, "place") or _value(release, "to_place"),
        "fromMsp": _value(release, "msp"),
        "toMsp": _value(acceptance, "msp") or _value(release, "consignee_msp"),
        "reference": _reference([*hop.releases, *hop.acceptances]),
        "released": _text(hop.released) if kind == LOT else None,
        "accepted": _text(hop.accepted) if kind == LOT else None,
        "uom": (release or acceptance or hop.first).uom,
        "releaseEvents": _events(hop.releases),
        "acceptEvents": _events(hop.acceptances),
        "voidEvents": _events(hop.voids),
        "releasedAt": _value(release, "time"),
        "acceptedAt": _value(acceptance, "time"),
        "promisedAt": next((claim.promised for claim in hop.releases if claim.promised is not None), None),
        "faults": sorted(faults),
        **(_NOTHING_MOVED if hop.voided or hop.idle else {}),
    }


_NOTHING_MOVED: Record = dict.fromkeys(("released", "accepted", "releasedAt", "acceptedAt", "promisedAt"))


def void_record(identity: str, item: str, kind: str) -> Record:
    """A handoff that later events have shown to be part of another one."""
    names = ("from", "to", "acceptedBy", "fromPlace", "toPlace", "fromMsp", "toMsp", "reference", "released")
    empty: Record = dict.fromkeys((*names, "accepted", "uom", "releasedAt", "acceptedAt", "promisedAt"))
    lists: Record = {"releaseEvents": [], "acceptEvents": [], "voidEvents": [], "faults": []}
    return {"id": identity, "item": item, "kind": kind, "status": "void", **empty, **lists}


def status_of(hop: Hop, faults: Faults) -> str:
    """``released``, ``accepted``, ``complete``, ``disputed`` or ``void``."""
    if hop.voided or hop.idle:
        return "void"
    if not hop.acceptances:
        return "disputed" if "undelivered" in faults else "released"
    if not hop.releases:
        return "disputed" if faults.keys() & {"wrong_lot", "wrong_consignee"} else "accepted"
    return "disputed" if faults.keys() - {"custody"} else "complete"


def instance_faults(item: str, hops: Sequence[Hop], number: int) -> Faults:
    """What does not add up in one handoff of an instance, given those after it."""
    hop = hops[number]
    following = hops[number + 1] if number + 1 < len(hops) else None
    faults: Faults = {}
    if hop.voided or hop.idle:
        return faults
    if not hop.releases:
        consignee = name(hop.acceptances[0].consignee)
        faults["unannounced"] = f"{item} was accepted by {consignee}; nobody has released it to them"
    elif not hop.acceptances:
        if following is not None and following.releases and following.releases[0].msp == hop.releases[0].msp:
            consignee = name(hop.releases[0].consignee)
            faults["undelivered"] = f"{item} was released to {consignee} and then again, without being accepted"
    else:
        faults |= _wrong_consignee(item, hop)
    return faults


def _wrong_consignee(item: str, hop: Hop) -> Faults:
    release, acceptance = hop.releases[0], hop.acceptances[0]
    meant, got = release.consignee, acceptance.consignee
    if meant is None or got is None or meant == got or release.consignee_msp == acceptance.msp:
        return {}
    return {"wrong_consignee": f"{item} was released to {meant}, and accepted by {got}"}


def lot_faults(item: str, hop: Hop) -> Faults:
    """What does not add up in one handoff of a lot."""
    if hop.voided or not hop.acceptances:
        return {}
    if not hop.releases:
        consignee = name(hop.acceptances[0].consignee)
        return {"unannounced": f"{item} was accepted by {consignee}; nobody has released it to them"}
    faults = _wrong_consignee(item, hop)
    if hop.missing > 0:
        faults["shortage"] = f"{decimal_text(hop.missing)} of {_text(hop.released)} of {item} are missing"
    elif hop.missing < 0:
        extra = decimal_text(-hop.missing)
        faults["overage"] = f"{extra} more of {item} arrived than the {_text(hop.released)} released"
    return faults


def was_damaged(hop: Hop) -> bool:
    """Whether it was accepted as damaged."""
    return any(claim.damaged for claim in hop.acceptances)


def parties_of(hop: Hop) -> Iterator[str | None]:
    """Whom it concerns."""
    for claim in [*hop.releases, *hop.acceptances]:
        yield claim.sender
        yield claim.consignee


def name(party: str | None) -> str:
    """A party in a sentence."""
    return party or "an unnamed party"


def _value(claim: Claim | None, attribute: str) -> str | None:
    found: str | None = getattr(claim, attribute) if claim is not None else None
    return found


def _text(quantity: Decimal | None) -> str | None:
    return None if quantity is None else decimal_text(quantity)


def _events(claims: Sequence[Claim]) -> list[str]:
    return list(dict.fromkeys([claim.event for claim in claims]))


def _reference(claims: Sequence[Claim]) -> Record | None:
    found = [document for claim in claims for document in claim.documents]
    if not found:
        return None
    kind, value = min(found, key=lambda one: (DOCUMENTS.index(one[0]), one[1]))
    return {"type": kind, "id": value}
