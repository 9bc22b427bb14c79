"""Endorsed transactions: written, and taken apart.

An envelope holds a payload, that a transaction, that an action, that the proposal and the endorsers' answer, and that what the
chaincode read, wrote and said. Nothing here judges: see ``fabric.verify``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

from fabric.words.identity import Identity
from fabric.words.proposal import Proposal


class Endorsed(NamedTuple):
    """The parts of an endorsed transaction."""

    action: transaction_pb2.TransactionAction
    body: transaction_pb2.ChaincodeActionPayload
    answer: proposal_response_pb2.ProposalResponsePayload
    result: proposal_pb2.ChaincodeAction

    @classmethod
    def read(cls, payload: bytes) -> Endorsed:
        """Take the data of an envelope's payload apart. Raises DecodeError, and ValueError unless it holds one action."""
        actions = transaction_pb2.Transaction.FromString(payload).actions
        if len(actions) != 1:
            raise ValueError(f"a transaction has one action, not {len(actions)}")
        body = transaction_pb2.ChaincodeActionPayload.FromString(actions[0].payload)
        answer = proposal_response_pb2.ProposalResponsePayload.FromString(body.action.proposal_response_payload)
        return cls(actions[0], body, answer, proposal_pb2.ChaincodeAction.FromString(answer.extension))

    def call(self) -> chaincode_pb2.ChaincodeSpec:
        """Which chaincode was called, and how. Raises DecodeError."""
        call = proposal_pb2.ChaincodeProposalPayload.FromString(self.body.chaincode_proposal_payload)
        return chaincode_pb2.ChaincodeInvocationSpec.FromString(call.input).chaincode_spec


def open_envelope(
    envelope: common_pb2.Envelope,
) -> tuple[common_pb2.Payload, common_pb2.ChannelHeader]:
    """An envelope's payload and what its header says of it. Raises DecodeError."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    return payload, common_pb2.ChannelHeader.FromString(payload.header.channel_header)


def answer_in(envelope: common_pb2.Envelope) -> bytes:
    """What the chaincode answered in an endorsed transaction. Raises DecodeError or ValueError."""
    return bytes(Endorsed.read(open_envelope(envelope)[0].data).result.response.payload)


def endorsed_envelope(
    proposal: Proposal,
    chaincode: str,
    results: bytes,
    event: tuple[str, bytes] | None,
    response: proposal_response_pb2.Response,
    endorsers: Sequence[Identity],
    submitter: Identity,
    version: str = "",
) -> bytes:
    """The signed envelope of a proposal whose simulation by ``version`` of the chaincode gave ``results`` (a TxReadWriteSet)."""
    return sealed(proposal, action_of(proposal, chaincode, results, event, response, version), endorsers, submitter)


def action_of(
    proposal: Proposal,
    chaincode: str,
    results: bytes,
    event: tuple[str, bytes] | None,
    response: proposal_response_pb2.Response,
    version: str = "",
) -> proposal_pb2.ChaincodeAction:
    """What came of a proposal: what ``version`` of the chaincode read, wrote (``results``, a TxReadWriteSet) and answered."""
    return proposal_pb2.ChaincodeAction(
        results=results,
        events=_event(proposal, chaincode, event),
        response=response,
        chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode, version=version),
    )


def sealed(
    proposal: Proposal, action: proposal_pb2.ChaincodeAction, endorsers: Sequence[Identity], submitter: Identity
) -> bytes:
    """The envelope of a proposal and what came of it, signed by those who endorse that and by who submits it."""
    payload = endorsed_payload(proposal, action, endorsers)
    envelope = common_pb2.Envelope(payload=payload, signature=submitter.sign(payload))
    return bytes(envelope.SerializeToString(deterministic=True))


def endorsed_payload(proposal: Proposal, action: proposal_pb2.ChaincodeAction, endorsers: Sequence[Identity]) -> bytes:
    """A proposal and what came of it, signed by those who endorse that, as an envelope holds them (``common.Payload``)."""
    answer = proposal_response_pb2.ProposalResponsePayload(
        proposal_hash=proposal.hash, extension=action.SerializeToString(deterministic=True)
    ).SerializeToString(deterministic=True)
    endorsements = [
        proposal_response_pb2.Endorsement(endorser=peer.creator, signature=peer.sign(answer + peer.creator))
        for peer in endorsers
    ]
    return answered_payload(proposal, answer, endorsements)


def answered_payload(
    proposal: Proposal, answer: bytes, endorsements: Sequence[proposal_response_pb2.Endorsement]
) -> bytes:
    """A proposal, what peers answered (a ProposalResponsePayload) and their signatures, as an envelope holds them (``common.Payload``)."""
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
    )
    return bytes(payload.SerializeToString(deterministic=True))


def _event(proposal: Proposal, chaincode: str, event: tuple[str, bytes] | None) -> bytes:
    if event is None:
        return b""
    name, payload = event
    message = chaincode_event_pb2.ChaincodeEvent(
        chaincode_id=chaincode, tx_id=proposal.tx_id, event_name=name, payload=payload
    )
    return bytes(message.SerializeToString(deterministic=True))
