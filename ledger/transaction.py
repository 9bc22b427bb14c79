"""Fabric's transaction messages: a proposal, its endorsed answer, and the envelope around them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf import timestamp_pb2

from ledger.identity import Identity

NONCE_BYTES = 24


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Fabric's rule: hexadecimal SHA-256 of nonce and creator."""
    return hashlib.sha256(nonce + creator).hexdigest()


@dataclass(frozen=True)
class Proposal:
    """What a client asks the contract to do, as the bytes that are hashed and signed."""

    tx_id: str
    timestamp: datetime
    channel_header: bytes
    signature_header: bytes
    payload: bytes
    args: Sequence[bytes]
    transient: Mapping[str, bytes]

    @classmethod
    def create(
        cls,
        channel: str,
        chaincode: str,
        args: Sequence[bytes],
        identity: Identity,
        nonce: bytes,
        now: datetime,
        transient: Mapping[str, bytes] | None = None,
    ) -> Proposal:
        """A proposal of ``identity``. Transient data is not part of the bytes: it never reaches the ledger.

        Raises ValueError for an empty nonce, which Fabric refuses.
        """
        if not nonce:
            raise ValueError("a nonce must not be empty")
        tx_id = transaction_id(nonce, identity.creator)
        target = chaincode_pb2.ChaincodeID(name=chaincode)
        stamp = timestamp_pb2.Timestamp()
        stamp.FromDatetime(now)
        channel_header = common_pb2.ChannelHeader(
            type=common_pb2.ENDORSER_TRANSACTION,
            timestamp=stamp,
            channel_id=channel,
            tx_id=tx_id,
            extension=proposal_pb2.ChaincodeHeaderExtension(chaincode_id=target).SerializeToString(),
        )
        spec = chaincode_pb2.ChaincodeSpec(
            type=chaincode_pb2.ChaincodeSpec.NODE,
            chaincode_id=target,
            input=chaincode_pb2.ChaincodeInput(args=args),
        )
        invocation = chaincode_pb2.ChaincodeInvocationSpec(chaincode_spec=spec)
        return cls(
            tx_id=tx_id,
            timestamp=now.astimezone(UTC),
            channel_header=channel_header.SerializeToString(deterministic=True),
            signature_header=common_pb2.SignatureHeader(creator=identity.creator, nonce=nonce).SerializeToString(
                deterministic=True
            ),
            payload=proposal_pb2.ChaincodeProposalPayload(
                input=invocation.SerializeToString(deterministic=True)
            ).SerializeToString(deterministic=True),
            args=args,
            transient=dict(transient or {}),
        )

    @property
    def hash(self) -> bytes:
        """What endorsers answer to: SHA-256 of channel header, signature header and payload without transient."""
        return hashlib.sha256(self.channel_header + self.signature_header + self.payload).digest()


def endorsed_envelope(
    proposal: Proposal,
    chaincode: str,
    results: bytes,
    event: tuple[str, bytes] | None,
    response: proposal_response_pb2.Response,
    endorsers: Sequence[Identity],
    submitter: Identity,
) -> bytes:
    """The signed envelope of a proposal whose simulation gave ``results`` (a TxReadWriteSet)."""
    action = proposal_pb2.ChaincodeAction(
        results=results,
        events=_event(proposal, chaincode, event),
        response=response,
        chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode),
    )
    answer = proposal_response_pb2.ProposalResponsePayload(
        proposal_hash=proposal.hash, extension=action.SerializeToString(deterministic=True)
    ).SerializeToString(deterministic=True)
    endorsements = [
        proposal_response_pb2.Endorsement(endorser=peer.creator, signature=peer.sign(answer + peer.creator))
        for peer in endorsers
    ]
    endorsed = transaction_pb2.ChaincodeEndorsedAction(proposal_response_payload=answer, endorsements=endorsements)
    body = transaction_pb2.ChaincodeActionPayload(chaincode_proposal_payload=proposal.payload, action=endorsed)
    transaction = transaction_pb2.Transaction(
        actions=[
            transaction_pb2.TransactionAction(
                header=proposal.signature_header, payload=body.SerializeToString(deterministic=True)
            )
        ]
    )
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=proposal.channel_header, signature_header=proposal.signature_header),
        data=transaction.SerializeToString(deterministic=True),
    ).SerializeToString(deterministic=True)
    envelope = common_pb2.Envelope(payload=payload, signature=submitter.sign(payload))
    return bytes(envelope.SerializeToString(deterministic=True))


def _event(proposal: Proposal, chaincode: str, event: tuple[str, bytes] | None) -> bytes:
    if event is None:
        return b""
    name, payload = event
    message = chaincode_event_pb2.ChaincodeEvent(
        chaincode_id=chaincode, tx_id=proposal.tx_id, event_name=name, payload=payload
    )
    return bytes(message.SerializeToString(deterministic=True))
