"""Who may say or ship what. Read from top to bottom; the first rule that is broken is the reason given.

A rule raises Rejection. The last three hold only where the channel's custody policy is ``enforce``; where it is ``flag``, the
event passes, and an exception is opened instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from chaincode import keys, parties
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.goods.fold import Objection as Holding
from chaincode.rejection import Malformed, Rejection
from chaincode.signatures import SignatureError, verify
from chaincode.state import Record
from epcis import Event, QuantityElement

CAPTURE_ROLES = frozenset({"scanner", "admin"})
PUBLISH_ROLES = frozenset({"analyst", "admin"})
ADMIN_ROLES = frozenset({"admin"})


def has_role(context: Context, roles: frozenset[str], what: str) -> None:
    """1. The submitter's certificate must carry a role that allows it."""
    if context.role not in roles:
        wanted = " or ".join(sorted(roles))
        raise Malformed(f"to {what} the certificate must carry the role {wanted}, not {context.role or 'none'}", 403)


def may_protect(context: Context, uri: str, responsible: str, before: set[str], wanted: set[str]) -> None:
    """Who holds a thing (made a lot), or has a say in it already, may give organisations a say. A say ends only by the
    word of who has it: or else whoever holds the goods next could drop the maker's."""
    if context.msp != responsible and context.msp not in before:
        raise Malformed(f"{uri} is {responsible}'s: only they, or who has a say in it already, can protect it", 403)
    dropped = before - wanted - {context.msp}
    if dropped:
        raise Malformed(f"{', '.join(sorted(dropped))} must agree to changes of {uri}: only they can end that", 403)


def is_well_formed(fact: Fact) -> None:
    """2. What GS1's schema cannot say must hold too: check digits, sensor data, children named, no quantity below zero.
    Warnings are flags."""
    for problem in fact.problems:
        if problem.severity == "error":
            raise Rejection(problem.code, problem.message, problem.field)
        fact.flags.add(problem.code)
    for field, elements in _quantities(fact.event) if fact.classes else ():
        if any(element.quantity is not None and element.quantity < 0 for element in elements):
            raise Rejection("negative_quantity", "less than nothing would move goods the other way", field)


def _quantities(event: Event) -> Iterator[tuple[str, list[QuantityElement]]]:
    yield "quantityList", event.quantity_list
    yield "childQuantityList", event.child_quantity_list
    yield "inputQuantityList", event.input_quantity_list
    yield "outputQuantityList", event.output_quantity_list


def is_not_from_the_future(context: Context, fact: Fact) -> None:
    """3. Nothing is reported before it happens, give or take the channel's tolerance for clocks."""
    if fact.moment > context.latest:
        raise Rejection("future", f"eventTime {fact.event.event_time_text} is in the future", "eventTime")


def given_id(fact: Fact) -> str | None:
    """The eventID by which others may know the event. One that has the form of a hash and is not this event's own
    hash names nothing: other programs' hashes do not reproduce, and GS1's own examples share one."""
    identifier = fact.event.event_id
    if identifier is None or identifier == fact.hash:
        return None
    if identifier.startswith("ni:///sha-256;"):
        fact.flags.add("foreign_hash")
        return None
    return identifier


def event_id_is_free(context: Context, fact: Fact) -> None:
    """4. An eventID names one event for ever; only a declaration that it was in error may use it again."""
    identifier = given_id(fact)
    if identifier is None or fact.event.error_declaration is not None:
        return
    known = context.state.get(keys.event_id(identifier))
    if known is not None and known["event"] != fact.hash:
        raise Rejection("event_id_reused", f"{identifier} already names another event: {known['event']}", "eventID")


