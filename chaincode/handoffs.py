"""Handoffs: the sender attests a release, the consignee an acceptance, in whatever order the two reach the ledger.

A handoff is one item's hop: an instance as it was shipped (a pallet, whatever is on it), or some of a lot. A release
looks for an acceptance that waits for it, an acceptance for a release; what finds nothing opens a handoff that waits.
Status and exceptions follow from what is open for the same item, never from the order of arrival.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from chaincode import keys, parties
from chaincode.context import Context, Fact, decimal, decimal_text
from chaincode.exceptions import close_exception, open_exception
from chaincode.state import Record
from epcis import Event

# documents that name a shipment, the most exact first
_REFERENCES = ("desadv", "bol", "po", "inv", "recadv")


def reference(event: Event) -> Record | None:
    """The document that says best which shipment this is."""
    given = {entry.type: entry.biz_transaction for entry in event.biz_transaction_list if entry.type}
    for kind in _REFERENCES:
        if kind in given:
            return {"type": kind, "id": given[kind]}
    return None


def agree(one: Record | None, other: Record | None) -> bool:
    """Whether two documents can be about one shipment: different ones of one kind cannot."""
    return one is None or other is None or one["type"] != other["type"] or one["id"] == other["id"]


def load(context: Context, identifier: str) -> Record:
    """A handoff that is known to be there."""
    found = context.state.get(keys.handoff(identifier))
    assert found is not None
    return found


def save(context: Context, handoff: Record) -> None:
    """Write a handoff."""
    context.state.put(keys.handoff(handoff["id"]), handoff)


def identifier(subject: str, number: int) -> str:
    """The id of the ``number``-th handoff of a subject: the same whichever side opened it."""
    return f"{hashlib.sha256(subject.encode()).hexdigest()[:24]}-{number}"


def new(identifier: str, item: str, kind: str) -> Record:
    """A handoff of which nothing is known yet."""
    empty: Record = dict.fromkeys(
        ("from", "to", "fromPlace", "toPlace", "reference", "released", "accepted", "uom", "releasedAt", "acceptedAt")
    )
    empty |= dict.fromkeys(("promisedAt", "fromMsp", "toMsp"))
    lists: dict[str, Any] = {"releaseEvents": [], "acceptEvents": [], "short": False, "faults": []}
    return {"id": identifier, "item": item, "kind": kind, "status": "released", **empty, **lists}


def released(context: Context, fact: Fact, handoff: Record, quantity: Decimal | None = None) -> Record:
    """The handoff with a release added."""
    where = parties.destinations(fact.event)
    promised = fact.extension("promisedAt")
    sums = _sum(handoff["released"], quantity)
    return {
        **handoff,
        "from": fact.party,
        "to": handoff["to"] if handoff["to"] is not None else parties.consignee(context, fact),
        "fromPlace": fact.place,
        "toPlace": handoff["toPlace"] or where.get("location"),
        "reference": handoff["reference"] or reference(fact.event),
        "released": sums,
        "uom": handoff["uom"],
        "releasedAt": min(filter(None, (handoff["releasedAt"], fact.time))),
        "promisedAt": promised if isinstance(promised, str) else handoff["promisedAt"],
        "fromMsp": context.msp,
        "releaseEvents": [*handoff["releaseEvents"], fact.hash],
    }


def accepted(context: Context, fact: Fact, handoff: Record, quantity: Decimal | None = None) -> Record:
    """The handoff with an acceptance added."""
    return {
        **handoff,
        "from": handoff["from"] if handoff["from"] is not None else parties.sender(context, fact),
        "to": fact.party,
        "toPlace": fact.place or handoff["toPlace"],
        "reference": handoff["reference"] or reference(fact.event),
        "accepted": _sum(handoff["accepted"], quantity),
        "acceptedAt": max(filter(None, (handoff["acceptedAt"], fact.time))),
        "toMsp": context.msp,
        "acceptEvents": [*handoff["acceptEvents"], fact.hash],
    }


def _sum(before: str | None, quantity: Decimal | None) -> str | None:
    if quantity is None:
        return before
    return decimal_text(decimal(before or "0") + quantity)


def is_released(handoff: Record) -> bool:
    """Whether the sender has spoken."""
    return bool(handoff["releaseEvents"])


def is_accepted(handoff: Record) -> bool:
    """Whether the consignee has spoken."""
    return bool(handoff["acceptEvents"])


def missing(handoff: Record) -> Decimal:
    """How much of a lot's release is not accepted yet; negative where more came than was sent."""
    return decimal(handoff["released"] or "0") - decimal(handoff["accepted"] or "0")


