"""The ledger port in one process and one file: for demos, development and one organisation's pilot.

It runs the contract itself and writes real Fabric blocks, endorsed by a peer identity of every organisation. It is not
a network: whoever holds the directory holds every organisation's keys, so it proves that nothing was changed by
accident, not that nobody could.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2

from chaincode.contract import Lotline
from ledger import ca
from ledger.commit import Committer, result_of
from ledger.errors import RejectedByContract, Unavailable
from ledger.genesis import ORDERER_MSP, config_envelope
from ledger.identity import Identity
from ledger.membership import Membership
from ledger.port import Committed
from ledger.simulation import Contract, SimulationStub
from ledger.store import Store
from ledger.transaction import NONCE_BYTES, Proposal

CHAINCODE = "lotline"
_PEER, _ORDERER = "peer0", "orderer0"
_POLL_SECONDS = 0.01
_PAGE = 64
_BAD_REQUEST = 400
Answer = TypeVar("Answer")


class EmbeddedLedger:
    """A channel in a directory. Make one with ``create``, open it with ``open``; one process at a time may write."""

    def __init__(self, directory: Path, contract: Contract, *, read_only: bool) -> None:
        self._directory = directory
        self._contract = contract
        self._lock = None if read_only else _lock(directory)
        self._store = Store(directory / "ledger.db", read_only=read_only)
        self._reader = Store(directory / "ledger.db", read_only=True)
        self._reading = threading.Lock()
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._reader_thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-reader")
        self.channel = self._store.meta("channel").decode()
        self._membership = Membership(_roots(directory))
        self._committer = None if read_only else Committer(self._store, self.channel, *_signers(directory))
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
        if (directory / "ledger.db").exists():
            raise FileExistsError(f"{directory} holds a ledger already")
        directory.mkdir(parents=True, exist_ok=True)
        for msp_id in (*organisations, ORDERER_MSP):
            home = directory / "organisations" / msp_id
            ca.create_organisation(home, msp_id)
            kind, name = ("orderer", _ORDERER) if msp_id == ORDERER_MSP else ("peer", _PEER)
            ca.issue(home, name, kind)
        roots = _roots(directory)
        orderer_root = roots.pop(ORDERER_MSP)
        envelope = config_envelope(channel, roots, orderer_root, int(datetime.now(UTC).timestamp()))
        Committer.found(directory / "ledger.db", channel, envelope)
        return await cls.open(directory, contract=contract)

    @classmethod
    async def open(
        cls, directory: Path, *, read_only: bool = False, contract: Contract | None = None
    ) -> EmbeddedLedger:
        """An existing channel. Raises Unavailable if another process writes to it, FileNotFoundError without one."""
        if not (directory / "ledger.db").exists():
            raise FileNotFoundError(f"there is no ledger in {directory}")
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
        if self._committer is None:
            raise Unavailable("this ledger is open for reading only")
        proposal = self._proposal(function, args, identity, transient, nonce)
        return await self._in(self._writer_thread, partial(self._commit, proposal, identity))

    def _commit(self, proposal: Proposal, identity: Identity) -> Committed:
        assert self._committer is not None
        self._membership.check(identity.creator)
        known = self._store.transaction_block(proposal.tx_id)
        if known is not None:
            return Committed(proposal.tx_id, known, self._result(known))
        stub, response = self._run(self._store, proposal, identity)
        block = self._committer.commit(proposal, stub, response, identity, CHAINCODE)
        return Committed(proposal.tx_id, block, response.payload)

    def _result(self, number: int) -> bytes:
        content = self._store.block(number)
        assert content is not None
        return result_of(common_pb2.Block.FromString(content))

    def _run(
        self, state: Store, proposal: Proposal, identity: Identity
    ) -> tuple[SimulationStub, proposal_response_pb2.Response]:
        stub = SimulationStub(state, proposal, self.channel, identity.creator)
        answer = self._contract.invoke(stub)
        if answer.status >= _BAD_REQUEST:
            raise RejectedByContract(answer.status, answer.message, answer.payload)
        response = proposal_response_pb2.Response(status=answer.status, message=answer.message, payload=answer.payload)
        return stub, response

    async def evaluate(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Run a call and throw its writes away."""
        proposal = self._proposal(function, args, identity, transient, None)
        return await self._in(self._reader_thread, partial(self._evaluate, proposal, identity))

    def _evaluate(self, proposal: Proposal, identity: Identity) -> bytes:
        self._membership.check(identity.creator)
        with self._reading:
            self._reader.snapshot()
            try:
                return bytes(self._run(self._reader, proposal, identity)[1].payload)
            finally:
                self._reader.release()

    def _proposal(
        self,
        function: str,
        args: Sequence[bytes],
        identity: Identity,
        transient: Mapping[str, bytes] | None,
        nonce: bytes | None,
    ) -> Proposal:
        call = [function.encode(), *args]
        chosen = os.urandom(NONCE_BYTES) if nonce is None else nonce
        return Proposal.create(self.channel, CHAINCODE, call, identity, chosen, datetime.now(UTC), transient)

    async def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        """Blocks from ``start`` on, for ever; also those that another process commits."""
        while not self._closed:
            page = await self._read(lambda store, at=start: store.blocks(at, _PAGE))  # type: ignore[misc]
            for content in page:
                block = common_pb2.Block.FromString(content)
                start = block.header.number + 1
                yield block
            if not page:
                await asyncio.sleep(_POLL_SECONDS)

    async def height(self) -> int:
        """The number of blocks."""
        return await self._read(Store.height)

    async def block(self, number: int) -> common_pb2.Block:
        """One block; raises Unavailable if there is none of that number."""
        content = await self._read(lambda store: store.block(number))
        if content is None:
            raise Unavailable(f"there is no block {number} yet")
        return common_pb2.Block.FromString(content)

    async def transaction_block(self, tx_id: str) -> int | None:
        """The number of the block that holds a transaction."""
        return await self._read(lambda store: store.transaction_block(tx_id))

    async def close(self) -> None:
        """Finish what is under way, then let go of the file and its lock."""
        self._closed = True
        await asyncio.to_thread(self._writer_thread.shutdown)
        await asyncio.to_thread(self._reader_thread.shutdown)
        self._store.close()
        self._reader.close()
        if self._lock is not None:
            self._lock.close()

    async def _read(self, question: Callable[[Store], Answer]) -> Answer:
        def ask() -> Answer:
            with self._reading:
                return question(self._reader)

        return await self._in(self._reader_thread, ask)

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
        if self._closed:
            raise Unavailable("this ledger is closed")
        return await asyncio.get_running_loop().run_in_executor(thread, work)


def _roots(directory: Path) -> dict[str, bytes]:
    folders = sorted((directory / "organisations").iterdir())
    return {ca.msp_id(folder): (folder / "ca.pem").read_bytes() for folder in folders}


def _signers(directory: Path) -> tuple[list[Identity], Identity]:
    """A peer of every organisation, and the orderer."""
    folders = sorted((directory / "organisations").iterdir())
    peers = [ca.load_identity(folder, _PEER) for folder in folders if ca.msp_id(folder) != ORDERER_MSP]
    return peers, ca.load_identity(directory / "organisations" / ORDERER_MSP, _ORDERER)


def _lock(directory: Path) -> IO[str]:
    """Only one process may write. The lock goes with the process, however it ends."""
    file = (directory / "writer.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Unavailable(f"another process writes to the ledger in {directory}") from None
    return file
