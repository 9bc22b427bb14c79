"""Whether an event is on the ledger already, at the least cost, and what a second telling adds.

Each read is a look-up on every peer that endorses, and another on every peer that commits. Most events are new, and
many are about something new: while the record of that thing is missing, the event cannot have been captured, and its
own key need not be read. Who captures it at the same time reads and writes the thing's key too, so one of both is void.
"""

from __future__ import annotations

from chaincode import devices, keys
from chaincode.context import Context
from chaincode.declarations import about_event
from chaincode.facts import Fact, same_content
from chaincode.rules import given_id
from chaincode.state import Record
from epcis.identity import variant_hex
from epcis.prehash import digest_uri

_MOST_IDS = 16


def is_captured(context: Context, fact: Fact) -> bool:
    """Whether the event is on the ledger, or came earlier in this batch.

    An event whose hash is another event's gets a name of its own: the hash leaves out what may differ.
    """
    known = _record(context, fact)
    if known is None:
        return False
    if fact.event.error_declaration is None and not same_content(fact.event, known):
        fact.rename(variant_hex(fact.event.hash, fact.event.content_digest))
        known = context.state.get(keys.event(fact.hex))
        if known is None or "event" not in known:
            return False
    _note_telling(context, fact, known)
    return True


def _record(context: Context, fact: Fact) -> Record | None:
    """The record under the event's name, if it is an event's."""
    key = keys.event(fact.hex)
    if (
        fact.witness is not None
        and context.state.committed(fact.witness) is None
        and not context.state.has_written(key)
    ):
        return None
    known = context.state.get(key)
    return known if known is not None and "event" in known else None


def _note_telling(context: Context, fact: Fact, known: Record) -> None:
    """Who else reports an event, by which other eventID it can be found, and a signature that it came without."""
    signed = fact.event.signature is not None and context.msp == known["msp"]
    new_reporter, identifier = context.msp != known["msp"], given_id(fact)
    fresh = identifier is not None and identifier != known["event"].get("eventID")
    fresh = (
        fresh and context.state.get(keys.event_id(identifier or "")) is None
    )  # an id leads to what it was given first
    if not (new_reporter or fresh or signed):
        return
    about = about_event(context, fact.hex)
    reporters, ids, signatures = about["reporters"], about["ids"], about.get("signatures", [])
    told = (reporters, ids, signatures)
    if signed and len(signatures) < _MOST_IDS:
        signatures = devices.note_copy(context, fact, known, signatures)
    if new_reporter and context.msp not in reporters:
        reporters = sorted([*reporters, context.msp])
    if fresh and len(ids) < _MOST_IDS:
        ids = sorted([*ids, identifier])
        # ... but it names an event only if the event came with it: nobody can take another's next id
        context.state.put(keys.event_id(identifier or ""), {"event": digest_uri(fact.hex), "alias": True})
    if (reporters, ids, signatures) != told:
        more = {"signatures": signatures} if signatures else {}
        context.state.put(keys.about(fact.hex), {**about, "reporters": reporters, "ids": ids, **more})
