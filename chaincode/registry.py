"""Registering parties, places and devices, and configuring the channel.

Nothing is registered by being mentioned. The first organisation to register something has it; where that was not its owner, the
channel's administrators give it to who is (``reassignment``).
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from chaincode import arguments, devices, keys, parties, rules
from chaincode.context import Context
from chaincode.devices import PARTY_AIS, PLACE_AIS
from chaincode.registered import Device, Party, Place
from chaincode.rejection import Malformed
from chaincode.state import Record

Registration = tuple[str, Party | Place | Device]
"""The key of what is registered, and what is to stand there."""


def register_party(context: Context, argument: bytes) -> bytes:
    """``{id, name, country?, address?, kind?, provenance?}`` or a list of them."""
    return _register(context, argument, _party)


def register_place(context: Context, argument: bytes) -> bytes:
    """``{id, party, name?, kind?, signed?, latitude?, longitude?, address?, country?, provenance?}`` or a list of them."""
    return _register(context, argument, _place)


def register_device(context: Context, argument: bytes) -> bytes:
    """``{id, party, algorithm, publicKey, name?, place?, chained?, succeeds?, succession?}`` or a list of them."""
    return _register(context, argument, devices.read)


def configure(context: Context, argument: bytes) -> bytes:
    """``{custodyPolicy?, clockToleranceSeconds?, admins?}``. The first caller's organisation becomes administrator."""
    rules.has_role(context, rules.ADMIN_ROLES, "configure the channel")
    if context.config.admins:
        rules.administers(context, "configure it")
    changed = context.config.changed(arguments.entries(argument)[0], context.msp)
    context.state.put(keys.CONFIG, changed.to_record())
    context.state.flush()
    return orjson.dumps(changed.to_answer(), option=orjson.OPT_SORT_KEYS)


def _register(context: Context, argument: bytes, read: Callable[[Context, Record], Registration]) -> bytes:
    rules.has_role(context, rules.ADMIN_ROLES, "register")
    identifiers = []

    def register(entry: Record) -> None:
        key, wanted = read(context, entry)
        context.state.put(key, wanted.to_record())
        identifiers.append(wanted.id)

    for _ in arguments.each(argument, register):
        pass
    context.state.flush()
    return orjson.dumps({"registered": identifiers})


def _party(context: Context, entry: Record) -> Registration:
    identifier = arguments.link(entry, "id", PARTY_AIS)
    key = keys.party(identifier)
    known = Party.from_record(context.state.get(key))
    if known is not None:
        rules.is_own_registration(context, known.msp, identifier)
    return key, Party(
        id=identifier,
        msp=context.msp,
        name=arguments.required_text(entry, "name"),
        more=_texts(entry, "country", "address", "kind", "provenance"),
        reassigned=None if known is None else known.reassigned,
    )


def _place(context: Context, entry: Record) -> Registration:
    identifier = arguments.link(entry, "id", PLACE_AIS)
    party = arguments.link(entry, "party", PARTY_AIS)
    owner = parties.party_record(context, party)
    if owner is None:
        raise Malformed(f"party {party} is not registered: register it first", 404)
    rules.is_own_registration(context, owner["msp"], f"party {party}")
    known = Place.from_record(context.state.get(keys.place(identifier)))
    around = known or Place.from_record(parties.place_record(context, identifier))
    if around is not None:
        # a part of a place (dock 5 of a warehouse) is whose the place is
        rules.is_own_registration(context, around.msp, around.id)
    return keys.place(identifier), Place(
        id=identifier,
        party=party,
        msp=context.msp,
        signed=_signed(entry, known),
        name=arguments.text(entry, "name"),
        kind=arguments.text(entry, "kind"),
        address=arguments.text(entry, "address"),
        latitude=arguments.number(entry, "latitude", 90),
        longitude=arguments.number(entry, "longitude", 180),
        more=_texts(entry, "country", "provenance"),
        reassigned=None if known is None else known.reassigned,
    )


def _signed(entry: Record, known: Place | None) -> bool:
    """Whether a place demands signatures: what was demanded is, until somebody says otherwise in so many words."""
    value = entry.get("signed", known is not None and known.signed)
    if not isinstance(value, bool):
        raise Malformed("signed is true or false")
    return value


def _texts(entry: Record, *fields: str) -> Record:
    return {field: found for field in fields if (found := arguments.text(entry, field)) is not None}
