"""A peer in memory with Fabric's semantics: reads show what was committed before, never the call's own writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp import identities_pb2

from chaincode import keys
from chaincode.answers import verdicts_of
from chaincode.contract import Lotline
from epcis import identifiers
from fabric.words.response import Response

ATTRIBUTES = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


@cache
def creator(msp: str, role: str = "admin", **attributes: str) -> bytes:
    """A serialised identity with a role."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{role} of {msp}")])
    value = json.dumps({"attrs": {"role": role, **attributes}}).encode()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.UnrecognizedExtension(ATTRIBUTES, value), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return bytes(identities_pb2.SerializedIdentity(mspid=msp, id_bytes=pem).SerializeToString())


class Call:
    """The stub of one call."""

    def __init__(
        self, state: dict[str, bytes], function: str, argument: bytes | None, who: bytes, now: datetime
    ) -> None:
        self._state = state
        self._arguments = [function.encode()] + ([] if argument is None else [argument])
        self._creator = who
        self._now = now
        self.reads: list[str] = []
        self.writes: dict[str, bytes | None] = {}
        self.policies: dict[str, bytes] = {}
        self.round_trips = 0

    def args(self) -> list[bytes]:
        return self._arguments

    def get_function_and_parameters(self) -> tuple[str, list[bytes]]:
        return self._arguments[0].decode(), self._arguments[1:]

    def get_tx_id(self) -> str:
        return hashlib.sha256(b"".join(self._arguments)).hexdigest()

    def get_channel_id(self) -> str:
        return "lotline"

    def get_tx_timestamp(self) -> datetime:
        return self._now

    def get_creator(self) -> bytes:
        return self._creator

    def get_transient(self) -> dict[str, bytes]:
        return {}

    def get_state(self, key: str) -> bytes | None:
        return self.get_multiple_states([key])[0]

    def get_multiple_states(self, wanted: Sequence[str]) -> list[bytes | None]:
        self.round_trips += 1
        self.reads.extend(wanted)
        return [self._state.get(key) for key in wanted]

    def put_state(self, key: str, value: bytes) -> None:
        assert value, "Fabric refuses empty values"
        self.writes[key] = value

    def del_state(self, key: str) -> None:
        self.writes[key] = None

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        self.policies[key] = policy

    def get_state_validation_parameter(self, key: str) -> bytes | None:
        raise AssertionError("the contract reads endorsers from its records, not from its peer")

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        self.round_trips += 1
        prefix = keys.key(object_type, *attributes)
        self.reads.append(prefix)
        return iter(sorted((key, value) for key, value in self._state.items() if key.startswith(prefix)))

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        return keys.key(object_type, *attributes)

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        kind, *attributes = key[1:-1].split("\x00")
        return kind, attributes

    def set_event(self, name: str, payload: bytes) -> None:
        raise AssertionError("the contract sets no events: readers follow the write sets")


