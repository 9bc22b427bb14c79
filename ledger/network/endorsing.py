"""A peer's Endorser service: it signs what its system chaincodes answer, which the Gateway passes on without the signature."""

from __future__ import annotations

from datetime import UTC, datetime

import grpc
from fabric_protos.peer import peer_pb2_grpc, proposal_pb2

from fabric.gateway.errors import EvaluateError, from_rpc, senseless
from fabric.gateway.options import Deadlines
from fabric.words.identity import Identity
from fabric.words.proposal import Proposal
from fabric.words.transaction import answered_payload

_QUERY = "qscc"
_OK = 200


async def chain_info(
    channel: grpc.aio.Channel, name: str, nonce: bytes, identity: Identity, deadlines: Deadlines
) -> bytes:
    """One peer's height and last block of the channel ``name``, signed by it. Raises EvaluateError."""
    call = [b"GetChainInfo", name.encode()]
    proposal = Proposal.create(name, _QUERY, call, identity.creator, nonce, datetime.now(UTC))
    message = proposal.message()
    signed = proposal_pb2.SignedProposal(proposal_bytes=message, signature=identity.sign(message))
    try:
        answer = await peer_pb2_grpc.EndorserStub(channel).ProcessProposal(signed, timeout=deadlines.evaluate)
    except grpc.aio.AioRpcError as error:
        raise from_rpc(EvaluateError, error, proposal.tx_id) from error
    if answer is None or answer.response.status != _OK or not answer.endorsement.signature:
        raise senseless(EvaluateError, "no signed height", proposal.tx_id)
    return answered_payload(proposal, answer.payload, [answer.endorsement])
