"""Who may say or ship what. Read from top to bottom; the first rule that is broken is the reason given (``rulebook`` lists them all).

Rules about a whole call raise Malformed, those about an event Rejection. What follows from the histories of things and lots (who holds what, what is
in what) is judged where they are folded, in ``goods`` and ``lots``.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TypedDict

from chaincode import keys, parties
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.rejection import Malformed, Rejection
from chaincode.state import Record
from epcis import Event, QuantityElement

CAPTURE_ROLES = frozenset({"scanner", "admin"})
PUBLISH_ROLES = frozenset({"analyst", "admin"})
ADMIN_ROLES = frozenset({"admin"})


def has_role(context: Context, roles: frozenset[str], what: str) -> None:
    """``role``: the submitter's certificate must carry one that allows it."""
    if context.role not in roles:
        wanted = " or ".join(sorted(roles))
        raise Malformed(f"to {what} the certificate must carry the role {wanted}, not {context.role or 'none'}", 403)


def administers(context: Context, what: str) -> None:
    """``administration``: some things only those organisations may do that administer the channel."""
    admins = context.config.admins
    if context.msp not in admins:
        known = ", ".join(admins) or "nobody has configured it"
        raise Malformed(f"{context.msp} is not among the channel's administrators ({known}), who alone {what}", 403)


def is_own_registration(context: Context, owner: str, what: str) -> None:
    """``registration``: what an organisation has registered is its own until an administrator says otherwise."""
    if owner != context.msp:
        raise Malformed(
            f"{what} belongs to {owner}: if that is wrong, the channel's administrators can reassign it", 403
        )


def may_protect(context: Context, uri: str, title: str | None, before: set[str], wanted: set[str]) -> None:
    """``title``: who made a thing or had it from its maker by handoffs that both sides attested, or has a say in it already,
    may give organisations a say. Holding it, packing it or speaking of it first gives no power over it.

    ``say``: one ends only by the word of who has it, or else the next owner could drop the maker's.
    """
    if context.msp != title and context.msp not in before:
        whose = f"{uri} is {title}'s: only they" if title else f"nobody reported the making of {uri}: only who made it"
        raise Malformed(f"{whose}, or who has a say in it already, can protect it", 403)
    dropped = before - wanted - {context.msp}
    if dropped:
        raise Malformed(f"{', '.join(sorted(dropped))} must agree to changes of {uri}: only they can end that", 403)


def is_well_formed(fact: Fact) -> None:
    """What GS1's schema cannot say must hold too: check digits, sensor data, children named, no quantity below zero.
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
    """``future``: nothing is reported before it happens, give or take the channel's tolerance for clocks."""
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
    """``event_id_reused``: an eventID names one event for ever; only a declaration that it was in error may use it again."""
    identifier = given_id(fact)
    if identifier is None or fact.event.error_declaration is not None:
        return
    known = context.state.get(keys.event_id(identifier))
    if known is not None and known["event"] != fact.hash and not known.get("alias"):
        raise Rejection("event_id_reused", f"{identifier} already names another event: {known['event']}", "eventID")


def places_are_own(context: Context, fact: Fact) -> None:
    """``not_your_place``: an organisation speaks from its own places, and from those that nobody registered."""
    for field, uri in fact.locations:
        record = parties.place_record(context, uri)
        if record is None:
            if parties.is_place(uri):
                fact.flags.add("unregistered_place")
        elif record["msp"] != context.msp:
            detail = f"{uri} belongs to {record['msp']}"
            raise Rejection(
                "not_your_place", detail, field, item=_first(fact), **_owner(record.get("party"), record["msp"])
            )


def party_is_own(context: Context, party: str | None, field: str, fact: Fact | None = None) -> None:
    """``not_your_party``: only the sender attests a release, only the consignee an acceptance; anybody for a party that
    nobody registered."""
    if party is None:
        return
    record = parties.party_record(context, party)
    if record is None:
        if fact is not None:
            fact.flags.add("unregistered_party")
    elif record["msp"] != context.msp:
        detail = f"{party} belongs to {record['msp']}: only they can attest this"
        raise Rejection("not_your_party", detail, field, item=_first(fact), **_owner(party, record["msp"]))


def _first(fact: Fact | None) -> str | None:
    """The first thing that an event is about."""
    return None if fact is None else next(iter([*fact.instances, *fact.classes]), None)


class _Whom(TypedDict):
    parties: list[str | None]
    organisations: list[str | None]


def _owner(party: str | None, msp: str | None) -> _Whom:
    """A party, or the organisation if none of its parties is known."""
    return {"parties": [party], "organisations": [msp] if party is None else []}


def _of_thing(thing: Record) -> _Whom:
    """Who made a thing and who has it."""
    known = _owner(thing.get("holder"), thing.get("msp"))
    made = thing.get("maker")
    if made != thing.get("msp"):
        known["organisations"].append(made)
    return known


def is_not_commissioned_yet(context: Context, uri: str, thing: Record | None) -> None:
    """``already_commissioned``: a thing begins once, and another organisation's thing only if nobody has said how it began."""
    if thing is not None and thing["commissioned"]:
        detail = f"{uri} was commissioned before, by {thing['maker']}"
        raise Rejection("already_commissioned", detail, "epcList", item=uri, **_of_thing(thing))


def lot_is_own(context: Context, uri: str, lot: Record | None) -> None:
    """``not_your_lot``: only the organisation that made a lot can make more of it."""
    if lot is not None and lot["commissioned"] and lot["msp"] != context.msp:
        whom = _owner(None, lot["msp"])
        raise Rejection("not_your_lot", f"{uri} was made by {lot['msp']}", "quantityList", item=uri, **whom)


def is_alive(uri: str, thing: Record, fact: Fact) -> None:
    """``ended``: nothing happens to a thing after its end. What happened before may still be told."""
    ended = thing.get("ended")
    if ended is not None and fact.time > ended[0]:
        detail = f"{uri} was {ended[1]} at {ended[0]}: it cannot be used after that"
        raise Rejection("ended", detail, item=uri, **_of_thing(thing))


def has_not_ended(uri: str, thing: Record) -> None:
    """``ended``: a thing ends once."""
    ended = thing.get("ended")
    if ended is not None:
        raise Rejection("ended", f"{uri} was {ended[1]} at {ended[0]} already", item=uri, **_of_thing(thing))


def is_covered(context: Context, lot: Record, uri: str, left: Decimal) -> None:
    """``insufficient_quantity``: nobody gives away more of a lot than they have. A lot whose making nobody reported cannot
    be counted.

    Refused under ``enforce``; under ``flag`` the balance turns negative, which opens an exception.
    """
    if left < 0 and context.enforces and lot["commissioned"]:
        detail, whom = f"{-left} more of {uri} than there is", _owner(None, lot.get("msp"))
        raise Rejection("insufficient_quantity", detail, "quantityList", item=uri, **whom)
