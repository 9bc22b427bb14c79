"""Parties, places, devices and the channel's configuration: who there is and what belongs to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from chaincode import keys, rules
from chaincode.context import Context
from chaincode.rejection import Malformed
from chaincode.signatures import SignatureError, load_key
from chaincode.state import Record
from epcis.identifiers import InvalidIdentifier, parse

_PARTY_AIS, _PLACE_AIS = ("417", "414"), ("414",)
_POLICIES = ("flag", "enforce")
_DAY = 86_400


def register_party(context: Context, argument: bytes) -> bytes:
    """``{id, name, …}`` or a list of them. The first organisation to name a party owns it."""
    return _register(context, argument, _party)


def register_place(context: Context, argument: bytes) -> bytes:
    """``{id, party, name?, kind?, latitude?, longitude?, address?}`` or a list of them."""
    return _register(context, argument, _place)


def register_device(context: Context, argument: bytes) -> bytes:
    """``{id, party, algorithm, publicKey, name?}`` or a list of them."""
    return _register(context, argument, _device)


def revoke_device(context: Context, argument: bytes) -> bytes:
    """``{id}``: its signatures are refused from now on."""
    rules.has_role(context, rules.ADMIN_ROLES, "revoke a device")
    identifier = str(entries(argument)[0].get("id", ""))
    device = context.state.get(keys.device(identifier))
    if device is None:
        raise Malformed(f"device {identifier} is not registered", 404)
    _check_owner(context, device, f"device {identifier}")
    context.state.put(keys.device(identifier), {**device, "status": "revoked"})
    context.state.flush()
    return b"{}"


def configure(context: Context, argument: bytes) -> bytes:
    """``{custodyPolicy?, clockToleranceSeconds?, admins?}``. The first caller's organisation becomes administrator."""
    rules.has_role(context, rules.ADMIN_ROLES, "configure the channel")
    known = context.state.get(keys.CONFIG)
    if known is not None and context.msp not in known["admins"]:
        raise Malformed(f"{context.msp} is not among the channel's administrators ({', '.join(known['admins'])})", 403)
    wanted = entries(argument)[0]
    config = {**context.config, **wanted}
    _check_config(wanted, config)
    config["admins"] = sorted(set(config["admins"]) or {context.msp})
    context.state.put(keys.CONFIG, config)
    context.state.flush()
    return orjson.dumps(config, option=orjson.OPT_SORT_KEYS)


def _check_config(wanted: Record, config: Record) -> None:
    unknown = sorted(wanted.keys() - {"custodyPolicy", "clockToleranceSeconds", "admins"})
    if unknown:
        raise Malformed(f"the configuration has no {', '.join(unknown)}")
    if config["custodyPolicy"] not in _POLICIES:
        raise Malformed(f"custodyPolicy is {' or '.join(_POLICIES)}, not {config['custodyPolicy']!r}")
    tolerance = config["clockToleranceSeconds"]
    if not isinstance(tolerance, int) or isinstance(tolerance, bool) or not 0 <= tolerance <= _DAY:
        raise Malformed(f"clockToleranceSeconds is a whole number from 0 to {_DAY}")
    admins = config["admins"]
    if not isinstance(admins, list) or not all(isinstance(msp, str) and msp.strip() for msp in admins):
        raise Malformed("admins is a list of organisations (MSP identifiers)")


def _register(context: Context, argument: bytes, read: Callable[[Context, Record], tuple[str, Record]]) -> bytes:
    rules.has_role(context, rules.ADMIN_ROLES, "register")
    identifiers = []
    for number, entry in enumerate(entries(argument)):
        try:
            key, record = read(context, entry)
        except Malformed as error:
            raise Malformed(f"entry {number}: {error}", error.status) from error
        known = context.state.get(key)
        if known is not None:
            _check_owner(context, known, record["id"])
        context.state.put(key, record)
        identifiers.append(record["id"])
    context.state.flush()
    return orjson.dumps({"registered": identifiers})


def entries(argument: bytes) -> list[Record]:
    """The objects of an argument: one, or a list of them. Raises Malformed."""
    try:
        document = orjson.loads(argument)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the argument is not JSON: {error}") from error
    entries = document if isinstance(document, list) else [document]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise Malformed("the argument is an object, or a list of objects that is not empty")
    return entries


def _check_owner(context: Context, known: Record, what: str) -> None:
    if known["msp"] != context.msp:
        raise Malformed(f"{what} belongs to {known['msp']}", 403)


def _link(entry: Record, field: str, ais: tuple[str, ...]) -> str:
    value = entry.get(field)
    try:
        known = parse(str(value))
    except InvalidIdentifier as error:
        raise Malformed(f"{field}: {error}") from error
    if known.ai not in ais or not known.has_valid_check_digit:
        raise Malformed(f"{field}: {value} is not a valid {' or '.join(ais)} identifier")
    return known.canonical


def _text(entry: Record, field: str, *, required: bool = False) -> str | None:
    value = entry.get(field)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise Malformed(f"{field} is a text that is not empty")
    return value


def _texts(entry: Record, *fields: str) -> Record:
    return {field: _text(entry, field) for field in fields}


def _number(entry: Record, field: str, limit: int) -> float | int | None:
    value = entry.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
        raise Malformed(f"{field} is a number from -{limit} to {limit}")
    return value


def _party(context: Context, entry: Record) -> tuple[str, Record]:
    identifier = _link(entry, "id", _PARTY_AIS)
    extra = _texts(entry, *(name for name in ("country", "address", "kind", "provenance") if name in entry))
    record: dict[str, Any] = {"id": identifier, "msp": context.msp, "name": _text(entry, "name", required=True)}
    return keys.party(identifier), {**record, **extra, "adopted": False}


def _place(context: Context, entry: Record) -> tuple[str, Record]:
    identifier = _link(entry, "id", _PLACE_AIS)
    party = _link(entry, "party", _PARTY_AIS)
    owner = context.state.get(keys.party(party))
    if owner is None:
        raise Malformed(f"party {party} is not registered: register it first", 404)
    _check_owner(context, owner, f"party {party}")
    texts = _texts(entry, "name", "kind", "address", *(name for name in ("country", "provenance") if name in entry))
    record: Record = {"id": identifier, "party": party, "msp": context.msp, "adopted": False, **texts}
    record["latitude"] = _number(entry, "latitude", 90)
    record["longitude"] = _number(entry, "longitude", 180)
    return keys.place(identifier), record


def _device(context: Context, entry: Record) -> tuple[str, Record]:
    identifier = _text(entry, "id", required=True)
    assert identifier is not None
    party = _link(entry, "party", _PARTY_AIS)
    owner = context.state.get(keys.party(party))
    if owner is not None:
        _check_owner(context, owner, f"party {party}")
    algorithm, key = str(entry.get("algorithm")), str(entry.get("publicKey"))
    try:
        load_key(algorithm, key)
    except SignatureError as error:
        raise Malformed(f"publicKey: {error}") from error
    record = {"id": identifier, "msp": context.msp, "party": party, "algorithm": algorithm, "publicKey": key}
    return keys.device(identifier), {**record, "name": _text(entry, "name"), "status": "active"}
