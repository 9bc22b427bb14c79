"""A second opinion on a chain: Fabric's rules from the raw bytes, without a line of the code under test.

Messages are read by their field numbers, so that neither the generated classes nor ``ledger`` can hide a mistake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

HALF_ORDERS = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
    // 2,
}
CONFIG, ENDORSER_TRANSACTION = 1, 3
Version = tuple[int, int]


class BrokenRuleError(AssertionError):
    """A rule of Fabric that the chain does not keep."""


@dataclass
class State:
    """What the write sets add up to: (namespace, key) -> value and version."""

    values: dict[tuple[str, str], tuple[bytes, Version]] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)
    commit_hash: bytes = b""


def must(holds: bool, rule: str) -> None:
    if not holds:
        raise BrokenRuleError(rule)


def varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            return value, at


def message(raw: bytes) -> dict[int, list[Any]]:
    """Field number -> values in order: integers and bytes."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(raw):
        tag, at = varint(raw, at)
        must(tag & 7 in (0, 2), "only varints and bytes occur in these messages")
        value, at = varint(raw, at)
        if tag & 7 == 2:
            must(at + value <= len(raw), "a field ends before its message")
            content, at = raw[at : at + value], at + value
            found.setdefault(tag >> 3, []).append(content)
        else:
            found.setdefault(tag >> 3, []).append(value)
    return found


def one(raw: bytes, *path: int, default: Any = b"") -> Any:
    """The value at a path of field numbers."""
    value: Any = raw
    for number in path:
        value = message(value).get(number, [default])[0]
    return value


