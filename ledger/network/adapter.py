"""The ledger port on a real Fabric network."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2

from fabric.gateway.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    EventsError,
    GatewayError,
    SubmitError,
    senseless,
)
from fabric.gateway.gateway import Contract, Gateway
from fabric.gateway.options import Deadlines
from fabric.gateway.signing import Identity as FabricIdentity
from fabric.gateway.signing import no_hash
from fabric.gateway.transaction import Transaction
from ledger import errors
from ledger.network import chain_queries, classify, endorsing
from ledger.network.limits import check_size
from ledger.network.peers import GatewayPeer, Peers
from ledger.network.stopping import until
from ledger.port import Committed, Identity

Answer = TypeVar("Answer")
_PATIENCE = (10.0, 15.0, 35.0)
"""Seconds to wait for a block before the envelope is sent again."""
_CATCHING_UP = (0.05, 0.2, 0.75)
"""Seconds before peers whose answers differ are asked again: one that is a block behind has it by then."""
_BLOCK_ON_ITS_WAY = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a peer is asked again for a transaction that another one has."""
log = logging.getLogger(__name__)


class FabricLedger:
    """A channel and a chaincode through the Gateway service of one or several peers.

    ``peers``: for each organisation that speaks here, the peers it asks, the first one first; an organisation that is
    not named asks the reader's. ``reader`` is the identity for blocks and chain queries, or says which it is now, since
    certificates are renewed. Submitting again with the same nonce never applies twice: the second answer is the first
    one's.
    """

    def __init__(
        self,
        peers: Mapping[str, Sequence[GatewayPeer]],
        reader: Identity | Callable[[], Identity],
        channel: str = "lotline",
        chaincode: str = "lotline",
        deadlines: Deadlines | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._peers = {msp_id: Peers(addresses) for msp_id, addresses in peers.items()}
        self._read_as = reader if callable(reader) else lambda: reader
        self._channel = channel
        self._chaincode = chaincode
        self._deadlines = deadlines or Deadlines()
        self._closing = asyncio.Event()
        self._on_close = on_close
        self.ordering = ""
        """Why nothing is ordered just now; see the port."""

    @property
    def _reader(self) -> Identity:
        return self._read_as()

    async def submit(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
        nonce: bytes | None = None,
    ) -> Committed:
        """Endorse, order and wait for the block. Raises the errors of ``ledger.errors``."""
        self._check_open()
        check_size(args, transient)
        transaction_id = ""

        async def endorse(channel: grpc.aio.Channel) -> Transaction:
            nonlocal transaction_id
            contract = self._contract(identity, channel)
            proposal = contract.new_proposal(function, args, transient=transient, nonce=nonce)
            transaction_id = proposal.transaction_id
            return await proposal.endorse()

        try:
            transaction = await self._endorsed(identity, endorse)
        except EndorseError as error:
            if classify.is_duplicate(error):
                return await self._first_answer(transaction_id)
            raise classify.before_ordering(error, identity, self._own(identity)) from error
        return await self._order(transaction, identity)

    def _own(self, identity: Identity) -> set[str]:
        """The organisations whose peers are taken at their word: the identity's, and the one that is asked for those without
        peers of their own."""
        return {identity.msp_id} if identity.msp_id in self._peers else {identity.msp_id, self._reader.msp_id}

    async def _endorsed(
        self, identity: Identity, endorse: Callable[[grpc.aio.Channel], Awaitable[Transaction]]
    ) -> Transaction:
        """One transaction that all peers agree on. Nothing has been ordered yet, so asking again does no harm."""
        for pause in _CATCHING_UP:
            try:
                return await self._ask(identity, endorse)
            except EndorseError as error:
                if not classify.peers_differ(error):
                    raise
                log.info("peers differ, asked again in %s s: %s", pause, error)
            await asyncio.sleep(pause)
        return await self._ask(identity, endorse)

    async def _order(self, transaction: Transaction, identity: Identity) -> Committed:
        """Send one envelope and learn its fate. It is sent again while nothing is known of it: a leading orderer that dies
        takes what it had not passed on with it, and of two copies the ledger keeps the first."""
        envelope = self._gateway_bytes(transaction)
        orderers = ""
        for patience in _PATIENCE:
            try:
                await self._ask(identity, partial(self._send, identity, envelope))
            except SubmitError as error:
                beyond = classify.too_large(error, len(envelope))
                if beyond is not None:
                    raise beyond from error
                orderers = f"; the orderers: {error}"
                self.ordering = classify.ordering(error)
                log.info("transaction %s may not have been ordered: %s", transaction.transaction_id, error)
            try:
                block = await self._ask(identity, partial(self._fate, identity, envelope, patience))
            except CommitStatusError as error:
                log.info("nothing known of transaction %s: %s", transaction.transaction_id, error)
            except CommitError as error:
                self.ordering = ""
                if error.code == transaction_pb2.DUPLICATE_TXID:
                    return await self._first_answer(transaction.transaction_id)
                raise classify.after_commit(error) from error
            else:
                self.ordering = ""
                return Committed(transaction.transaction_id, block, transaction.result)
        raise errors.TimedOut(f"transaction {transaction.transaction_id} was sent and its fate is not known{orderers}")

    @staticmethod
    def _gateway_bytes(transaction: Transaction) -> bytes:
        transaction.sign()
        return transaction.to_bytes()

    async def _send(self, identity: Identity, envelope: bytes, channel: grpc.aio.Channel) -> None:
        await self._gateway(identity, channel).new_transaction(envelope).submit()

    async def _fate(self, identity: Identity, envelope: bytes, patience: float, channel: grpc.aio.Channel) -> int:
        deadlines = replace(self._deadlines, commit_status=min(patience, self._deadlines.commit_status))
        commit = self._gateway(identity, channel, deadlines).new_transaction(envelope).commit()
        return (await commit.successful()).block_number

    async def _first_answer(self, transaction_id: str) -> Committed:
        """What the transaction of this id answered when it was committed. Who told that it was may be a peer of others, and
        those that can be asked a block behind it."""
        for pause in _BLOCK_ON_ITS_WAY:
            try:
                return await self._recorded_answer(transaction_id)
            except errors.RejectedByContract as error:
                if classify.UNKNOWN_TRANSACTION not in error.message:
                    raise
            await asyncio.sleep(pause)
        raise errors.TimedOut(f"transaction {transaction_id} is in a block that no peer that was asked has yet")

    async def _recorded_answer(self, transaction_id: str) -> Committed:
        code, result = await self._system("GetTransactionByID", transaction_id.encode(), read=chain_queries.outcome)
        block = await self._system("GetBlockByTxID", transaction_id.encode(), read=chain_queries.block)
        if code != transaction_pb2.VALID:
            raise classify.after_commit(CommitError(transaction_id, code, block.header.number))
        return Committed(transaction_id, block.header.number, result)

    async def attest(self, function: str, args: Sequence[bytes], *, identity: Identity) -> bytes:
        """Have a call endorsed as the policy of the chaincode asks for, and order nothing. Peers that differ because one of them is
        behind are asked again; at last the error names them."""
        self._check_open()
        check_size(args, None)

        async def endorse(channel: grpc.aio.Channel) -> Transaction:
            return await self._contract(identity, channel).new_proposal(function, args).endorse()

        try:
            transaction = await self._endorsed(identity, endorse)
        except EndorseError as error:
            raise classify.before_ordering(error, identity, self._own(identity)) from error
        return transaction.payload

    async def checkpoints(self, nonce: bytes, *, identity: Identity) -> list[bytes]:
        """Asked of each organisation's own peers, whose Endorser service signs what the Gateway passes on unsigned."""
        self._check_open()
        found = [await self._checkpoint(peers, nonce, identity) for peers in self._peers.values()]
        return [one for one in found if one is not None]

    async def _checkpoint(self, peers: Peers, nonce: bytes, identity: Identity) -> bytes | None:
        for peer in peers.in_order():
            try:
                return await endorsing.chain_info(peers.channel(peer), self._channel, nonce, identity, self._deadlines)
            except EvaluateError as error:
                log.info("no signed height from %s: %s", peer.address, error)
        return None

    async def evaluate(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Ask one peer."""

        async def ask(channel: grpc.aio.Channel) -> bytes:
            contract = self._contract(identity, channel)
            return await contract.new_proposal(function, args, transient=transient).evaluate()

        self._check_open()
        check_size(args, transient)
        try:
            return await self._ask(identity, ask)
        except GatewayError as error:
            raise classify.before_ordering(error, identity, self._own(identity)) from error

    async def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        """Blocks from ``start`` on, for ever; a stream that ends is opened again, on another peer if need be."""
        pause = 0.1
        while True:
            for peer in self._peers_of(self._reader).in_order():
                async for block in self._blocks_of(peer, start):
                    yield block
                    start = block.header.number + 1
                    pause = 0.1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _blocks_of(self, peer: GatewayPeer, start: int) -> AsyncIterator[common_pb2.Block]:
        """One peer's blocks until its stream ends."""
        self._check_open()
        gateway = self._gateway(self._reader, self._peers_of(self._reader).channel(peer))
        stream = gateway.get_network(self._channel).get_block_events(start)
        try:
            async for block in until(self._closing, stream):
                if block.header.number != start:
                    raise senseless(EventsError, f"block {block.header.number} where {start} comes next")
                yield block
                start += 1
        except EventsError as error:
            if error.code is grpc.StatusCode.PERMISSION_DENIED:
                raise classify.not_you(error, self._reader) from error
            log.info("block stream of %s ended: %s", peer.address, error)
        self._check_open()

    async def height(self) -> int:
        """How many blocks there are."""
        return await self._system("GetChainInfo", read=chain_queries.height)

    async def block(self, number: int) -> common_pb2.Block:
        """One block."""
        try:
            read = partial(chain_queries.block, number=number)
            return await self._system("GetBlockByNumber", str(number).encode(), read=read)
        except errors.RejectedByContract as error:
            if "no such block number" in error.message:
                raise errors.Unavailable(f"there is no block {number} yet") from error
            raise

    async def transaction_block(self, tx_id: str) -> int | None:
        """The number of the block that holds a transaction, None if there is none."""
        try:
            found = await self._system("GetBlockByTxID", tx_id.encode(), read=chain_queries.block)
        except errors.LedgerError as error:
            if classify.UNKNOWN_TRANSACTION in str(error) or "not found" in str(error):
                return None
            raise
        return found.header.number

    async def close(self) -> None:
        """Close every connection; calls under way and later ones raise Unavailable."""
        self._closing.set()
        for peers in self._peers.values():
            await peers.close()
        self._on_close()

    def _peers_of(self, identity: Identity) -> Peers:
        return self._peers.get(identity.msp_id) or self._peers[self._reader.msp_id]

    async def _ask(self, identity: Identity, call: Callable[[grpc.aio.Channel], Awaitable[Answer]]) -> Answer:
        return await self._peers_of(identity).ask(call)

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise errors.Unavailable("the ledger is closed")

    async def _system(self, function: str, *args: bytes, read: Callable[[bytes], Answer]) -> Answer:
        """A question about the chain; ``read`` raises ValueError for what is no answer to it."""

        async def ask(channel: grpc.aio.Channel) -> Answer:
            contract = self._gateway(self._reader, channel).get_network(self._channel).get_contract("qscc")
            raw = await contract.evaluate(function, self._channel, *args)
            try:
                return read(raw)
            except ValueError as error:
                raise senseless(EvaluateError, f"{function}: {error}") from error

        self._check_open()
        try:
            return await self._ask(self._reader, ask)
        except GatewayError as error:
            raise classify.before_ordering(error, self._reader) from error

    def _gateway(self, identity: Identity, channel: grpc.aio.Channel, deadlines: Deadlines | None = None) -> Gateway:
        who = FabricIdentity(identity.msp_id, identity.certificate)
        # the port's identities hash what they sign themselves
        return Gateway(who, channel, signer=identity.sign, hash=no_hash, deadlines=deadlines or self._deadlines)

    def _contract(self, identity: Identity, channel: grpc.aio.Channel) -> Contract:
        return self._gateway(identity, channel).get_network(self._channel).get_contract(self._chaincode)
