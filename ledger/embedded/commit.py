"""From a simulated call to a block on disk: endorsing, ordering and committing, the peer's and the orderer's parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2, transaction_pb2

from fabric.words import chain
from fabric.words.identity import Identity
from fabric.words.proposal import NONCE_BYTES, Proposal
from fabric.words.transaction import answer_in, endorsed_envelope
from ledger.embedded.simulation import SimulationStub
from ledger.embedded.store import Store

_VALID = bytes([transaction_pb2.VALID])
_CONTRACT_VERSION = "1.0"
"""Of the contract, as transactions name it. There is no definition to compare it with: Lotline runs the one it has."""


class Committer:
    """Appends blocks of one transaction each. Not safe to use from two threads at once."""

    def __init__(self, store: Store, channel: str, peers: Sequence[Identity], orderer: Identity) -> None:
        self._store = store
        self._channel = channel
        self._peers = peers
        self._orderer = orderer
        self._height = store.height()
        self._previous = store.header_hash(self._height - 1)
        self._commit_hash = store.meta("commit_hash")

    @staticmethod
    def found(path: Path, envelope: bytes) -> None:
        """Write block 0. It appears under its name only when it is whole."""
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        store = Store(unfinished)
        block = chain.assemble(0, b"", [envelope], None, b"")
        block.metadata.metadata[chain.TRANSACTIONS_FILTER] = _VALID
        digest = chain.header_hash(0, b"", block.header.data_hash)
        store.commit(0, digest, block.SerializeToString(), None, {}, {}, b"")
        store.close()
        unfinished.rename(path)

    def commit(
        self,
        proposal: Proposal,
        stub: SimulationStub,
        response: proposal_response_pb2.Response,
        submitter: Identity,
        chaincode: str,
    ) -> int:
        """Endorse, order and commit; returns the block's number."""
        results = stub.results(chaincode)
        envelope = endorsed_envelope(
            proposal, chaincode, results, stub.event, response, self._peers, submitter, _CONTRACT_VERSION
        )
        number = self._height
        writes, policies = self._changes(stub)
        block = chain.assemble(number, self._previous, [envelope], self._orderer, os.urandom(NONCE_BYTES))
        updates = chain.update_bytes(((chaincode, key, value, 0) for key, value in writes.items()), number)
        commit_hash = chain.commit_hash(_VALID, updates, self._commit_hash)
        block.metadata.metadata[chain.TRANSACTIONS_FILTER] = _VALID
        block.metadata.metadata[chain.COMMIT_HASH] = common_pb2.Metadata(value=commit_hash).SerializeToString()
        digest = chain.header_hash(number, self._previous, block.header.data_hash)
        content = block.SerializeToString(deterministic=True)
        self._store.commit(number, digest, content, proposal.tx_id, writes, policies, commit_hash)
        self._height, self._previous, self._commit_hash = number + 1, digest, commit_hash
        return number

    def _changes(self, stub: SimulationStub) -> tuple[dict[str, bytes | None], dict[str, bytes]]:
        """What a call leaves behind: values and policies by key. A new policy makes a new version of its key, also
        where the value stays; a key that is not there gets none."""
        writes = dict(stub.writes)
        unwritten = [key for key in stub.policies if key not in writes]
        writes.update((key, found.value) for key, found in self._store.get_many(unwritten).items())
        return writes, {key: policy for key, policy in stub.policies.items() if writes.get(key) is not None}


def result_of(block: common_pb2.Block) -> bytes:
    """What the contract answered in a block's one transaction."""
    return answer_in(common_pb2.Envelope.FromString(block.data.data[0]))
