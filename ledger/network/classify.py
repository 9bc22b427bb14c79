"""From a gateway's errors to the ledger port's."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

import grpc

from fabric.gateway.errors import CommitError, GatewayError, SubmitError
from fabric.words.certificates import read_certificate
from fabric.words.identity import Identity
from ledger import errors
from ledger.network.peers import expired, lacks_history
from ledger.port import NO_LEADER, NO_ORDERERS

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
_CARRIED_BY_ALL = 512 * 1024
"""``PreferredMaxBytes`` of Fabric's own example channels; ``AbsoluteMaxBytes`` is never less."""
_NOBODY_ORDERED = "no orderers could successfully process transaction"
_TOO_FEW_ORDERERS = (
    "no orderer nodes available",
    "insufficient number of orderers could successfully process transaction",
    "submit timeout expired while broadcasting to ordering service",
)
_LOST_RACES = {"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"}
_RACED_UPGRADE = {"EXPIRED_CHAINCODE", "CHAINCODE_VERSION_CONFLICT", "INVALID_CHAINCODE"}
_NOT_YOU = "access denied"  # said by a peer that does not take the caller for a member


def texts(error: GatewayError) -> str:
    """Everything that was said, by the gateway and by each peer."""
    return " | ".join([error.message, *(detail.message for detail in error.details)])


def ordering(error: SubmitError) -> str:
    """Why the orderers took nothing, as the gateway itself says it (``internal/pkg/gateway/submit.go``); empty if it does not. It
    lists those that it could not reach, and not those that answered that there is no leader."""
    if _NOBODY_ORDERED in error.message:
        return NO_ORDERERS if error.details else NO_LEADER
    return NO_ORDERERS if any(words in error.message for words in _TOO_FEW_ORDERERS) else ""


def _with_names(error: GatewayError) -> str:
    """The same, and who said it: whose peer is away is what the reader wants to know."""
    return " | ".join([error.message, *(f"{one.msp_id} {one.address}: {one.message}" for one in error.details)])


def own_words(error: GatewayError, own: Collection[str]) -> list[str]:
    """What the gateway itself and peers of these organisations said: what others say may be anything."""
    return [error.message, *(detail.message for detail in error.details if detail.msp_id in own)]


def too_large(error: GatewayError, size: int = 0) -> errors.TooLarge | None:
    """Whether a message is beyond what gRPC, a peer or the channel's block size allows. It is certain where gRPC says so by
    its code, or where the transaction, of ``size`` bytes, is larger than any channel must carry; words alone are reason
    enough to try less at a time, and for nothing else."""
    said = texts(error)
    if not _TOO_LARGE.search(said):
        return None
    certain = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED or size > _CARRIED_BY_ALL
    return errors.TooLarge(f"the network does not carry this transaction: {said}", disputed=not certain)


def is_duplicate(error: GatewayError) -> bool:
    """Whether the peer knows this transaction id already: it was committed before."""
    return "duplicate transaction found" in texts(error)


def peers_differ(error: GatewayError) -> bool:
    """Whether the peers that were asked did not all answer the same: one of them may be a block behind."""
    if _refused_by_somebody(error):
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


def before_ordering(error: GatewayError, identity: Identity, own: Collection[str] | None = None) -> errors.LedgerError:
    """For a proposal or query that failed: nothing was sent to the orderers, so trying again is always safe.

    What ends an attempt for good is decided by who said it and in which form, never by a word in it: a refusal counts as
    the contract's when a peer of the ``own`` organisations (the identity's by default) relays it. Whatever else is said by
    others' peers is a reason to wait.
    """
    own = own or {identity.msp_id}
    said = texts(error)
    if lacks_history(error):
        return errors.Unavailable(f"no peer that was asked has blocks so old: {said}")
    if peers_differ(error):
        return errors.Unavailable(f"the peers' answers differ: {_with_names(error)}", disputed=True)
    refusal = _refusal(error, own)
    if refusal is not None:
        return refusal
    if _UNDER_WAY.search(said):
        return errors.Unavailable(
            "an earlier try of this transaction is still under way at a peer: does its chaincode answer?"
        )
    beyond = too_large(error)
    if beyond is not None:
        return beyond
    if _is_about_the_caller(error, own):
        return not_you(error, identity)
    return errors.Unavailable(_with_names(error), disputed=_refused_by_somebody(error))


def _refusal(error: GatewayError, own: Collection[str]) -> errors.RejectedByContract | None:
    """The contract's own answer, if it was asked and did not agree."""
    for text in own_words(error, own):
        if answered := _CHAINCODE.search(text):
            return errors.RejectedByContract(int(answered.group(1)), answered.group(2))
        if (broken := _BROKEN.search(text)) and not _TOO_LARGE.search(text):
            return errors.RejectedByContract(errors.FAILED_ITSELF, broken.group(1))
    return None


def _refused_by_somebody(error: GatewayError) -> bool:
    return any(_CHAINCODE.search(text) or _BROKEN.search(text) for text in texts(error).split(" | "))


def _is_about_the_caller(error: GatewayError, own: Collection[str]) -> bool:
    """Whether this identity is what a peer does not take. Its jobs wait either way; this is for the words about it."""
    if error.code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED) or expired(error):
        return True
    return any(_NOT_YOU in text for text in own_words(error, own))


def after_commit(error: CommitError) -> errors.LedgerError:
    """For a transaction that is in a block and was found invalid: void, whatever the reason, and never the contract's
    verdict. What is neither a lost race nor a change of the contract may lie in the transaction itself."""
    raced = error.code_name in _LOST_RACES | _RACED_UPGRADE
    return errors.Conflict(str(error), disputed=not raced)
