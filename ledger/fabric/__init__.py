"""A client of Fabric's Gateway service (Fabric 2.4 and later), asyncio, on Fabric's own messages.

>>> channel = open_channel("localhost:7051", TLS(authority=pem))
>>> signer, hash = private_key_signer(key_pem)
>>> gateway = Gateway(Identity("Org1MSP", certificate_pem), channel, signer, hash)
>>> contract = gateway.get_network("mychannel").get_contract("basic")
>>> await contract.submit("put", "colour", "blue")
"""

from ledger.fabric.chaincode_events import ChaincodeEvent, ChaincodeEventsRequest
from ledger.fabric.checkpoint import Checkpoint, FileCheckpointer, InMemoryCheckpointer
from ledger.fabric.deliver import BlocksRequest
from ledger.fabric.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    ErrorDetail,
    EvaluateError,
    EventsError,
    GatewayError,
    SubmitError,
)
from ledger.fabric.gateway import Contract, Gateway, Network
from ledger.fabric.options import TLS, Deadlines, open_channel
from ledger.fabric.proposal import Proposal
from ledger.fabric.signable import UnsignedError
from ledger.fabric.signing import Identity, no_hash, private_key_signer, sha256
from ledger.fabric.transaction import Commit, Status, Transaction

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
