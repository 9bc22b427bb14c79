"""A client of Fabric's Gateway service (Fabric 2.4 and later), asyncio, on Fabric's own messages.

    channel = open_channel("localhost:7051", TLS(authority=pem))
    signer, hash = private_key_signer(key_pem)
    gateway = Gateway(Identity("Org1MSP", certificate_pem), channel, signer, hash)
    contract = gateway.get_network("mychannel").get_contract("basic")
    await contract.submit("put", "colour", "blue")

Where the key is elsewhere, every step can be carried there and back:

>>> import asyncio
>>> async def off_line() -> bool:
...     gateway = Gateway(Identity("Org1MSP", b"certificate"), open_channel("localhost:7051", None))
...     proposal = gateway.get_network("mychannel").get_contract("basic").new_proposal("put", ["colour", "blue"])
...     signature = b"made elsewhere of " + proposal.digest
...     return gateway.new_signed_proposal(proposal.to_bytes(), signature).is_signed
>>> asyncio.run(off_line())
True
"""

from fabric.gateway.chaincode_events import ChaincodeEvent, ChaincodeEventsRequest
from fabric.gateway.checkpoint import Checkpoint, FileCheckpointer, InMemoryCheckpointer
from fabric.gateway.deliver import BlocksRequest
from fabric.gateway.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    EventsError,
    GatewayError,
    SubmitError,
)
from fabric.gateway.gateway import Contract, Gateway, Network
from fabric.gateway.options import TLS, Deadlines, open_channel
from fabric.gateway.proposal import Proposal
from fabric.gateway.signable import UnsignedError
from fabric.gateway.signing import Identity, no_hash, private_key_signer, sha256
from fabric.gateway.transaction import Commit, Status, Transaction

__all__ = [
    "TLS",
    "BlocksRequest",
    "ChaincodeEvent",
    "ChaincodeEventsRequest",
    "Checkpoint",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Contract",
    "Deadlines",
    "EndorseError",
    "ErrorDetail",
    "EvaluateError",
    "EventsError",
    "FileCheckpointer",
    "Gateway",
    "GatewayError",
    "Identity",
    "InMemoryCheckpointer",
    "Network",
    "Proposal",
    "Status",
    "SubmitError",
    "Transaction",
    "UnsignedError",
    "no_hash",
    "open_channel",
    "private_key_signer",
    "sha256",
]
