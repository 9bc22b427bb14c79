"""The way in: a gateway for one identity, its networks (channels) and their contracts (chaincodes)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypeVar

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2

from fabric.gateway import proposal as proposals
from fabric.gateway.chaincode_events import ChaincodeEvent, ChaincodeEventsRequest
from fabric.gateway.checkpoint import Checkpoint
from fabric.gateway.client import GatewayClient
from fabric.gateway.deliver import BlocksRequest, seek_position
from fabric.gateway.options import Deadlines
from fabric.gateway.proposal import Proposal
from fabric.gateway.session import Session
from fabric.gateway.signable import Signable
from fabric.gateway.signing import Hash, Identity, Signer, sha256
from fabric.gateway.transaction import Commit, Transaction
from fabric.words.proposal import open_proposal

Item = TypeVar("Item", bound=Signable)


class Gateway:
    """Calls for one identity over a peer's Gateway service.

    The channel belongs to the caller and may serve many gateways. Without a signer everything must be signed off-line.

        gateway = Gateway(Identity("Org1MSP", pem), open_channel("peer:7051", tls), signer=signer)
        contract = gateway.get_network("lotline").get_contract("lotline")
        await contract.evaluate("config")
    """

    def __init__(
        self,
        identity: Identity,
        channel: grpc.aio.Channel,
        signer: Signer | None = None,
        hash: Hash = sha256,
        deadlines: Deadlines | None = None,
        tls_certificate_hash: bytes = b"",
    ) -> None:
        client = GatewayClient(channel, deadlines or Deadlines())
        self._session = Session(identity, client, signer, hash, tls_certificate_hash)

    @property
    def identity(self) -> Identity:
        """Who calls."""
        return self._session.identity

    def get_network(self, channel: str) -> Network:
        """A channel by name."""
        return Network(self._session, channel)

    def new_proposal(self, data: bytes) -> Proposal:
        """A proposal from ``Proposal.to_bytes``."""
        proposed = gateway_pb2.ProposedTransaction.FromString(data)
        return Proposal(self._session, open_proposal(proposed.proposal.proposal_bytes)[0].channel_id, proposed)

    def new_signed_proposal(self, data: bytes, signature: bytes) -> Proposal:
        """A proposal and the signature made for it elsewhere."""
        return _signed(self.new_proposal(data), signature)

    def new_transaction(self, data: bytes) -> Transaction:
        """A transaction from ``Transaction.to_bytes``."""
        return Transaction(self._session, gateway_pb2.PreparedTransaction.FromString(data))

    def new_signed_transaction(self, data: bytes, signature: bytes) -> Transaction:
        """A transaction and the signature made for it elsewhere."""
        return _signed(self.new_transaction(data), signature)

    def new_commit(self, data: bytes) -> Commit:
        """A commit from ``Commit.to_bytes``."""
        return Commit(self._session, gateway_pb2.SignedCommitStatusRequest.FromString(data))

    def new_signed_commit(self, data: bytes, signature: bytes) -> Commit:
        """A commit and the signature made for it elsewhere."""
        return _signed(self.new_commit(data), signature)

    def new_chaincode_events_request(self, data: bytes) -> ChaincodeEventsRequest:
        """A request from ``ChaincodeEventsRequest.to_bytes``."""
        return ChaincodeEventsRequest(self._session, gateway_pb2.SignedChaincodeEventsRequest.FromString(data))

    def new_signed_chaincode_events_request(self, data: bytes, signature: bytes) -> ChaincodeEventsRequest:
        """A request for events and the signature made for it elsewhere."""
        return _signed(self.new_chaincode_events_request(data), signature)

    def new_blocks_request(self, kind: str, data: bytes) -> BlocksRequest:
        """A request from ``BlocksRequest.to_bytes``; ``kind`` is block, filtered or private."""
        return BlocksRequest(self._session, kind, common_pb2.Envelope.FromString(data))

    def new_signed_blocks_request(self, kind: str, data: bytes, signature: bytes) -> BlocksRequest:
        """A request for blocks and the signature made for it elsewhere."""
        return _signed(self.new_blocks_request(kind, data), signature)


class Network:
    """A channel."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def get_contract(self, chaincode: str, contract_name: str | None = None) -> Contract:
        """A chaincode, or one of several contracts within it."""
        return Contract(self._session, self.name, chaincode, contract_name)

    def new_chaincode_events_request(
        self, chaincode: str, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> ChaincodeEventsRequest:
        """A request for a chaincode's events: from the checkpoint, else the start block, else from now on."""
        start = seek_position(start_block, checkpoint)
        after = checkpoint.transaction_id if checkpoint is not None else ""
        return ChaincodeEventsRequest.create(self._session, self.name, chaincode, start, after)

    def get_chaincode_events(
        self, chaincode: str, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> AsyncIterator[ChaincodeEvent]:
        """A chaincode's events, for ever."""
        return self.new_chaincode_events_request(chaincode, start_block, checkpoint).events()

    def new_blocks_request(
        self, kind: str = "block", start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> BlocksRequest:
        """A request for blocks (``kind`` block), filtered blocks (filtered), or with private data (private)."""
        return BlocksRequest.create(self._session, kind, self.name, seek_position(start_block, checkpoint))

    def get_block_events(
        self, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> AsyncIterator[common_pb2.Block]:
        """Whole blocks, for ever."""
        return self.new_blocks_request("block", start_block, checkpoint).events()

    def get_filtered_block_events(
        self, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> AsyncIterator[Any]:
        """Filtered blocks (ids, codes and event names), for ever."""
        return self.new_blocks_request("filtered", start_block, checkpoint).events()

    def get_block_and_private_data_events(
        self, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> AsyncIterator[Any]:
        """Blocks with the private data that the peer holds, for ever."""
        return self.new_blocks_request("private", start_block, checkpoint).events()


class Contract:
    """A chaincode's functions."""

    def __init__(self, session: Session, channel: str, chaincode: str, name: str | None = None) -> None:
        self._session = session
        self._channel = channel
        self.chaincode = chaincode
        self.name = name

    def new_proposal(
        self,
        function: str,
        args: Sequence[bytes | str] = (),
        *,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        nonce: bytes | None = None,
    ) -> Proposal:
        """A proposal to call a function. A given nonce gives the same transaction id again."""
        qualified = f"{self.name}:{function}" if self.name else function
        encoded = [arg.encode() if isinstance(arg, str) else arg for arg in (qualified, *args)]
        creator = self._session.identity.creator
        proposed = proposals.build(
            creator, self._channel, self.chaincode, encoded, transient, endorsing_organizations, nonce
        )
        return Proposal(self._session, self._channel, proposed)

    async def evaluate(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> bytes:
        """Ask one peer; nothing is ordered."""
        proposal = self.new_proposal(
            function, args, transient=transient, endorsing_organizations=endorsing_organizations
        )
        return await proposal.evaluate()

    async def submit_async(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> Commit:
        """Endorse and send; the answer's ``result`` counts once its ``successful()`` has returned."""
        proposal = self.new_proposal(
            function, args, transient=transient, endorsing_organizations=endorsing_organizations
        )
        return await (await proposal.endorse()).submit()

    async def submit(
        self,
        function: str,
        *args: bytes | str,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> bytes:
        """Endorse, send, wait for the block, and return the contract's payload; CommitError if found invalid."""
        commit = await self.submit_async(
            function, *args, transient=transient, endorsing_organizations=endorsing_organizations
        )
        await commit.successful()
        return commit.result


def _signed(item: Item, signature: bytes) -> Item:
    item.sign_with(signature)
    return item