def der(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = f"{len(content):x}"
    length = bytes.fromhex(size.zfill(len(size) + len(size) % 2))
    return bytes([tag, 128 | len(length)]) + length + content


def header_bytes(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    digits = f"{number:x}"
    integer = bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    if integer[0] >= 128:
        integer = b"\0" + integer
    return der(0x30, der(2, integer) + der(4, previous_hash) + der(4, data_hash))


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


class Organisations:
    """The authorities in a configuration block, by group."""

    def __init__(self, config_block: bytes) -> None:
        payload = one(one(config_block, 2, 1), 1)
        must(one(one(payload, 1, 1), 1, default=0) == CONFIG, "block 0 is a configuration")
        groups = self._map(one(one(payload, 2), 1, 2), 2)
        self.applications = {name: self._root(group) for name, group in self._map(groups["Application"], 2).items()}
        self.orderers = {name: self._root(group) for name, group in self._map(groups["Orderer"], 2).items()}
        policy = self._map(groups["Orderer"], 4)["BlockValidation"]
        must(one(one(policy, 2), 1, default=0) == 3, "BlockValidation is an implicit meta policy")
        must(one(one(one(policy, 2), 2), 1) == b"Writers", "BlockValidation asks for writers")

    @staticmethod
    def _map(group: bytes, number: int) -> dict[str, bytes]:
        return {one(entry, 1).decode(): one(entry, 2) for entry in message(group).get(number, [])}

    def _root(self, organisation: bytes) -> x509.Certificate:
        msp = one(one(self._map(organisation, 3)["MSP"], 2), 2)
        return x509.load_pem_x509_certificate(one(msp, 2))


def signer(known: dict[str, x509.Certificate], identity: bytes, signed: bytes, signature: bytes) -> tuple[str, str]:
    """MSP and organisational unit of whoever signed this."""
    msp = one(identity, 1).decode()
    must(msp in known, f"{msp} belongs to the channel")
    certificate = x509.load_pem_x509_certificate(one(identity, 2))
    try:
        certificate.verify_directly_issued_by(known[msp])
        key = certificate.public_key()
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            half = HALF_ORDERS[key.curve.name]
            must(utils.decode_dss_signature(signature)[1] <= half, "signatures have the smaller s")
    except (InvalidSignature, ValueError) as error:
        raise BrokenRuleError(f"a signature of {msp} does not verify") from error
    (unit,) = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    return msp, str(unit.value)


def verify(blocks: Sequence[bytes]) -> State:
    """Check every rule; returns the state. Raises BrokenRuleError at the first that does not hold."""
    organisations = Organisations(blocks[0])
    state = State()
    previous = b""
    for number, raw in enumerate(blocks):
        header, data, metadata = one(raw, 1), one(raw, 2), message(one(raw, 3))[1]
        must(one(header, 1, default=0) == number, "blocks are numbered from 0")
        must(one(header, 2) == previous, "previous_hash is the hash of the header before")
        envelopes = message(data)[1]
        data_hash = sha256(*envelopes)
        must(one(header, 3) == data_hash, "data_hash is the hash of the envelopes")
        must(one(one(metadata[0], 1), 1) is not None, "the last configuration is named")
        must(one(one(one(metadata[0], 1), 1), 1, default=0) == 0, "the last configuration is block 0")
        must(metadata[2] == b"\0" * len(envelopes), "every transaction is valid")
        if number:
            ordered(organisations, metadata[0], header_bytes(number, previous, data_hash))
            updates: dict[tuple[str, str], tuple[bytes | None, Version]] = {}
            for index, envelope in enumerate(envelopes):
                results = endorsed(organisations, state, number, envelope)
                apply(state, updates, results, (number, index))
            commit(state, updates, metadata)
        previous = sha256(header_bytes(number, previous, data_hash))
    return state


def ordered(organisations: Organisations, metadata: bytes, header: bytes) -> None:
    value, (signature,) = one(metadata, 1), message(metadata)[2]
    signature_header = one(signature, 1)
    signed = value + signature_header + header
    _, unit = signer(organisations.orderers, one(signature_header, 1), signed, one(signature, 2))
    must(unit == "orderer", "an orderer signs blocks")


def endorsed(organisations: Organisations, state: State, number: int, envelope: bytes) -> bytes:
    """Check an envelope; returns its read-write sets."""
    payload = one(envelope, 1)
    channel_header, signature_header = one(payload, 1, 1), one(payload, 1, 2)
    creator, nonce = one(signature_header, 1), one(signature_header, 2)
    must(one(channel_header, 1) == ENDORSER_TRANSACTION, "the transaction is an endorser transaction")
    signer(organisations.applications, creator, payload, one(envelope, 2))
    tx_id = one(channel_header, 5).decode()
    must(len(nonce) > 0 and tx_id == sha256(nonce, creator).hex(), "tx_id is the hash of nonce and creator")
    must(tx_id not in state.transactions, "a tx_id occurs once")
    state.transactions[tx_id] = number
    (action,) = message(one(payload, 2))[1]
    must(one(action, 1) == signature_header, "the action names the submitter")
    body = one(action, 2)
    answer = one(body, 2, 1)
    must(one(answer, 1) == sha256(channel_header, one(action, 1), one(body, 1)), "proposal_hash binds the proposal")
    must(2 not in message(one(body, 1)), "no transient data on the ledger")
    endorsers = set()
    for endorsement in message(one(body, 2))[2]:
        endorser = one(endorsement, 1)
        msp, unit = signer(organisations.applications, endorser, answer + endorser, one(endorsement, 2))
        must(unit == "peer", "peers endorse")
        endorsers.add(msp)
    must(endorsers == set(organisations.applications), "every organisation endorses")
    must(one(one(answer, 2), 3, 1, default=0) < 400, "nothing refused is on the ledger")
    return bytes(one(one(answer, 2), 1))


def version(read: bytes) -> Version | None:
    found = message(read)
    return (one(found[2][0], 1, default=0), one(found[2][0], 2, default=0)) if 2 in found else None


def apply(state: State, updates: dict[Any, Any], results: bytes, now: Version) -> None:
    for entry in message(results).get(2, []):
        namespace, sets = one(entry, 1).decode(), message(one(entry, 2))
        for read in sets.get(1, []):
            key = (namespace, one(read, 1).decode())
            must(key not in updates, "nothing reads what its own block writes")
            must(version(read) == state.values.get(key, (b"", None))[1], "read versions are current")
        for query in sets.get(2, []):
            start, end = one(query, 1).decode(), one(query, 2).decode()
            seen = [(one(read, 1).decode(), version(read)) for read in message(one(query, 4)).get(1, [])]
            held = [(key, state.values[space, key][1]) for space, key in state.values if space == namespace]
            there = sorted((item for item in held if start <= item[0] < end), key=lambda item: item[0].encode())
            must(seen == there, "range reads saw what was there")
        keys = [one(write, 1) for write in sets.get(3, [])]
        must(keys == sorted(set(keys)), "writes are sorted and unique")
        for write in sets.get(3, []):
            deleted = one(write, 2, default=0) == 1
            updates[namespace, one(write, 1).decode()] = (None if deleted else one(write, 3), now)


def commit(state: State, updates: dict[tuple[str, str], tuple[bytes | None, Version]], metadata: list[bytes]) -> None:
    content = b""
    last = None
    for (namespace, key), (value, now) in sorted(updates.items(), key=lambda item: [part.encode() for part in item[0]]):
        entry = b"" if namespace == last else proto(1, namespace.encode())
        entry += proto(3, key.encode()) + (b"\x20\x01" if value is None else proto(5, value))
        content += proto(1, entry + proto(6, ordered_number(now[0]) + ordered_number(now[1])))
        last = namespace
        if value is None:
            state.values.pop((namespace, key), None)
        else:
            state.values[namespace, key] = (value, now)
    state.commit_hash = sha256(proto_length(len(metadata[2])), metadata[2], content, state.commit_hash)
    must(one(metadata[4], 1) == state.commit_hash, "the commit hash covers the updates")


def proto_length(size: int) -> bytes:
    groups = []
    while True:
        size, low = divmod(size, 128)
        groups.append(low | (128 if size else 0))
        if not size:
            return bytes(groups)


def proto(number: int, content: bytes) -> bytes:
    return bytes([number * 8 + 2]) + proto_length(len(content)) + content


def ordered_number(value: int) -> bytes:
    content = value.to_bytes(8, "big").lstrip(b"\0")
    return bytes([len(content)]) + content
