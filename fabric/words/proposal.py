"""Proposals: what a client asks a chaincode to do, and the transaction id that comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf import timestamp_pb2

NONCE_BYTES = 24


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Fabric's rule: hexadecimal SHA-256 of nonce and creator (a serialised identity).

    >>> transaction_id(b"nonce", b"creator")
    '709184f9d24f6ade8fcd4d6521a6eef295fef6c2e67216c58b68ac15e8946492'
    """
    return hashlib.sha256(nonce + creator).hexdigest()


def proposal_hash(channel_header: bytes, signature_header: bytes, payload: bytes) -> bytes:
    """What endorsers answer to. ``payload`` is a ChaincodeProposalPayload without transient data."""
    return hashlib.sha256(channel_header + signature_header + payload).digest()


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
        creator: bytes,
        nonce: bytes,
        now: datetime,
        transient: Mapping[str, bytes] | None = None,
    ) -> Proposal:
        """A proposal of ``creator``. Transient data is not part of what is hashed: it never reaches the ledger.

        Raises ValueError for an empty nonce, which Fabric refuses.
        """
        if not nonce:
            raise ValueError("a nonce must not be empty")
        tx_id = transaction_id(nonce, creator)
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
            signature_header=common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(
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
        return proposal_hash(self.channel_header, self.signature_header, self.payload)

    def message(self) -> bytes:
        """The message that a client signs and sends, transient data included."""
        payload = proposal_pb2.ChaincodeProposalPayload.FromString(self.payload)
        for name, value in self.transient.items():
            payload.TransientMap[name] = value
        header = common_pb2.Header(channel_header=self.channel_header, signature_header=self.signature_header)
        return bytes(
            proposal_pb2.Proposal(
                header=header.SerializeToString(deterministic=True),
                payload=payload.SerializeToString(deterministic=True),
            ).SerializeToString(deterministic=True)
        )


def open_proposal(
    raw: bytes,
) -> tuple[common_pb2.ChannelHeader, common_pb2.SignatureHeader, proposal_pb2.ChaincodeProposalPayload]:
    """The headers and the payload of a proposal's message. Raises DecodeError."""
    proposal = proposal_pb2.Proposal.FromString(raw)
    header = common_pb2.Header.FromString(proposal.header)
    return (
        common_pb2.ChannelHeader.FromString(header.channel_header),
        common_pb2.SignatureHeader.FromString(header.signature_header),
        proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload),
    )
