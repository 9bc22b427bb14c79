"""Proposals: what a client asks the contract to do."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from google.protobuf import timestamp_pb2

from ledger.fabric.errors import EndorseError, senseless
from ledger.fabric.signable import Signable
from ledger.fabric.transaction import Transaction

if TYPE_CHECKING:
    from ledger.fabric.gateway import Gateway

NONCE_BYTES = 24


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Hexadecimal SHA-256 of nonce and creator: Fabric's rule."""
    return hashlib.sha256(nonce + creator).hexdigest()


def build(
    creator: bytes,
    channel: str,
    chaincode: str,
    args: Sequence[bytes],
    transient: Mapping[str, bytes] | None = None,
    endorsing_organizations: Sequence[str] = (),
    nonce: bytes | None = None,
) -> gateway_pb2.ProposedTransaction:
    """An unsigned proposal. A given nonce gives the same transaction id again."""
    nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
    tx_id = transaction_id(nonce, creator)
    target = chaincode_pb2.ChaincodeID(name=chaincode)
    now = timestamp_pb2.Timestamp()
    now.GetCurrentTime()
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION,
        tx_id=tx_id,
        timestamp=now,
        channel_id=channel,
        extension=proposal_pb2.ChaincodeHeaderExtension(chaincode_id=target).SerializeToString(),
    )
    spec = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            type=chaincode_pb2.ChaincodeSpec.NODE,
            chaincode_id=target,
            input=chaincode_pb2.ChaincodeInput(args=list(args)),
        )
    )
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
    )
    payload = proposal_pb2.ChaincodeProposalPayload(input=spec.SerializeToString(), TransientMap=dict(transient or {}))
    proposal = proposal_pb2.Proposal(header=header.SerializeToString(), payload=payload.SerializeToString())
    return gateway_pb2.ProposedTransaction(
        transaction_id=tx_id,
        proposal=proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString()),
        endorsing_organizations=list(endorsing_organizations),
    )


class Proposal(Signable):
    """A call that can be evaluated on one peer, or endorsed to become a Transaction."""

    def __init__(self, gateway: Gateway, channel: str, proposed: gateway_pb2.ProposedTransaction) -> None:
        super().__init__(gateway)
        self._channel = channel
        self._proposed = proposed

    @property
    def transaction_id(self) -> str:
        """The id the transaction will have."""
        return self._proposed.transaction_id

    def to_bytes(self) -> bytes:
        """For signing elsewhere; ``Gateway.new_signed_proposal`` takes it back."""
        return self._proposed.SerializeToString()

    def _message(self) -> bytes:
        return self._proposed.proposal.proposal_bytes

    def _signature(self) -> bytes:
        return self._proposed.proposal.signature

    def _set_signature(self, signature: bytes) -> None:
        self._proposed.proposal.signature = signature

    async def evaluate(self) -> bytes:
        """Ask one peer and return the contract's payload; nothing is ordered. Raises EvaluateError."""
        self.sign()
        request = gateway_pb2.EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=self._proposed.proposal,
            target_organizations=self._proposed.endorsing_organizations,
        )
        return (await self._gateway.client.evaluate(request)).payload

    async def endorse(self) -> Transaction:
        """Collect endorsements; raises EndorseError with each peer's words."""
        self.sign()
        request = gateway_pb2.EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=self._proposed.proposal,
            endorsing_organizations=self._proposed.endorsing_organizations,
        )
        envelope = await self._gateway.client.endorse(request)
        prepared = gateway_pb2.PreparedTransaction(transaction_id=self.transaction_id, envelope=envelope)
        try:
            return Transaction(self._gateway, prepared)
        except ValueError as error:
            raise senseless(EndorseError, str(error), self.transaction_id) from error
