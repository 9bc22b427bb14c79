"""The parts of a signed proposal that a contract may ask for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2

from fabric.shim.errors import ChaincodeError
from fabric.words.proposal import open_proposal

_PROPOSAL_TYPES = (common_pb2.ENDORSER_TRANSACTION, common_pb2.CONFIG)


@dataclass(frozen=True)
class ProposalParts:
    """Creator, time, transient data and binding of a proposal."""

    creator: bytes = b""
    timestamp: datetime | None = None
    transient: dict[str, bytes] = field(default_factory=dict)
    binding: bytes = b""

    @classmethod
    def parse(cls, signed: proposal_pb2.SignedProposal) -> ProposalParts:
        """Take a signed proposal apart; raises ChaincodeError if it is not one."""
        try:
            channel, signature, payload = open_proposal(signed.proposal_bytes)
        except Exception as error:
            raise ChaincodeError(f"the proposal cannot be read: {error}") from error
        if channel.type not in _PROPOSAL_TYPES:
            raise ChaincodeError(f"channel header type {channel.type} is not a transaction's")
        return cls(
            creator=signature.creator,
            timestamp=channel.timestamp.ToDatetime(tzinfo=UTC),
            transient=dict(payload.TransientMap),
            binding=_binding(signature, channel.epoch),
        )


def _binding(signature: common_pb2.SignatureHeader, epoch: int) -> bytes:
    """SHA-256 of nonce, creator and the little-endian epoch: what ties transient data to one proposal."""
    return hashlib.sha256(signature.nonce + signature.creator + epoch.to_bytes(8, "little")).digest()
