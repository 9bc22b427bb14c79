"""Proposals: what a client asks the contract to do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2

from fabric.gateway.errors import EndorseError, senseless
from fabric.gateway.session import Session
from fabric.gateway.signable import Signable
from fabric.gateway.transaction import Transaction
from fabric.words import proposal as words


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
    nonce = os.urandom(words.NONCE_BYTES) if nonce is None else nonce
    proposal = words.Proposal.create(channel, chaincode, args, creator, nonce, datetime.now(UTC), transient)
    return gateway_pb2.ProposedTransaction(
        transaction_id=proposal.tx_id,
        proposal=proposal_pb2.SignedProposal(proposal_bytes=proposal.message()),
        endorsing_organizations=list(endorsing_organizations),
    )


class Proposal(Signable):
    """A call that can be evaluated on one peer, or endorsed to become a Transaction."""

    def __init__(self, session: Session, channel: str, proposed: gateway_pb2.ProposedTransaction) -> None:
        super().__init__(session)
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
        return (await self._session.client.evaluate(request)).payload

    async def endorse(self) -> Transaction:
        """Collect endorsements; raises EndorseError with each peer's words."""
        self.sign()
        request = gateway_pb2.EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=self._proposed.proposal,
            endorsing_organizations=self._proposed.endorsing_organizations,
        )
        envelope = await self._session.client.endorse(request)
        prepared = gateway_pb2.PreparedTransaction(transaction_id=self.transaction_id, envelope=envelope)
        try:
            return Transaction(self._session, prepared)
        except ValueError as error:
            raise senseless(EndorseError, str(error), self.transaction_id) from error