def device_is_known(context: Context, fact: Fact) -> str | None:
    """5. A device's signature must verify, and the device must be the submitter's own and not revoked."""
    signature = fact.event.signature
    if signature is None:
        return None
    field = "lotline:signature"
    identifier = str(signature.get("device", ""))
    device = context.state.get(keys.device(identifier))
    if device is None:
        raise Rejection("unknown_device", f"device {identifier} is not registered", field)
    if device["msp"] != context.msp:
        raise Rejection("not_your_device", f"device {identifier} belongs to {device['msp']}", field)
    if device["status"] != "active":
        raise Rejection("device_revoked", f"device {identifier} is revoked", field)
    try:
        verify(device["algorithm"], device["publicKey"], signature, fact.hash)
    except SignatureError as error:
        raise Rejection("bad_signature", str(error), field) from error
    return identifier


def places_are_own(context: Context, fact: Fact) -> None:
    """6. An organisation speaks only from its own places. One that nobody registered becomes its own."""
    for field, uri in fact.locations:
        record = parties.place_record(context, uri)
        if record is not None and record["msp"] != context.msp:
            raise Rejection("not_your_place", f"{uri} belongs to {record['msp']}", field)
        if record is None and parties.is_place(uri):
            unknown = dict.fromkeys(("name", "kind", "latitude", "longitude", "address"))
            adopted = {"id": uri, "party": context.party, "msp": context.msp, "adopted": True}
            context.state.put(keys.place(uri), {**adopted, **unknown})


def party_is_own(context: Context, party: str | None, field: str) -> None:
    """7. Only the sender attests a release, only the consignee an acceptance. An unregistered party is adopted."""
    if party is None:
        return
    record = context.state.get(keys.party(party))
    if record is None:
        adopted = {"id": party, "msp": context.msp, "name": None, "adopted": True}
        context.state.put(keys.party(party), adopted)
    elif record["msp"] != context.msp:
        raise Rejection("not_your_party", f"{party} belongs to {record['msp']}: only they can attest this", field)


def is_not_commissioned_yet(context: Context, uri: str, thing: Record | None) -> None:
    """8. A thing begins once, and another organisation's thing only if nobody has said how it began."""
    if thing is not None and thing["commissioned"]:
        raise Rejection("already_commissioned", f"{uri} was commissioned before, by {thing['maker']}", "epcList")


def lot_is_own(context: Context, uri: str, lot: Record | None) -> None:
    """9. Only the organisation that made a lot can make more of it."""
    if lot is not None and lot["commissioned"] and lot["msp"] != context.msp:
        raise Rejection("not_your_lot", f"{uri} was made by {lot['msp']}", "quantityList")


def is_alive(uri: str, thing: Record, fact: Fact) -> None:
    """10. Nothing happens to a thing after its end. What happened before may still be told."""
    ended = thing.get("ended")
    if ended is not None and fact.time > ended[0]:
        raise Rejection("ended", f"{uri} was {ended[1]} at {ended[0]}: it cannot be used after that")


def has_not_ended(uri: str, thing: Record) -> None:
    """11. A thing ends once."""
    ended = thing.get("ended")
    if ended is not None:
        raise Rejection("ended", f"{uri} was {ended[1]} at {ended[0]} already")


def may_handle(context: Context, uri: str, holder: Holding) -> None:
    """12. Custody: goods are handled and shipped by who holds them at that time. Refused under ``enforce`` only."""
    if context.enforces:
        raise Rejection("not_in_your_custody", f"{uri} is held by {holder.msp}")


def is_unpacked(context: Context, thing: Record) -> None:
    """13. What is in a parent stays in it until somebody takes it out. Refused under ``enforce`` only."""
    if context.enforces:
        detail = f"{thing['id']} is in {thing['parent']}: unpack it first, or name the parent"
        raise Rejection("already_packed", detail)


def is_covered(context: Context, lot: Record, uri: str, left: Decimal) -> None:
    """14. Nobody gives away more of a lot than they have. A lot whose making nobody reported cannot be counted.

    Refused under ``enforce``; under ``flag`` the balance turns negative, which opens an exception.
    """
    if left < 0 and context.enforces and lot["commissioned"]:
        raise Rejection("insufficient_quantity", f"{-left} more of {uri} than there is", "quantityList")
