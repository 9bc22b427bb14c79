"""What the organisations' peers have signed: an endorsed call of ``heads``, checked from its bytes alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from google.protobuf.message import DecodeError

from fabric.words import keys
from fabric.words.proposal import NONCE_BYTES, proposal_hash
from fabric.words.transaction import Endorsed
from proofs.faults import ProofError
from proofs.roots import Roots

_OK = 200
_FUNCTION = b"heads"


@dataclass(frozen=True)
class Attested:
    """What was asked and answered. ``block``: the ledger has had this block at least when it was signed."""

    channel: str
    chaincode: str
    asked_at: datetime
    question: dict[str, Any]
    things: dict[str, Any]
    classes: dict[str, Any]
    records: dict[str, Any]
    block: int
    signers: tuple[str, ...]
    """MSPs of known organisations whose peers signed, each once."""


@dataclass(frozen=True)
class Checkpoint:
    """How high an organisation's chain was, and the hash of its last block's header: two that differ at one height are a fork."""

    msp_id: str
    height: int
    header_hash: bytes


class _Call(NamedTuple):
    """An endorsed call whose signatures hold."""

    channel: common_pb2.ChannelHeader
    nonce: bytes
    chaincode: str
    args: Sequence[bytes]
    endorsed: Endorsed
    signers: tuple[str, ...]


def nonce_bytes(nonce: str) -> bytes:
    """What calls carry that are made for a question with this nonce."""
    return hashlib.sha256(nonce.encode()).digest()[:NONCE_BYTES]


def read_attestation(payload: bytes, roots: Roots) -> Attested:
    """Check who signed, and what. Signers of organisations whose roots are not known count for nothing. Raises ProofError."""
    call = _open(payload, roots)
    response = call.endorsed.result.response
    if response.status != _OK or len(call.args) != 2 or call.args[0] != _FUNCTION:
        raise ProofError("question", "the organisations answered something else than where trails stand")
    question, answer = _object(call.args[1]), _object(response.payload)
    try:
        block = _latest_block(call.endorsed.result.results)
    except DecodeError as error:
        raise ProofError("format", f"what was read cannot be read: {error}") from error
    return Attested(
        call.channel.channel_id,
        call.chaincode,
        call.channel.timestamp.ToDatetime(UTC),
        question,
        _member(answer, "things"),
        _member(answer, "classes"),
        _member(answer, "records"),
        block,
        call.signers,
    )


def read_checkpoint(payload: bytes, roots: Roots, channel: str, nonce: str) -> Checkpoint | None:
    """One organisation's signed height; None of an organisation whose roots are not known. Raises ProofError."""
    try:
        call = _open(payload, roots)
    except ProofError as error:
        if error.word == "roots":
            return None
        raise
    if call.chaincode != "qscc" or list(call.args) != [b"GetChainInfo", channel.encode()] or len(call.signers) != 1:
        raise ProofError("question", "a checkpoint answers something else than how high the chain is")
    if call.nonce != nonce_bytes(nonce):
        raise ProofError("question", "a checkpoint was signed for another question")
    try:
        found = ledger_pb2.BlockchainInfo.FromString(call.endorsed.result.response.payload)
    except DecodeError as error:
        raise ProofError("format", f"a checkpoint cannot be read: {error}") from error
    return Checkpoint(call.signers[0], found.height, found.currentBlockHash)


def _open(payload: bytes, roots: Roots) -> _Call:
    try:
        header = common_pb2.Payload.FromString(payload)
        channel = common_pb2.ChannelHeader.FromString(header.header.channel_header)
        creator = common_pb2.SignatureHeader.FromString(header.header.signature_header)
        endorsed = Endorsed.read(header.data)
        call = endorsed.call()
    except (DecodeError, ValueError) as error:
        raise ProofError("format", f"the attestation is no endorsed call: {error}") from error
    signers = _signers(endorsed, roots)
    body = endorsed.body.chaincode_proposal_payload
    said = proposal_hash(header.header.channel_header, header.header.signature_header, body)
    if said != endorsed.answer.proposal_hash:
        raise ProofError("question", "the question shown is not the one that was signed")
    if call.chaincode_id.name != endorsed.result.chaincode_id.name:
        raise ProofError("question", "another chaincode answered than was asked")
    return _Call(channel, creator.nonce, call.chaincode_id.name, call.input.args, endorsed, signers)


def _signers(endorsed: Endorsed, roots: Roots) -> tuple[str, ...]:
    signed = endorsed.body.action.proposal_response_payload
    found: dict[str, None] = {}
    unknown: ProofError | None = None
    for one in endorsed.body.action.endorsements:
        try:
            member = roots.member(one.endorser)
        except ProofError as error:
            unknown = error
            continue
        if member.unit != "peer":
            unknown = ProofError("roots", f"a {member.unit} of {member.msp_id} signed, and only peers see the ledger")
            continue
        try:
            keys.verify(member.public_key, signed + one.endorser, one.signature)
        except (InvalidSignature, ValueError) as error:
            raise ProofError("signature", f"of {member.msp_id}") from error
        found[member.msp_id] = None
    if not found:
        raise unknown or ProofError("roots", "nobody signed")
    return tuple(found)


def _latest_block(results: bytes) -> int:
    """The latest block among the versions of what was read. Raises DecodeError."""
    blocks = [0]
    for space in rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset:
        found = kv_rwset_pb2.KVRWSet.FromString(space.rwset)
        blocks += [read.version.block_num for read in found.reads]
        for scanned in found.range_queries_info:
            blocks += [read.version.block_num for read in scanned.raw_reads.kv_reads]
    return max(blocks)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ProofError("format", f"what was signed is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ProofError("format", "what was signed is no JSON object")
    return found


def _member(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name)
    if not isinstance(found, dict):
        raise ProofError("format", f"the signed answer has no {name!r}")
    return found
