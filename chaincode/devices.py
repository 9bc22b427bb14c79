"""Reading devices: their registration, and what their signatures are worth.

A device belongs to the organisation that registered it. A key that was revoked, or had another take its place, never comes back. A device
whose id is made of its key (``dev:`` and 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo) is that key.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chaincode import arguments, keys, parties, rules, scans
from chaincode.context import Context
from chaincode.exceptions import close_by
from chaincode.facts import Fact
from chaincode.registered import Device, Revocation
from chaincode.rejection import Malformed, Rejection
from chaincode.state import Record
from epcis.formats import utc_microseconds
from epcis.identity import identity
from epcis.signatures import Link, SignatureError, link_of, load_key, message, succession, verify, verify_value

PARTY_AIS, PLACE_AIS = ("417", "414"), ("414",)
GRACE = timedelta(days=30)
"""For so long after a revocation what was signed before the loss is still taken, if more was signed than had arrived."""
_OF_KEY = "dev:"


def id_of_key(algorithm: str, pem: str) -> str:
    """The id of a device that is its key. Raises SignatureError."""
    spki = load_key(algorithm, pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _OF_KEY + hashlib.sha256(spki).hexdigest()[:16]


def read(context: Context, entry: Record) -> tuple[str, Device]:
    """The key of a device in the registry and what is to stand there. Raises Malformed."""
    identifier, party = arguments.key_text(entry, "id"), arguments.link(entry, "party", PARTY_AIS)
    owner = parties.party_record(context, party)
    if owner is not None:
        rules.is_own_registration(context, owner["msp"], f"party {party}")
    known = Device.from_record(context.state.get(keys.device(identifier)))
    if known is not None:
        rules.is_own_registration(context, known.msp, f"device {identifier}")
    algorithm, public_key = str(entry.get("algorithm")), str(entry.get("publicKey"))
    _check_key(identifier, algorithm, public_key)
    _check_past(context, known, public_key)
    is_same = known is not None and known.public_key == public_key
    return keys.device(identifier), Device(
        id=identifier,
        msp=context.msp,
        party=party,
        algorithm=algorithm,
        public_key=public_key,
        name=arguments.text(entry, "name"),
        reassigned=None if known is None else known.reassigned,
        chained=_flag(entry, "chained") or (known is not None and known.chained),
        place=_place(context, entry),
        since=known.since if known is not None and is_same else _now(context),
        succeeds=known.succeeds if known is not None and "succeeds" not in entry else _succeeded(context, entry),
        before=() if known is None else known.before if is_same else known.history(_now(context)),
    )


def _check_key(identifier: str, algorithm: str, public_key: str) -> None:
    try:
        of_key = id_of_key(algorithm, public_key)
    except SignatureError as error:
        raise Malformed(f"publicKey: {error}") from error
    if identifier.startswith(_OF_KEY) and identifier != of_key:
        raise Malformed(f"id: the device with this key is {of_key}")


def _check_past(context: Context, known: Device | None, public_key: str) -> None:
    """What was ended stays ended."""
    if known is None:
        return
    is_given = known.reassigned is not None and known.revocation is None
    if known.status != "active" and known.has_had(public_key) and not is_given:
        raise Malformed(
            f"publicKey: {known.id} is {known.status}, and its key does not come back: register another", 409
        )
    if public_key != known.public_key:
        if any(public_key == key.public_key for key in known.before):
            raise Malformed(f"publicKey: {known.id} had this key before: register another", 409)
        if scans.is_chained(context, known):
            raise Malformed(f"{known.id} signs in a chain, which is its key's: register a device that succeeds it", 409)


def _place(context: Context, entry: Record) -> str | None:
    if entry.get("place") is None:
        return None
    place = arguments.link(entry, "place", PLACE_AIS)
    record = parties.place_record(context, place)
    if record is not None:
        rules.is_own_registration(context, record["msp"], f"place {place}")
    return place


def _flag(entry: Record, field: str) -> bool:
    value = entry.get(field, False)
    if not isinstance(value, bool):
        raise Malformed(f"{field} is true or false")
    return value


def _succeeded(context: Context, entry: Record) -> str | None:
    """The device that this one succeeds, by that one's own signature; its time ends."""
    if entry.get("succeeds") is None:
        return None
    name = arguments.key_text(entry, "succeeds")
    old = Device.from_record(context.state.get(keys.device(name)))
    if old is None:
        raise Malformed(f"succeeds: device {name} is not registered", 404)
    rules.is_own_registration(context, old.msp, f"device {name}")
    if old.status != "active":
        raise Malformed(f"succeeds: device {name} is {old.status}: nobody succeeds it", 409)
    try:
        verify_value(old.algorithm, old.public_key, entry.get("succession"), succession(name, str(entry["id"])))
    except SignatureError as error:
        raise Malformed(f"succession: {error}") from error
    _revoke(context, old, since=_now(context), why=f"succeeded by {entry['id']}", status="succeeded")
    return name


def revoke_device(context: Context, argument: bytes) -> bytes:
    """``{id, since?, why?}``: its signatures are refused from now on; with ``since`` what it signed before that is still taken."""
    rules.has_role(context, rules.ADMIN_ROLES, "revoke a device")
    entry = arguments.entries(argument)[0]
    device = _own_device(context, entry)
    since = _time(entry, "since")
    _revoke(context, device, since, arguments.text(entry, "why"))
    context.state.flush()
    return b"{}"


