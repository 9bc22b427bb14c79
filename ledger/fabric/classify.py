"""From a gateway's errors to the ledger port's."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import grpc

from chaincode.cid import read_certificate
from ledger import errors
from ledger.fabric.errors import CommitError, EndorseError, GatewayError
from ledger.fabric.peers import expired, lacks_history, unavailable
from ledger.identity import Identity

_CHAINCODE = re.compile(r"chaincode response (\d+), (.*)", re.DOTALL)
_BROKEN = re.compile(r"transaction returned with failure: (.*)", re.DOTALL)  # the contract raised instead of answering
_OTHERS = "failed to collect enough transaction endorsements"
"""The gateway's own organisation endorsed and others did not: one of them may be a block behind, and refuse what it will take
a moment later. A refusal that all agree on comes from the first peer that is asked, under another message."""
UNKNOWN_TRANSACTION = "no such transaction ID"
"""What ``qscc`` says of a transaction that its peer does not have."""
_MISMATCH = "ProposalResponsePayloads do not match"
_UNDER_WAY = re.compile(r"error sending: txid: \w+\(\S*\) exists")  # a peer runs a transaction id once at a time
_TOO_LARGE = re.compile(r"larger than max|exceeds maximum allowed|REQUEST_ENTITY_TOO_LARGE")
"""gRPC's words on either side, and an orderer's for what is beyond the channel's ``AbsoluteMaxBytes``."""
_LOST_RACES = {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"}
_RACED_UPGRADE = {"EXPIRED_CHAINCODE", "CHAINCODE_VERSION_CONFLICT", "INVALID_CHAINCODE", "ENDORSEMENT_POLICY_FAILURE"}
_NOT_YOU = ("access denied", "creator", "identity", "certificate", "not a member", "signature")


def texts(error: GatewayError) -> str:
    """Everything that was said, by the gateway and by each peer."""
    return " | ".join([error.message, *(detail.message for detail in error.details)])


def _with_names(error: GatewayError) -> str:
    """The same, and who said it: whose peer is away is what the reader wants to know."""
    return " | ".join([error.message, *(f"{one.msp_id} {one.address}: {one.message}" for one in error.details)])


def too_large(error: GatewayError) -> errors.TooLarge | None:
    """Whether a message is beyond what gRPC, a peer or the channel's block size allows."""
    said = texts(error)
    return errors.TooLarge(f"the network does not carry this transaction: {said}") if _TOO_LARGE.search(said) else None


def is_duplicate(error: GatewayError) -> bool:
    """Whether the peer knows this transaction id already: it was committed before."""
    return "duplicate transaction found" in texts(error)


def peers_differ(error: GatewayError) -> bool:
    """Whether the peers that were asked did not all answer the same: one of them may be a block behind."""
    if _refusal(error) is not None:
        return _OTHERS in error.message
    return _MISMATCH in texts(error)


def not_you(error: GatewayError, identity: Identity) -> errors.InvalidIdentity:
    """For a call that a peer refused because of who made it. A peer does not say when a certificate ended; it is in it."""
    who = f"{identity.name} of {identity.msp_id}"
    ended = _end(identity)
    if ended is not None and ended < datetime.now(UTC):
        return errors.InvalidIdentity(f"{who}: its certificate ended on {ended:%Y-%m-%d %H:%M:%S} UTC: enrol it again")
    return errors.InvalidIdentity(f"{who}: {texts(error)}")


def _end(identity: Identity) -> datetime | None:
    try:
        return read_certificate(identity.certificate).not_valid_after_utc
    except ValueError:
        return None  # what the peer said of it is all there is to say


def before_ordering(error: GatewayError, identity: Identity) -> errors.LedgerError:
    """For a proposal or query that failed: nothing was sent to the orderers, so trying again is always safe."""
    said = texts(error)
    if lacks_history(error):
        return errors.Unavailable(f"no peer that was asked has blocks so old: {said}")
    if peers_differ(error):
        return errors.Unavailable(f"the peers' answers differ: {_with_names(error)}")
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    if _UNDER_WAY.search(said):
        return errors.Unavailable(
            "an earlier try of this transaction is still under way at a peer: does its chaincode answer?"
        )
    beyond = too_large(error)
    if beyond is not None:
        return beyond
    if expired(error):
        return not_you(error, identity)
    if unavailable(error) or error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.Unavailable(_with_names(error))
    if error.code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED) or _about_identity(error):
        return not_you(error, identity)
    return errors.Unavailable(_with_names(error))


def _refusal(error: GatewayError) -> errors.RejectedByContract | None:
    """The contract's own answer, if it was asked and did not agree."""
    for text in (error.message, *(detail.message for detail in error.details)):
        if answered := _CHAINCODE.search(text):
            return errors.RejectedByContract(int(answered.group(1)), answered.group(2))
        if (broken := _BROKEN.search(text)) and not _TOO_LARGE.search(text):
            return errors.RejectedByContract(500, broken.group(1))
    return None


def _about_identity(error: GatewayError) -> bool:
    if not isinstance(error, EndorseError) and error.code is not grpc.StatusCode.FAILED_PRECONDITION:
        return False
    said = texts(error).lower()
    return any(word in said for word in _NOT_YOU)


def after_commit(error: CommitError) -> errors.LedgerError:
    """For a transaction that is in a block and was found invalid."""
    if error.code_name in _LOST_RACES:
        return errors.Conflict(str(error))
    if error.code_name in _RACED_UPGRADE:
        return errors.Conflict(str(error))
    return errors.RejectedByContract(500, str(error))