def is_settled(handoff: Record) -> bool:
    """Whether nothing more is expected of it."""
    both = is_released(handoff) and is_accepted(handoff)
    return both and (handoff["kind"] == "instance" or missing(handoff) == 0)


def settle(context: Context, fact: Fact, open_handoffs: Iterable[Record]) -> list[str]:
    """Status and exceptions of all handoffs that wait for the same item; returns those that still wait."""
    together = list(open_handoffs)
    for handoff in together:
        faults = dict(_faults(handoff, together))
        status = _status(handoff, together)
        _sync_exceptions(context, fact, handoff, faults)
        changed = {**handoff, "status": status, "faults": sorted(faults)}
        if changed != context.state.get(keys.handoff(handoff["id"])):
            save(context, changed)
    return [handoff["id"] for handoff in together if not is_settled(handoff)]


def _rivals(handoff: Record, together: list[Record]) -> list[Record]:
    """Open handoffs of the other side only, that contradict this one: elsewhere, or another lot of one shipment."""
    alone = is_released(handoff) != is_accepted(handoff)
    return [
        other
        for other in together
        if alone
        and is_released(other) != is_accepted(other)
        and is_released(other) != is_released(handoff)
        and (_elsewhere(handoff, other) or _another_lot(handoff, other))
    ]


def _elsewhere(one: Record, other: Record) -> bool:
    return bool(one["item"] == other["item"] and one["to"] is not None and other["to"] not in (None, one["to"]))


def _another_lot(one: Record, other: Record) -> bool:
    same_document = one["reference"] is not None and one["reference"] == other["reference"]
    return bool(one["item"] != other["item"] and same_document)


def _status(handoff: Record, together: list[Record]) -> str:
    if _rivals(handoff, together):
        return "disputed"
    if not is_released(handoff):
        return "accepted"
    if not is_accepted(handoff) or (handoff["kind"] == "lot" and missing(handoff) > 0):
        return "released"
    return "complete"


def _faults(handoff: Record, together: list[Record]) -> Iterable[tuple[str, str]]:
    """Which exceptions must be open for a handoff, and what they say."""
    item = handoff["item"]
    if not is_released(handoff):
        yield "unannounced", f"{item} was accepted by {_name(handoff['to'])}; nobody has released it to them"
        for rival in _rivals(handoff, together):
            if rival["item"] == item:
                detail = f"{item} was released to {_name(rival['to'])}, and accepted by {_name(handoff['to'])}"
                yield "wrong_consignee", detail
            else:
                yield "wrong_lot", f"{rival['item']} was released, and {item} accepted under the same document"
    elif handoff["kind"] == "instance":
        if handoff["short"] and not is_accepted(handoff):
            yield "shortage", f"{item} was released with others that have arrived, and has not arrived itself"
    elif is_accepted(handoff) and missing(handoff) > 0:
        yield "shortage", f"{decimal_text(missing(handoff))} of {handoff['released']} of {item} are missing"
    elif is_accepted(handoff) and missing(handoff) < 0:
        extra = decimal_text(-missing(handoff))
        yield "overage", f"{extra} more of {item} arrived than the {handoff['released']} released"


def _name(party: str | None) -> str:
    return party or "an unnamed party"


def _sync_exceptions(context: Context, fact: Fact, handoff: Record, faults: dict[str, str]) -> None:
    for kind, detail in sorted(faults.items()):
        _open(context, fact, handoff, kind, detail)
    for kind in handoff["faults"]:
        if kind not in faults:
            close_exception(context, fact, kind, handoff["id"])


def _open(context: Context, fact: Fact, handoff: Record, kind: str, detail: str) -> None:
    between = (handoff["from"], handoff["to"])
    subject = handoff["id"]
    open_exception(context, fact, kind, subject, detail, item=handoff["item"], handoff=subject, parties=between)


def note_damage(context: Context, fact: Fact, handoff: Record) -> None:
    """Goods accepted as damaged."""
    _open(context, fact, handoff, "damaged", f"{handoff['item']} was accepted damaged by {_name(fact.party)}")