def explain_device(context: Context, argument: bytes) -> bytes:
    """``{id, why}``: what is odd about the chain of a device is explained; its exceptions close, and what is missing may stay so."""
    rules.has_role(context, rules.ADMIN_ROLES, "explain what is odd about a device")
    entry = arguments.entries(argument)[0]
    arguments.only(entry, "id", "why")
    device, why = _own_device(context, entry), arguments.required_text(entry, "why")
    chain = scans.chain_of(context, device.id)
    if (missing := scans.missing_of(chain)) > 0:
        explained = {"explained": chain["explained"] + missing, "explainedTo": chain["counter"]}
        context.state.put(keys.device_chain(device.id), {**chain, **explained})
    _close(context, device, (scans.GAP, scans.FORK, scans.REPLAY), f"{context.msp} explains: {why}")
    context.state.flush()
    return b"{}"


def _own_device(context: Context, entry: Record) -> Device:
    identifier = str(entry.get("id", ""))
    device = Device.from_record(context.state.get(keys.device(identifier)))
    if device is None:
        raise Malformed(f"device {identifier} is not registered", 404)
    rules.is_own_registration(context, device.msp, f"device {identifier}")
    return device


def _revoke(context: Context, device: Device, since: str | None, why: str | None, status: str = "revoked") -> None:
    counter = scans.chain_of(context, device.id)["counter"]
    revocation = Revocation(at=_now(context), since=since, counter=counter, why=why)
    record = device.revoked(revocation).to_record()
    context.state.put(keys.device(device.id), {**record, "status": status})
    _close(context, device, (scans.FORK, scans.REPLAY), f"the device is {status}")


def _close(context: Context, device: Device, kinds: tuple[str, ...], words: str) -> None:
    for kind in kinds:
        close_by(context, kind, device.id, None, _now(context), words)


def _now(context: Context) -> str:
    return context.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(entry: Record, field: str) -> str | None:
    value = entry.get(field)
    if value is None:
        return None
    try:
        if not isinstance(value, str) or "T" not in value:
            raise ValueError(value)
        return utc_microseconds(value)
    except ValueError as error:
        raise Malformed(f"{field} is a time with its zone, like 2026-05-04T09:12:33Z") from error


def device_is_known(context: Context, fact: Fact) -> str | None:
    """The device that signed an event: its signature must verify, and it must be the submitter's own and not revoked."""
    signature = fact.event.signature
    if signature is None:
        return None
    identifier = str(signature.get("device", ""))
    device = Device.from_record(context.state.get(keys.device(identifier)))
    if device is None:
        raise Rejection("unknown_device", f"device {identifier} is not registered", scans.FIELD)
    if device.msp != context.msp:
        raise Rejection(
            "not_your_device", f"device {identifier} belongs to {device.msp}", scans.FIELD, parties=(device.party,)
        )
    link = _verified(context, fact, device)
    if device.status != "active":
        _is_of_before(context, fact, device, link)
    if link is not None:
        scans.check(context, fact, scans.scan_of(fact, device, link))
    if device.place is not None and all(
        parties.base_place(uri) != parties.base_place(device.place) for _, uri in fact.locations
    ):
        fact.flags.add("other_place")
    return identifier


def _verified(context: Context, fact: Fact, device: Device) -> Link | None:
    signature, name = fact.event.signature or {}, identity(fact.event)
    try:
        link = link_of(signature)
        if link is None and scans.is_chained(context, device):
            raise SignatureError(f"{device.id} signs in a chain: counter, previous and signedAt are missing")
        signed = name.encode() if link is None else message(device.id, link, name)
        verify(device.algorithm, device.public_key, signature, signed)
    except SignatureError as error:
        raise Rejection("bad_signature", str(error), scans.FIELD, parties=(device.party,)) from error
    return link


def _is_of_before(context: Context, fact: Fact, device: Device, link: Link | None) -> None:
    """What a device signed before it was lost is its own, whenever it is uploaded. Who has the key can write any time: beyond what had
    been counted it is taken for ``GRACE`` only."""
    ended = device.revocation
    if ended is not None and ended.since is not None:
        since = context.moment(ended.since)
        moment = fact.moment if link is None else max(link.moment, fact.moment)
        is_counted = link is not None and link.counter <= ended.counter
        if moment < since and (is_counted or context.now <= context.moment(ended.at) + GRACE):
            fact.flags.add("revoked_later")
            return
    raise Rejection("device_revoked", f"device {device.id} is {device.status}", scans.FIELD, parties=(device.party,))


def is_signed_where_demanded(context: Context, fact: Fact) -> None:
    """``unsigned``: from a place that demands it, only what a device has signed is taken."""
    if fact.event.signature is not None:
        return
    for field, uri in fact.locations:
        record = parties.place_record(context, uri)
        if record is not None and record["msp"] == context.msp and record.get("signed"):
            raise Rejection("unsigned", f"{uri} takes only what a device has signed", field, parties=(record["party"],))


def note_refused(context: Context, fact: Fact, noted: int) -> None:
    """A signed event that was refused for another reason has its place in the chain too; ``noted``: so many scans were before it."""
    if len(context.scans) == noted and fact.event.signature is not None:
        with suppress(Rejection):
            device_is_known(context, fact)


def note_copy(context: Context, fact: Fact, known: Record, signatures: list[Record]) -> list[Record]:
    """The signatures of an event that is on the ledger already, with that of this copy if it is good and new."""
    signature = fact.event.signature
    if signature is None or signature in (known.get("signature"), *signatures):
        return signatures
    before = len(context.scans)
    try:
        device_is_known(context, fact)
    except Rejection:
        return signatures
    context.scans[before:] = [scans.repeated(context, scan, known) for scan in context.scans[before:]]
    return [*signatures, signature]
