"""The ledger port in one process and one file: for demos, development and one organisation's pilot.

It runs the contract itself and writes real Fabric blocks, endorsed by a peer identity of every organisation. It is not
a network: whoever holds the directory holds every organisation's keys, so it proves that nothing was changed by
accident, not that nobody could.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.peer import proposal_response_pb2

from chaincode.contract import Lotline
from fabric.words.channel import ChannelConfig
from fabric.words.identity import Identity
from fabric.words.membership import Membership, NotAMemberError
from fabric.words.proposal import NONCE_BYTES, Proposal
from fabric.words.transaction import action_of, endorsed_payload
from ledger import ca
from ledger.embedded.commit import Committer, result_of
from ledger.embedded.genesis import ORDERER_MSP, config_envelope
from ledger.embedded.locks import writer_lock
from ledger.embedded.readers import Answer, Question, Readers
from ledger.embedded.simulation import Contract, SimulationStub
from ledger.embedded.store import Store, file_errors
from ledger.errors import InvalidIdentity, RejectedByContract, Unavailable
from ledger.port import Committed

CHAINCODE = "lotline"
FILE = "ledger.db"
_PEER, _ORDERER = "peer0", "orderer0"
_POLL_SECONDS = 0.01
_PAGE = 8
_REFUSED, _BROKEN = 400, 500


class EmbeddedLedger:
    """A channel in a directory. Make one with ``create``, open it with ``open``; one process at a time may write."""

    def __init__(self, directory: Path, contract: Contract, *, read_only: bool) -> None:
        self._file = directory / FILE
        self._contract = contract
        self._lock = None if read_only else writer_lock(directory)
        try:
            self._store = Store(self._file, read_only=read_only)
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise
        self._config = config = ChannelConfig.from_block(_block(self._store, 0))
        self.channel = config.channel
        self._membership = Membership(config.applications)
        self._committer = None
        if not read_only:
            self._committer = Committer(self._store, self.channel, *_signers(directory, config))
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._readers = Readers(self._file)
        self._closed = False

    @classmethod
    async def create(
        cls,
        directory: Path,
        organisations: Sequence[str],
        channel: str = "lotline",
        contract: Contract | None = None,
    ) -> EmbeddedLedger:
        """A new channel of the organisations (MSP names), each with an authority and a peer identity of its own.

        Raises FileExistsError where there is a ledger already.
        """
        directory.mkdir(parents=True, exist_ok=True)
        with writer_lock(directory):
            if (directory / FILE).exists():
                raise FileExistsError(f"{directory} holds a ledger already")
            roots = {msp_id: _authority(directory, msp_id, "peer", _PEER) for msp_id in organisations}
            orderer_root = _authority(directory, ORDERER_MSP, "orderer", _ORDERER)
            envelope = config_envelope(channel, roots, orderer_root, int(datetime.now(UTC).timestamp()))
            Committer.found(directory / FILE, envelope)
        return await cls.open(directory, contract=contract)

    @classmethod
    async def open(
        cls, directory: Path, *, read_only: bool = False, contract: Contract | None = None
    ) -> EmbeddedLedger:
        """An existing channel. Raises Unavailable if another process writes to it, FileNotFoundError without one."""
        if not (directory / FILE).exists():
            raise FileNotFoundError(f"there is no ledger in {directory}")
        with file_errors():
            return cls(directory, contract or Lotline(), read_only=read_only)

    async def submit(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
        nonce: bytes | None = None,
    ) -> Committed:
        """Run, endorse, order and commit a call as one block. See ``ledger.port.Ledger.submit``."""
        self._check_open()
        if self._committer is None:
            raise Unavailable("this ledger is open for reading only")
        work = partial(self._commit, self._committer, [function.encode(), *args], identity, transient, nonce)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _commit(
        self,
        committer: Committer,
        call: Sequence[bytes],
        identity: Identity,
        transient: Mapping[str, bytes] | None,
        nonce: bytes | None,
    ) -> Committed:
        proposal = self._proposal(call, identity, transient, nonce)
        with file_errors():
            known = self._store.transaction_block(proposal.tx_id)
            if known is not None:
                return Committed(proposal.tx_id, known, result_of(_block(self._store, known)))
            stub, response = self._run(self._store, proposal, identity)
            block = committer.commit(proposal, stub, response, identity, CHAINCODE)
        return Committed(proposal.tx_id, block, response.payload)

    async def evaluate(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Run a call and throw its writes away."""
        return await self._ask(partial(self._evaluate, [function.encode(), *args], identity, transient))

    async def attest(self, function: str, args: Sequence[bytes], *, identity: Identity) -> bytes:
        """Run a call and sign its answer with every organisation's peer's key: all of them lie here."""
        return await self._ask(partial(self._attest, [function.encode(), *args], identity))

    def _attest(self, call: Sequence[bytes], identity: Identity, state: Store) -> bytes:
        proposal = self._proposal(call, identity, None, None)
        with state.snapshot():
            stub, response = self._run(state, proposal, identity)
            action = action_of(proposal, CHAINCODE, stub.results(CHAINCODE), stub.event, response)
        return endorsed_payload(proposal, action, _signers(self._file.parent, self._config)[0])

    async def checkpoints(self, nonce: bytes, *, identity: Identity) -> list[bytes]:
        """As every organisation's peer would sign it."""
        return await self._ask(partial(self._checkpoints, nonce, identity))

    def _checkpoints(self, nonce: bytes, identity: Identity, state: Store) -> list[bytes]:
        call = [b"GetChainInfo", self.channel.encode()]
        proposal = Proposal.create(self.channel, "qscc", call, identity.creator, nonce, datetime.now(UTC))
        with state.snapshot():
            height = state.height()
            info = ledger_pb2.BlockchainInfo(height=height, currentBlockHash=state.header_hash(height - 1))
        response = proposal_response_pb2.Response(status=200, payload=info.SerializeToString(deterministic=True))
        action = action_of(proposal, "qscc", b"", None, response)
        return [endorsed_payload(proposal, action, [peer]) for peer in _signers(self._file.parent, self._config)[0]]

    def _evaluate(
        self, call: Sequence[bytes], identity: Identity, transient: Mapping[str, bytes] | None, state: Store
    ) -> bytes:
        proposal = self._proposal(call, identity, transient, None)
        with state.snapshot():
            return bytes(self._run(state, proposal, identity)[1].payload)

    def _proposal(
        self,
        call: Sequence[bytes],
        identity: Identity,
        transient: Mapping[str, bytes] | None,
        nonce: bytes | None,
    ) -> Proposal:
        try:
            self._membership.check(identity)
        except NotAMemberError as error:
            raise InvalidIdentity(str(error)) from error
        chosen = os.urandom(NONCE_BYTES) if nonce is None else nonce
        return Proposal.create(self.channel, CHAINCODE, call, identity.creator, chosen, datetime.now(UTC), transient)

    def _run(
        self, state: Store, proposal: Proposal, identity: Identity
    ) -> tuple[SimulationStub, proposal_response_pb2.Response]:
        stub = SimulationStub(state, proposal, self.channel, identity.creator)
        try:
            answer = self._contract.invoke(stub)
        except sqlite3.Error:
            raise  # the file's fault, not the contract's
        except Exception as fault:
            raise RejectedByContract(_BROKEN, f"{type(fault).__name__}: {fault}") from fault
        if answer.status >= _REFUSED:
            raise RejectedByContract(answer.status, answer.message)
        response = proposal_response_pb2.Response(status=answer.status, message=answer.message, payload=answer.payload)
        return stub, response

    async def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        """Blocks from ``start`` on, for ever; also those that another process commits."""
        self._check_open()
        with file_errors():
            watch = Store(self._file, read_only=True)
        try:
            while True:
                seen = watch.data_version()  # before looking, so that no commit falls between looking and waiting
                page = await self._ask(partial(Store.blocks, start=start, limit=_PAGE))
                for content in page:
                    yield common_pb2.Block.FromString(content)
                start += len(page)
                while not page and watch.data_version() == seen:
                    await asyncio.sleep(_POLL_SECONDS)
                    self._check_open()
        finally:
            watch.close()

    ordering = ""
    """It orders itself."""

    async def height(self) -> int:
        """The number of blocks."""
        return await self._ask(Store.height)

    async def block(self, number: int) -> common_pb2.Block:
        """One block; raises Unavailable if there is none of that number."""
        return await self._ask(partial(_block, number=number))

    async def transaction_block(self, tx_id: str) -> int | None:
        """The number of the block that holds a transaction."""
        return await self._ask(partial(Store.transaction_block, tx_id=tx_id))

    async def close(self) -> None:
        """Finish what is under way, then let go of the file and its lock."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.close)
        self._store.close()
        if self._lock is not None:
            self._lock.close()

    async def _ask(self, question: Question[Answer]) -> Answer:
        self._check_open()
        return await self._readers.ask(question)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("this ledger is closed")


def _block(store: Store, number: int) -> common_pb2.Block:
    content = store.block(number)
    if content is None:
        raise Unavailable(f"there is no block {number} yet")
    return common_pb2.Block.FromString(content)


def _authority(directory: Path, msp_id: str, role: str, node: str) -> bytes:
    """Make an organisation with the identity of one node; returns its root certificate."""
    home = directory / "organisations" / msp_id
    ca.create_organisation(home, msp_id)
    ca.issue(home, node, role)
    return (home / "ca.pem").read_bytes()


def _signers(directory: Path, config: ChannelConfig) -> tuple[list[Identity], Identity]:
    """A peer of every organisation, and the orderer."""
    homes = directory / "organisations"
    peers = [ca.load_identity(homes / msp_id, _PEER) for msp_id in sorted(config.applications)]
    return peers, ca.load_identity(homes / ORDERER_MSP, _ORDERER)