class Peer:
    """A world state and the contract on it."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.policies: dict[str, bytes] = {}
        """Endorsement policies of single keys."""
        self.now = NOW
        self.last = Call(self.state, "", None, b"", NOW)
        """The latest call: what it read and wrote, whether it was committed or not."""
        self.contract = Lotline()

    def creator(self, msp: str, role: str, **attributes: str) -> bytes:
        """The serialised identity that calls."""
        return creator(msp, role, **attributes)

    def call(
        self, function: str, argument: Any = None, msp: str = "AMSP", role: str = "admin", **attributes: str
    ) -> Response:
        """Call a function and commit what it wrote if it succeeded."""
        encoded = argument if isinstance(argument, bytes | None) else json.dumps(argument).encode()
        call = Call(self.state, function, encoded, self.creator(msp, role, **attributes), self.now)
        answer = self.contract.invoke(call)
        self.last = call
        if answer.status < 400:
            self._commit(call)
        return answer

    def _commit(self, call: Call) -> None:
        """A policy is part of its key: it goes with it, and cannot be given to a key that is not there."""
        for key, value in call.writes.items():
            if value is None:
                self.state.pop(key, None)
                self.policies.pop(key, None)
            else:
                self.state[key] = value
        for key, policy in call.policies.items():
            if policy and key in self.state:
                self.policies[key] = policy
            else:
                self.policies.pop(key, None)

    def capture(
        self, *events: dict[str, Any], msp: str = "AMSP", on_error: str = "proceed", **who: str
    ) -> list[dict[str, Any]]:
        """Capture events in one group; returns their verdicts."""
        batch = {"groups": [{"id": "g", "onError": on_error, "events": list(events)}]}
        answer = self.call("capture", batch, msp, **who)
        assert answer.status == 200, answer.message
        return verdicts_of(json.loads(answer.payload)["groups"][0])

    def accept(self, *events: dict[str, Any], msp: str = "AMSP") -> None:
        """Capture events that must all be accepted."""
        for verdict in self.capture(*events, msp=msp):
            assert verdict["verdict"] == "accepted", verdict

    def refuse(self, event: dict[str, Any], msp: str = "AMSP", **who: str) -> str:
        """Capture an event that must be rejected; returns the code."""
        before = dict(self.state)
        (verdict,) = self.capture(event, msp=msp, **who)
        assert verdict["verdict"] == "rejected", verdict
        assert self.state == before
        code: str = verdict["code"]
        return code

    def get(self, key: str) -> Any:
        """A record, None if there is none."""
        value = self.state.get(key)
        return None if value is None else json.loads(value)

    def all(self, kind: str) -> list[Any]:
        """All records of a type."""
        return [json.loads(value) for key, value in sorted(self.state.items()) if key.startswith(keys.key(kind))]

    def open_exceptions(self) -> list[str]:
        """The kinds of what is open."""
        return sorted(record["kind"] for record in self.all("EX") if record["status"] == "open")


def checked(digits: str) -> str:
    return digits + identifiers.check_digit(digits)


GTIN = checked("0950600013435")


def item(serial: object, gtin: str = GTIN) -> str:
    return identifiers.sgtin(gtin, str(serial))


def lot(number: object, gtin: str = GTIN) -> str:
    return identifiers.lot(gtin, str(number))


def pallet(number: int) -> str:
    return identifiers.sscc(checked(f"0950600{number:010d}"))


def place(number: int) -> str:
    return identifiers.gln(checked(f"9506000{number:05d}"))


def party(number: int) -> str:
    return identifiers.pgln(checked(f"9506000{number:05d}"))


A, B, C = (place(1), party(1)), (place(2), party(2)), (place(3), party(3))
SITES = {"AMSP": A, "BMSP": B, "CMSP": C}


def at(hour: float) -> str:
    """A time, in hours after the first of March 2025."""
    moment = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def quantities(amounts: dict[str, Any], uom: str | None = None) -> list[dict[str, Any]]:
    unit = {} if uom is None else {"uom": uom}
    return [{"epcClass": uri, "quantity": amount, **unit} for uri, amount in amounts.items()]


def event(kind: str, hour: float, step: str | None, site: tuple[str, str] | None = A, **fields: Any) -> dict[str, Any]:
    """An event at a site; ``fields`` as in EPCIS."""
    made: dict[str, Any] = {"type": kind, "eventTime": at(hour), "eventTimeZoneOffset": "+00:00", **fields}
    if step is not None:
        made["bizStep"] = step
    if site is not None:
        made["readPoint"] = {"id": site[0]}
        if step != "shipping":
            made["bizLocation"] = {"id": site[0]}
    return made


def commission(hour: float, *uris: str, site: tuple[str, str] = A, **fields: Any) -> dict[str, Any]:
    return event("ObjectEvent", hour, "commissioning", site, action="ADD", epcList=list(uris), **fields)


def make_lot(hour: float, uri: str, amount: Any, site: tuple[str, str] = A, uom: str | None = None) -> dict[str, Any]:
    return event("ObjectEvent", hour, "commissioning", site, action="ADD", quantityList=quantities({uri: amount}, uom))


def pack(hour: float, parent: str, *children: str, site: tuple[str, str] = A, **fields: Any) -> dict[str, Any]:
    inside = {"childEPCs": list(children)} if children else {}
    return event("AggregationEvent", hour, "packing", site, action="ADD", parentID=parent, **inside, **fields)


def unpack(hour: float, parent: str, *children: str, site: tuple[str, str] = A, **fields: Any) -> dict[str, Any]:
    inside = {"childEPCs": list(children)} if children else {}
    return event("AggregationEvent", hour, "unpacking", site, action="DELETE", parentID=parent, **inside, **fields)


def observe(
    hour: float, *uris: str, site: tuple[str, str] | None = A, step: str = "inspecting", **fields: Any
) -> dict[str, Any]:
    return event("ObjectEvent", hour, step, site, action="OBSERVE", epcList=list(uris), **fields)


def ship(
    hour: float,
    *uris: str,
    site: tuple[str, str] = A,
    to: tuple[str, str] | None = B,
    document: str | None = None,
    lots: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    fields["sourceList"] = [{"type": "owning_party", "source": site[1]}]
    if to is not None:
        fields["destinationList"] = [{"type": "owning_party", "destination": to[1]}]
    return event("ObjectEvent", hour, "shipping", site, action="OBSERVE", **_goods(uris, lots, document), **fields)


def receive(
    hour: float,
    *uris: str,
    site: tuple[str, str] = B,
    document: str | None = None,
    lots: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    fields["destinationList"] = [{"type": "owning_party", "destination": site[1]}]
    return event("ObjectEvent", hour, "receiving", site, action="OBSERVE", **_goods(uris, lots, document), **fields)


def _goods(uris: Sequence[str], lots: dict[str, Any] | None, document: str | None) -> dict[str, Any]:
    goods: dict[str, Any] = {"epcList": list(uris)} if uris else {}
    if lots:
        goods["quantityList"] = quantities(lots)
    if document is not None:
        goods["bizTransactionList"] = [
            {"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:9506000000018:{document}"}
        ]
    return goods
